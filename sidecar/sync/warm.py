"""The one session that a process keeps between live passes: connections open, products known, rules compiled.

What may have changed meanwhile is looked at with each pass: the shop's options, the rules, the clock. What costs (all
products, what the plugin knows of erased people) is read anew after a reconciliation, and when a hint says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pymysql
from pymysql.connections import Connection

from sidecar import clock
from sidecar.config import Config
from sidecar.crm import suppression
from sidecar.crm.writer_sql import Writer
from sidecar.mapping.compiled import Mapping
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.store.schema import probe
from sidecar.sync.engine import own_tables
from sidecar.sync.session import SINCE, Choices, Counts, Session

# A connection that has rested this long may be closed by the server: knock before a statement goes out.
_RESTED = 20.0


class Warm:
    """Not for two threads at once: whoever uses it holds the lock of the runs."""

    def __init__(self, config: Config, state: State, mapping: Callable[[], Mapping]) -> None:
        self._config = config
        self._state = state
        self._mapping = mapping
        self._session: Session | None = None
        self._writer: Writer | None = None
        self._used = 0.0

    def session(self) -> Session:
        """The session as of now. Raises StoreUnavailable or SchemaUnsupported."""
        run = runs.live(self._state)
        session, mapping = self._session, self._mapping()
        if session is not None:
            try:
                info = probe(session.reader, self._config.people.paid_statuses)
            except BaseException:
                self.drop()
                raise
            if info != session.info or mapping is not session.mapping:
                self.drop()
                session = None
        if session is None:
            session = Session(self._config, self._state, mapping, Choices(), run, _silent)
            own_tables(self._config)
            self._session = session
        session.run, session.counts = run, Counts()
        session.now = int(clock.now().timestamp())
        session.since_months = int(self._state.get(SINCE) or 0)
        return session

    @property
    def known(self) -> Session | None:
        """The session as the last pass left it, if there is one."""
        return self._session

    def writer(self) -> Writer:
        """The quiet writer for this pass."""
        session = self._session
        assert session is not None, "ask for the session first"
        if self._writer is None:
            self._writer = Writer(
                self._config.shop.database, session.reader.tables.prefix, session.run.id, session.wall(),
                pivot_unique=session.info.pivot_unique,
            )  # fmt: skip
        self._writer.at(session.run.id, session.wall())
        return self._writer

    def connection(self) -> Connection[Any]:
        """A connection that may write, and that is alive."""
        writer = self.writer()
        if time.monotonic() - self._used > _RESTED:
            try:
                writer.connection.ping(reconnect=False)
            except pymysql.err.Error:
                writer.close()
        self._used = time.monotonic()
        return writer.connection

    def erased_again(self) -> None:
        """Somebody was erased: read the plugin's list anew."""
        if self._session is not None:
            self._session.suppression = suppression.load(self._session.reader)

    def drop(self) -> None:
        """Close everything; the next pass begins anew."""
        session, writer, self._session, self._writer = self._session, self._writer, None, None
        if writer is not None:
            writer.close()
        if session is not None:
            session.close()


def _silent(step: str, done: int, total: int) -> None:
    """Nobody watches a pass."""
