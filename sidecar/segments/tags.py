"""Whose tags in FluentCRM are behind their memberships, and what they should be.

The comings and goings are the queue: what stands behind the last one that was written is due. Nothing is lost when a write
is interrupted, and one that happens twice changes nothing, because it starts from what FluentCRM has.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import msgspec

from sidecar.state.database import State

_WRITTEN = "segments.written"
_SOME = 500


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """People whose tags are to be compared: {person: whether what happened is live}, up to the event `upto`."""

    people: dict[int, bool]
    upto: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A person's contact, and the segments that they are in."""

    contact: int
    segments: frozenset[str]


def waits(state: State) -> bool:
    """Whether anybody's tags are behind."""
    return bool(
        state.rows(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM tag_stale) OR (SELECT COALESCE(MAX(id), 0) FROM membership_event) > ?",
            (written(state) or 0,),
        )
    )


def due(state: State) -> Due | None:
    """Some of those who are behind, the longest waiting first; None when nobody is."""
    after = written(state) or 0
    rows = state.rows(
        "SELECT id, person_id, live FROM membership_event WHERE id > ? ORDER BY id LIMIT ?", (after, _SOME)
    )
    people: dict[int, bool] = {}
    for _, person, live in rows:
        people[person] = people.get(person, False) or bool(live)
    for (person,) in state.rows("SELECT person_id FROM tag_stale LIMIT ?", (_SOME,)):
        people.setdefault(person, False)
    return Due(people=people, upto=rows[-1][0] if rows else after) if people else None


def done(state: State, what: Due, again: Collection[int] = ()) -> None:
    """Their tags are right now, but for those who must be looked at `again`."""
    with state.transaction() as sql:
        sql.execute(
            "DELETE FROM tag_stale WHERE person_id IN (SELECT value FROM json_each(?))", (_json(list(what.people)),)
        )
        sql.executemany("INSERT OR IGNORE INTO tag_stale VALUES (?)", [(person,) for person in again])
        state.set(_WRITTEN, str(what.upto))


def newest(state: State) -> int:
    """The last coming or going."""
    return int(state.rows("SELECT COALESCE(MAX(id), 0) FROM membership_event")[0][0])


def written(state: State) -> int | None:
    """The last coming or going that FluentCRM has; None: it never had any."""
    text = state.get(_WRITTEN)
    return int(text) if text else None


def everybody(state: State) -> Iterator[list[int]]:
    """All who have a contact, by pages."""
    after = 0
    while page := [
        row[0]
        for row in state.rows(
            "SELECT id FROM person WHERE id > ? AND contact_id IS NOT NULL ORDER BY id LIMIT ?", (after, _SOME * 2)
        )
    ]:
        yield page
        after = page[-1]


def contacts(state: State) -> set[int]:
    """The contacts of all people."""
    return {row[0] for row in state.rows("SELECT contact_id FROM person WHERE contact_id IS NOT NULL")}


def wanted(state: State, people: Sequence[int]) -> dict[int, Wanted]:
    """{person: what they should have}; those without a contact are missing."""
    encoded = (_json(people),)
    these = "(SELECT value FROM json_each(?))"
    segments: dict[int, set[str]] = {}
    for person, segment in state.rows(f"SELECT person_id, segment FROM membership WHERE person_id IN {these}", encoded):
        segments.setdefault(person, set()).add(segment)
    return {
        person: Wanted(contact=contact, segments=frozenset(segments.get(person, ())))
        for person, contact in state.rows(
            f"SELECT id, contact_id FROM person WHERE id IN {these} AND contact_id IS NOT NULL", encoded
        )
    }


def _json(ids: Sequence[int]) -> str:
    return msgspec.json.encode(list(ids)).decode()
