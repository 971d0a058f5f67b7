"""Whose tags in FluentCRM are behind their memberships, and what they should be.

The comings and goings are the queue: what stands behind the last one that was written is due. Nothing is lost when a write
is interrupted, and one that happens twice changes nothing, because it starts from what FluentCRM has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from sidecar.state.database import State

_WRITTEN = "segments.written"
# The comparison of everybody that is at work, as JSON; '' when none is.
_COMPARING = "segments.comparing"
_SOME = 500
# How often what is live is tried through WordPress before it is written quietly.
TRIES = 3


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """People whose tags are to be compared: {person: how often through WordPress}, up to the event `upto`."""

    people: dict[int, int]
    upto: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A person's contact, and the segments that they are in."""

    contact: int
    segments: frozenset[str]


class Comparison(msgspec.Struct, kw_only=True):
    """How far a comparison of everybody has come: all people up to `person`; all carriers of a tag up to the row `carrier`.
    `digest`: what it is a comparison with."""

    digest: str
    person: int = 0
    carrier: int = 0


def waits(state: State) -> bool:
    """Whether anybody's tags are behind."""
    return bool(state.get(_COMPARING)) or bool(
        state.rows(
            "SELECT 1 WHERE EXISTS (SELECT 1 FROM tag_stale) OR (SELECT COALESCE(MAX(id), 0) FROM membership_event) > ?",
            (written(state) or 0,),
        )
    )


def due(state: State, since: int, most: int) -> Due | None:
    """Some of those who are behind, the longest waiting first, and no more than `most` who are live; None when nobody is.
    What happened before `since` (Unix seconds) is not live any more."""
    after = written(state) or 0
    rows = state.rows("SELECT id, person_id FROM membership_event WHERE id > ? ORDER BY id LIMIT ?", (after, _SOME))
    # One coming of now is enough, and it may stand behind others of the same person: all are written together.
    lively = {
        row[0]
        for row in state.rows(
            "SELECT DISTINCT person_id FROM membership_event WHERE id > ? AND live = 1 AND at >= ?"
            " AND person_id IN (SELECT value FROM json_each(?))",
            (after, since, _json(sorted({row[1] for row in rows}))),
        )
    }
    people: dict[int, int] = {}
    left, upto = most, after
    for id_, person in rows:
        if person in lively and person not in people:
            if not left:
                break
            left -= 1
        people[person] = TRIES if person in lively else 0
        upto = id_
    for person, tries in state.rows("SELECT person_id, live FROM tag_stale ORDER BY live DESC LIMIT ?", (_SOME,)):
        if person not in people and (left or not tries):
            people[person] = tries
            left -= bool(tries)
    return Due(people=people, upto=upto) if people else None


def done(state: State, what: Due, again: Mapping[int, int]) -> None:
    """Their tags are right now, but for those who must be looked at `again`, so many times through WordPress."""
    with state.transaction() as sql:
        sql.execute(
            "DELETE FROM tag_stale WHERE person_id IN (SELECT value FROM json_each(?))", (_json(list(what.people)),)
        )
        sql.executemany("INSERT OR REPLACE INTO tag_stale VALUES (?, ?)", again.items())
        state.set(_WRITTEN, str(what.upto))


def comparison(state: State) -> Comparison | None:
    """The comparison of everybody that is at work."""
    text = state.get(_COMPARING)
    return msgspec.json.decode(text, type=Comparison) if text else None


def begin(state: State, digest: str, since: int) -> Comparison:
    """Begin to compare everybody: that does for all comings and goings so far. Those of now are kept, for WordPress."""
    found = Comparison(digest=digest)
    with state.transaction() as sql:
        sql.execute(
            "INSERT OR REPLACE INTO tag_stale SELECT DISTINCT person_id, ? FROM membership_event"
            " WHERE id > ? AND live = 1 AND at >= ?",
            (TRIES, written(state) or 0, since),
        )
        state.set(_WRITTEN, str(newest(state)))
        keep(state, found)
    return found


def keep(state: State, what: Comparison | None) -> None:
    """Remember how far it has come; None: it has ended."""
    state.set(_COMPARING, "" if what is None else msgspec.json.encode(what).decode())


def newest(state: State) -> int:
    """The last coming or going."""
    return int(state.rows("SELECT COALESCE(MAX(id), 0) FROM membership_event")[0][0])


def written(state: State) -> int | None:
    """The last coming or going that FluentCRM has; None: it never had any."""
    text = state.get(_WRITTEN)
    return int(text) if text else None


def everybody(state: State, after: int) -> Iterator[list[int]]:
    """All who have a contact behind the person `after`, by pages."""
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
    """{person: what they should have}; those without a contact are missing. Of several who share one (one of them was moved to
    the address of another, say) the contact has what any of them has, and one stands for all."""
    encoded = (_json(people),)
    contacts_ = (
        "(SELECT contact_id FROM person WHERE id IN (SELECT value FROM json_each(?)) AND contact_id IS NOT NULL)"
    )
    segments: dict[int, set[str]] = {}
    for contact, segment in state.rows(
        "SELECT p.contact_id, m.segment FROM person p JOIN membership m ON m.person_id = p.id"
        f" WHERE p.contact_id IN {contacts_}",
        encoded,
    ):
        segments.setdefault(contact, set()).add(segment)
    return {
        person: Wanted(contact=contact, segments=frozenset(segments.get(contact, ())))
        for person, contact in state.rows(
            "SELECT MIN(id), contact_id FROM person WHERE id IN (SELECT value FROM json_each(?)) AND contact_id IS NOT NULL"
            " GROUP BY contact_id",
            encoded,
        )
    }


def _json(ids: Sequence[int]) -> str:
    return msgspec.json.encode(list(ids)).decode()
