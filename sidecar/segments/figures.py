"""Segments in figures, as of the last refresh: all of them in a list, and one in full. Asks the state only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from sidecar.segments import membership, view
from sidecar.segments.model import Segment
from sidecar.segments.view import Overlap
from sidecar.state.database import State

DAYS = 60
"""How many days a line of sizes shows."""
_AGO = 30
_LATEST = 15
_MOST_COUNTRIES = 8
_ORDERS = (1, 2, 3, 5, 10)
_RECENCY = (8, 31, 61, 91, 181, 366)
_DAY = 86400


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A segment in a list. `group` is the slug of its group, '' without one. `share` is of all contacts, 0 to 1. `change`
    is in people over 30 days, None when it was not known then. `sizes` are by day, today's last, at most 60; they begin on the first day that is known."""

    slug: str
    name: str
    about: str
    group: str
    size: int
    share: float
    change: int | None
    sizes: list[int]


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """So many people from `low` up to, but not including, `high` (None: no end), or with the text `text`; `other`: all that
    have no bar of their own."""

    count: int
    low: int | None = None
    high: int | None = None
    text: str = ""
    other: bool = False


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """How the people of a segment are spread over `of`: orders, ltv (micros), last_order (days ago; without ends: never),
    country (ISO-2 in small letters), status (in FluentCRM)."""

    of: str
    bars: list[Bar]


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody came (`entered`) or went, at Unix seconds. `contact_id`: FluentCRM's, None when it is gone."""

    at: int
    entered: bool
    contact_id: int | None


class Full(msgspec.Struct, frozen=True, kw_only=True):
    """One segment. Money in micros of the shop's currency: averages, `aov` over those with an order (None without one).
    `history`: (day, size) of the days on which it changed. `came`, `went`: in the last 30 days."""

    line: Line
    people: int
    ltv: int
    aov: int | None
    came: int
    went: int
    charts: list[Chart]
    overlaps: list[Overlap]
    latest: list[Moved]
    history: list[tuple[str, int]]


def lines(state: State, segments: Sequence[Segment], today: str) -> list[Line]:
    """Every segment; `today` is the day in the shop's time."""
    sizes, people = membership.sizes(state), _people(state)
    first = str(date.fromisoformat(today) - timedelta(days=DAYS - 1))
    trends: dict[str, list[tuple[str, int]]] = {}
    # The size at the window's start is that of the last change before it: SQLite takes `size` from the row of MAX(day).
    for slug, day, size in (
        *state.rows("SELECT segment, MAX(day), size FROM segment_size WHERE day < ? GROUP BY segment", (first,)),
        *state.rows("SELECT segment, day, size FROM segment_size WHERE day >= ? ORDER BY day", (first,)),
    ):
        trends.setdefault(slug, []).append((day, size))
    return [_line(one, sizes.get(one.slug, 0), people, trends.get(one.slug, []), today) for one in segments]


def _line(segment: Segment, size: int, people: int, trend: list[tuple[str, int]], today: str) -> Line:
    by_day = daily(trend, today)
    return Line(
        slug=segment.slug,
        name=segment.name,
        about=segment.about,
        group=segment.group.slug if segment.group else "",
        size=size,
        share=size / people if people else 0.0,
        change=size - by_day[-_AGO - 1] if len(by_day) > _AGO else None,
        sizes=by_day,
    )


def daily(trend: Sequence[tuple[str, int]], today: str, days: int = DAYS) -> list[int]:
    """The size at the end of each of the last `days` days, from (day, size) of the days on which it changed, by day. A day
    after `today` (the zone was another) counts as today."""
    if not trend:
        return []
    end = date.fromisoformat(today)
    begin = max(min(date.fromisoformat(trend[0][0]), end), end - timedelta(days=days - 1))
    found: list[int] = []
    at, size = 0, 0
    for number in range((end - begin).days + 1):
        day = str(begin + timedelta(days=number))
        while at < len(trend) and (trend[at][0] <= day or day == today):
            size = trend[at][1]
            at += 1
        found.append(size)
    return found


def full(state: State, segment: Segment, today: str, now: int) -> Full:
    """One segment, with its people's money, spread and overlaps."""
    (line,) = lines(state, [segment], today)
    ltv, aov = state.rows(f"SELECT AVG(t.ltv), AVG(t.aov) {_MEMBERS}", (segment.slug,))[0]
    moved: dict[int, int] = dict(
        state.rows(
            "SELECT entered, COUNT(*) FROM membership_event WHERE segment = ? AND at >= ? GROUP BY entered",
            (segment.slug, now - _AGO * _DAY),
        )
    )
    return Full(
        line=line,
        people=_people(state),
        ltv=round(ltv or 0),
        aov=None if aov is None else round(aov),
        came=moved.get(1, 0),
        went=moved.get(0, 0),
        charts=_charts(state, segment.slug, now),
        overlaps=_overlaps(state, segment.slug),
        latest=_latest(state, segment.slug),
        history=view.history(state, segment.slug),
    )


