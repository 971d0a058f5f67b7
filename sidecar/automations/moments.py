"""When something is due, by the shop's calendar or the person's clock. Pure; moments are Unix seconds UTC.

Whole days keep the time of day over a change of the clock. A time that the clock skips means the moment as far after the jump, one
that comes twice the first.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, timedelta, tzinfo

from sidecar.segments import times
from sidecar.segments.model import Period
from sidecar.values import dates

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_NUMBER = re.compile(r"\d{9,13}")
_LOCAL = re.compile(r"(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d)(:\d\d)?(?:\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?)?")


def person_zone(name: str, shop: tzinfo) -> tzinfo:
    """The zone that a contact has in FluentCRM (an IANA name, or an offset), else the shop's."""
    text = name.strip()
    if not text:
        return shop
    for unknown in (0, 1):
        # A name that is none falls back to the offset: two of them tell whether it did.
        if str(found := dates.site_zone(text, unknown)) != str(dates.site_zone("", unknown)):
            return found
    return shop


def after(at: int, period: Period, zone: tzinfo) -> int:
    """`period` later by the calendar of `zone`."""
    return times.due(at, period, zone)


def before(at: int, period: Period, zone: tzinfo) -> int:
    """`period` earlier by the calendar of `zone`."""
    if period.days:
        return dates.days_later(at, -period.days, zone)
    return at - period.seconds


def next_at(at: int, hour: str, days: Collection[str], zone: tzinfo) -> int:
    """The first moment at or after `at` that is `hour` ("HH:MM", '' whatever time it is then) on one of `days` (mon … sun, empty:
    any)."""
    if not hour and not days:
        return at
    today = date.fromisoformat(dates.local_day(at, zone))
    # A day more than a week: today's hour may be over, and only today's day of the week be wanted.
    for number in range(9):
        day = today + timedelta(days=number)
        if days and DAYS[day.weekday()] not in days:
            continue
        if not hour:
            moment = at if not number else dates.from_local(f"{day} 00:00:00", zone)
        else:
            moment = dates.from_local(f"{day} {hour}:00", zone)
        if moment is not None and moment >= at:
            return moment
    return at


def quiet_until(at: int, begins: str, ends: str, zone: tzinfo) -> int | None:
    """When the quiet hours end that `at` is in; None when it is in none. The same hour twice is none."""
    if begins == ends or not _CLOCK.fullmatch(begins) or not _CLOCK.fullmatch(ends):
        return None
    clock = dates.local_text(at, zone)[11:16]
    inside = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not inside:
        return None
    until = next_at(at, ends, (), zone)
    return until if until > at else at + 60


def written(text: str, zone: tzinfo) -> int | None:
    """A moment as a meta value has it: Unix seconds (or ms), or `YYYY-MM-DD[ HH:MM[:SS]]` in the shop's time, or in that of an
    offset behind it (`Z`, `+02:00`); None: none."""
    text = text.strip()
    if _NUMBER.fullmatch(text):
        number = int(text)
        return number // 1000 if number >= 10**12 else number
    found = _LOCAL.fullmatch(text)
    if found is None:
        return None
    if found[4]:
        zone = UTC if found[4] == "Z" else dates.site_zone(None, f"{found[4][:3]}:{found[4][-2:]}")
    return dates.from_local(f"{found[1]} {found[2] or '00:00'}{found[3] or ':00'}", zone)
