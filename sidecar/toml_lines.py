"""Where in a TOML text each key stands. `tomllib` gives values without line numbers; this gives the lines.

The text is expected to be valid TOML (`tomllib` has accepted it): nothing is checked twice.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

Path = tuple[str | int, ...]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_FILLER = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR = re.compile(r"[^,\]}\n#]*")
_STRINGS = {
    '"""': re.compile(r'"""(?:\\.|[^\\])*?"""(?:"{0,2})(?!")', re.DOTALL),
    "'''": re.compile(r"'''.*?'''(?:'{0,2})(?!')", re.DOTALL),
    '"': re.compile(r'"(?:\\.|[^"\\\n])*"'),
    "'": re.compile(r"'[^'\n]*'"),
}


def lines_of(text: str) -> dict[Path, int]:
    """The line (from 1) of every key, table, array item and inline key of a valid TOML text."""
    return _Scanner(text).scan()


def line_of(text: str, path: Path) -> int | None:
    """The line of one key; of its nearest parent when the key itself is not written; None when none is."""
    return nearest(lines_of(text), path)


class Table(NamedTuple):
    """A header `[a]` or `[[a]]` and the keys below it: `text[start:end]`, without the comments around them."""

    path: Path
    start: int
    end: int


def tables_of(text: str) -> tuple[int, list[Table]]:
    """Where the keys before the first header end (0 when there are none), and every table, of a valid TOML text."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.top, [Table(*table) for table in scanner.tables]


def values_of(text: str) -> dict[Path, tuple[int, int]]:
    """Where the value of every key, array item and inline key stands in a valid TOML text: `text[start:end]`."""
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.values


def nearest(lines: dict[Path, int], path: Path) -> int | None:
    """The line of `path`, else that of its nearest parent that has one."""
    for size in range(len(path), 0, -1):
        if path[:size] in lines:
            return lines[path[:size]]
    return None


def dotted(path: Path) -> str:
    """A path as a person writes it: `rules[2].from`, with items counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            shown = part if _BARE.fullmatch(part) else f'"{part}"'
            text += f".{shown}" if text else shown
    return text


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.seen_at = 0
        self.seen_line = 1
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}
        self.tables: list[tuple[Path, int, int]] = []
        self.values: dict[Path, tuple[int, int]] = {}
        self.top = 0

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while True:
            self._skip(_FILLER)
            if self.at >= len(self.text):
                return self.lines
            start = self.at
            if self.text[start] == "[":
                table = self._header(2 if self.text.startswith("[[", start) else 1)
                self.tables.append((table, start, self.at))
                continue
            self._pair(table)
            if self.tables:
                self.tables[-1] = (*self.tables[-1][:2], self.at)
            else:
                self.top = self.at

    def _line(self) -> int:
        """Lines are counted on from the last position asked for, so a scan is linear."""
        self.seen_line += self.text.count("\n", self.seen_at, self.at)
        self.seen_at = self.at
        return self.seen_line

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        return found.group()

    def _header(self, brackets: int) -> Path:
        line = self._line()
        self.at += brackets
        keys = self._key()
        self._skip(_SPACE)
        self.at += brackets
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            last = number == len(keys)
            if last and brackets == 2:
                self.lines.setdefault(path, line)
                self.counts[path] = self.counts.get(path, 0) + 1
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
            self.lines.setdefault(path, line)
        return path

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            if self.text[self.at] in "\"'":
                keys.append(_unquote(self._string()))
            else:
                keys.append(self._skip(_BARE))
            self._skip(_SPACE)
            if self.text[self.at : self.at + 1] != ".":
                return keys
            self.at += 1

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._key():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self.at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(path)

    def _string(self) -> str:
        for quote, pattern in _STRINGS.items():
            if self.text.startswith(quote, self.at):
                return self._skip(pattern)
        raise AssertionError("not a string")

    def _value(self, path: Path) -> None:
        start = self.at
        self._any_value(path)
        end = start + len(self.text[start : self.at].rstrip(" \t\r"))
        self.values.setdefault(path, (start, end))

    def _any_value(self, path: Path) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self._string()
        elif first == "[":
            self._items(path)
        elif first == "{":
            self._inline(path)
        else:
            self._skip(_SCALAR)

    def _items(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_FILLER)
            if self.text[self.at] == "]":
                break
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self.lines[(*path, index)] = self._line()
            self._value((*path, index))
            index += 1
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_FILLER)
            if self.text[self.at] == "}":
                break
            if self.text[self.at] == ",":
                self.at += 1
                continue
            self._pair(path)
        self.at += 1


def _unquote(text: str) -> str:
    """A quoted key's value. Only keys come here, so escapes are few; `tomllib` reads them for us."""
    if text.startswith("'"):
        return text[1:-1]
    return str(next(iter(tomllib.loads(f"x = {text}").values()))) if "\\" in text else text[1:-1]