_MEMBERS = "FROM membership m JOIN trait t ON t.person_id = m.person_id WHERE m.segment = ?"


def _people(state: State) -> int:
    return int(state.rows("SELECT COUNT(*) FROM trait")[0][0])


def _overlaps(state: State, slug: str) -> list[Overlap]:
    rows = state.rows(
        "SELECT o.segment, COUNT(*) FROM membership m JOIN membership o ON o.person_id = m.person_id"
        " WHERE m.segment = ?1 AND o.segment <> ?1 GROUP BY o.segment ORDER BY COUNT(*) DESC, o.segment",
        (slug,),
    )
    return [Overlap(slug=other, both=both) for other, both in rows]


def _latest(state: State, slug: str) -> list[Moved]:
    # Newest first by their number: there is no index on the segment, and none is needed to find a few of the last.
    rows = state.rows(
        "SELECT e.at, e.entered, p.contact_id FROM membership_event e LEFT JOIN person p ON p.id = e.person_id"
        " WHERE e.segment = ? ORDER BY e.id DESC LIMIT ?",
        (slug, _LATEST),
    )
    return [Moved(at=at, entered=bool(entered), contact_id=contact) for at, entered, contact in rows]


def _charts(state: State, slug: str, now: int) -> list[Chart]:
    found = [Chart(of="orders", bars=_bars(state, slug, "t.orders_count", (0, *_ORDERS)))]
    steps = _steps(state, slug)
    if steps:
        found.append(Chart(of="ltv", bars=_bars(state, slug, "t.ltv", (None, 1, *steps))))
    days = f"({int(now)} - t.last_order) / {_DAY}"
    found.append(Chart(of="last_order", bars=_bars(state, slug, days, (None, *_RECENCY))))
    countries = state.rows(f"SELECT t.country, COUNT(*) {_MEMBERS} GROUP BY 1 ORDER BY 2 DESC, 1", (slug,))
    if any(code for code, _ in countries):
        found.append(Chart(of="country", bars=_named(countries)))
    statuses = state.rows(
        "SELECT c.status, COUNT(*) FROM membership m JOIN contact_trait c ON c.person_id = m.person_id"
        " WHERE m.segment = ? AND c.status <> '' GROUP BY 1 ORDER BY 2 DESC, 1",
        (slug,),
    )
    if statuses:
        found.append(Chart(of="status", bars=_named(statuses)))
    return found


def _named(rows: Sequence[tuple[str, int]]) -> list[Bar]:
    shown = [Bar(text=text, count=count) for text, count in rows[:_MOST_COUNTRIES]]
    rest = sum(count for _, count in rows[_MOST_COUNTRIES:])
    return [*shown, Bar(other=True, count=rest)] if rest else shown


def _bars(state: State, slug: str, value: str, edges: Sequence[int | None]) -> list[Bar]:
    """People by the last of these edges that their value has reached; without a value: a bar without ends, if there are any.
    Neither `value` nor `edges` come from outside."""
    place = " + ".join(f"({value} >= {edge})" for edge in edges[1:])
    counts: dict[int | None, int] = dict(
        state.rows(f"SELECT CASE WHEN {value} IS NOT NULL THEN {place} END, COUNT(*) {_MEMBERS} GROUP BY 1", (slug,))
    )
    bars = [
        Bar(low=low, high=edges[at + 1] if at + 1 < len(edges) else None, count=counts.get(at, 0))
        for at, low in enumerate(edges)
    ]
    return [*bars, Bar(count=counts[None])] if counts.get(None) else bars


def _steps(state: State, slug: str) -> list[int]:
    """Five round steps up to about what the first five of a hundred have; none when nobody has spent anything."""
    spent = state.rows(f"SELECT COUNT(*) {_MEMBERS} AND t.ltv > 0", (slug,))[0][0]
    if not spent:
        return []
    high = state.rows(
        f"SELECT t.ltv {_MEMBERS} AND t.ltv > 0 ORDER BY t.ltv DESC LIMIT 1 OFFSET ?", (slug, spent // 20)
    )
    step = round_up(max(1, int(high[0][0]) // 5))
    return [step * number for number in range(1, 6)]


def round_up(value: int) -> int:
    """The next number of the form 1, 2 or 5 times a power of ten."""
    power = int(10 ** (len(str(value)) - 1))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value)
