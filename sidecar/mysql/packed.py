"""Whole pages in one cell: the SQL that lets the server join rows into one JSON text, and what to do with it.

See `connection.Reader`: `page` for rows, `documents` for meta rows gathered by their owner, `numbers` for ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sidecar.mysql.queries import Query

Documents = dict[int, tuple[int, dict[str, str]]]

decode_rows = msgspec.json.Decoder(list[list[Any]]).decode
decode_numbers = msgspec.json.Decoder(list[int]).decode
# owner, how many rows, the sum of their digests, the rows as an object
decode_documents = msgspec.json.Decoder(list[tuple[int, int, int, dict[str, str]]]).decode


def rows(inner: str, query: Query) -> str:
    """(how many, all of them as a JSON list of lists)."""
    if query.numbers:
        # Half of what JSON_ARRAY costs, which finds out anew for every cell what it is.
        cells = ",',',".join(
            f"COALESCE(t.`{column}`,'null')"
            if column in query.numbers
            else f"COALESCE(JSON_QUOTE(t.`{column}`),'null')"
            for column in query.columns
        )
        row = f"'[',{cells},']'"
    else:
        cells = ",".join(f"t.`{column}`" for column in query.columns)
        row = f"JSON_ARRAY({cells})"
    return f"SELECT COUNT(*), CONCAT('[',GROUP_CONCAT({row} SEPARATOR ','),']') FROM ({inner}) t"  # noqa: S608


def numbers(inner: str, query: Query) -> str:
    """(how many, all of them as a JSON list of numbers) of a query with one column."""
    return f"SELECT COUNT(*), CONCAT('[',GROUP_CONCAT(t.`{query.columns[0]}`),']') FROM ({inner}) t"  # noqa: S608


def documents(inner: str, query: Query) -> str:
    """(how many owners, a JSON list of owner, rows, digests, object) of a query of (owner, meta id, key, value[, crc]).

    Half the text of the rows, and no row passes through Python: an owner's rows become one dictionary in C.
    """
    owner, _, key, value, *crc = (f"t.`{column}`" for column in query.columns)
    digest = f"SUM({crc[0]})" if crc else "0"
    return (
        "SELECT COUNT(*), CONCAT('[',GROUP_CONCAT('[',d.o,',',d.n,',',d.c,',{',d.j,'}]' SEPARATOR ','),']')"  # noqa: S608
        f" FROM (SELECT {owner} o, COUNT(*) n, {digest} c,"
        f" GROUP_CONCAT(JSON_QUOTE({key}),':',COALESCE(JSON_QUOTE({value}),'\"\"') SEPARATOR ',') j"
        f" FROM ({inner}) t GROUP BY {owner}) d"
    )


def first_rows(found: Sequence[Sequence[Any]]) -> dict[int, dict[str, str]]:
    """{owner: {key: value}} from (owner, meta id, key, value, …) rows: the lowest id of a key wins, as in WordPress."""
    owners: dict[int, dict[str, str]] = {}
    for row in sorted(found, key=lambda row: (row[0], row[1])):
        owners.setdefault(row[0], {}).setdefault(row[2], row[3] or "")
    return owners


def gathered(found: Sequence[Sequence[Any]]) -> Documents:
    """What `documents` gives, from rows that came plainly."""
    digests: dict[int, int] = {}
    for row in found:
        digests[row[0]] = digests.get(row[0], 0) + (row[4] if len(row) > 4 else 0)
    return {owner: (digests[owner], meta) for owner, meta in first_rows(found).items()}
