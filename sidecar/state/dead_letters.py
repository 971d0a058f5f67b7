"""Dead letters: rows that could not be brought over, each with its id and reason, until they change.

`kind` is order, person or value; `ref` is an id such as `order:17` or `user:4`, never an address.
"""

from __future__ import annotations

import msgspec

from sidecar import clock
from sidecar.state.database import State


class DeadLetter(msgspec.Struct, kw_only=True, frozen=True):
    """One letter. Times are Unix seconds UTC."""

    id: int
    kind: str
    ref: str
    reason: str
    detail: str
    attempts: int
    first_at: int
    last_at: int


def add(
    state: State,
    kind: str,
    ref: str,
    reason: str,
    detail: str = "",
    *,
    run_id: int | None = None,
    person_id: int | None = None,
) -> None:
    """File a letter, or count another attempt of the same."""
    now = int(clock.now().timestamp())
    state.sql.execute(
        "INSERT INTO dead_letter (kind, ref, reason, detail, person_id, run_id, first_at, last_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(kind, ref, reason) DO UPDATE SET attempts = attempts + 1,"
        " last_at = excluded.last_at, detail = excluded.detail, run_id = excluded.run_id, person_id = excluded.person_id",
        (kind, ref, reason, detail[:300], person_id, run_id, now, now),
    )


def of_person(state: State, person_id: int, letters: list[tuple[str, str, str, str]], run_id: int) -> None:
    """The letters of one person, as (kind, ref, reason, detail): these are filed, all earlier ones of theirs go.

    A guest is named by their newest order, which changes: so letters are known by the person, not by the name.
    """
    kept = {letter[:3] for letter in letters}
    for id_, kind, ref, reason in state.rows(
        "SELECT id, kind, ref, reason FROM dead_letter WHERE person_id = ?", (person_id,)
    ):
        if (kind, ref, reason) not in kept:
            state.sql.execute("DELETE FROM dead_letter WHERE id = ?", (id_,))
    for kind, ref, reason, detail in letters:
        add(state, kind, ref, reason, detail, run_id=run_id, person_id=person_id)


def resolve(state: State, kind: str, refs: list[str]) -> int:
    """Take away the letters of rows that went through. Returns how many there were."""
    if not refs:
        return 0
    found = state.sql.execute(
        "DELETE FROM dead_letter WHERE kind = ? AND ref IN (SELECT value FROM json_each(?))",
        (kind, msgspec.json.encode(refs).decode()),
    )
    return int(found.rowcount)


def all_(state: State, limit: int = 1000) -> list[DeadLetter]:
    """The letters, newest first."""
    rows = state.rows(
        "SELECT id, kind, ref, reason, detail, attempts, first_at, last_at FROM dead_letter"
        " ORDER BY last_at DESC, id DESC LIMIT ?",
        (limit,),
    )
    return [
        DeadLetter(id=r[0], kind=r[1], ref=r[2], reason=r[3], detail=r[4], attempts=r[5], first_at=r[6], last_at=r[7])
        for r in rows
    ]


def page(state: State, after: int, limit: int) -> list[DeadLetter]:
    """Letters by id, the highest first; those below `after`, 0 for the first page."""
    rows = state.rows(
        "SELECT id, kind, ref, reason, detail, attempts, first_at, last_at FROM dead_letter"
        " WHERE ?1 = 0 OR id < ?1 ORDER BY id DESC LIMIT ?2",
        (after, limit),
    )
    return [
        DeadLetter(id=r[0], kind=r[1], ref=r[2], reason=r[3], detail=r[4], attempts=r[5], first_at=r[6], last_at=r[7])
        for r in rows
    ]


def count(state: State) -> int:
    """How many there are."""
    return int(state.rows("SELECT COUNT(*) FROM dead_letter")[0][0])
