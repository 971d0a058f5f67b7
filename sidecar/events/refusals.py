"""Addresses whose owners said no to being reminded of a cart. Kept by key, so no address stands in the state.

The plugin's own row of a cart goes after some days, and with it the visitor's no; here it stays until the person is
erased, whatever device they come with next.
"""

from __future__ import annotations

from collections.abc import Collection

from sidecar.state.database import State


def add(state: State, keys: Collection[bytes], at: int) -> None:
    """They said no (Unix seconds UTC); the first time counts."""
    with state.transaction() as sql:
        sql.executemany("INSERT OR IGNORE INTO cart_refusal VALUES (?, ?)", [(key, at) for key in keys])


def since(state: State, keys: Collection[bytes]) -> dict[bytes, int]:
    """{key: when} of those among these who said no."""
    sql = state.sql
    found = (sql.execute("SELECT key, at FROM cart_refusal WHERE key = ?", (key,)).fetchone() for key in keys)
    return dict(row for row in found if row is not None)
