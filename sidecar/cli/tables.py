"""Tables for a terminal: columns that line up, whatever script the cells are in."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from decimal import Decimal


def width(text: str) -> int:
    """How many terminal cells a text takes: two for wide characters and emoji, none for marks."""
    cells = 0
    for char in text:
        if char.isascii():
            cells += 1
        elif unicodedata.category(char) in ("Mn", "Me", "Cf"):
            continue
        else:
            cells += 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
    return cells


def clean(value: object) -> str:
    """A cell's text. Control characters, which could drive the terminal, become a replacement mark."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) == "Cc" else char for char in text)


def render(rows: Iterable[Sequence[object]], headers: Sequence[str] = ()) -> list[str]:
    """The lines of a table: text to the left, numbers to the right, two blanks between columns."""
    listed = [list(row) for row in rows]
    columns = max([len(headers), *map(len, listed)])
    cells = [[clean(value) for value in row] + [""] * (columns - len(row)) for row in listed]
    heads = [*headers, *[""] * (columns - len(headers))]
    numeric = [_numeric(row[at] for row in listed if at < len(row)) for at in range(columns)]
    widths = [max([width(heads[at]), *(width(row[at]) for row in cells)]) for at in range(columns)]
    lines = [_line(heads, widths, numeric), _line(["-" * size for size in widths], widths, numeric)]
    body = [_line(row, widths, numeric) for row in cells]
    return [*lines, *body] if any(headers) else body


def _numeric(values: Iterable[object]) -> bool:
    seen = [value for value in values if value is not None]
    return bool(seen) and all(isinstance(one, int | float | Decimal) and not isinstance(one, bool) for one in seen)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = []
    for cell, size, right in zip(cells, widths, numeric, strict=True):
        blank = " " * (size - width(cell))
        parts.append(blank + cell if right else cell + blank)
    return "  ".join(parts).rstrip()
