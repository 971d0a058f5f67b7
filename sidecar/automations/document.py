"""One value of an automation's TOML text, changed: all other bytes stay as they are, comments too. Pure.

A place is a path as `tomllib` would read it: `("step", 2, "text", "fa", "subject")`. What comes out is valid TOML when what
went in was; whether it is a good automation says `file.parse`.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from sidecar import toml_file, toml_text
from sidecar.errors import AutomationError, NotFound, Problem
from sidecar.toml_lines import Path as Place
from sidecar.toml_lines import Table, dotted, tables_of, values_of

_BARE = re.compile(r"[A-Za-z0-9_-]+")
# Of what stands in a text of several lines, all but line ends and tabs that TOML wants escaped.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ELSEWHERE = "edit the whole file instead"


def read(text: str, place: Place) -> Any:
    """The value there. Raises NotFound when there is none, AutomationError when the text is no TOML."""
    found: Any = _data(text)
    for part in place:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            raise NotFound(f"there is no {dotted(place)} in the file") from None
    return found


def source(text: str, place: Place) -> str:
    """How the value there is written. Raises NotFound, AutomationError."""
    read(text, place)
    span = values_of(text).get(place)
    if span is None:
        raise _cannot(place)
    return text[span[0] : span[1]].replace("\r\n", "\n")


def step(text: str, id_: str) -> Place:
    """The place of the step of that id. Raises NotFound, AutomationError."""
    rows = _data(text).get("step", [])
    for number, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict) and row.get("id") == id_:
            return ("step", number)
    raise NotFound(f"there is no step {id_}")


def put(text: str, place: Place, value: object) -> str:
    """Write a text, a number, true or false, or a list or table of them, there. Raises AutomationError when the file is written in
    a way that leaves no room for it."""
    return put_source(text, place, written(value))


def put_source(text: str, place: Place, source: str) -> str:
    """The same with a value as TOML has it: `{ segment = "vip" }`. Raises AutomationError also when it is no value."""
    data, syntax = toml_file.parse(f"x = {source.strip()}", dotted(place))
    if data is None or set(data) != {"x"}:
        raise AutomationError("this is no value", syntax or [Problem(dotted(place), 1, dotted(place), "one value is wanted")])  # fmt: skip
    wanted = _with(_data(text), place, data["x"])
    line_end = "\r\n" if "\r\n" in text else "\n"
    shaped = source.strip().replace("\r\n", "\n").replace("\n", line_end)
    return _checked(_placed(text, place, shaped, line_end), wanted, place)


def cut(text: str, place: Place) -> str:
    """Take a key out with its line. Raises NotFound when it is not there, AutomationError when it does not stand alone there."""
    read(text, place)
    values = values_of(text)
    if place not in values or place[:-1] in values:
        raise _cannot(place)
    wanted = _data(text)
    above: Any = wanted
    for part in place[:-1]:
        above = above[part]
    del above[place[-1]]
    start, end = values[place]
    start = text.rfind("\n", 0, start) + 1
    end = text.find("\n", end) + 1 or len(text)
    return _checked(text[:start] + text[end:], wanted, place)


def written(value: object) -> str:
    """A value as TOML; a text of several lines as several lines."""
    if not isinstance(value, str) or "\n" not in value:
        return toml_text.value(value)
    escaped = value.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    escaped = _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)
    if escaped.endswith('"'):
        escaped = escaped.removesuffix('"') + '\\"'
    return f'"""\n{escaped}"""'


def _placed(text: str, place: Place, source: str, line_end: str) -> str:
    values, (top, tables) = values_of(text), tables_of(text)
    if place in values:
        start, end = values[place]
        return text[:start] + source + text[end:]
    key = str(place[-1]) if _BARE.fullmatch(str(place[-1])) else toml_text.value(str(place[-1]))
    pair = f"{key} = {source}"
    above = place[:-1]
    if above in values:
        # Into a table in braces.
        inside = text[slice(*values[above])].removesuffix("}").rstrip()
        comma = "" if inside == "{" else ","
        return text[: values[above][0]] + f"{inside}{comma} {pair} }}" + text[values[above][1] :]
    if not above:
        return _line(text, top, pair, line_end) if top else pair + line_end + text
    mine = [table for table in tables if table.path == above]
    if mine:
        return _line(text, mine[-1].end, pair, line_end)
    near = _nearest(tables, above)
    names = ".".join(toml_text.value(part) if not _BARE.fullmatch(part) else part for part in above if isinstance(part, str))  # fmt: skip
    header = f"{line_end}[{names}]{line_end}{pair}"
    return _line(text, near.end if near else len(text), header, line_end)


def _nearest(tables: list[Table], above: Place) -> Table | None:
    """The last table of the thing that a new table would be part of."""
    for size in range(len(above), 0, -1):
        mine = [table for table in tables if table.path[:size] == above[:size]]
        if mine:
            return mine[-1]
    return None


def _line(text: str, at: int, line: str, line_end: str) -> str:
    """A new line behind the one in which `at` is."""
    at = text.find("\n", at)
    if at < 0:
        gap = line_end if text and not text.endswith("\n") else ""
        return text + gap + line + line_end
    return text[: at + 1] + line + line_end + text[at + 1 :]


def _with(data: dict[str, Any], place: Place, value: object) -> dict[str, Any]:
    """The data with that value there. Tables on the way are made, items of lists are not."""
    above: Any = data
    for part in place[:-1]:
        if isinstance(above, dict) and part not in above:
            above[part] = {}
        above = _below(above, part, place)
    if isinstance(place[-1], int):
        _below(above, place[-1], place)
    elif not isinstance(above, dict):
        raise _cannot(place)
    above[place[-1]] = value
    return data


def _below(above: Any, part: str | int, place: Place) -> Any:
    try:
        return above[part]
    except (KeyError, IndexError, TypeError):
        raise NotFound(f"there is no {dotted(place)} in the file") from None


def _checked(changed: str, wanted: dict[str, Any], place: Place) -> str:
    """The new text says what it shall, and nothing else."""
    try:
        if tomllib.loads(changed) == wanted:
            return changed
    except (tomllib.TOMLDecodeError, RecursionError):
        pass
    raise _cannot(place)


def _cannot(place: Place) -> AutomationError:
    why = "this file is written in a way that leaves no room for it"
    return AutomationError(f"{dotted(place)}: {why}", [Problem("(file)", None, dotted(place), why, _ELSEWHERE)])


def _data(text: str) -> dict[str, Any]:
    data, syntax = toml_file.parse(text, "(file)")
    if data is None:
        raise AutomationError("the file is not valid TOML", syntax, hint=_ELSEWHERE)
    return data
