"""The filters that texts may use. Each is bounded: none makes a text much longer than what it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from jinja2 import Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from markupsafe import Markup, escape

from sidecar.automations.messages import formats
from sidecar.automations.messages import language as languages
from sidecar.automations.messages.model import Moment, Money
from sidecar.automations.messages.view import Amount, Day, Look, Shown
from sidecar.values import dates
from sidecar.values.money import to_micros

_MOST = 20_000


def default(value: Any, instead: Any = "") -> Any:
    """The value, or `instead` where there is none."""
    return instead if isinstance(value, Undefined) or value is None or value == "" else value


@pass_context
def money(context: Context, value: Any, currency: str = "") -> str:
    """An amount in the message's language: of `total` or of a number in the shop's currency (or another one)."""
    look: Look = context["look_"]
    if isinstance(value, Amount):
        return formats.money(value.of, look.language)
    micros = to_micros(str(value))
    if micros is None:
        raise SecurityError(f"money is for amounts, not for {type(value).__name__}")
    shop = context["shop_"]
    return formats.money(Money(micros, (currency or shop.currency).upper()[:8], shop.decimals), look.language)


@pass_context
def date(context: Context, value: Any, style: str = "long") -> str:
    """A day in the message's language: short, medium, long or full. Of a date of the context, or of 'YYYY-MM-DD'."""
    look: Look = context["look_"]
    if style not in formats.STYLES:
        raise SecurityError(f"date is {', '.join(formats.STYLES)}")
    if isinstance(value, Day):
        return formats.day(value.of, look.language, look.zone, style)
    text = str(value)
    at = dates.from_local(text if len(text) > 10 else f"{text} 12:00:00", look.zone)
    if at is None:
        raise SecurityError("date is for days")
    return formats.day(Moment(at), look.language, look.zone, style)


def truncate(value: Any, length: int = 80, end: str = "…") -> str:
    """At most `length` characters, cut between words where there are some."""
    text = str(value)
    if len(text) <= length:
        return text
    cut = text[: max(length - len(end), 0)]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip() + end


@pass_context
def join(context: Context, value: Iterable[Any], between: str | None = None) -> str:
    """The texts of a list with something between them: the language's comma when nothing else is said."""
    if between is None:
        look: Look = context["look_"]
        between = "، " if languages.rtl(look.language) and languages.base(look.language) != "he" else ", "
    if isinstance(value, str) or len(between) > 20:
        raise SecurityError("join is for lists")
    return _bounded(between.join(str(one) for one in value))


def each(value: Iterable[Any], field: str) -> tuple[Any, ...]:
    """One field of each in a list, as far as they have it: `order.items|each("name")|join`."""
    found = (one.field(field) for one in value if isinstance(one, Shown))
    return tuple(one for one in found if not isinstance(one, Undefined))


def urlencode(value: Any) -> str:
    """For a part of a URL."""
    return _bounded(quote(str(value), safe=""))


def _bounded(text: str) -> str:
    if len(text) > _MOST:
        raise SecurityError(f"a text gets longer than {_MOST} characters")
    return text


def _text(function: Callable[[str], str]) -> Callable[[Any], str]:
    return lambda value: function(str(value))


def _length(value: Any) -> int:
    return len(value)


def _first(value: Any) -> Any:
    return next(iter(value), Undefined(name="the first of an empty list"))


def _last(value: Any) -> Any:
    items = list(value)
    return items[-1] if items else Undefined(name="the last of an empty list")


def _whole(value: Any) -> int:
    return int(value)


def _round(value: Any, digits: int = 0) -> float | int:
    return round(float(value), min(digits, 6)) if digits else round(float(value))


def _escape(value: Any) -> Markup:
    return escape(value)


FILTERS: dict[str, Callable[..., Any]] = {
    "capitalize": _text(str.capitalize),
    "d": default,
    "date": date,
    "default": default,
    "e": _escape,
    "each": each,
    "escape": _escape,
    "first": _first,
    "int": _whole,
    "join": join,
    "last": _last,
    "length": _length,
    "lower": _text(str.lower),
    "money": money,
    "round": _round,
    "title": _text(str.title),
    "trim": _text(str.strip),
    "truncate": truncate,
    "upper": _text(str.upper),
    "urlencode": urlencode,
}
