"""The table `trait` and what goes with it: brought up to date for people whose facts are newer."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from datetime import tzinfo

import msgspec

from sidecar.people.model import Facts
from sidecar.segments import reorders, scores, traits
from sidecar.state import bulk
from sidecar.state.database import State

_PAGE = 2000
_MANY = 10_000  # from so many people on, and when they are most of all, indexes are built anew
# Up to so many that is one transaction, for whose seconds nobody else can write to the state: the others wait 30 of them.
_MOST = 200_000
_facts = msgspec.json.Decoder(Facts).decode
_INSERT = (
    f"INSERT OR REPLACE INTO trait (person_id, {', '.join(traits.COLUMNS)})"
    f" VALUES ({', '.join('?' * (len(traits.COLUMNS) + 1))})"
)
_STALE = (
    "SELECT s.person_id, p.verdict, d.facts FROM trait_stale s LEFT JOIN person p ON p.id = s.person_id"
    " LEFT JOIN person_doc d ON d.person_id = s.person_id WHERE s.traits = 0 AND s.person_id > ? ORDER BY s.person_id LIMIT ?"
)
# Traits are made anew when the way they are made changes (count it up), or the zone that their days are in.
_MADE, _WAY = "segments.traits", 2
_ORDERS = """
INSERT OR REPLACE INTO counted_order
SELECT o.id, o.person_id, o.created FROM shop_order o
WHERE o.person_id IN (SELECT value FROM json_each(?)) AND o.verdict = 'candidate' AND o.created IS NOT NULL
 AND o.total + COALESCE((SELECT SUM(r.total) FROM shop_order r WHERE r.parent_id = o.id AND r.verdict = 'refund'), 0) > 0
"""


def refresh(state: State, zone: tzinfo) -> None:
    """Bring the traits of people whose facts are newer up to date. People who are no contacts (any more) have none.

    Whoever was looked at stays among the `stale` until their memberships are right too (`settled`): an interruption in
    between loses nobody.
    """
    _remake(state, zone)
    new = _size(state, "trait_stale WHERE traits = 0")
    if _MANY <= new <= _MOST and new * 2 > (there := _size(state, "trait")):
        with state.transaction() as sql, bulk.rebuilt_indexes(sql, "trait", "counted_order_at"):
            if not there:
                scores.foresee(state)
            _pages(state, zone)
    else:
        _pages(state, zone)


def few(state: State) -> bool:
    """Whether everybody can be written in one transaction."""
    return _size(state, "trait") <= _MOST


def _size(state: State, rows: str) -> int:
    return int(state.rows(f"SELECT COUNT(*) FROM {rows}")[0][0])


def _pages(state: State, zone: tzinfo) -> None:
    last = 0
    while True:
        # Read in the transaction: what is written anew meanwhile would else be taken for done.
        with state.transaction() as sql:
            borders = scores.kept(state)
            page = sql.execute(_STALE, (last, _PAGE)).fetchall()
            if not page:
                return
            rows = [
                (id_, *traits.of(_facts(facts), zone, borders).values())
                for id_, verdict, facts in page
                if verdict == "in" and facts is not None
            ]
            ids = msgspec.json.encode([row[0] for row in page]).decode()
            members = msgspec.json.encode([row[0] for row in rows]).decode()
            for table in ("trait", "counted_order", "reorder"):
                sql.execute(f"DELETE FROM {table} WHERE person_id IN (SELECT value FROM json_each(?))", (ids,))
            sql.executemany(_INSERT, rows)
            sql.execute(_ORDERS, (members,))
            reorders.keep(sql, members)
            sql.execute("UPDATE trait_stale SET traits = 1 WHERE person_id IN (SELECT value FROM json_each(?))", (ids,))
            last = page[-1][0]


def stale(state: State) -> list[int]:
    """People whose memberships are older than their traits."""
    return [row[0] for row in state.rows("SELECT person_id FROM trait_stale WHERE traits = 1")]


def live(state: State, since: int, until: int) -> list[int]:
    """Those of them who did something between these moments (Unix seconds): what happens to them may start automations."""
    return [
        row[0]
        for row in state.rows(
            "SELECT person_id FROM trait_stale WHERE traits = 1 AND live > 0 AND live BETWEEN ? AND ?", (since, until)
        )
    ]


def lively(state: State, ids: Collection[int], now: int) -> None:
    """These people did something now (Unix seconds). Who is not to be looked at again is left alone."""
    if ids:
        with state.transaction() as sql:
            sql.execute(
                "UPDATE trait_stale SET live = ? WHERE person_id IN (SELECT value FROM json_each(?))",
                (now, msgspec.json.encode(sorted(ids)).decode()),
            )


def settled(sql: sqlite3.Connection, ids: Sequence[int]) -> None:
    """Their memberships are right; call it in the transaction that wrote them. Who changed meanwhile stays."""
    encoded = msgspec.json.encode(list(ids)).decode()
    sql.execute(
        "DELETE FROM trait_stale WHERE traits = 1 AND person_id IN (SELECT value FROM json_each(?))", (encoded,)
    )


def _remake(state: State, zone: tzinfo) -> None:
    way = f"{_WAY}|{zone}"
    if state.get(_MADE) != way:
        with state.transaction() as sql:
            sql.execute(
                "INSERT INTO trait_stale (person_id) SELECT person_id FROM person_doc WHERE true"
                " ON CONFLICT DO UPDATE SET traits = 0"
            )
            state.set(_MADE, way)
