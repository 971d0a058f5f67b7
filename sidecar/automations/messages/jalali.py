"""The calendar of Iran (Jalali). Babel has none, and a Persian reader reads no other.

Leap years by the 33-year rule, which is the official calendar's for 1343 to 1502 (1964 to 2123).
"""

from __future__ import annotations

from datetime import date

MONTHS = (
    "فروردین", "اردیبهشت", "خرداد", "تیر", "مرداد", "شهریور", "مهر", "آبان", "آذر", "دی", "بهمن", "اسفند",
)  # fmt: skip
WEEKDAYS = ("دوشنبه", "سه‌شنبه", "چهارشنبه", "پنجشنبه", "جمعه", "شنبه", "یکشنبه")
_FIRST = date(1964, 3, 21).toordinal()  # 1 Farvardin 1343
_YEAR = 1343


def jalali(day: date) -> tuple[int, int, int]:
    """(year, month, day) of a day."""
    left = day.toordinal() - _FIRST
    cycle, left = divmod(left, 12053)  # days of 33 years with 8 leap ones
    year = _YEAR + cycle * 33
    while left >= (length := 366 if leap(year) else 365):
        left -= length
        year += 1
    if left < 186:
        return year, left // 31 + 1, left % 31 + 1
    left -= 186
    return year, left // 30 + 7, left % 30 + 1


def leap(year: int) -> bool:
    """Whether Esfand has 30 days."""
    return year % 33 in (1, 5, 9, 13, 17, 22, 26, 30)
