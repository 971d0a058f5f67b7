"""The owner's `segments.toml` as it is edited: where it is, one segment of it or all, checked and saved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path

import msgspec

from sidecar import edited_file
from sidecar.config import Config
from sidecar.edited_file import RulesText
from sidecar.errors import NotFound, Problem, SegmentError
from sidecar.segments import document, file
from sidecar.segments.model import Segment

_WHAT = "rules of the segments"
NAME = "segments.toml"
ALL = "*"
"""Stands for the whole file where a segment's slug is wanted; '' for a segment that is to be added."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What an edit would make of the file: its text, its segments, and the one that was edited (None: the whole file)."""

    text: str
    segments: list[Segment]
    edited: Segment | None


def in_force(config: Config) -> str:
    """The file of the configuration, else the one that a page saved beside the state, else '' (the built-in segments)."""
    saved = _saved(config)
    return config.segments.file or (str(saved) if saved.is_file() else "")


def _saved(config: Config) -> Path:
    return Path(config.state.dir) / NAME


def read(config: Config) -> RulesText:
    """The text in force. Raises SegmentError when it cannot be read."""
    name = in_force(config)
    return edited_file.read(name, "" if name else file.default_text(), what=_WHAT, raise_as=SegmentError)


def block(text: str, slug: str) -> str:
    """How one segment of a text is written. Raises NotFound; SegmentError when only the whole file can be edited."""
    if slug not in document.slugs(text):
        raise NotFound(f"there is no segment {slug}")
    return document.block(text, slug)


def draft(text: str, slug: str, new: str, zone: tzinfo) -> Draft:
    """A text in which `new` stands for the segment `slug` ('' adds one, `*` is the whole file).

    Raises NotFound when there is no such segment, SegmentError with every problem. A problem of `new` has its line there; one of the rest of the file has none, and
    says where it is.
    """
    if slug == ALL:
        return Draft(text=new, segments=file.parse(new, NAME, zone), edited=None)
    if slug and slug not in document.slugs(text):
        raise NotFound(f"there is no segment {slug}")
    before = document.leading(new)
    edit = document.replace(text, slug, new) if slug else document.insert(text, new)
    try:
        segments = file.parse(edit.text, NAME, zone)
    except SegmentError as error:
        raise SegmentError(error.message, [_in_block(one, edit, before) for one in error.problems]) from error
    named = document.slugs(edit.text)[edit.number]
    return Draft(text=edit.text, segments=segments, edited=next(one for one in segments if one.slug == named))


def _in_block(problem: Problem, edit: document.Edit, before: int) -> Problem:
    if problem.line is None:
        return problem
    line = problem.line - edit.line + 1
    if 1 <= line <= edit.lines:
        # The segment is alone here: which of the file it is says nothing.
        key = problem.key.removeprefix(f"segment[{edit.number + 1}]").removeprefix(".") or "segment"
        return Problem(problem.file, line + before, key, problem.message, problem.hint)
    return Problem(
        problem.file, None, problem.key, f"{problem.message} (line {problem.line} of the file)", problem.hint
    )


def save(config: Config, base: str, make: Callable[[str], str]) -> RulesText:
    """Put in force what `make` makes of the text in force, keeping a backup. `base` is the digest of the text that was edited.

    Raises Conflict when the text is no longer that, ConfigError when the file cannot be written, and what `make` raises.
    """
    target = Path(in_force(config) or _saved(config))
    with edited_file.alone(target, "segments"):
        now = read(config)
        edited_file.unchanged(now, base, _WHAT)
        return edited_file.write(target, make(now.text))


def without(text: str, slug: str, zone: tzinfo) -> str:
    """The text without one segment. Raises SegmentError when others ask for it, NotFound when it is not there."""
    block(text, slug)
    rest = document.remove(text, slug)
    file.parse(rest, NAME, zone)
    return rest
