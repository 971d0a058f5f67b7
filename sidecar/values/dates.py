"""Moments: Unix seconds inside, MySQL's UTC text and the shop's local text at the edges."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from sidecar.values.birthdays import birthday as birthday
from sidecar.values.birthdays import day as day
from sidecar.values.characters import digits, trim

_OFFSET = re.compile(r"(?:UTC|GMT)?\s*([+-]?)(\d{1,2})(?::(\d{2})|(\.\d{1,4})|)", re.IGNORECASE | re.ASCII)
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}")
_EPOCH = date(1970, 1, 1).toordinal()


def site_zone(timezone_string: str | None, gmt_offset: str | float | None) -> tzinfo:
    """The site's zone as wp_timezone() finds it: the option `timezone_string`, else `gmt_offset` in hours,
    else UTC.

    `gmt_offset` may be 5.5, "5.5" or "+03:30". A name that is no IANA zone falls back to the offset. Never
    raises.
    """
    name = (timezone_string or "").strip()
    if name and _ZONE_NAME.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
            pass
    minutes = _offset_minutes(name) if name else None
    if minutes is None:
        minutes = _offset_minutes(gmt_offset)
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def _offset_minutes(offset: str | float | None) -> int | None:
    if isinstance(offset, str):
        found = _OFFSET.fullmatch(offset.strip())
        if found is None:
            return None
        minutes = int(found[2]) * 60 + int(found[3] or 0) + round(float(found[4] or 0) * 60)
        minutes = -minutes if found[1] == "-" else minutes
    elif offset is None or not math.isfinite(offset):
        return None
    else:
        minutes = round(max(-100.0, min(100.0, float(offset))) * 60)
    return minutes if abs(minutes) <= 14 * 60 else None  # the widest offset in use is +14


@lru_cache(maxsize=16384)
def _day_start(day: str) -> int | None:
    """Unix seconds of 'YYYY-MM-DD' 00:00 UTC. Cached: a shop's history has a few thousand days."""
    if len(day) != 10 or day[4] != "-" or day[7] != "-" or not day.isascii():
        return None
    try:
        return (date(_number(day[:4]), _number(day[5:7]), _number(day[8:])).toordinal() - _EPOCH) * 86400
    except ValueError:
        return None


def _number(text: str) -> int:
    if not text.isdigit():  # int() would take " 1", "+1" and "1_0"
        raise ValueError(text)
    return int(text)


_TWO = {f"{n:02d}": n for n in range(60)}
_SIXTY = {f":{n:02d}": n for n in range(60)}
_HOURS = {f" {n:02d}": n * 3600 for n in range(24)} | {f"T{n:02d}": n * 3600 for n in range(24)}


def utc(text: str | None) -> int | None:
    """'YYYY-MM-DD HH:MM:SS[.ffffff]' in UTC → Unix seconds, the fraction cut off. Zero dates, '' and junk →
    None.
    """
    if not text:
        return None
    size = len(text)
    if size != 19 and (size == 10 or not (20 < size <= 26 and text[19] == "." and text[20:].isdecimal())):
        return None
    start = _day_start(text[:10])
    if start is None:
        return None
    try:
        return start + _HOURS[text[10:13]] + _SIXTY[text[13:16]] * 60 + _SIXTY[text[16:19]]
    except KeyError:
        return None


_MIN_UNIX, _MAX_UNIX = -62135596800 + 2 * 86400, 253402300799 - 2 * 86400
_MAX_DAYS = 50_000
_CHANGES = 1 << 20  # no offset: a day within which the clock was changed


@lru_cache(maxsize=16)
def _offsets(tz: tzinfo) -> dict[int, int]:
    """UTC day → seconds that local time is ahead all day, or _CHANGES."""
    return {}


_last: tuple[tzinfo | None, dict[int, int]] = (None, {})


