"""The bridge's outbox: a queue in the shop's database (docs/adr/0010).

A row is deleted once its effect is there, never before. So it does not matter in which order ids become visible, how
often a pass dies, or whether two rows say the same. A row that fails is pushed back with a growing pause.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pymysql
from pymysql.connections import Connection

from sidecar.mysql.connection import Reader

_NO_TABLE = frozenset({1146, 1142, 1143})
_AGAIN = frozenset({1205, 1213, 1020})
_FIRST_PAUSE_MS = 2_000
_LONGEST_PAUSE_MS = 3_600_000
# The column is a TINYINT UNSIGNED.
_MOST_ATTEMPTS = 250


class Hint(msgspec.Struct, frozen=True):
    """One row. Ids only; times are Unix milliseconds UTC. `id` 0: found by asking, there is no row."""

    id: int
    topic: str
    object_id: int
    sub_id: int = 0
    detail: str = ""
    user_id: int = 0
    visitor: str = ""
    created_ms: int = 0
    attempts: int = 0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The queue now. `there`: the table exists and can be read. `lag_ms` is the age of the oldest row that is due."""

    there: bool
    rows: int = 0
    due: int = 0
    lag_ms: int = 0
    pushed_back: int = 0


class Outbox:
    """Reading through `reader`; `connect` gives a connection that may write, when one is needed."""

    def __init__(self, reader: Reader, connect: Callable[[], Connection[Any]]) -> None:
        self._reader = reader
        self._connect = connect
        self._table = f"`{reader.tables.prefix}fcsc_outbox`"

    def due(self, now_ms: int, limit: int) -> list[Hint]:
        """The oldest rows that are due, by id. Empty where there is no table: without the plugin there are no hints."""
        try:
            rows = self._reader.rows("outbox_due", now=now_ms, limit=limit)
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in _NO_TABLE:
                return []
            raise
        return [Hint(*row) for row in rows]

    def standing(self, now_ms: int) -> Standing:
        """How long the queue is, and how late."""
        try:
            rows, due, oldest, back = self._reader.rows("outbox_standing", now=now_ms)[0]
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in _NO_TABLE:
                return Standing(there=False)
            raise
        lag = max(0, now_ms - int(oldest)) if oldest else 0
        return Standing(there=True, rows=int(rows), due=int(due or 0), lag_ms=lag, pushed_back=int(back or 0))

    def done(self, hints: Sequence[Hint]) -> None:
        """Their effect is there: the rows go."""
        self._write([f"DELETE FROM {self._table} WHERE id IN ({_ids(part)})" for part in _parts(hints)])

    def push_back(self, hints: Sequence[Hint], due_ms: int, *, failed: bool = True) -> None:
        """Not before `due_ms` again. With `failed` it counts as an attempt."""
        count = f", attempts = LEAST(attempts + 1, {_MOST_ATTEMPTS})" if failed else ""
        self._write(
            [f"UPDATE {self._table} SET due_ms = {int(due_ms)}{count} WHERE id IN ({_ids(p)})" for p in _parts(hints)]
        )

    def _write(self, statements: Sequence[str]) -> None:
        if not statements:
            return
        for attempt in range(4):
            connection = self._connect()
            try:
                with connection.cursor() as cursor:
                    for statement in statements:
                        cursor.execute(statement)
                connection.commit()
                return
            except pymysql.err.OperationalError as error:
                # A deadlock with the plugin's INSERT or pruning: both are safe to say again.
                if attempt == 3 or not error.args or error.args[0] not in _AGAIN:
                    raise
                connection.rollback()


def pause_ms(attempts: int) -> int:
    """How long to wait after so many failed attempts: 2 s, doubled each time up to an hour, give or take a tenth."""
    base = min(_LONGEST_PAUSE_MS, _FIRST_PAUSE_MS * 2 ** min(attempts, 20))
    return int(base * random.uniform(0.9, 1.1))  # noqa: S311 - so that failures do not come back in step


def _parts(hints: Sequence[Hint]) -> list[list[int]]:
    ids = [hint.id for hint in hints if hint.id]
    return [ids[start : start + 1000] for start in range(0, len(ids), 1000)]


def _ids(ids: Sequence[int]) -> str:
    return ",".join(map(str, ids))
