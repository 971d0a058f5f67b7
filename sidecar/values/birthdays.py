"""Dates of birth as people type them, in the Gregorian or the Persian (Jalali) calendar → 'YYYY-MM-DD'."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from sidecar import clock
from sidecar.values.characters import INVISIBLE, digits

_EARLIEST = date(1900, 1, 1)
# Before this program was written: no need to ask what day it is.
_SURELY_PAST = date(2020, 1, 1)
_MAX_LENGTH = 40
_YEAR_FIRST = re.compile(r"([0-9]{4})\s?[-/. ]\s?([0-9]{1,2})\s?[-/. ]\s?([0-9]{1,2})(?:[ T][0-9:.+Zz-]{4,20})?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})\s?[-/. ]\s?([0-9]{1,2})\s?[-/. ]\s?([0-9]{4})\.?\s?(?:r|г)?\.?")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_COMPACT_LAST = re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})")
# Fewer digits are a day without its century (120590), not one of the first weeks of 1970.
_UNIX = re.compile(r"-[0-9]{5,11}|[1-9][0-9]{7,9}")
_LOOK = {
    **{ord(c): None for c in INVISIBLE + "\x00"},
    0x60C: ".",
    0x66B: ".",
    0x6D4: ".",
    0x2044: "/",
    0xFF0F: "/",
}
_LOOK |= dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2212), "-")


def birthday(raw: str | None, dayfirst: bool | None = None) -> str | None:
    """'YYYY-MM-DD', or None for what is no date, impossible, in the future or before 1900. Never raises.

    Read: ISO (a time behind it is dropped), dd.mm.yyyy and dd/mm/yyyy, yyyymmdd, ddmmyyyy, Unix seconds, and dates
    with a year from 1250 to 1450 as Jalali, in digits of any script. `dayfirst`: what 03/04/1990 means.
    None: day first unless impossible; True: never otherwise; False: month first (USA) unless impossible.
    """
    if not raw or len(raw) > _MAX_LENGTH:
        return None
    found = _read(raw, dayfirst)
    if found is None or found < _EARLIEST:
        return None
    if found > _SURELY_PAST and found > clock.now().date() + timedelta(days=1):
        return None  # a day ahead is still today somewhere in the world
    return found.isoformat()


def day(raw: str, dayfirst: bool | None = None) -> str | None:
    """The same of any day since 1500, also one to come: when a warranty ends, when a company was founded."""
    found = _read(raw, dayfirst) if len(raw) <= _MAX_LENGTH else None
    return found.isoformat() if found is not None and found.year >= 1500 else None


@lru_cache(maxsize=8192)
def _read(raw: str, dayfirst: bool | None) -> date | None:
    """Cached: people are born on some 25,000 days."""
    text = raw if raw.isascii() else digits(raw).translate(_LOOK)
    return _date(text.strip(), dayfirst)


def _date(text: str, dayfirst: bool | None) -> date | None:
    parts = _YEAR_FIRST.fullmatch(text)
    if parts is not None:
        return _civil(int(parts[1]), int(parts[2]), int(parts[3]))
    parts = _YEAR_LAST.fullmatch(text)
    if parts is not None:
        return _year_last(parts, dayfirst)
    parts = _COMPACT.fullmatch(text)
    if parts is not None:
        found = _civil(int(parts[1]), int(parts[2]), int(parts[3]))
        if found is not None and found >= _EARLIEST:
            return found
    parts = _COMPACT_LAST.fullmatch(text)
    if parts is not None:
        found = _year_last(parts, dayfirst)
        if found is not None and found >= _EARLIEST:
            return found
    if _UNIX.fullmatch(text) is not None:
        try:
            return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text))).date()
        except OverflowError:
            return None
    return None


def _year_last(parts: re.Match[str], dayfirst: bool | None) -> date | None:
    one, two, year = int(parts[1]), int(parts[2]), int(parts[3])
    day, month = (two, one) if dayfirst is False else (one, two)
    found = _civil(year, month, day)
    return _civil(year, day, month) if found is None and dayfirst is not True else found


def _civil(year: int, month: int, day: int) -> date | None:
    if 1250 <= year <= 1450:
        return jalali(year, month, day)
    try:
        return date(year, month, day)
    except ValueError:
        return None


# Persian years with a leap day break the 33-year rhythm after these years.
# Source: K. M. Borkowski, "The Persian calendar for 3000 years", Earth, Moon, and Planets 74 (1996),
# 223-230, as in
# his program jcal and in jalaali-js; exact for the years 1178 to 1633, which is all that is asked here.
_LEAP_REMAINDERS = frozenset((1, 5, 9, 13, 17, 22, 26, 30))
_NOWRUZ_1348 = date(1969, 3, 21).toordinal()


def is_jalali_leap(year: int) -> bool:
    """True when the month Esfand of the Jalali `year` has 30 days; for the years 1206 to 1497."""
    return year % 33 in _LEAP_REMAINDERS


def jalali(year: int, month: int, day: int) -> date | None:
    """The Gregorian date of a Jalali one, or None for no such day or a year not in 1250..1450."""
    if not (1250 <= year <= 1450 and 1 <= month <= 12 and 1 <= day <= 31):
        return None
    if month > 6 and day > 30:
        return None
    if month == 12 and day == 30 and not is_jalali_leap(year):
        return None
    before = (month - 1) * 31 - max(0, month - 7)
    years = range(1348, year) if year >= 1348 else range(year, 1348)
    distance = 365 * len(years) + sum(map(is_jalali_leap, years))
    start = _NOWRUZ_1348 + (distance if year >= 1348 else -distance)
    return date.fromordinal(start + before + day - 1)
