"""The segments: all in a list, or one with its people."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from sidecar.errors import SegmentError
from sidecar.segments import rules
from sidecar.segments.book import Book
from sidecar.segments.figures import Line
from sidecar.segments.model import Grouping
from sidecar.segments.words import told
from sidecar.state import jobs
from sidecar.values import money
from sidecar.web.context import runtime, tasks
from sidecar.web.dashboard import charts, common, render, segment_editor
from sidecar.web.errors import Error

PEOPLE = 50
_SPARK = (120, 28)
_LINE = (600, 120)


def show(error: Error | None = None, code: int = 200) -> Response:
    """The page: `?segment=SLUG` one segment, `?edit=SLUG` its rule (`?edit=+` a new one, `?edit=*` the whole file), else all."""
    if "edit" in request.args and render.may("mapping"):
        return segment_editor.show(error, code)
    if request.args.get("segment"):
        return _one(request.args["segment"], error, code)
    return _all(error, code)


def refresh() -> Response:
    """Bring memberships up to date, in the background."""
    tasks().start("segments", {})
    return render.redirect("segments", segment=request.args.get("segment", ""), notice="refreshing")


def _job() -> jobs.Job | None:
    found = jobs.latest(runtime().state)
    return found if found is not None and found.kind == "segments" else None


def _all(error: Error | None, code: int) -> Response:
    book = runtime().segments
    wanted = request.args.get("q", "")[:100].strip()
    given: dict[str, Any] = {"groups": [], "count": 0, "problems": []}
    try:
        lines = book.lines()
        given["groups"] = _grouped(book, [line for line in lines if _found(line, wanted)])
        given["count"] = len(lines)
    except SegmentError as broken:
        given["problems"] = broken.shown(rules.NAME)
    return render.fragment(
        "segments.html", status=code, view="segments", notice=common.notice(), error=error, job=_job(), q=wanted,
        refreshed=book.looked(), spark=lambda line: charts.points(line.sizes, *_SPARK), box=_SPARK, **given,
    )  # fmt: skip


def _found(line: Line, wanted: str) -> bool:
    """Every word that was typed is somewhere in it."""
    text = f"{line.slug} {line.name} {line.about} {line.group}".casefold()
    return all(word in text for word in wanted.casefold().split())


def _grouped(book: Book, lines: list[Line]) -> list[tuple[Grouping | None, list[Line]]]:
    """Segments below the heading of their group, those without one first; groups in the order of the file."""
    by_group: dict[str, list[Line]] = {"": []}
    for line in lines:
        by_group.setdefault(line.group, []).append(line)
    heads = {one.group.slug: one.group for one in book.segments if one.group}
    return [(heads.get(slug), rows) for slug, rows in by_group.items() if rows]


def _one(slug: str, error: Error | None, code: int) -> Response:
    shop = runtime()
    book = shop.segments
    segment, found = book.segment(slug), book.full(slug)
    after = common.after()
    people = book.people(slug, after, PEOPLE) if render.may("contact") else []
    currency = shop.options("woocommerce_currency").get("woocommerce_currency", "")
    names = {one.slug: one.name for one in book.segments}
    return render.fragment(
        "segment.html", status=code, view="segments", notice=common.notice(), error=error, job=_job(), segment=segment,
        found=found, rule=told(segment.rule, book.zone), refreshed=book.looked(), currency=currency, names=names,
        fixed=money.fixed, people=people, after=after, next=people[-1].id if len(people) == PEOPLE else 0,
        charts=[(chart.of, charts.title(chart, currency), charts.bars(chart)) for chart in found.charts],
        points=charts.points(found.line.sizes, *_LINE), box=_LINE, tag=book.tag(slug) if render.may("contact") else None,
    )  # fmt: skip
