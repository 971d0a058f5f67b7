"""Amounts and days as each language writes them; the calendar of Iran against ICU's."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.automations.messages import formats
from sidecar.automations.messages.jalali import jalali, leap
from sidecar.automations.messages.model import Moment, Money, Percent

# The day of March on which each year of Iran begins, 1964 to 2122, minus 19: from ICU 78 (Node's Intl), not from this code.
NOWRUZ = (
    "222222222222222222222222222222221222122212221222122212221222122211221122112211221122112211221122111211121112111211121112111211121"
    "111111122222222222222222222222"
)


def test_every_year_begins_on_icus_day() -> None:
    for year, mark in zip(range(1964, 2123), NOWRUZ, strict=True):
        first = date(year, 3, 19 + int(mark))
        assert jalali(first) == (year - 621, 1, 1)
        assert jalali(first - timedelta(days=1)) == (year - 622, 12, 30 if leap(year - 622) else 29)


@given(st.dates(date(1964, 3, 22), date(2122, 12, 31)))
def test_days_follow_one_another(day: date) -> None:
    year, month, number = jalali(day)
    before = jalali(day - timedelta(days=1))
    assert 1 <= month <= 12 and 1 <= number <= (31 if month < 7 else 30)
    assert before in (
        (year, month, number - 1),
        (year, month - 1, 31 if month < 8 else 30),
        (year - 1, 12, 30 if leap(year - 1) else 29),
    )


@given(st.dates())
def test_no_day_breaks_it(day: date) -> None:
    assert 1 <= jalali(day)[1] <= 12


@pytest.mark.parametrize(
    ("amount", "language", "text"),
    [
        (Money(84_700_000, "PLN"), "pl", "84,70 zł"),
        (Money(1_234_567_500_000, "PLN"), "pl", "1 234 567,50 zł"),
        (Money(84_700_000, "EUR"), "en", "€84.70"),
        (Money(84_700_000, "BGN"), "bg", "84,70 лв."),
        (Money(1_234_567_000_000, "IRR", 0), "fa", "۱٬۲۳۴٬۵۶۷ ریال"),
        (Money(1_234_567_000_000, "IRT", 0), "fa", "۱٬۲۳۴٬۵۶۷ تومان"),
        (Money(1_234_567_000_000, "IRT", 0), "en", "1,234,567 toman"),
        (Money(1_500_000, "EUR"), "fa", "۱٫۵۰ €"),
        (Money(84_700_000, "EUR"), "xx", "€84.70"),
        (Money(84_700_000, "XYZ"), "en", "XYZ84.70"),
        (Money(-5_000_000, "EUR"), "en", "-€5.00"),
        (Money(0, "EUR"), "en", "€0.00"),
        (Money(84_500_000, "JPY", 0), "en", "¥84"),
        (Money(84_700_000, "EUR"), "pt_BR", "€ 84,70"),
    ],
)
def test_money(amount: Money, language: str, text: str) -> None:
    assert formats.money(amount, language).replace("\xa0", " ") == text


@pytest.mark.parametrize(
    ("share", "language", "text"),
    [("10", "en", "10%"), ("10.00", "pl", "10%"), ("12.5", "pl", "12,5%"), ("10", "fa", "۱۰٪"), ("12.50", "fa", "۱۲٫۵٪"), ("x", "en", ""), ("NaN", "en", ""), ("", "fa", "")],
)  # fmt: skip
def test_percent(share: str, language: str, text: str) -> None:
    assert formats.percent(Percent(share), language) == text


@pytest.mark.parametrize(
    ("language", "style", "text"),
    [
        ("en", "long", "March 21, 2026"),
        ("en", "short", "3/21/26"),
        ("pl", "long", "21 marca 2026"),
        ("bg", "long", "21 март 2026 г."),
        ("fa", "long", "۱ فروردین ۱۴۰۵"),
        ("fa", "full", "شنبه ۱ فروردین ۱۴۰۵"),
        ("fa", "short", "۱۴۰۵/۰۱/۰۱"),
    ],
)
def test_a_day_is_the_shops(language: str, style: formats.Style, text: str) -> None:
    """21:00 UTC on 20 March 2026 is past midnight in Tehran: a new year."""
    moment = Moment(1_774_040_400)
    found = formats.day(moment, language, ZoneInfo("Asia/Tehran"), style)
    assert found.replace("\u202f", " ").replace("\xa0", " ") == text
    assert formats.day(moment, language, UTC, style) != found


@pytest.mark.parametrize("at", [-(10**15), 10**15])
def test_beyond_the_calendar(at: int) -> None:
    assert formats.day(Moment(at), "en", UTC) == formats.day(Moment(at), "fa", UTC) == ""


@given(
    st.integers(-(10**18), 10**18),
    st.sampled_from(["en", "fa", "pl", "bg", "de", "ar"]),
    st.sampled_from(["EUR", "IRT", "IRR", "PLN", "X"]),
    st.integers(0, 6),
)
def test_no_amount_breaks_it(micros: int, language: str, currency: str, decimals: int) -> None:
    assert formats.money(Money(micros, currency, decimals), language)
