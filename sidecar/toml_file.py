"""A TOML file as a msgspec struct, with every fault of the file reported at once.

Used for `sidecar.toml`, `mapping.toml` and every other file of rules that a person writes. `load` is the way
in; `problems` is the same for a text that is not a file; `faults` checks a value that came from elsewhere.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from sidecar import toml_lines
from sidecar.errors import ConfigError, Problem
from sidecar.toml_lines import line_of as line_of

T = TypeVar("T")

_SYNTAX = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_EXPECTED = re.compile(r"Expected `(?P<want>[^`]+)`(?:, got `(?P<got>[^`]+)`)?$")
_WORDS = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "datetime": "a date and time",
    "date": "a date",
    "time": "a time of day",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a value, by its path; `unknown` marks a key that has no meaning."""

    path: toml_lines.Path
    message: str
    hint: str = ""
    unknown: bool = False


def load(path: str | Path, type_: type[T], *, raise_as: type[ConfigError] = ConfigError) -> T:
    """Read a file into `type_`. Raises `raise_as` with every problem of the file, not only the first."""
    file = Path(path)
    text = read_text(file, raise_as=raise_as)
    value, found = problems(text, type_, str(file))
    if found or value is None:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        raise raise_as(f"{file} has {count}", found, hint="correct these lines and run the command again")
    return value


def read_text(file: Path, *, raise_as: type[ConfigError] = ConfigError) -> str:
    """The text of a file that a person wrote (UTF-8, with or without a byte order mark)."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise raise_as(
            f"{file} cannot be read: {error.strerror or 'unknown reason'}",
            hint="check the path and the permissions of the file and of its directory",
        ) from error
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = Problem(str(file), line, "", "this is not UTF-8 text", "save the file as UTF-8")
        raise raise_as(f"{file} is not UTF-8 text", [problem], hint="save the file as UTF-8") from error


def problems(text: str, type_: type[T], file: str) -> tuple[T | None, list[Problem]]:
    """The value of a TOML text and what is wrong with it: unknown keys first, then the rest, by line."""
    data, syntax = parse(text, file)
    if data is None:
        return None, syntax
    found = faults(data, type_)
    if not found:
        return msgspec.convert(data, type_), []
    lines = toml_lines.lines_of(text.replace("\r\n", "\n"))
    listed = []
    for fault in found:
        line = toml_lines.nearest(lines, fault.path)
        key = toml_lines.dotted(fault.path) or "(file)"
        listed.append((not fault.unknown, line or 0, Problem(file, line, key, fault.message, fault.hint)))
    listed.sort(key=lambda row: row[:2])
    return None, [problem for _, _, problem in listed]


def parse(text: str, file: str) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The plain data of a TOML text, or its one syntax error with line and column."""
    try:
        return tomllib.loads(text), []
    except RecursionError:
        return None, [Problem(file, None, "(syntax)", "tables and lists are nested too deeply")]
    except tomllib.TOMLDecodeError as error:
        found = _SYNTAX.match(str(error))
        what = found["what"] if found else str(error)
        if found and found["line"]:
            line, what = int(found["line"]), f"{what}, column {found['column']}"
        else:
            line, what = text.rstrip("\n").count("\n") + 1, f"{what}, at the end of the file"
        return None, [Problem(file, line, "(syntax)", what, "the file is not valid TOML here")]


def faults(value: object, type_: Any, path: toml_lines.Path = ()) -> list[Fault]:
    """Everything that keeps `value` from being a `type_`."""
    return list(_walk(value, type_, path, type_))


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint with the nearest known word, or an empty string."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def _walk(value: object, type_: Any, path: toml_lines.Path, root: Any) -> Iterator[Fault]:
    inner = _bare(type_)
    if isinstance(value, Mapping):
        inner = _member(inner, value)
    found: list[Fault] = []
    if _is_struct(inner) and isinstance(value, Mapping):
        found = list(_walk_struct(value, inner, path, root))
    elif get_origin(inner) is dict and isinstance(value, Mapping):
        item = get_args(inner)[1]
        found = [fault for key, one in value.items() for fault in _walk(one, item, (*path, str(key)), root)]
    elif get_origin(inner) in (list, tuple, set, frozenset, Sequence) and isinstance(value, list):
        item = get_args(inner)[0]
        found = [fault for at, one in enumerate(value) for fault in _walk(one, item, (*path, at), root)]
    yield from found
    if not found:
        yield from _convert(value, type_, inner, path)


