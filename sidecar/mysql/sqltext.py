"""Building multi-row statements. The session's `sql_mode` is ours (no NO_BACKSLASH_ESCAPES), its charset utf8mb4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence


def quote(value: str) -> str:
    """A string literal."""
    if "\\" in value:
        value = value.replace("\\", "\\\\")
    if "'" in value:
        value = value.replace("'", "''")
    return f"'{value}'"


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
