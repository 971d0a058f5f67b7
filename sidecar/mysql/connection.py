"""A connection to the shop's MySQL or MariaDB: read only, short statements, rows that come fast.

Rows come *packed* where the server knows JSON (MariaDB 10.2.3, MySQL 5.7.8): it joins a page into one JSON
text, which costs it little and saves PyMySQL from decoding cell by cell in Python (six times faster on meta
rows). A page that does not arrive whole (`group_concat_max_len`, `max_allowed_packet`) is read again plainly.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pymysql
from pymysql.connections import Connection

from sidecar.config import Config, Database
from sidecar.errors import StoreUnavailable
from sidecar.mysql import driver, packed, queries
from sidecar.mysql.sqltext import filled
from sidecar.mysql.throttle import Throttle

log = logging.getLogger(__name__)

Row = tuple[Any, ...]
_GONE = {2006, 2013, 2055, 1053, 1927, 4031}
_REFUSED = {1044, 1045, 1049, 1698, 2002, 2003, 2005, 1040, 1129, 1130, 1203, 1226}
_SOCKETS = (
    "/run/mysqld/mysqld.sock",
    "/var/run/mysqld/mysqld.sock",
    "/var/lib/mysql/mysql.sock",
    "/tmp/mysql.sock",  # noqa: S108 - where MySQL's own default build puts it
    "/opt/bitnami/mariadb/tmp/mysql.sock",
)
_STATEMENT_SECONDS = 30
Item = TypeVar("Item")


def open_connection(database: Database, *, write: bool = False) -> Connection[Any]:
    """A PyMySQL connection as the sidecar needs it. Raises StoreUnavailable with what to do about it.

    The session keeps the server's own `time_zone`: FluentCRM's TIMESTAMP columns hold wall-clock text written
    under it, and another zone would shift every one (facts: fluentcrm.md §8.1).
    """
    where = _where(database)
    try:
        how = {
            "user": database.user or None, "password": database.password, "database": database.name or None,
            "charset": "utf8mb4", "autocommit": not write, "connect_timeout": 10, "read_timeout": 120,
            "write_timeout": 120, **where,
        }  # fmt: skip
        try:
            connection: Connection[Any] = pymysql.connect(**how)
        except RuntimeError:
            # The server wants a way to log in that was left out of this process (`driver.light`).
            if not driver.whole():
                raise
            connection = pymysql.connect(**how)
        _prepare(connection, write=write)
    except pymysql.err.MySQLError as error:
        number = error.args[0] if error.args else 0
        place = where.get("unix_socket") or f"{where.get('host')}:{where.get('port')}"
        hint = {
            1044: f"the account {database.user!r} may not use the database {database.name!r}: see the GRANTs of `sidecar init`",
            1045: "user or password is wrong: check [shop.database] or wp-config.php",
            1698: "this account logs in by operating-system user: make an own account with the GRANTs of `sidecar init`",
            1049: f"there is no database {database.name!r}: check [shop.database] name",
        }.get(number, "is the server up, and is [shop.database] host, port or unix_socket right?")
        raise StoreUnavailable(
            f"cannot connect to the shop's database at {place}: {_plain(error)}", hint=hint
        ) from error
    return connection


def _where(database: Database) -> dict[str, Any]:
    if database.unix_socket:
        return _socket(database.unix_socket)
    if database.host in ("", "localhost"):
        # `localhost` means the socket to PHP's mysqli; TCP on localhost may be closed or another server.
        for path in _SOCKETS:
            with suppress(OSError):
                if Path(path).is_socket():
                    return _socket(path)
    return {"host": database.host or "127.0.0.1", "port": database.port or 3306}


def _socket(path: str) -> dict[str, Any]:
    # Nobody listens on a socket of this machine; PyMySQL would still load all certificates for every connection.
    return {"unix_socket": path, "ssl_disabled": True}


def _plain(error: Exception) -> str:
    return str(error.args[1] if len(error.args) > 1 else error)


def _prepare(connection: Connection[Any], *, write: bool) -> None:
    maria = "mariadb" in str(connection.get_server_info()).lower()  # type: ignore[no-untyped-call]
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        # Strict while writing, so that nothing is cut in silence; zero dates stay readable.
        cursor.execute("SET SESSION sql_mode='STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'")
        if write:
            return
        cursor.execute("SET SESSION TRANSACTION READ ONLY")
        cursor.execute("SET SESSION group_concat_max_len=1073741824")
        with suppress(pymysql.err.MySQLError):  # MariaDB before 10.4 has no such limit
            # A page names hundreds of ids. From 200 on the server guesses their rows from its statistics, which lag
            # behind an import (at its start or by chance), and then reads a whole table for every page.
            cursor.execute("SET SESSION eq_range_index_dive_limit=0")
        with suppress(pymysql.err.MySQLError):
            if maria:
                cursor.execute(f"SET SESSION max_statement_time={_STATEMENT_SECONDS}")
            else:
                cursor.execute(f"SET SESSION max_execution_time={_STATEMENT_SECONDS * 1000}")


class Reader:
    """Read access to one shop's database. Not for sharing between threads: `another()` gives a second one."""

    def __init__(self, config: Config, *, throttle: Throttle | None = None) -> None:
        self._config = config
        self.tables = queries.Tables(
            config.shop.table_prefix or "wp_", config.shop.users_table, config.shop.usermeta_table
        )
        self.throttle = throttle or Throttle(config.sync.limit_rate, config.sync.max_load)
        self._connection: Connection[Any] | None = None
        self._packs = True
        self.longest = 0.0
        self.queries = 0

    def another(self) -> Reader:
        """A second connection with the same throttle, for a reader thread."""
        return Reader(self._config, throttle=self.throttle)

    @property
    def connection(self) -> Connection[Any]:
        """The open connection; opened on first use."""
        if self._connection is None:
            self._connection = open_connection(self._config.shop.database)
            self._packs = _can_pack(self.server)
        return self._connection

    @property
    def server(self) -> str:
        """The server's version text."""
        return str(self.connection.get_server_info())  # type: ignore[no-untyped-call]

    @property
    def database(self) -> str:
        """The name of the database."""
        return self._config.shop.database.name

    def close(self) -> None:
        """Close; a later query opens again."""
        if self._connection is not None:
            with suppress(pymysql.err.Error):
                self._connection.close()
            self._connection = None

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, name: str, **params: Any) -> list[Row]:
        """The rows of a named query, plainly. For small answers; types as PyMySQL gives them."""
        query = queries.get(name)
        return list(self._run(self.tables.fill(query.sql), params))

    def value(self, name: str, **params: Any) -> Any:
        """The first cell of a named query, or None."""
        found = self.rows(name, **params)
        return found[0][0] if found else None

    def page(self, name: str, **params: Any) -> list[list[Any]]:
        """The rows of a named query, packed: lists of int, str or None. In no certain order.

        Decimals and dates must be cast to CHAR in the query, so that both ways give the same types.
        """
        found = self._packed(name, packed.rows, packed.decode_rows, params)
        return [list(row) for row in self._plainly(name, params)] if found is None else found

    def numbers(self, name: str, **params: Any) -> list[int]:
        """The whole numbers of a named query with one column, packed. In no certain order."""
        found = self._packed(name, packed.numbers, packed.decode_numbers, params)
        return [row[0] for row in self._plainly(name, params)] if found is None else found

    def documents(self, name: str, **params: Any) -> packed.Documents:
        """{owner: (sum of the digests, {key: value})} of a named query of (owner, meta id, key, value[, crc]) with
        `ids` of owners: the lowest meta id of a key wins, as in WordPress; NULL is ''."""
        found = self._packed(name, packed.documents, packed.decode_documents, params)
        if found is None:
            return packed.gathered(self._plainly(name, params))
        documents = {owner: (crc, meta) for owner, _, crc, meta in found}
        # A key that stands twice: the server's object does not say which row was the first.
        if twice := [owner for owner, count, _, meta in found if count != len(meta)]:
            documents.update(packed.gathered(self._plainly(name, {**params, "ids": twice})))
        return documents

    def _packed(
        self,
        name: str,
        wrap: Callable[[str, queries.Query], str],
        decode: Callable[[str], list[Item]],
        params: Mapping[str, Any],
    ) -> list[Item] | None:
        """A packed page, or None when it is to be read plainly."""
        if not self._packs:
            return None
        query = queries.get(name)
        count, text = self._run(wrap(self.tables.fill(query.sql), query), params)[0]
        if count == 0:
            return []
        with suppress(msgspec.DecodeError, TypeError):
            found = decode(text)
            if len(found) == count:
                self.throttle.spend(count)
                return found
        log.info("page of %s did not arrive whole: reading it plainly", name)
        return None

    def _plainly(self, name: str, params: Mapping[str, Any]) -> tuple[Row, ...]:
        found = self._run(self.tables.fill(queries.get(name).sql), params)
        self.throttle.spend(len(found))
        return found

    def _run(self, sql: str, params: Mapping[str, Any]) -> tuple[Row, ...]:
        for attempt in (1, 2, 3):
            try:
                started = time.perf_counter()
                connection = self.connection
                with connection.cursor() as cursor:
                    cursor.execute(filled(sql, params) if params else sql)
                    found = cursor.fetchall()
                self.longest = max(self.longest, time.perf_counter() - started)
                self.queries += 1
                return tuple(found)
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
                number = error.args[0] if error.args else 0
                lost = number in _GONE or isinstance(error, pymysql.err.InterfaceError)
                if not lost:
                    raise
                self.close()
                if attempt == 3:
                    raise StoreUnavailable(
                        f"the shop's database went away: {_plain(error)}",
                        hint="run it again: the sync goes on where it was",
                    ) from error
                time.sleep(attempt)
        raise AssertionError("unreachable")


def _can_pack(server: str) -> bool:
    return _version(server) >= ((10, 2, 3) if "mariadb" in server.lower() else (5, 7, 8))


def has_table_values(connection: Connection[Any]) -> bool:
    """Whether `WITH t(a, b) AS (VALUES (1, 2), …)` works: MariaDB from 10.3."""
    server = str(connection.get_server_info())  # type: ignore[no-untyped-call]
    return "mariadb" in server.lower() and _version(server) >= (10, 3)


def has_returning(connection: Connection[Any]) -> bool:
    """Whether `INSERT … RETURNING` works: MariaDB from 10.5."""
    server = str(connection.get_server_info())  # type: ignore[no-untyped-call]
    return "mariadb" in server.lower() and _version(server) >= (10, 5)


def _version(server: str) -> tuple[int, ...]:
    """(10, 11, 19) of `5.5.5-10.11.19-MariaDB-0+deb12u1`: the first part is a disguise for old clients."""
    return tuple(int(part) for part in re.findall(r"\d+", server.removeprefix("5.5.5-"))[:3])
