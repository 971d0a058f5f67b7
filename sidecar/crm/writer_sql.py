"""The quiet writer: multi-row SQL in short transactions. No FluentCRM hook fires, so no automation can start.

A batch is one transaction: contacts, custom fields, tags, lists, and the undo rows that can take it all back. When
the server refuses a batch it is halved until the refused row stands alone; that row is reported, the rest goes in.
An UPDATE carries the value that was read: what somebody changed in between is not overwritten.
"""

from __future__ import annotations

import time
from typing import Any

import pymysql
from pymysql.connections import Connection

from sidecar.config import Database
from sidecar.crm.batch import Batch, Outcome
from sidecar.crm.rows import Rows
from sidecar.errors import StoreUnavailable
from sidecar.mysql.connection import open_connection

_AGAIN = frozenset({1205, 1213, 1020})
_GONE = frozenset({2006, 2013, 2055, 1053, 1927, 4031})
_DUPLICATE = 1062
_BAD_TIME = 1292


class Writer:
    """One write connection. Each thread has its own. `now` is wall-clock text in the shop's time zone."""

    def __init__(self, database: Database, prefix: str, run_id: int, now: str, *, pivot_unique: bool) -> None:
        self._database = database
        self.prefix = prefix
        self._run_id = run_id
        self._now = now
        self._pivot_unique = pivot_unique
        self._connection: Connection[Any] | None = None
        self._rows: Rows | None = None

    @property
    def connection(self) -> Connection[Any]:
        """The open connection; opened on first use."""
        if self._connection is None:
            self._connection = open_connection(self._database, write=True)
            self._rows = None
        return self._connection

    @property
    def _sql(self) -> Rows:
        connection = self.connection
        if self._rows is None:
            self._rows = Rows(connection, self.prefix, self._run_id, self._now, pivot_unique=self._pivot_unique)
        return self._rows

    def at(self, run_id: int, now: str) -> None:
        """Go on for another run, at another time: for a process that keeps its connection."""
        self._run_id, self._now, self._rows = run_id, now, None

    def close(self) -> None:
        """Close; what was not committed is gone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def write(self, batch: Batch) -> list[Outcome]:
        """Write a batch, or its parts. Never raises for a bad row; raises StoreUnavailable when the server is gone."""
        if not len(batch):
            return []
        fault: pymysql.err.MySQLError
        for attempt in range(6):
            try:
                return self._transaction(batch)
            except pymysql.err.MySQLError as error:
                fault = error
                number = error.args[0] if error.args else 0
                self._rollback()
                if number in _GONE or isinstance(error, pymysql.err.InterfaceError):
                    self._connection = None
                elif number not in _AGAIN:
                    break
                if attempt == 5:
                    raise StoreUnavailable(
                        f"writing to FluentCRM's tables does not go through: {error.args[-1]}",
                        hint="run it again: the sync goes on where it was",
                    ) from error
                time.sleep(0.1 * 2**attempt)
        if len(batch) > 1:
            one, other = batch.halves()
            return [*self.write(one), *self.write(other)]
        return [self._refused(batch, fault)]

    def _refused(self, batch: Batch, error: pymysql.err.MySQLError) -> Outcome:
        number = error.args[0] if error.args else 0
        person = (batch.new or batch.changes)[0].person if batch.new or batch.changes else batch.erase[0][0]
        if number == _DUPLICATE:
            return Outcome(person=person, state="raced")
        if number == _BAD_TIME and batch.new and batch.new[0].created and "created_at" in str(error.args[-1]):
            # A wall-clock time that the server's own zone skips in spring: the moment of writing will do.
            batch.new[0].created = ""
            return self.write(batch)[0]
        return Outcome(person=person, state="refused", reason=f"mysql_{number}")

    def _rollback(self) -> None:
        try:
            if self._connection is not None:
                self._connection.rollback()
        except pymysql.err.Error:
            self._connection = None

    def _transaction(self, batch: Batch) -> list[Outcome]:
        outcomes = [Outcome(person=person, state="done", contact_id=contact) for person, contact in batch.erase]
        for _person, contact in batch.erase:
            self._sql.erase(contact)
        if batch.new:
            outcomes += self._sql.insert(batch.new)
        if batch.changes:
            self._sql.update(batch.changes, undo=batch.undo)
            outcomes += [
                Outcome(person=change.person, state="done", contact_id=change.patch.contact_id)
                for change in batch.changes
            ]
        self.connection.commit()
        return outcomes
