"""Figures of segments as lines and bars: where points lie, and what bars are called. No HTML is made here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from babel import Locale
from flask_babel import get_locale, gettext

from sidecar.segments.figures import Bar, Chart
from sidecar.values import money as amounts
from sidecar.web.dashboard import words


def _(text: str, **given: str) -> str:
    return str(gettext(text, **given))


class Drawn(msgspec.Struct, kw_only=True):
    """A bar: its label, how many, the share of all of the chart, and its length (0 to 100, the longest is 100)."""

    label: str
    count: int
    share: float
    length: float


def points(sizes: Sequence[int], width: int, height: int) -> str:
    """The points of a line over `width` and `height`, as SVG writes them: the largest is at the top, the smallest at the
    bottom; a line that never moves is in the middle."""
    if not sizes:
        return ""
    values = list(sizes) if len(sizes) > 1 else [sizes[0], sizes[0]]
    low, high = min(values), max(values)
    step = width / (len(values) - 1)
    edge = 2  # half a line's thickness, and room for it
    inner = height - 2 * edge
    return " ".join(
        f"{round(at * step, 1):g},{round(edge + inner * ((high - value) / (high - low) if high > low else 0.5), 1):g}"
        for at, value in enumerate(values)
    )


def title(chart: Chart, currency: str) -> str:
    """What a chart is about, and in which currency."""
    names = {
        "orders": _("Orders"), "ltv": _("Lifetime value"), "last_order": _("Days since the last order"),
        "country": _("Country"), "status": _("Status in FluentCRM"),
    }  # fmt: skip
    name = names.get(chart.of, chart.of)
    return f"{name} ({currency})" if chart.of == "ltv" and currency else name


def bars(chart: Chart) -> list[Drawn]:
    """Its bars."""
    total, longest = sum(bar.count for bar in chart.bars), max((bar.count for bar in chart.bars), default=0)
    return [
        Drawn(
            label=_label(chart.of, bar),
            count=bar.count,
            share=bar.count / total if total else 0.0,
            length=round(bar.count * 100 / longest, 1) if longest else 0.0,
        )
        for bar in chart.bars
    ]


def _label(of: str, bar: Bar) -> str:
    if bar.other:
        return _("Others")
    if of == "country":
        return _country(bar.text)
    if of == "status":
        return words.say("contact", bar.text)
    if bar.low is None and bar.high is None:
        return _("never")
    if of == "ltv":
        return _money_range(bar)
    low = bar.low or 0
    if bar.high is None:
        return _("%(number)s or more", number=words.number(low))
    if bar.high == low + 1:
        return words.number(low)
    return _range(words.number(low), words.number(bar.high - 1))


def _range(low: str, high: str) -> str:
    return _("%(low)s to %(high)s", low=low, high=high)


def _money_range(bar: Bar) -> str:
    def said(micros: int) -> str:
        return words.number(Decimal(amounts.fixed(micros)))

    if bar.low is None:
        return _("nothing")
    if bar.high is None:
        return _("%(number)s or more", number=said(bar.low))
    return _range(said(0 if bar.low == 1 else bar.low), said(bar.high))


def _country(code: str) -> str:
    if not code:
        return _("not known")
    locale = get_locale() or Locale("en")
    return str(locale.territories.get(code.upper(), code.upper()))
