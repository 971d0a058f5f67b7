"""Building multi-row statements. The session's `sql_mode` is ours (no NO_BACKSLASH_ESCAPES), its charset utf8mb4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# `column IN %(name)s`, where spans of ids may stand for a list.
_IN = re.compile(r"([\w.]+) IN %\((\w+)\)s")


class Spans(tuple[tuple[int, int], ...]):
    """Ranges of ids, each from its first to its last. To a server they are much cheaper than a list: it walks along
    the index instead of searching it anew for each id."""


def spans(ids: Iterable[int], gap: int = 8) -> Spans | list[int]:
    """Ids as ranges, over holes of up to `gap` ids; the ids themselves, sorted, when ranges would be many.

    What lies in the holes is read as well: whoever asks must not mind rows of other ids.
    """
    ordered = sorted(ids)
    if not ordered:
        return ordered
    if ordered[-1] - ordered[0] < len(ordered) + gap:
        return Spans([(ordered[0], ordered[-1])])
    found = []
    first = last = ordered[0]
    for id_ in ordered:
        if id_ - last > gap:
            found.append((first, last))
            first = id_
        last = id_
    found.append((first, last))
    return Spans(found) if 8 * len(found) < len(ordered) else ordered


def quote(value: str) -> str:
    """A string literal."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "'" in value:
        value = value.replace("'", "''")
    return f"'{value}'"


def quoted(values: Sequence[str]) -> str:
    """String literals with commas between them. Nearly always no value holds a quote or a backslash, which one look
    at all of them tells."""
    text = "','".join(values)
    if "\\" in text or text.count("'") != 2 * (len(values) - 1):
        return ",".join(map(quote, values))
    return f"'{text}'"


def literal(value: object) -> str:
    """A parameter as SQL: a number, a text, NULL, or a list of these. Raises TypeError for anything else.

    PyMySQL would escape a list of 2,000 ids one by one.
    """
    if isinstance(value, str):
        return quote(value)
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        if items and type(items[0]) is int:
            return f"({','.join(map(str, items))})"
        return f"({','.join(map(literal, items)) or 'NULL'})"
    raise TypeError(f"no SQL literal for {type(value).__name__}")


def filled(sql: str, params: Mapping[str, Any]) -> str:
    """A named query with its parameters: `x IN %(ids)s` takes a list of ids, or spans of them."""
    ranges = {name: value for name, value in params.items() if isinstance(value, Spans)}
    if ranges:

        def between(match: re.Match[str]) -> str:
            column, name = match.groups()
            if name not in ranges:
                return match.group()
            return f"({' OR '.join([f'{column} BETWEEN {low} AND {high}' for low, high in ranges[name]])})"

        sql = _IN.sub(between, sql)
    return sql % {name: literal(value) for name, value in params.items() if name not in ranges}


def quote_or_null(value: str) -> str:
    """A string literal, NULL for ''."""
    return quote(value) if value else "NULL"


def chunks(rows: Iterable[str], limit: int) -> Iterator[list[str]]:
    """Rows in groups whose text stays below `limit` characters (one over-long row goes alone)."""
    group: list[str] = []
    size = 0
    for row in rows:
        size += len(row) + 1
        if group and size > limit:
            yield group
            group, size = [], len(row) + 1
        group.append(row)
    if group:
        yield group


def derived(rows: Sequence[tuple[str, ...]], names: tuple[str, ...]) -> str:
    """`(SELECT 1 AS a, 'x' AS b UNION ALL SELECT 2, 'y')`: a little table, on any server version."""
    first = ", ".join(f"{cell} AS {name}" for cell, name in zip(rows[0], names, strict=True))
    rest = "".join(f" UNION ALL SELECT {', '.join(row)}" for row in rows[1:])
    return f"(SELECT {first}{rest})"
