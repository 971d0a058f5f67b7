"""`/api/v1/segment-rules`: the rules of the segments, one by one or the whole file: tried, saved, removed."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sidecar.edited_file import RulesText
from sidecar.errors import Problem, SegmentError
from sidecar.segments import rules
from sidecar.segments.file import MAX_BYTES
from sidecar.segments.people import Sample
from sidecar.segments.view import Sheet
from sidecar.web.context import runtime
from sidecar.web.routes import Noun

noun = Noun("segment-rules")

Text = Annotated[str, Meta(max_length=MAX_BYTES)]
Which = Annotated[str, Meta(max_length=60, pattern=r"^(?:\*|[a-z0-9-]*)$")]
Base = Annotated[str, Meta(max_length=64)]


class Try(msgspec.Struct, forbid_unknown_fields=True):
    """`text` in the place of the segment `slug`, a `[[segment]]` of TOML; slug "" adds one, "*" is the whole file."""

    text: Text
    slug: Which = ""


class Save(msgspec.Struct, forbid_unknown_fields=True):
    """The same, and the digest of the file that was edited."""

    text: Text
    base: Base
    slug: Which = ""


class Remove(msgspec.Struct, forbid_unknown_fields=True):
    """Which segment, and the digest of the file that was looked at."""

    slug: Which
    base: Base


class Tried(msgspec.Struct, kw_only=True):
    """The people whom it finds (null for a whole file), a few of them masked; or every problem with its line."""

    ok: bool
    problems: list[Problem]
    sheet: Sheet | None = None
    people: list[Sample] = []


def attempt(slug: str, text: str) -> Tried:
    """Try an edit; nothing is saved."""
    book = runtime().segments
    try:
        sheet = book.try_out(slug, text)
    except SegmentError as error:
        return Tried(ok=False, problems=error.shown(rules.NAME))
    return Tried(ok=True, problems=[], sheet=sheet, people=book.samples(sheet.contacts) if sheet else [])


@noun.get_("", may="mapping", answers=RulesText)
def segment_rules() -> RulesText:
    """The file in force. `file` is empty while the built-in segments are."""
    return runtime().segments.text()


@noun.post_("/preview", may="mapping", body=Try, answers=Tried)
def preview(body: Try) -> Tried:
    """Whom an edit would find, or everything that is wrong with it. Nothing is saved. 404 when there is no such segment."""
    return attempt(body.slug, body.text)


@noun.post_("/save", may="mapping", body=Save, answers=RulesText)
def save(body: Save) -> RulesText:
    """Put an edit in force, keeping a backup. 422 when it is not in order, 409 when the file was changed meanwhile."""
    book = runtime().segments
    book.save(body.slug, body.text, body.base)
    return book.text()


@noun.post_("/remove", may="mapping", body=Remove, answers=RulesText)
def remove(body: Remove) -> RulesText:
    """Take a segment out. 404 when there is none, 422 when others ask for it, 409 when the file was changed meanwhile."""
    book = runtime().segments
    book.remove(body.slug, body.base)
    return book.text()
