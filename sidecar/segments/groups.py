"""`[[group]]` in a file of segments: segments that exclude one another."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from sidecar.mapping.compile import may_be_slug
from sidecar.segments.catalogue import VALUE
from sidecar.segments.model import Grouping, Has, OfField, Segment, apart, walk
from sidecar.segments.traits import fold
from sidecar.toml_file import did_you_mean
from sidecar.toml_lines import Path as Place

Say = Callable[..., None]
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_KEYS = ("slug", "name", "about", "field", "field_label")


def text(say: Say, place: Place, row: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """A text of a row; '' after a fault. Without a `default` it must be there."""
    value = row.get(key, default)
    if isinstance(value, str) and (value.strip() or default is not None):
        return value
    say((*place, key), f"a text is wanted for {key}" if key in row else f"{key} is missing")
    return ""


def slug(say: Say, place: Place, row: Mapping[str, Any]) -> str:
    """The slug of a segment or a group; '' after a fault."""
    found = text(say, place, row, "slug")
    if found and (not SLUG.fullmatch(found) or len(found) > 60):
        say((*place, "slug"), f"{found!r} is no slug", "small letters, digits and single hyphens, at most 60")
        return ""
    return found


def read(say: Say, rows: Any, used: Collection[Any]) -> dict[str, Grouping]:
    """The groups that `rows` writes down, by the slug as it is written; faults are told to `say(place, message, hint)` and
    reading goes on. `used`: what segments say they are in."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        say(("group",), "groups are written [[group]]")
        return {}
    found: dict[str, Grouping] = {}
    for number, row in enumerate(rows):
        place: Place = ("group", number)
        for key in row:
            if key not in _KEYS:
                say((*place, key), f"unknown key {key!r}", did_you_mean(key, _KEYS))
        field = text(say, place, row, "field", "")
        if field and not may_be_slug(field):
            say(
                (*place, "field"),
                f"{field!r} cannot be the slug of a custom field",
                "use a-z, 0-9 and _, and no name of a contact column",
            )
        elif field and any(field == other.field for other in found.values()):
            say((*place, "field"), f"another group fills {field!r} already")
        group = Grouping(
            slug=slug(say, place, row),
            name=text(say, place, row, "name"),
            about=text(say, place, row, "about", ""),
            field=field,
            field_label=text(say, place, row, "field_label", ""),
        )
        written = str(row.get("slug", ""))
        if written in found:
            say((*place, "slug"), f"{written!r} is there already")
        elif written not in used:
            say(place, f"no segment is in the group {written}", f'group = "{written}" in a segment')
        found.setdefault(written, group)
    return found


def of(say: Say, place: Place, row: Mapping[str, Any], known: Mapping[str, Grouping]) -> Grouping | None:
    """The group that a segment says it is in."""
    if "group" not in row:
        return None
    wanted = text(say, place, row, "group")
    if wanted and wanted not in known:
        say((*place, "group"), f"there is no group {wanted!r}", did_you_mean(wanted, list(known)))
    return known.get(wanted)


def keep_apart(say: Say, segments: dict[str, tuple[int, Segment]]) -> None:
    """Give every segment behind another of its group the rule that it is in none of those before it."""
    before: dict[str, list[Segment]] = {}
    for number, segment in list(segments.values()):
        if segment.group is None or not segment.group.slug:  # nor one whose slug is a fault
            continue
        others = before.setdefault(segment.group.slug, [])
        if any(segment.name == other.name for other in others):
            say(("segment", number, "name"), f"another segment of {segment.group.slug} is called {segment.name!r}")
        rule = apart(segment.rule, tuple(other.slug for other in others))
        segments[segment.slug] = (number, msgspec.structs.replace(segment, rule=rule))
        others.append(segment)


def own_effects(say: Say, segments: Mapping[str, tuple[int, Segment]]) -> None:
    """Tell rules that ask FluentCRM for what segments make there: somebody would come and go for ever."""
    tags = {f"segment-{slug}": slug for slug, (_, segment) in segments.items() if segment.tag}
    fields = {
        VALUE + segment.group.field: segment.group.slug
        for _, segment in segments.values()
        if segment.group is not None and segment.group.field
    }
    for number, segment in segments.values():
        for part in walk(segment.rule):
            if isinstance(part, Has) and part.field == "tags":
                for tag in part.values:
                    if fold(tag) in tags:
                        hint = f'{{ segment = "{tags[fold(tag)]}" }}'
                        say(("segment", number, "rule"), f"the tag {tag!r} follows from a segment: ask for that", hint)
            elif isinstance(part, OfField) and part.field in fields:
                hint = f"ask for the segments of the group {fields[part.field]}"
                say(("segment", number, "rule"), f"{part.field} follows from segments", hint)


def clashes(segments: Iterable[Segment], taken: Collection[str]) -> list[str]:
    """Custom fields of groups that the mapping fills, too (`taken`): two would write them."""
    fields = {segment.group.field for segment in segments if segment.group is not None and segment.group.field}
    return [
        f"the mapping fills the custom field {field}, too: give the group another one"
        for field in sorted(fields & set(taken))
    ]
