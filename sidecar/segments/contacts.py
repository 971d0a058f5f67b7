"""What FluentCRM knows of contacts, kept in the state as far as rules ask for it: `contact_trait` and `contact_value`.

Statuses, tags, lists and fields are read of everybody at each look; e-mails, of which there are many, once, and then of those
contacts to whom something was sent or who answered since.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection, Sequence
from datetime import tzinfo

import msgspec

from sidecar import clock
from sidecar.mysql.connection import Reader
from sidecar.segments import asked, membership
from sidecar.segments.asked import Asked
from sidecar.segments.contact_pages import Cursor, Mails, Pages
from sidecar.segments.model import Condition, Segment
from sidecar.state.database import State

# What is kept: as the segments ask for it, and with rules that were tried out. Up to where e-mails were read.
_KEPT, _TRIED, _MAILS = "segments.contacts", "segments.contacts_tried", "segments.mails"
_HERE = "SELECT id, contact_id FROM person WHERE verdict = 'in' AND contact_id IS NOT NULL"
_THESE = "person_id IN (SELECT value FROM json_each(?))"
_COLUMNS = (
    "person_id, contact_id, status, mails, emails_sent, emails_opened, emails_clicked, first_sent, last_sent, last_open,"
    " last_click, engagement"
)
_READ = f"SELECT {_COLUMNS} FROM contact_trait WHERE {_THESE}"
_WRITE = f"INSERT OR REPLACE INTO contact_trait ({_COLUMNS}, consent) VALUES ({', '.join('?' * 13)})"
_READ_VALUES = "SELECT person_id, name, value, number, moment FROM contact_value"
_FIRST, _NARROW, _WIDE = 500, 50, 4000  # contacts a page
_MANY = 1000  # more than so many are not read one by one
_SECONDS = 0.25  # that reading a page should take
_AGAIN = 30 * 86400  # FluentCRM throws old e-mails away in silence: all are counted anew after so long

_Value = tuple[int, str, str, float | None, int | None]


class _Trait(msgspec.Struct, frozen=True):
    """A row of `contact_trait`. `looked`: whether the e-mails were."""

    contact: int
    status: str
    looked: int
    mails: Mails

    def row(self, person: int) -> tuple[int | float | str | None, ...]:
        answers = msgspec.structs.astuple(self.mails)
        return (person, self.contact, self.status, self.looked, *answers, int(self.status == "subscribed"))


class _Mark(msgspec.Struct, frozen=True):
    """Up to where e-mails were read, and when (Unix seconds) those of everybody were."""

    cursor: Cursor
    everybody: int


def refresh(
    state: State,
    reader: Reader,
    segments: Sequence[Segment],
    zone: tzinfo,
    contact_ids: Collection[int] | None = None,
    *,
    full: bool = False,
    live: bool = False,
) -> int:
    """Bring up to date what the rules ask of FluentCRM: of all contacts, or of these alone. `full`: read all e-mails again.

    People whose values changed are noted for their memberships (as `live` when the change is of now). Answers how many.
    """
    wanted = asked.of(segment.rule for segment in segments)
    if contact_ids is not None:
        return _these(state, reader, wanted, zone, contact_ids, live=live) if wanted.contact else 0
    if not wanted.contact and not state.get(_KEPT):
        return 0
    kept = _get(state, _KEPT)
    if not wanted.contact:
        with state.transaction() as sql:
            sql.execute("DELETE FROM contact_trait")
            sql.execute("DELETE FROM contact_value")
            sql.execute("DELETE FROM setting WHERE key IN (?, ?, ?)", (_KEPT, _TRIED, _MAILS))
        return 0
    with state.transaction() as sql:
        _forget(sql, wanted.names)
        state.set(_TRIED, "")
    changed = _everybody(state, reader, wanted, zone, kept, full=full, live=live)
    with state.transaction():
        state.set(_KEPT, msgspec.json.encode(wanted, order="deterministic").decode())
        if not kept.covers(wanted):
            # Who had that before nobody knew of it was not noted.
            membership.anew(state)
    return changed


def note(state: State, people: Collection[int], *, live: bool) -> None:
    """Their contacts are others than when they were read."""
    if people:
        with state.transaction() as sql:
            sql.executemany(
                "INSERT INTO contact_stale VALUES (?, ?) ON CONFLICT DO UPDATE SET live = MAX(live, excluded.live)",
                [(person, int(live)) for person in sorted(people)],
            )


def waits(state: State) -> bool:
    """Whether somebody's contact is to be read again."""
    return bool(state.rows("SELECT 1 FROM contact_stale LIMIT 1"))


