"""Filling an empty table: without its indexes, which are then built in one go (a third of the time).

What was dropped is written down in the same transaction, so that whoever takes the run's lock after a crash builds it
again before anything is asked of the table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from sidecar.state.database import State

_KEY = "bulk.indexes"


@contextmanager
def without_indexes(state: State, table: str) -> Iterator[None]:
    """The table has none of its named indexes meanwhile. Call it under the run's lock, outside a transaction."""
    rows = state.rows(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL", (table,)
    )
    with state.transaction() as sql:
        state.set(_KEY, msgspec.json.encode(rows).decode())
        for name, _ in rows:
            sql.execute(f'DROP INDEX "{name}"')
    try:
        yield
    finally:
        restore(state)


@contextmanager
def rebuilt_indexes(sql: sqlite3.Connection, *names: str) -> Iterator[None]:
    """The same for these tables and indexes when the work is one transaction anyway, and so needs nothing written down. Call it
    inside that transaction."""
    every = sql.execute(
        "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    rows = [(name, text) for name, table, text in every if name in names or table in names]
    for name, _ in rows:
        sql.execute(f'DROP INDEX "{name}"')
    yield
    for _, text in rows:
        sql.execute(text)


def restore(state: State) -> None:
    """Build what a bulk load dropped; does nothing when nothing is missing."""
    dropped = state.get(_KEY)
    if not dropped:
        return
    with state.transaction() as sql:
        there = {row[0] for row in sql.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
        for name, text in msgspec.json.decode(dropped, type=list[tuple[str, str]]):
            if name not in there:
                sql.execute(text)
        state.set(_KEY, "")
