"""What visitors did: products viewed, carts, checkouts. Kept for segments, by visitor and, once known, by person.

A visitor is a random first-party id that the bridge sets with consent only. It is linked to a person when they order,
are logged in, or type the address of somebody whom the sidecar knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from sidecar.events.outbox import Hint
from sidecar.events.topics import ACTIVITY
from sidecar.state.database import State

_DAY_MS = 86_400_000


class Act(msgspec.Struct, kw_only=True, frozen=True):
    """One act. `kind` is view, cart, emptied, checkout or order; `at` Unix milliseconds UTC."""

    at: int
    kind: str
    object_id: int
    sub_id: int
    detail: str


def record(state: State, hints: Iterable[Hint], people: Mapping[int, int]) -> None:
    """Write down what visitors did. `people`: {hint id: person id} as far as known. A hint that comes twice counts
    once; nothing is kept of somebody who is neither a visitor with an id nor a person."""
    rows = []
    links: dict[str, tuple[int, int]] = {}
    for hint in hints:
        person = people.get(hint.id)
        kind = ACTIVITY.get(hint.topic)
        if hint.visitor and person is not None:
            links[hint.visitor] = (person, hint.created_ms)
        if kind and hint.id and (hint.visitor or person is not None):
            rows.append(
                (hint.id, hint.created_ms, kind, hint.visitor, person, hint.object_id, hint.sub_id, hint.detail[:100])
            )
    if not rows and not links:
        return
    with state.transaction() as sql:
        sql.executemany(
            "INSERT OR IGNORE INTO activity (outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail)"
            " VALUES (?, ?, ?, ?, COALESCE(?5, (SELECT person_id FROM visitor WHERE visitor = ?4)), ?, ?, ?)",
            rows,
        )
        for visitor, (person, at) in links.items():
            sql.execute(
                "INSERT INTO visitor VALUES (?, ?, ?) ON CONFLICT(visitor) DO UPDATE SET person_id = excluded.person_id,"
                " at = excluded.at",
                (visitor, person, at),
            )
            # What they did before they were known. On a shared device earlier acts stay with whom they were linked to.
            sql.execute("UPDATE activity SET person_id = ? WHERE visitor = ? AND person_id IS NULL", (person, visitor))


def of_person(state: State, person_id: int, limit: int = 50) -> list[Act]:
    """What a person did, the newest first."""
    rows = state.rows(
        "SELECT at, kind, object_id, sub_id, detail FROM activity WHERE person_id = ? ORDER BY at DESC LIMIT ?",
        (person_id, limit),
    )
    return [Act(at=row[0], kind=row[1], object_id=row[2], sub_id=row[3], detail=row[4]) for row in rows]


def prune(state: State, now_ms: int, days: int, rows: int) -> int:
    """Forget what is older than `days`, and what is above `rows`. Returns how many acts went."""
    edge_ms = now_ms - days * _DAY_MS
    with state.transaction() as sql:
        gone = sql.execute("DELETE FROM activity WHERE at < ?", (edge_ms,)).rowcount
        edge = sql.execute("SELECT id FROM activity ORDER BY id DESC LIMIT 1 OFFSET ?", (rows,)).fetchone()
        if edge is not None:
            gone += sql.execute("DELETE FROM activity WHERE id <= ?", edge).rowcount
        sql.execute("DELETE FROM visitor WHERE at < ?", (edge_ms,))
    return int(gone)
