"""Rows on their way into the shop: collected by table, written with multi-row INSERTs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import pymysql

Cell = str | int | float | None
SPILL_ROWS = 20_000  # kept in memory per table before writing
BATCH_BYTES = 700_000  # below MySQL's oldest default max_allowed_packet of 1 MB
AHEAD = 4  # statements that may wait for the server


class Rows:
    """Collects rows. Get an `into(...)` function for each table once, call it per row, then `flush()`.

    A context manager: inside it a second thread sends the statements, in order, so that the next rows are
    made while the server works. Nobody else may use the connection meanwhile.
    """

    def __init__(self, connection: pymysql.Connection[Any], prefix: str) -> None:
        self.connection = connection
        self.prefix = prefix
        self._waiting: dict[tuple[str, str], list[Sequence[Cell]]] = {}
        self._literals: dict[str, str] = {}
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="demo-rows")
        self._sent: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sender.shutdown(cancel_futures=True)

    def into(self, table: str, columns: str) -> Callable[[Sequence[Cell]], None]:
        """A function that takes one row, in the order of `columns` (comma separated)."""
        return self._waiting.setdefault((table, columns), []).append

    def spill(self) -> None:
        """Write the tables that have gathered many rows. Call it now and then."""
        for (table, columns), rows in self._waiting.items():
            if len(rows) >= SPILL_ROWS:
                self._write(table, columns, rows)

    def flush(self) -> None:
        """Write everything that waits."""
        for (table, columns), rows in self._waiting.items():
            if rows:
                self._write(table, columns, rows)
        self._await(0)

    def _write(self, table: str, columns: str, rows: list[Sequence[Cell]]) -> None:
        names = ",".join(f"`{name.strip()}`" for name in columns.split(","))
        head = f"INSERT INTO `{self.prefix}{table}` ({names}) VALUES "  # noqa: S608 (our own names)
        literal, size = self._literal, 0
        batch: list[str] = []
        for row in rows:
            text = f"({','.join([literal(cell) for cell in row])})"
            batch.append(text)
            size += len(text)
            if size > BATCH_BYTES:
                self._send(head + ",".join(batch))
                batch, size = [], 0
        if batch:
            self._send(head + ",".join(batch))
        rows.clear()

    def _send(self, statement: str) -> None:
        self._sent.append(self._sender.submit(self._execute, statement))
        self._await(AHEAD)

    def _await(self, left: int) -> None:
        """Wait until no more than `left` statements are under way; an error of theirs is raised here."""
        while len(self._sent) > left:
            self._sent.pop(0).result()

    def _execute(self, statement: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(statement)

    def _literal(self, cell: Cell) -> str:
        """SQL for a value. Most texts repeat (meta keys, 'no', '0'), so short ones are remembered."""
        if cell.__class__ is int:
            return str(cell)
        if cell is None:
            return "NULL"
        if not isinstance(cell, str):
            return repr(cell)
        known = self._literals.get(cell)
        if known is None:
            known = str(self.connection.escape(cell))
            if len(cell) < 20:
                self._literals[cell] = known
        return known
