"""`/api/v1/segments`: every segment in figures, its people, and a refresh."""

from __future__ import annotations

import msgspec

from sidecar.segments.figures import Full, Line
from sidecar.segments.people import Member
from sidecar.segments.words import Told, told
from sidecar.web.api.sync import JobView, view
from sidecar.web.context import runtime, tasks
from sidecar.web.routes import Noun, Page, Paging

noun = Noun("segments")


class SegmentsView(msgspec.Struct, kw_only=True):
    """Every segment, as of `refreshed` (Unix seconds, null: never)."""

    refreshed: int | None
    segments: list[Line]


class SegmentView(msgspec.Struct, kw_only=True):
    """A segment: its rule in words, the kinds of offers that do not fit its people, and its figures."""

    rule: Told
    no_offers: list[str]
    figures: Full


@noun.get_("", may="see", answers=SegmentsView)
def segments() -> SegmentsView:
    """Every segment with its size and how that went. 422 when the rules are not in order."""
    book = runtime().segments
    return SegmentsView(refreshed=book.looked(), segments=book.lines())


@noun.get_("/<slug>", may="see", answers=SegmentView)
def segment(slug: str) -> SegmentView:
    """One segment: people, money, how they are spread, overlaps, comings and goings. 404 when there is none."""
    book = runtime().segments
    found = book.segment(slug)
    return SegmentView(rule=told(found.rule, book.zone), no_offers=list(found.no_offers), figures=book.full(slug))


@noun.get_("/<slug>/people", may="contact", answers=list[Member], query=Paging, paged=True)
def people(slug: str, query: Paging) -> Page[list[Member]]:
    """Its people, e-mail addresses masked. 404 when there is no such segment."""
    found = runtime().segments.people(slug, query.after, query.limit)
    return Page(data=found, next=found[-1].id if len(found) == query.limit else None)


@noun.post_("/refresh", may="sync", answers=JobView)
def refresh() -> JobView | None:
    """Bring memberships up to date, in the background. 409 while other work has not ended."""
    return view(tasks().start("segments", {}))