def _walk_struct(value: Mapping[str, object], type_: Any, path: toml_lines.Path, root: Any) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    tag = type_.__struct_config__.tag_field
    for key, one in value.items():
        if key in fields:
            yield from _walk(one, fields[key].type, (*path, key), root)
        elif key != tag:
            yield Fault((*path, key), "unknown key", _suggest(key, list(fields), root, path), unknown=True)
    for name, field in fields.items():
        if field.required and name not in value:
            yield Fault((*path, name), "is missing", "this key must be set")


def _suggest(key: str, siblings: list[str], root: Any, path: toml_lines.Path) -> str:
    """The nearest key of this table; else the one place of the file where the key does belong."""
    near = did_you_mean(key, siblings)
    if near:
        return near
    elsewhere = [toml_lines.dotted(place) for place in _places(root) if place[-1] == key and place[:-1] != path]
    if len(elsewhere) == 1:
        return f"did you mean {elsewhere[0]}?"
    return f"known here: {', '.join(siblings)}" if 0 < len(siblings) <= 12 else ""


def _places(type_: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    inner = _bare(type_)
    if _is_struct(inner):
        for field in msgspec.structs.fields(inner):
            yield (*path, field.encode_name)
            yield from _places(field.type, (*path, field.encode_name))


def _convert(value: object, type_: Any, inner: Any, path: toml_lines.Path) -> Iterator[Fault]:
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        choices = _choices(inner)
        if choices and isinstance(value, str):
            hint = did_you_mean(value, choices)
            yield Fault(path, f"{value!r} is not one of {', '.join(choices)}", hint)
            return
        message, _, where = str(error).partition(" - at `")
        yield Fault((*path, *_tail(where)), *_plain(message))


def _plain(message: str) -> tuple[str, str]:
    """A message of msgspec in the words of somebody who writes TOML, and a hint."""
    found = _EXPECTED.match(message)
    if "matching regex" in message:
        return "it is not written as it must be", "config/sidecar.example.toml shows how"
    if not found:
        return message[:1].lower() + message[1:].replace("`", ""), ""
    want, got = found["want"], found["got"] or "something else"
    wanted = " or ".join(_WORDS.get(part, part) for part in want.split(" | ") if part != "null")
    hint = "put the value in quotes" if want == "str" and got in ("int", "float", "bool") else ""
    return f"expected {wanted}, got {_WORDS.get(got, got)}", hint


def _tail(where: str) -> tuple[str | int, ...]:
    """msgspec's own path (`$.a[0].b`), for faults below what was walked."""
    parts = re.findall(r"\.([^.\[\]`]+)|\[(\d+)\]", where)
    return tuple(int(number) if number else name for name, number in parts)


def _bare(type_: Any) -> Any:
    """A type without `Annotated` and without `None`."""
    while get_origin(type_) is Annotated:
        type_ = get_args(type_)[0]
    if get_origin(type_) in (Union, UnionType):
        rest = [part for part in get_args(type_) if part is not type(None)]
        if len(rest) == 1:
            return _bare(rest[0])
    return type_


def _member(type_: Any, value: Mapping[str, object]) -> Any:
    """The struct of a tagged union that `value` says it is; the union itself when it does not say."""
    if get_origin(type_) not in (Union, UnionType):
        return type_
    for part in get_args(type_):
        if _is_struct(part):
            config = part.__struct_config__
            if config.tag_field is not None and value.get(config.tag_field) == config.tag:
                return part
    return type_


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)


def _choices(type_: Any) -> list[str]:
    if get_origin(type_) is Literal:
        return [str(choice) for choice in get_args(type_)]
    if isinstance(type_, type) and issubclass(type_, Enum):
        return [str(member.value) for member in type_]
    return []