def follow(state: State, reader: Reader, segments: Sequence[Segment], zone: tzinfo) -> None:
    """Bring those up to date who were noted or whose contact was never read; everybody when they are many, or when rules
    ask for what was not read yet."""
    noted = state.rows(
        "SELECT n.person_id, n.live, p.contact_id FROM contact_stale n JOIN person p ON p.id = n.person_id"
        " UNION ALL SELECT p.id, s.live, p.contact_id FROM trait_stale s JOIN person p ON p.id = s.person_id"
        " LEFT JOIN contact_trait c ON c.person_id = p.id"
        f" WHERE p.verdict = 'in' AND (c.person_id IS NULL OR c.contact_id <> p.contact_id) LIMIT {_MANY + 1}"
    )
    known = _get(state, _KEPT).covers(asked.of(segment.rule for segment in segments))
    if not known or len(noted) > _MANY:
        refresh(state, reader, segments, zone)
    else:
        for live in (False, True):
            ids = {contact for _, lively, contact in noted if bool(lively) == live and contact is not None}
            refresh(state, reader, segments, zone, ids, live=live)
    with state.transaction() as sql:
        sql.executemany("DELETE FROM contact_stale WHERE person_id = ?", [row[:1] for row in noted])


def try_out(state: State, reader: Reader, rule: Condition, zone: tzinfo) -> None:
    """See that what one more rule asks for is there, until the next refresh of the segments; it reads only when it is not."""
    more = asked.of([rule])
    if not more.contact:
        return
    kept, tried = _get(state, _KEPT), _get(state, _TRIED)
    have = kept.plus(tried)
    if have.covers(more):
        return
    # While somebody types a rule: of tags that there are not (yet) nothing is to be read.
    there = Pages(reader, more, zone).terms | more.values
    if not have.contact or more.mails > have.mails or there - have.names:
        _everybody(state, reader, more, zone, kept)
    with state.transaction():
        state.set(_TRIED, msgspec.json.encode(tried.plus(more), order="deterministic").decode())


def _get(state: State, key: str) -> Asked:
    text = state.get(key)
    return msgspec.json.decode(text, type=Asked) if text else Asked()


def _these(
    state: State, reader: Reader, wanted: Asked, zone: tzinfo, contact_ids: Collection[int], *, live: bool
) -> int:
    kept = _get(state, _KEPT)
    pairs = state.rows(
        f"{_HERE} AND contact_id IN (SELECT value FROM json_each(?)) ORDER BY contact_id",
        (msgspec.json.encode(sorted(contact_ids)).decode(),),
    )
    if not pairs:
        return 0
    pages = Pages(reader, wanted, zone)
    return sum(
        _page(state, pages, pairs[start : start + _FIRST], wanted, kept, None, live=live)
        for start in range(0, len(pairs), _FIRST)
    )