def offset_at(unix: int, tz: tzinfo) -> int:
    """How many seconds local time is ahead of UTC at a moment."""
    global _last
    known_tz, known = _last
    if known_tz is not tz:  # a program has one shop and so one zone: skip even the cache's hashing
        known = _offsets(tz)
        _last = (tz, known)
    offset = known.get(unix // 86400)
    if offset is None:
        if len(known) >= _MAX_DAYS:
            known.clear()
        start = unix // 86400 * 86400
        found = {_ask(start + hours * 3600, tz) for hours in (0, 6, 12, 18, 24)}
        offset = known[unix // 86400] = found.pop() if len(found) == 1 else _CHANGES
    return offset if offset != _CHANGES else _ask(unix, tz)


def _ask(unix: int, tz: tzinfo) -> int:
    delta = datetime.fromtimestamp(unix, tz).utcoffset()
    return 0 if delta is None else round(delta.total_seconds())


@lru_cache(maxsize=16384)
def _day_text(day: int) -> str:
    return date.fromordinal(day + _EPOCH).isoformat()


_MINUTES = [f" {n // 60:02d}:{n % 60:02d}" for n in range(1440)]
_SECONDS = [f":{n:02d}" for n in range(60)]


def local_text(unix: int, tz: tzinfo) -> str:
    """'YYYY-MM-DD HH:MM:SS' in `tz`, FluentCRM's and WordPress' way to write a moment.

    Raises ValueError outside the years 1 to 9999.
    """
    if not _MIN_UNIX <= unix <= _MAX_UNIX:
        raise ValueError("moment outside the calendar")
    day, second = divmod(unix + offset_at(unix, tz), 86400)
    return _day_text(day) + _MINUTES[second // 60] + _SECONDS[second % 60]


def local_minute(moment: int, zone: tzinfo) -> str:
    """The same to the minute, for people: 'YYYY-MM-DD HH:MM'."""
    return local_text(moment, zone)[:16]


def local_day(unix: int, tz: tzinfo) -> str:
    """'YYYY-MM-DD' in `tz`. Raises ValueError outside the years 1 to 9999."""
    if not _MIN_UNIX <= unix <= _MAX_UNIX:
        raise ValueError("moment outside the calendar")
    return _day_text((unix + offset_at(unix, tz)) // 86400)


def from_local(text: str | None, tz: tzinfo) -> int | None:
    """'YYYY-MM-DD HH:MM:SS' in `tz` → Unix seconds; zero dates and junk → None.

    A time that the clock skipped means the moment as far after the jump (02:30 → 03:30); one that came
    twice means the first.
    """
    wall = utc(text)
    if wall is None or not _MIN_UNIX + 86400 <= wall <= _MAX_UNIX - 86400:
        return None
    naive = datetime.fromtimestamp(wall, UTC).replace(tzinfo=tz, fold=0)
    delta = naive.utcoffset()
    # fold=0 inside a gap has the offset before the jump, which is "forward" by the jump's length (PEP 495)
    return wall - (0 if delta is None else round(delta.total_seconds()))


def days_later(unix: int, days: int, tz: tzinfo) -> int:
    """The moment that the calendar of `tz` calls `days` days later at the same time of day (before, when negative).

    A time that the clock skipped means the moment as far after the jump; one that comes twice means the first.
    """
    offset = offset_at(unix, tz)
    wall = unix + offset + days * 86400
    there = wall - offset
    # Fast where no clock is changed near the target: nearly always.
    known = {offset_at(there + near, tz) for near in (-93_600, 0, 93_600)}
    if len(known) == 1:
        return wall - known.pop()
    found = from_local(local_text(wall, UTC), tz)
    return there if found is None else found


_TYPED = re.compile(
    r"(.{6,12}?)[T ] ?(\d\d?):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)? ?(?:(Z|UTC)|([+-])(\d\d):?(\d\d))?", re.ASCII
)
_UNIX = re.compile(r"([1-9]\d{8,9})(?:\d{3})?", re.ASCII)


def typed_moment(raw: str, tz: tzinfo, dayfirst: bool | None = None) -> str | None:
    """A moment as plugins and people write it → 'YYYY-MM-DD HH:MM:SS' in `tz`; None for what is none.

    Read: Unix seconds and milliseconds, and a day as `day` takes it, with a time or without (then it begins). A time is in
    `tz` already unless it says `Z` or how far ahead of UTC it is.
    """
    text = trim(digits(raw))
    stamp = _UNIX.fullmatch(text)
    if stamp is not None:
        return local_text(int(stamp[1]), tz)
    found = _TYPED.fullmatch(text)
    if found is None:
        begins = day(text, dayfirst)
        return begins and f"{begins} 00:00:00"
    on, hour, minute, second = day(found[1], dayfirst), int(found[2]), int(found[3]), int(found[4] or 0)
    if on is None or hour > 23 or minute > 59 or second > 59:
        return None
    wall = f"{on} {hour:02d}:{minute:02d}:{second:02d}"
    if not (found[5] or found[6]):
        return wall
    ahead = (int(found[7] or 0) * 60 + int(found[8] or 0)) * (-60 if found[6] == "-" else 60)
    at = utc(wall)
    return None if at is None else local_text(at - ahead, tz)
