"""Periods and days in the shop's calendar, the same for both evaluators."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta, tzinfo
from functools import lru_cache

from sidecar.segments.model import Period
from sidecar.values import dates

# No zone is further from another, with the clock changed once or twice between: what is older or younger than a number of
# days by more than this is so in every calendar.
DAY = 86_400
SLACK = 26 * 3600


def slack(since: int, now: int, days: int, zone: tzinfo) -> int:
    """By how many seconds what is due after `since` and up to `now` may be further from `days` times 24 hours ago than that:
    0 unless a clock is changed on the way. At most SLACK."""
    found = set()
    for start, end in ((since - days * 86400, now - days * 86400), (since, now)):
        # A changed clock shows on one of two points on either side of the change.
        found |= {dates.offset_at(at, zone) for at in range(start - SLACK, end + SLACK + 1, 1800)}
    return min(SLACK, 2 * (max(found) - min(found)))


def due(moment: int, period: Period, zone: tzinfo) -> int:
    """When a moment will be `period` ago."""
    if period.days:
        return dates.days_later(moment, period.days, zone)
    return moment + period.seconds


def passed(moment: int, period: Period, now: int, zone: tzinfo) -> bool:
    """Whether a moment is `period` ago or longer. Away from the border without asking the calendar."""
    plain = moment + period.days * 86400 + period.seconds
    if not period.days or not -SLACK <= plain - now <= SLACK:
        return plain <= now
    return due(moment, period, zone) <= now


def due_own(moment: int, interval_days: float, intervals: float) -> int:
    """When a moment will be so many of a person's own buying intervals ago."""
    return moment + int(interval_days * intervals * 86400)


def days_of_year(now: int, days: int, zone: tzinfo) -> list[str]:
    """MM-DD of today and the days after it, `days` in all. 29 February is kept on 1 March where the year has none."""
    return _days_from(dates.local_day(now, zone), days)


@lru_cache(maxsize=32)
def _days_from(start: str, days: int) -> list[str]:
    """Cached: each rule about a day asks it of every person."""
    today = date.fromisoformat(start)
    found: list[str] = []
    for number in range(days):
        day = today + timedelta(days=number)
        text = day.isoformat()[5:]
        if text == "03-01" and (day - timedelta(days=1)).day == 28:
            found.append("02-29")
        found.append(text)
    return found


def longest_run(days: Collection[str]) -> int:
    """How many of these days (YYYY-MM-DD) follow one another at most."""
    longest = run = last = 0
    for day in sorted(date.fromisoformat(day).toordinal() for day in set(days)):
        run = run + 1 if day == last + 1 else 1
        longest, last = max(longest, run), day
    return longest
