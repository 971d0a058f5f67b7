"""Who is in which segment: found for everybody at once, written as differences, each a coming or a going."""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import tzinfo

import msgspec

from sidecar.segments import due, evaluate, scores, subjects, table
from sidecar.segments import sql as rules
from sidecar.segments.evaluate import Moment
from sidecar.segments.model import Condition, Segment, Top, walk
from sidecar.state import bulk
from sidecar.state.database import State
from sidecar.values import dates

_SOME = 500
_EVENT_DAYS = 400  # comings and goings are kept for so long
# "seconds|digest of the rules" of the last look, and the borders of the top percents then.
_LOOKED, _TOPS = "segments.looked", "segments.tops"
_EVENT = "INSERT INTO membership_event (segment, person_id, entered, at, live) VALUES (?, ?, ?, ?, ?)"
# One by one costs more than everybody at once when there are many.
_MANY, _MANY_SHARE = 2000, 10
FRESH = 86_400


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a look did to one segment: how many are in it now, came and went."""

    slug: str
    size: int
    entered: int
    left: int


def moment(state: State, segments: Sequence[Segment], now: int, zone: tzinfo) -> Moment:
    """What answers depend on besides the person."""
    known = {segment.slug: segment for segment in segments}
    return Moment(now=now, zone=zone, segments=known, tops=_tops(state, (segment.rule for segment in segments)))


def tops(state: State, at: Moment, rule: Condition) -> dict[tuple[str, float], float]:
    """The borders of the top percents with those that a rule asks for besides."""
    return dict(at.tops) | _tops(state, [rule])


def looked(state: State) -> int | None:
    """When memberships were last brought up to date, in Unix seconds; None: never."""
    since = state.get(_LOOKED).partition("|")[0]
    return int(since) if since else None


def anew(state: State) -> None:
    """The next look is one at everybody: more is known of them than they were looked at for."""
    since = looked(state)
    if since is not None:
        state.set(_LOOKED, f"{since}|")


def _tops(state: State, wanted: Iterable[Condition]) -> dict[tuple[str, float], float]:
    """The value from which on somebody is in the top percent, for every such condition of the rules."""
    found: dict[tuple[str, float], float] = {}
    buyers: dict[str, int] = {}
    for rule in wanted:
        for part in walk(rule):
            if isinstance(part, Top) and (part.field, part.percent) not in found:
                value, where = rules.buyers(part)
                if where not in buyers:
                    buyers[where] = state.rows(f"SELECT COUNT(*) {where}")[0][0]
                places = math.ceil(buyers[where] * part.percent / 100 - 1e-9)
                if places:
                    row = state.rows(f"SELECT {value} {where} ORDER BY {value} DESC LIMIT 1 OFFSET ?", (places - 1,))[0]
                    found[part.field, part.percent] = row[0]
    return found


def refresh(state: State, segments: Sequence[Segment], now: int, zone: tzinfo, fresh: int = FRESH) -> list[Change]:
    """Bring all traits and all memberships up to date, in one transaction a segment (in one for all of them while nobody is in
    any and people are not too many). Answers the segments that changed.

    Segments that are no longer in the file are emptied: everybody leaves them. Interrupted, the next look makes up for it.
    What happens to people who did something within the last `fresh` seconds is live; nothing else is.
    """
    table.refresh(state, zone)
    scores.refresh(state, now, zone, always=True)
    stale = table.stale(state)
    at = moment(state, segments, now, zone)
    _lively(state, table.live(state, now - fresh, now))
    if state.rows("SELECT 1 FROM membership LIMIT 1") or not table.few(state):
        changes = _everybody(state, segments, at)
    else:
        with state.transaction() as sql, bulk.rebuilt_indexes(sql, "membership", "membership_event"):
            changes = _everybody(state, segments, at)
    for (slug,) in state.rows("SELECT DISTINCT segment FROM membership"):
        if slug not in at.segments:
            changes.append(_write(state, slug, "SELECT person_id FROM trait WHERE 0", [], at))
    _looked(state, at, stale)
    return [change for change in changes if change.entered or change.left]


def _lively(state: State, people: Sequence[int]) -> None:
    """For `_write`: whose comings and goings are live."""
    state.sql.execute("CREATE TEMP TABLE IF NOT EXISTS lively (person_id INTEGER PRIMARY KEY)")
    state.sql.execute("DELETE FROM temp.lively")
    state.sql.executemany("INSERT INTO temp.lively VALUES (?)", [(person,) for person in people])


def _everybody(state: State, segments: Sequence[Segment], at: Moment) -> list[Change]:
    changes = [_segment(state, segment, at) for segment in segments if segment.group is None]
    for group in dict.fromkeys(segment.group for segment in segments if segment.group is not None):
        changes += _group(state, [segment for segment in segments if segment.group == group], at)
    return changes


def _segment(state: State, segment: Segment, at: Moment) -> Change:
    rules.register(state.sql, at.zone)
    where, parameters = rules.condition(segment.rule, at)
    return _write(state, segment.slug, f"SELECT t.person_id FROM trait t WHERE {where}", parameters, at)


def _group(state: State, group: Sequence[Segment], at: Moment) -> list[Change]:
    """The same of segments that exclude one another: each rule is asked of a person until one holds."""
    rules.register(state.sql, at.zone)
    cases, parameters = "", []
    for number, segment in enumerate(group):
        where, more = rules.condition(segment.own, at)
        cases += f" WHEN {where} THEN {number}"
        parameters += more
    state.sql.execute("DROP TABLE IF EXISTS temp.placed")
    state.sql.execute(
        f"CREATE TEMP TABLE placed AS SELECT t.person_id, CASE{cases} END AS number FROM trait t", parameters
    )
    placed = "SELECT person_id FROM placed WHERE number = ?"
    changes = [_write(state, segment.slug, placed, [number], at) for number, segment in enumerate(group)]
    state.sql.execute("DROP TABLE temp.placed")
    return changes


def _write(state: State, slug: str, members: str, parameters: rules.Parameters, at: Moment) -> Change:
    with state.transaction() as sql:
        sql.execute("CREATE TEMP TABLE IF NOT EXISTS wanted (person_id INTEGER PRIMARY KEY)")
        sql.execute("DELETE FROM wanted")
        sql.execute(f"INSERT INTO wanted {members}", parameters)
        gone = "SELECT person_id FROM membership WHERE segment = ?1 AND person_id NOT IN (SELECT person_id FROM wanted)"
        come = (
            "SELECT person_id FROM wanted WHERE person_id NOT IN (SELECT person_id FROM membership WHERE segment = ?1)"
        )
        events = (
            "INSERT INTO membership_event (segment, person_id, entered, at, live)"
            " SELECT ?1, person_id, ?2, ?3, person_id IN temp.lively FROM"
        )
        left = sql.execute(f"{events} ({gone})", (slug, 0, at.now)).rowcount
        entered = sql.execute(f"{events} ({come})", (slug, 1, at.now)).rowcount
        if left:
            sql.execute(f"DELETE FROM membership WHERE segment = ?1 AND person_id IN ({gone})", (slug,))
        if entered:
            sql.execute(f"INSERT INTO membership SELECT ?1, person_id, ?2 FROM ({come})", (slug, at.now))
        size = sql.execute("SELECT COUNT(*) FROM wanted").fetchone()[0]
        if entered or left:
            _size(sql, slug, size, at)
    return Change(slug=slug, size=size, entered=entered, left=left)


def matching(state: State, rule: Condition, at: Moment) -> list[int]:
    """The people of whom a rule holds now, whether it is a segment or only tried out."""
    rules.register(state.sql, at.zone)
    where, parameters = rules.condition(rule, at)
    return [row[0] for row in state.rows(f"SELECT t.person_id FROM trait t WHERE {where}", parameters)]


def sizes(state: State) -> dict[str, int]:
    """How many are in each segment, as of the last refresh."""
    return dict(state.rows("SELECT segment, COUNT(*) FROM membership GROUP BY segment"))


def tick(state: State, segments: Sequence[Segment], now: int, zone: tzinfo, fresh: int = FRESH) -> list[Change]:
    """Look at the people who changed since the last look, at those whom time alone may move, and at nobody else.

    Answers the segments that changed. The first look, and one with other rules or another zone, is a refresh; so is one
    at a large part of all people. What people did within the last `fresh` seconds is live; so is what time does, when the last
    look is no longer ago.
    """
    since, _, before = state.get(_LOOKED).partition("|")
    if not since or before != _digest(segments, zone) or int(since) > now:
        return refresh(state, segments, now, zone, fresh)
    table.refresh(state, zone)
    scores.refresh(state, now, zone, always=False)
    at = moment(state, segments, now, zone)
    stale, live = set(table.stale(state)), set(table.live(state, now - fresh, now))
    timely, overtaken = due.people(state, segments, int(since), now, zone), _overtaken(state, at)
    if now - int(since) <= fresh:
        # Whom an import pushed over the border of a top percent did nothing, and nothing happened just now.
        live |= (timely | overtaken if stale <= live else timely) - stale
    ids = stale | timely | overtaken
    if len(ids) > max(_MANY, state.rows("SELECT COUNT(*) FROM trait")[0][0] // _MANY_SHARE):
        return refresh(state, segments, now, zone, fresh)
    changes = _settle(state, sorted(ids), at, live)
    _looked(state, at)
    return changes


def _settle(state: State, ids: Sequence[int], at: Moment, live: Collection[int]) -> list[Change]:
    """Bring the memberships of these people up to date, one by one."""
    sums: dict[str, list[int]] = {}
    for start in range(0, len(ids), _SOME):
        page = ids[start : start + _SOME]
        known = subjects.load(state, page)
        encoded = msgspec.json.encode(page).decode()
        with state.transaction() as sql:
            rows = sql.execute(
                "SELECT person_id, segment FROM membership WHERE person_id IN (SELECT value FROM json_each(?))",
                (encoded,),
            ).fetchall()
            have = set(rows)
            want = {(id_, slug) for id_, person in known.items() for slug in evaluate.segments(person, at)}
            for person, slug in sorted(have ^ want):
                entered = (person, slug) in want
                sums.setdefault(slug, [0, 0])[not entered] += 1
                if entered:
                    sql.execute("INSERT INTO membership VALUES (?, ?, ?)", (slug, person, at.now))
                else:
                    sql.execute("DELETE FROM membership WHERE segment = ? AND person_id = ?", (slug, person))
                sql.execute(_EVENT, (slug, person, entered, at.now, person in live))
            table.settled(sql, page)
    sizes_now = sizes(state) if sums else {}
    with state.transaction() as sql:
        for slug in sums:
            _size(sql, slug, sizes_now.get(slug, 0), at)
    return [
        Change(slug=slug, size=sizes_now.get(slug, 0), entered=counts[0], left=counts[1])
        for slug, counts in sorted(sums.items())
    ]


def _overtaken(state: State, at: Moment) -> set[int]:
    """People between the value from which one was in the top percent and the one from which one is now."""
    before = dict(msgspec.json.decode(state.get(_TOPS, "[]"), type=list[tuple[tuple[str, float], float]]))
    found: set[int] = set()
    for key in before.keys() | at.tops.keys():
        old, new = before.get(key), at.tops.get(key)
        if old != new:
            ends = [end for end in (old, new) if end is not None]
            low, high = (min(ends), max(ends)) if len(ends) == 2 else (ends[0], math.inf)
            column = rules.column(Top(*key))
            rows = state.rows(f"SELECT t.person_id FROM trait t WHERE {column} >= ? AND {column} <= ?", (low, high))
            found.update(row[0] for row in rows)
    return found


def _size(sql: sqlite3.Connection, slug: str, size: int, at: Moment) -> None:
    day = dates.local_day(at.now, at.zone)
    sql.execute("INSERT OR REPLACE INTO segment_size VALUES (?, ?, ?)", (slug, day, size))


def _looked(state: State, at: Moment, settled: Sequence[int] = ()) -> None:
    digest = _digest(list(at.segments.values()), at.zone)
    with state.transaction() as sql:
        table.settled(sql, settled)
        sql.execute("DELETE FROM membership_event WHERE at < ?", (at.now - _EVENT_DAYS * 86400,))
        state.set(_LOOKED, f"{at.now}|{digest}")
        state.set(_TOPS, msgspec.json.encode(sorted(at.tops.items())).decode())


def _digest(segments: Sequence[Segment], zone: tzinfo) -> str:
    rules_ = [(segment.slug, segment.rule) for segment in segments]
    return hashlib.sha256(msgspec.json.encode((str(zone), rules_), order="deterministic")).hexdigest()[:16]
