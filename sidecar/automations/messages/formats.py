"""Amounts, shares and days as people of a language write them.

Persian days are in the calendar of Iran, with Persian digits. Babel is imported when something is formatted: a process that sends
nothing does not load it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from sidecar.automations.messages import language as languages
from sidecar.automations.messages.jalali import MONTHS, WEEKDAYS, jalali
from sidecar.automations.messages.model import Moment, Money, Percent

if TYPE_CHECKING:
    from babel import Locale

Style = Literal["short", "medium", "long", "full"]
STYLES: tuple[Style, ...] = ("short", "medium", "long", "full")
_PERSIAN = str.maketrans("0123456789,.%", "۰۱۲۳۴۵۶۷۸۹٬٫٪")
# What ISO does not know: the toman, and its thousands and the rial's as WooCommerce's Persian plugins call them.
_TOMAN = {
    "IRT": ("toman", "تومان"), "IRHT": ("thousand toman", "هزار تومان"), "IRHR": ("thousand rial", "هزار ریال"),
    "IRR": ("IRR", "ریال"),
}  # fmt: skip
_FIRST, _LAST = -62135596800 + 2 * 86400, 253402300799 - 2 * 86400


def money(amount: Money, language: str) -> str:
    """84_700_000 of PLN → '84,70 zł' in Polish."""
    return _writer(language, amount.currency, amount.decimals)(Decimal(amount.micros).scaleb(-6))


def percent(share: Percent, language: str) -> str:
    """10 → '10%'; up to two decimals."""
    try:
        value = Decimal(share.value)
    except InvalidOperation:
        return ""
    if not value.is_finite():
        return ""
    if languages.base(language) == "fa":
        return f"{_plain(value)}%".translate(_PERSIAN)
    from babel.numbers import format_percent

    return str(format_percent(value / 100, format=None, locale=_locale(language), decimal_quantization=False))


def day(moment: Moment, language: str, zone: tzinfo, style: Style = "long") -> str:
    """The day of a moment in the shop's time: 'November 26, 2026', '26 listopada 2026', '۵ آذر ۱۴۰۵'. '' beyond the calendar."""
    if not _FIRST <= moment.at <= _LAST:
        return ""
    when = datetime.fromtimestamp(moment.at, UTC).astimezone(zone).date()
    if languages.base(language) == "fa":
        year, month, number = jalali(when)
        if style == "short":
            return f"{year}/{month:02d}/{number:02d}".translate(_PERSIAN)
        text = f"{number} {MONTHS[month - 1]} {year}".translate(_PERSIAN)
        return f"{WEEKDAYS[when.weekday()]} {text}" if style == "full" else text
    from babel.dates import format_date

    return str(format_date(when, format=style, locale=_locale(language)))


def digits(text: object, language: str) -> str:
    """A number as text, in Persian with Persian digits."""
    return str(text).translate(_PERSIAN) if languages.base(language) == "fa" else str(text)


def _plain(value: Decimal) -> str:
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".")


@lru_cache(maxsize=16)
def _locale(language: str) -> Locale:
    from babel import Locale, UnknownLocaleError

    for name in (language.replace("-", "_"), languages.base(language)):
        try:
            return Locale.parse(name)
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse(languages.DEFAULT)


@lru_cache(maxsize=64)
def _writer(language: str, currency: str, decimals: int) -> Callable[[Decimal], str]:
    """How amounts of a currency are written: found once, because Babel takes its time."""
    spoken, persian = _TOMAN.get(currency, (currency, ""))
    if languages.base(language) == "fa":
        name = persian or _symbol(currency, language)
        return lambda value: f"{value:,.{decimals}f} {name}".translate(_PERSIAN)
    if persian:
        from babel.numbers import format_decimal

        shape = "#,##0" + ("." + "0" * decimals if decimals else "")
        where = _locale(language)
        return lambda value: f"{format_decimal(value, format=shape, locale=where)} {spoken}"
    from babel.numbers import parse_pattern

    where = _locale(language)
    pattern = parse_pattern(where.currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals, decimals)
    return lambda value: str(pattern.apply(value, where, currency=currency, currency_digits=False))


def _symbol(currency: str, language: str) -> str:
    from babel.numbers import get_currency_symbol

    return str(get_currency_symbol(currency, locale=_locale(language)))