def _everybody(
    state: State, reader: Reader, wanted: Asked, zone: tzinfo, kept: Asked, *, full: bool = False, live: bool = False
) -> int:
    now = int(clock.now().timestamp())
    pages = Pages(reader, wanted, zone)
    text = state.get(_MAILS)
    mark = msgspec.json.decode(text, type=_Mark) if text else None
    full = full or mark is None or not mark.everybody <= now < mark.everybody + _AGAIN
    cursor = pages.cursor(now) if wanted.mails else Cursor()
    answered: set[int] | None = None if full or mark is None else pages.changed(mark.cursor) if wanted.mails else set()
    changed = _gone(state)
    pairs = state.rows(f"{_HERE} ORDER BY contact_id")
    width, start = _FIRST, 0
    while start < len(pairs):
        begun = time.perf_counter()
        changed += _page(state, pages, pairs[start : start + width], wanted, kept, answered, live=live)
        start += width
        slow = time.perf_counter() - begun
        width = max(_NARROW, width // 2) if slow > 2 * _SECONDS else min(_WIDE, width * 2) if slow < _SECONDS else width
    if wanted.mails:
        everybody = now if full or mark is None else mark.everybody
        with state.transaction():
            state.set(_MAILS, msgspec.json.encode(_Mark(cursor, everybody)).decode())
    return changed


def _page(
    state: State,
    pages: Pages,
    pairs: Sequence[tuple[int, int]],
    wanted: Asked,
    kept: Asked,
    answered: Collection[int] | None,
    *,
    live: bool,
) -> int:
    """Some people with their contacts. `answered`: contacts whose e-mails are to be read; None: all."""
    ids = (msgspec.json.encode([person for person, _ in pairs]).decode(),)
    old = {row[0]: _Trait(row[1], row[2], row[3], Mails(*row[4:])) for row in state.rows(_READ, ids)}
    read = pages.contacts([contact for _, contact in pairs])
    mails: dict[int, Mails] = {}
    if wanted.mails:

        def known(person: int, contact: int) -> bool:
            return person in old and old[person].contact == contact and bool(old[person].looked)

        mails = pages.mails(
            {
                contact for person, contact in pairs
                if contact in read and (answered is None or contact in answered or not known(person, contact))
            }
        )  # fmt: skip
    new: dict[int, _Trait] = {}
    values: set[_Value] = set()
    for person, contact in pairs:
        if contact in read:
            status, held = read[contact]
            before = old.get(person)
            if contact in mails:
                new[person] = _Trait(contact, status, 1, mails[contact])
            elif before is not None and before.contact == contact:
                new[person] = _Trait(contact, status, before.looked, before.mails)
            else:
                new[person] = _Trait(contact, status, 0, Mails())
            values |= {(person, name, one.value, one.number, one.moment) for name, one in held.items()}
    with state.transaction() as sql:
        rows: list[_Value] = sql.execute(f"{_READ_VALUES} WHERE {_THESE}", ids).fetchall()
        had = {row for row in rows if row[1] in wanted.names}
        changed = [person for person, trait in new.items() if trait != old.get(person)]
        sql.executemany(_WRITE, [new[person].row(person) for person in changed])
        gone = old.keys() - new.keys()
        sql.executemany("DELETE FROM contact_trait WHERE person_id = ?", [(person,) for person in gone])
        sql.executemany("DELETE FROM contact_value WHERE person_id = ? AND name = ?", [row[:2] for row in had - values])
        sql.executemany(
            "INSERT INTO contact_value (person_id, name, value, number, moment) VALUES (?, ?, ?, ?, ?)", values - had
        )
        # What nobody asked for until now is seen when everybody is looked at, not one by one.
        stale = {row[0] for row in had ^ values if row[1] in kept.names}
        if kept.contact:
            stale |= gone
            stale |= {person for person in changed if person not in old or old[person].status != new[person].status}
        if kept.mails:
            stale |= {person for person in changed if person not in old or old[person].mails != new[person].mails}
        _note(sql, stale, live=live)
    return len(stale)


def _note(sql: sqlite3.Connection, people: Collection[int], *, live: bool) -> None:
    """Their memberships are older than their values. Whoever is to be looked at as a whole stays so."""
    moment = int(clock.now().timestamp()) if live else 0
    sql.executemany(
        "INSERT INTO trait_stale (person_id, traits, live) VALUES (?, 1, ?)"
        " ON CONFLICT DO UPDATE SET live = MAX(live, excluded.live)",
        [(person, moment) for person in sorted(people)],
    )


def _gone(state: State) -> int:
    """Forget the values of people who are no contacts (any more)."""
    nobody = f"person_id NOT IN (SELECT id FROM ({_HERE}))"
    with state.transaction() as sql:
        people = {row[0] for row in sql.execute(f"SELECT person_id FROM contact_trait WHERE {nobody}")}
        _note(sql, people, live=False)
        sql.execute(f"DELETE FROM contact_trait WHERE {nobody}")
        sql.execute(f"DELETE FROM contact_value WHERE {nobody}")
    return len(people)


def _forget(sql: sqlite3.Connection, names: Collection[str]) -> None:
    """Keep only values of these names."""
    sql.execute(
        "DELETE FROM contact_value WHERE name NOT IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(sorted(names)).decode(),),
    )
