"""The table `trait` and what goes with it: brought up to date for people whose facts are newer."""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from sidecar.people.model import Facts
from sidecar.segments import traits
from sidecar.state.database import State

_PAGE = 2000
_facts = msgspec.json.Decoder(Facts).decode
_INSERT = (
    f"INSERT OR REPLACE INTO trait (person_id, {', '.join(traits.COLUMNS)})"
    f" VALUES ({', '.join('?' * (len(traits.COLUMNS) + 1))})"
)
_STALE = (
    "SELECT s.person_id, p.verdict, d.facts FROM trait_stale s LEFT JOIN person p ON p.id = s.person_id"
    " LEFT JOIN person_doc d ON d.person_id = s.person_id ORDER BY s.person_id LIMIT ?"
)
_ORDERS = """
INSERT OR REPLACE INTO counted_order
SELECT o.id, o.person_id, o.created FROM shop_order o
WHERE o.person_id IN (SELECT value FROM json_each(?)) AND o.verdict = 'candidate' AND o.created IS NOT NULL
 AND o.total + COALESCE((SELECT SUM(r.total) FROM shop_order r WHERE r.parent_id = o.id AND r.verdict = 'refund'), 0) > 0
"""


def refresh(state: State, zone: tzinfo) -> list[int]:
    """Bring the traits of people whose facts are newer up to date. Returns their ids; those who are no contacts (any more)
    have no traits."""
    done: list[int] = []
    while True:
        # Read in the transaction: what is written anew meanwhile would else be taken for done.
        with state.transaction() as sql:
            page = sql.execute(_STALE, (_PAGE,)).fetchall()
            if not page:
                return done
            rows = []
            for id_, verdict, facts in page:
                if verdict == "in" and facts is not None:
                    values = traits.of(_facts(facts), zone)
                    rows.append((id_, *[values[name] for name in traits.COLUMNS]))
            ids = msgspec.json.encode([row[0] for row in page]).decode()
            members = msgspec.json.encode([row[0] for row in rows]).decode()
            for table in ("trait", "counted_order"):
                sql.execute(f"DELETE FROM {table} WHERE person_id IN (SELECT value FROM json_each(?))", (ids,))
            sql.executemany(_INSERT, rows)
            sql.execute(_ORDERS, (members,))
            sql.execute("DELETE FROM trait_stale WHERE person_id IN (SELECT value FROM json_each(?))", (ids,))
        done += [row[0] for row in page]
