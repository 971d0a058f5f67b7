"""What time alone changes: whose membership may have changed between two moments, and when the next one may.

Only a few conditions depend on the time: how long ago something is, windows of counts, days of the year. For each the border
lies at a known moment of a known row, so that a tick looks at those rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo

from sidecar.segments import sql as rules
from sidecar.segments.catalogue import ACTS, FIELDS
from sidecar.segments.model import Age, Coming, Count, Period, Segment, walk
from sidecar.segments.times import SLACK, days_of_year, slack
from sidecar.state.database import State
from sidecar.values import dates

_Clock = tuple[str, str, str, Period]  # table, column of the person, moment, period


def _clocks(segments: Iterable[Segment]) -> set[_Clock]:
    """Every moment and period whose passing a rule asks for."""
    found: set[_Clock] = set()
    for segment in segments:
        for part in walk(segment.rule):
            if isinstance(part, Age):
                found.add(("trait", "person_id", FIELDS[part.field].column, part.period))
            elif isinstance(part, Count) and part.within is not None:
                if part.what == "orders":
                    found.add(("counted_order", "person_id", "at", part.within))
                else:
                    kind = ACTS[part.what]
                    found.add(
                        (f"activity INDEXED BY activity_at WHERE kind = '{kind}' AND", "person_id", "at", part.within)
                    )
    return found


def _own(segments: Iterable[Segment]) -> dict[str, list[str]]:
    """{column: when its moment is due, in SQL, for every number of own buying intervals that a rule asks for}."""
    found: dict[str, set[float]] = {}
    for segment in segments:
        for part in walk(segment.rule):
            if isinstance(part, Age) and part.intervals:
                found.setdefault(FIELDS[part.field].column, set()).add(part.intervals)
    return {
        column: [f"{column} + CAST(interval_days * {times!r} * 86400 AS INTEGER)" for times in sorted(several)]
        for column, several in found.items()
    }


def _days(segments: Iterable[Segment]) -> set[tuple[str, int]]:
    parts = (part for segment in segments for part in walk(segment.rule))
    return {(FIELDS[part.field].column, part.days) for part in parts if isinstance(part, Coming)}


def _border(clock: _Clock) -> tuple[str, str, int, int]:
    """(FROM with its condition, when the moment is due, scale of the column, length of the period without the calendar)."""
    table, _, column, period = clock
    source = table if "WHERE" in table else f"{table} WHERE"
    scale = 1000 if table.startswith("activity") else 1
    moment = f"{column} / 1000" if scale == 1000 else column
    due = f"days_later({moment}, {period.days})" if period.days else f"{moment} + {period.seconds}"
    return source, due, scale, period.days * 86400 or period.seconds


def people(state: State, segments: Sequence[Segment], since: int, now: int, zone: tzinfo) -> set[int]:
    """Everybody for whom a border lies after `since`, up to `now` (Unix seconds)."""
    rules.register(state.sql, zone)
    found: set[int] = set()
    for clock in _clocks(segments):
        source, due, scale, length = _border(clock)
        column, days = clock[2], clock[3].days
        wide = slack(since, now, days, zone) if days else 0
        text = f"SELECT DISTINCT person_id FROM {source} {column} >= ? AND {column} < ?"
        ends: list[int] = [(since - length - wide + 1) * scale, (now - length + wide + 1) * scale]
        if wide:
            text += f" AND {due} > ? AND {due} <= ?"
            ends += [since, now]
        found.update(row[0] for row in state.rows(text, ends) if row[0] is not None)
    for dues in _own(segments).values():
        passed = " OR ".join(f"({due} > {since} AND {due} <= {now})" for due in dues)
        rows = state.rows(f"SELECT person_id FROM trait WHERE interval_days IS NOT NULL AND ({passed})")
        found.update(row[0] for row in rows)
    if dates.local_day(since, zone) != dates.local_day(now, zone):
        for column, days in _days(segments):
            changed = sorted(set(days_of_year(since, days, zone)) ^ set(days_of_year(now, days, zone)))
            rows = state.rows(
                f"SELECT person_id FROM trait WHERE {column} IN ({','.join('?' * len(changed))})", changed
            )
            found.update(row[0] for row in rows)
    return found


def next_after(state: State, segments: Sequence[Segment], now: int, zone: tzinfo) -> int | None:
    """The first moment after `now` at which a membership may change by time alone; None when none will."""
    rules.register(state.sql, zone)
    found: list[int] = []
    for clock in _clocks(segments):
        source, due, scale, length = _border(clock)
        column = clock[2]
        # Within the slack of the calendar the order of rows is not the order of what is due: look at all of them there,
        # and at the first one behind.
        low, high = (now - length - SLACK) * scale, (now - length + SLACK) * scale
        near = state.rows(
            f"SELECT MIN({due}) FROM {source} {column} > ? AND {column} <= ? AND {due} > ?", (low, high, now)
        )
        found += [row[0] for row in near if row[0] is not None]
        behind = state.rows(f"SELECT MIN({column}) FROM {source} {column} > ?", (high,))[0][0]
        if behind is not None:
            rows = state.rows(
                f"SELECT MIN({due}) FROM {source} {column} >= ? AND {column} <= ?", (behind, behind + 2 * SLACK * scale)
            )
            found += [row[0] for row in rows if row[0] is not None]
    for dues in _own(segments).values():
        firsts = ", ".join(f"MIN(CASE WHEN {due} > {now} THEN {due} END)" for due in dues)
        found += [
            at for at in state.rows(f"SELECT {firsts} FROM trait WHERE interval_days IS NOT NULL")[0] if at is not None
        ]
    if _days(segments):
        found.append(_midnight(now, zone))
    return min(found, default=None)


def _midnight(now: int, zone: tzinfo) -> int:
    """When the shop's next day begins; where midnight is skipped, the first moment of the day."""
    today = dates.from_local(f"{dates.local_day(now, zone)} 12:00:00", zone)
    assert today is not None
    day = dates.local_day(dates.days_later(today, 1, zone), zone)
    found = dates.from_local(f"{day} 00:00:00", zone)
    assert found is not None
    return found
