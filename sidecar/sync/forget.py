"""Forgetting an erased person in the state: everything that hangs on them goes; their orders keep their sums only."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sidecar.state.database import State
from sidecar.sync.session import Session

_OF_PERSON = (
    "DELETE FROM person_doc WHERE person_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM alias WHERE person_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM dead_letter WHERE person_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM consent WHERE person_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM live_intent WHERE person_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM activity WHERE person_id IN (SELECT value FROM json_each(?1))",
    """DELETE FROM activity WHERE visitor IN
     (SELECT visitor FROM visitor WHERE person_id IN (SELECT value FROM json_each(?1)))""",
    "DELETE FROM visitor WHERE person_id IN (SELECT value FROM json_each(?1))",
    "DELETE FROM event WHERE person_id IN (SELECT value FROM json_each(?1))",
    "UPDATE account SET person_id = NULL WHERE person_id IN (SELECT value FROM json_each(?1))",
    """UPDATE shop_order SET person_id = NULL, doc = NULL, verdict = 'erased'
     WHERE person_id IN (SELECT value FROM json_each(?1))""",
    """DELETE FROM cart_refusal WHERE key IN
     (SELECT key FROM person WHERE id IN (SELECT value FROM json_each(?1)))""",
    "DELETE FROM person WHERE id IN (SELECT value FROM json_each(?1))",
)


def people(state: State, ids: Collection[int]) -> int:
    """Take these people out of the state. Returns how many rows went or changed."""
    if not ids:
        return 0
    wanted = msgspec.json.encode(sorted(ids)).decode()
    with state.transaction() as sql:
        return sum(sql.execute(statement, (wanted,)).rowcount for statement in _OF_PERSON)


def suppress(state: State, keys: Collection[bytes], at: int) -> None:
    """No import brings these people back (until it is lifted)."""
    with state.transaction() as sql:
        sql.executemany("INSERT OR IGNORE INTO suppressed VALUES (?, ?)", [(key, at) for key in keys])


def suppressed(session: Session) -> int:
    """People whom a look has found among those that the plugin erased: out with what the state has of them.

    Their keys are kept as suppressed here too, so that the next time needs no look.
    """
    rows = session.state.rows("SELECT id, key FROM person WHERE reason = 'suppressed'")
    if not rows:
        return 0
    suppress(session.state, [row[1] for row in rows], session.now)
    people(session.state, [row[0] for row in rows])
    return len(rows)
