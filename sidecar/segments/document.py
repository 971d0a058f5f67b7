"""One `[[segment]]` of a file of segments, edited: all other bytes of the text stay as they are. Pure."""

from __future__ import annotations

import re

import msgspec

from sidecar import toml_file
from sidecar.errors import Problem, SegmentError
from sidecar.toml_lines import Table, tables_of

_COMMENT = re.compile(r"[ \t]*#[^\r\n]*")
_EMPTY = re.compile(r"[ \t]*\r?\n")
_ELSEWHERE = "edit the whole file instead"


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """A text after an edit. The new segment stands in `lines` lines from `line` (from 1); `number` of the segments, from 0."""

    text: str
    line: int
    lines: int
    number: int


def block(text: str, slug: str) -> str:
    """How a segment is written, with the comments right above it. Raises SegmentError when it cannot be taken out alone.
    The text must be valid TOML."""
    start, end, _ = _span(text, slug)
    return text[start:end].replace("\r\n", "\n")


def replace(text: str, slug: str, new: str) -> Edit:
    """Write `new`, a whole `[[segment]]`, in the place of one. Raises SegmentError with the faults of form of `new`."""
    written = _one(new)
    start, end, number = _span(text, slug)
    return _placed(text, start, end, written, number)


def insert(text: str, new: str) -> Edit:
    """Write `new` behind everything else. Raises SegmentError."""
    written = _one(new)
    count = len(slugs(text))
    line_end = _line_end(text)
    before = text if not text or text.endswith("\n") else text + line_end
    gap = line_end if before else ""
    return _placed(before + gap + line_end, len(before + gap), len(before + gap), written, count)


def remove(text: str, slug: str) -> str:
    """Take one out, with the comments right above it and the empty line that it leaves. Raises SegmentError."""
    start, end, _ = _span(text, slug)
    rest = _EMPTY.match(text, end)
    rest = _EMPTY.match(text, rest.end()) or rest if rest else None
    return text[:start] + text[rest.end() if rest else end :]


def _placed(text: str, start: int, end: int, written: str, number: int) -> Edit:
    shaped = written.replace("\n", _line_end(text))
    return Edit(
        text=text[:start] + shaped + text[end:],
        line=text.count("\n", 0, start) + 1,
        lines=written.count("\n") + 1,
        number=number,
    )


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _one(new: str) -> str:
    """A segment as it was typed, without empty lines around it. Raises SegmentError unless it is one, and nothing else."""
    typed = new.replace("\r\n", "\n")
    data, syntax = toml_file.parse(typed, "segments.toml")
    if data is None:
        raise SegmentError("the segment is not valid TOML", syntax)
    top, tables = tables_of(typed)
    alone = [table for table in tables if table.path[:2] != ("segment", 0)]
    if top or alone or not tables or len(tables[0].path) != 2:
        where = alone[0].start if alone else 0
        raise SegmentError(
            "one segment is wanted",
            [Problem("segments.toml", typed.count("\n", 0, where) + 1, "segment", "one [[segment]] is wanted here, and nothing else", _ELSEWHERE)],
        )  # fmt: skip
    return typed.strip("\n")


def leading(new: str) -> int:
    """How many empty lines stand before what was typed: they are not kept."""
    typed = new.replace("\r\n", "\n")
    return len(typed) - len(typed.lstrip("\n"))


def slugs(text: str) -> list[str]:
    """The slugs of a file in its order, "" where there is none. Raises SegmentError."""
    data, syntax = toml_file.parse(text, "segments.toml")
    if data is None:
        raise SegmentError("the file is not valid TOML", syntax, hint=_ELSEWHERE)
    rows = data.get("segment", [])
    if not isinstance(rows, list) or ("segment" in data and not _blocks(text)):
        raise _cannot("the segments of this file are not written as [[segment]]")
    return [str(row.get("slug", "")) for row in rows]


def _blocks(text: str) -> dict[int, list[Table]]:
    """The tables of each segment that is written as `[[segment]]`, with their numbers in the file."""
    found: dict[int, list[Table]] = {}
    for table in tables_of(text)[1]:
        if len(table.path) > 1 and table.path[0] == "segment" and isinstance(table.path[1], int):
            found.setdefault(table.path[1], []).append(table)
    return found


def _span(text: str, slug: str) -> tuple[int, int, int]:
    """From where to where a segment stands, and which it is."""
    known = slugs(text)
    if slug not in known:
        raise _cannot(f"the file has no segment {slug}")
    number = known.index(slug)
    mine = _blocks(text)[number]
    tables = tables_of(text)[1]
    first = tables.index(mine[0])
    if tables[first : first + len(mine)] != mine:
        raise _cannot(f"the parts of the segment {slug} stand in different places of the file")
    floor = tables[first - 1].end if first else tables_of(text)[0]
    if floor:
        floor = text.index("\n", floor) + 1
    start = text.rfind("\n", 0, mine[0].start) + 1
    while start > floor:
        # The comments right above it.
        line = text.rfind("\n", 0, start - 1) + 1
        if line < floor or not text[line:start].lstrip(" \t").startswith("#"):
            break
        start = line
    end = mine[-1].end
    end -= len(text[:end]) - len(text[:end].rstrip(" \t\r"))
    behind = _COMMENT.match(text, end)
    return start, behind.end() if behind else end, number


def _cannot(why: str) -> SegmentError:
    return SegmentError(why, [Problem("segments.toml", None, "segment", why, _ELSEWHERE)])
