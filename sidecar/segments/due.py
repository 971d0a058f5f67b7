"""What time alone changes: whose membership may have changed between two moments, and when the next one may.

Only a few conditions depend on the time: how long ago something is, windows of counts, days of the year. For each the border
lies at a known moment of a known row, so that a tick looks at those rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo

import msgspec

from sidecar.segments import model, scores
from sidecar.segments import sql as rules
from sidecar.segments.catalogue import ACTS, FIELDS, get
from sidecar.segments.times import SLACK, days_of_year, slack
from sidecar.state.database import State
from sidecar.values import dates


class Clock(msgspec.Struct, frozen=True):
    """Moments of people, and a period whose passing a rule asks for. `rows` goes before the rest of a WHERE; `unit`: how many
    of the column make a second."""

    rows: str
    column: str
    period: model.Period
    unit: int = 1

    @property
    def due(self) -> str:
        """When a moment is due, in SQL."""
        return rules.due(self.column, self.period, self.unit)

    @property
    def length(self) -> int:
        """The period in seconds, as if no clock was ever changed."""
        return self.period.days * 86400 + self.period.seconds


def _clocks(segments: Iterable[model.Segment]) -> set[Clock]:
    found: set[Clock] = set()
    for part in _parts(segments):
        if isinstance(part, model.Age):
            found.add(Clock(rules.rows(get(part.field)), rules.held(part), part.period))
        elif isinstance(part, model.Count) and part.within is not None:
            if part.what == "orders":
                found.add(Clock("counted_order WHERE", "at", part.within))
            else:
                acts = (
                    f"activity INDEXED BY activity_kind WHERE person_id IS NOT NULL AND kind = '{ACTS[part.what]}' AND"
                )
                found.add(Clock(acts, "at", part.within, 1000))
    return found


def _parts(segments: Iterable[model.Segment]) -> Iterator[model.Condition]:
    for segment in segments:
        yield from model.walk(segment.rule)


def _own(segments: Iterable[model.Segment]) -> dict[tuple[str, str], list[float]]:
    """{(rows that have an interval, a moment in SQL): every number of own intervals that a rule asks for, from the lowest}."""
    found: dict[tuple[str, str], set[float]] = {}
    for part in _parts(segments):
        if isinstance(part, model.Age) and part.intervals:
            rows = "trait t WHERE interval_days IS NOT NULL AND"
            found.setdefault((rows, rules.column(part)), set()).add(part.intervals)
        elif isinstance(part, model.Reorder):
            found.setdefault((rules.reorders(part), "last_order"), set()).update((part.due, part.overdue))
    return {key: sorted(several) for key, several in found.items()}


def _days(segments: Iterable[model.Segment]) -> set[tuple[str, int]]:
    parts = (part for part in _parts(segments) if isinstance(part, model.Coming))
    return {(FIELDS[part.field].column, part.days) for part in parts}


def people(state: State, segments: Sequence[model.Segment], since: int, now: int, zone: tzinfo) -> set[int]:
    """Everybody for whom a border lies after `since`, up to `now` (Unix seconds)."""
    rules.register(state.sql, zone)
    found: set[int] = set()
    for clock in _clocks(segments):
        wide = slack(since, now, clock.period.days, zone) if clock.period.days else 0
        low, high = (at - clock.length + by + 1 for at, by in ((since, -wide), (now, wide)))
        text = f"SELECT DISTINCT person_id FROM {clock.rows} {clock.column} >= ? AND {clock.column} < ?"
        ends = [low * clock.unit, high * clock.unit]
        if wide:
            text += f" AND {clock.due} > ? AND {clock.due} <= ?"
            ends += [since, now]
        found.update(row[0] for row in state.rows(text, ends))
    for (source, column), several in _own(segments).items():
        # For most people the shortest is not due yet, or the longest was long ago: asked first, it is half the time.
        soonest, latest = (f"{column} + interval_days * {times * 86400!r}" for times in (several[0], several[-1]))
        passed = " OR ".join(f"{rules.due_own(column, times)} BETWEEN {since + 1} AND {now}" for times in several)
        rows = state.rows(
            f"SELECT person_id FROM {source} {soonest} < {now + 2} AND {latest} > {since - 1} AND ({passed})"
        )
        found.update(row[0] for row in rows)
    if dates.local_day(since, zone) != dates.local_day(now, zone):
        for column, days in _days(segments):
            changed = sorted(set(days_of_year(since, days, zone)) ^ set(days_of_year(now, days, zone)))
            rows = state.rows(
                f"SELECT person_id FROM trait WHERE {column} IN ({','.join('?' * len(changed))})", changed
            )
            found.update(row[0] for row in rows)
    return found


def next_after(state: State, segments: Sequence[model.Segment], now: int, zone: tzinfo) -> int | None:
    """The first moment after `now` at which a membership may change by time alone; None when none will."""
    rules.register(state.sql, zone)
    found: list[tuple[int | None, ...]] = []
    for clock in _clocks(segments):
        plain, first = _plainly(state, clock, now, zone)
        if plain:
            found.append((first,))
            continue
        source, column, wide = f"FROM {clock.rows} {clock.column}", clock.column, SLACK * clock.unit
        border = (now - clock.length) * clock.unit
        # Within the slack of the calendar the order of rows is not the order of what is due: look at all of them there,
        # and at the first ones behind.
        found += state.rows(
            f"SELECT MIN({clock.due}) {source} > ? AND {column} <= ? AND {clock.due} > ?",
            (border - wide, border + wide, now),
        )
        behind = state.rows(f"SELECT MIN({column}) {source} > ?", (border + wide,))[0][0]
        if behind is not None:
            found += state.rows(f"SELECT MIN({clock.due}) {source} >= ? AND {column} <= ?", (behind, behind + 2 * wide))
    for (source, column), several in _own(segments).items():
        dues = [rules.due_own(column, times) for times in several]
        firsts = ", ".join(f"MIN(CASE WHEN {due} > {now} THEN {due} END)" for due in dues)
        latest = f"{column} + interval_days * {several[-1] * 86400!r}"
        found += state.rows(f"SELECT {firsts} FROM {source} {latest} > {now}")
    if _days(segments) or any(getattr(part, "field", "") in scores.FIELDS for part in _parts(segments)):
        found.append((_midnight(now, zone),))
    return min((at for row in found for at in row if at is not None), default=None)


def _plainly(state: State, clock: Clock, now: int, zone: tzinfo) -> tuple[bool, int | None]:
    """When the first row behind the border is due, where no clock is changed near it or near now: rows are due in their order
    then. (False, _) where one is."""
    border = now - clock.length + 1
    first = state.rows(
        f"SELECT MIN({clock.column}) FROM {clock.rows} {clock.column} >= ?", (border * clock.unit,)
    )[0][0]  # fmt: skip
    at = None if first is None else first // clock.unit + clock.length
    days = clock.period.days
    return not days or not any(slack(one, one, days, zone) for one in (now, at) if one is not None), at


def _midnight(now: int, zone: tzinfo) -> int:
    """When the shop's next day begins; where midnight is skipped, the first moment of the day."""
    today = dates.from_local(f"{dates.local_day(now, zone)} 12:00:00", zone)
    assert today is not None
    day = dates.local_day(dates.days_later(today, 1, zone), zone)
    found = dates.from_local(f"{day} 00:00:00", zone)
    assert found is not None
    return found
