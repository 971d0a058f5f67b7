"""The categories of products, for rules that count views or orders of a category."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

import msgspec

from sidecar.segments.traits import fold


def keep(sql: sqlite3.Connection, products: Mapping[int, Iterable[str]]) -> None:
    """Keep the folded names of the categories of every product; call it in a transaction.

    Who looked at a product that is in others now is looked at again; who bought one is by the sync.
    """
    now = {(id_, fold(name)) for id_, names in products.items() for name in names}
    before: set[tuple[int, str]] = set(sql.execute("SELECT product_id, category FROM product_category").fetchall())
    sql.executemany("DELETE FROM product_category WHERE product_id = ? AND category = ?", before - now)
    sql.executemany("INSERT INTO product_category VALUES (?, ?)", now - before)
    moved = msgspec.json.encode(sorted({id_ for id_, _ in before ^ now})).decode()
    sql.execute(
        "INSERT INTO trait_stale (person_id) SELECT DISTINCT person_id FROM activity"
        " WHERE person_id IS NOT NULL AND object_id IN (SELECT value FROM json_each(?))"
        " ON CONFLICT DO UPDATE SET traits = 0",
        (moved,),
    )
