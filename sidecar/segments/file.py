"""`segments.toml` → segments. Every fault of the file is found at once, with its line and what was probably meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from importlib import resources
from pathlib import Path
from typing import Any

from sidecar import toml_file
from sidecar.errors import Problem, SegmentError
from sidecar.segments import groups
from sidecar.segments.model import All, Condition, Grouping, Segment, asked
from sidecar.segments.parse import Parser
from sidecar.toml_lines import Path as Place
from sidecar.toml_lines import dotted, lines_of, nearest

MAX_BYTES = 262_144
_KEYS = ("slug", "name", "about", "group", "rule", "no_offers", "tag")
_TABLES = ("segment", "group")


def default_text() -> str:
    """The built-in segments, which are also the commented example in `config/segments.toml`."""
    return (resources.files("sidecar.segments") / "default.toml").read_text(encoding="utf-8")


def load(path: str | Path | None, zone: tzinfo) -> list[Segment]:
    """The segments of a file, the built-in ones for None. Dates in rules are days in `zone`, the shop's.

    Raises SegmentError with every problem.
    """
    if path is None:
        return parse(default_text(), "default.toml", zone)
    return parse(toml_file.read_text(Path(path), raise_as=SegmentError), str(path), zone)


def parse(text: str, file: str, zone: tzinfo) -> list[Segment]:
    """The segments of a text, in an order in which each stands behind those that it asks for. Raises SegmentError."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _error(file, [Problem(file, None, "(file)", f"the rules are longer than {MAX_BYTES // 1024} KiB")])
    data, syntax = toml_file.parse(text, file)
    if data is None:
        raise _error(file, syntax)
    reader = _File(text, file, zone)
    segments = reader.read(data)
    if reader.problems:
        raise _error(file, reader.problems)
    return segments


def rule(text: str, zone: tzinfo, segments: Sequence[Segment]) -> Condition:
    """One rule as it stands behind `rule =`; it may ask for these segments. Raises SegmentError."""
    data, syntax = toml_file.parse(f"rule = {text.strip()}", "(rule)")
    if data is None or set(data) != {"rule"}:
        raise _error("(rule)", syntax or [Problem("(rule)", 1, "rule", "one rule is wanted")])
    problems: list[Problem] = []

    def say(place: Place, message: str, hint: str = "") -> None:
        problems.append(Problem("(rule)", None, dotted(place), message, hint))

    found = Parser(say, zone, [segment.slug for segment in segments]).condition(data["rule"], ("rule",))
    if problems:
        raise _error("(rule)", problems)
    return found


def _error(file: str, problems: list[Problem]) -> SegmentError:
    problems = sorted(problems, key=lambda problem: problem.line or 0)
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return SegmentError(f"{file}: {count} in the segments", problems, hint="`sidecar segments check` shows them again")


class _File:
    def __init__(self, text: str, file: str, zone: tzinfo) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lines = lines_of(text.replace("\r\n", "\n"))
        self._zone = zone

    def _say(self, place: Place, message: str, hint: str = "") -> None:
        self.problems.append(Problem(self._file, nearest(self._lines, place), dotted(place), message, hint))

    def read(self, data: dict[str, Any]) -> list[Segment]:
        for key in data:
            if key not in _TABLES:
                self._say((key,), f"unknown key {key!r}", toml_file.did_you_mean(key, _TABLES))
        if "segment" not in data:
            # Rather cut off by a full disk than meant: everybody would lose all tags.
            self._say(("segment",), "there is no segment", "write segment = [] if there shall be none")
        rows = data.get("segment", [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            self._say(("segment",), "segments are written [[segment]]")
            return []
        known = groups.read(self._say, data.get("group", []), [row.get("group") for row in rows])
        segments: dict[str, tuple[int, Segment]] = {}
        slugs = [row["slug"] for row in rows if isinstance(row.get("slug"), str)]
        for number, row in enumerate(rows):
            segment = self._segment(number, row, slugs, known)
            if segment.slug in segments:
                self._say(("segment", number, "slug"), f"{segment.slug!r} is there already")
            elif segment.slug:
                segments[segment.slug] = (number, segment)
        groups.keep_apart(self._say, segments)
        groups.own_effects(self._say, segments)
        return self._sorted(segments)

    def _segment(self, number: int, row: dict[str, Any], slugs: list[str], known: dict[str, Grouping]) -> Segment:
        place: Place = ("segment", number)
        for key in row:
            if key not in _KEYS:
                self._say((*place, key), f"unknown key {key!r}", toml_file.did_you_mean(key, _KEYS))
        slug = groups.slug(self._say, place, row)
        offers = row.get("no_offers", [])
        if not isinstance(offers, list) or not all(isinstance(offer, str) for offer in offers):
            self._say((*place, "no_offers"), "a list of texts is wanted")
            offers = []
        tag = row.get("tag", True)
        if not isinstance(tag, bool):
            self._say((*place, "tag"), f"true or false is wanted, not {tag!r}")
        rule: Condition = All(())
        if "rule" not in row:
            self._say(place, "the segment has no rule")
        else:
            rule = Parser(self._say, self._zone, slugs).condition(row["rule"], (*place, "rule"))
        return Segment(
            slug=slug,
            name=groups.text(self._say, place, row, "name"),
            about=groups.text(self._say, place, row, "about", ""),
            group=groups.of(self._say, place, row, known),
            rule=rule,
            no_offers=tuple(offers),
            tag=tag is not False,
        )

    def _sorted(self, segments: dict[str, tuple[int, Segment]]) -> list[Segment]:
        """Those that are asked for first; a circle is a fault."""
        found: dict[str, Segment] = {}
        open_: list[str] = []

        def visit(slug: str) -> None:
            if slug in found or slug not in segments:
                return
            number, segment = segments[slug]
            if slug in open_:
                circle = " → ".join([*open_[open_.index(slug) :], slug])
                hint = "a segment of a group asks for those before it" if segment.group is not None else ""
                self._say(("segment", number, "rule"), f"segments ask for one another in a circle: {circle}", hint)
                return
            open_.append(slug)
            for other in asked(segment.rule):
                visit(other)
            open_.pop()
            found[slug] = segment

        for slug in segments:
            visit(slug)
        return list(found.values())
