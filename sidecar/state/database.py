"""Opening the state database: private files, WAL, migrations, and the key that hides e-mail addresses."""

from __future__ import annotations

import fcntl
import hmac
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import SqliteDatabase

from sidecar import new_file
from sidecar.errors import ConfigError, SchemaUnsupported, StateFailed
from sidecar.state.migrations import MIGRATIONS

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "busy_timeout": 30000,
    "temp_store": "memory",
    "cache_size": -12000,
    "wal_autocheckpoint": 4000,
}

# What SQLite says by these names is no fault of a statement, but of the place where the file is. The beginning counts.
_FAILURES = {
    "SQLITE_FULL": "make room on that disk and run it again: what was written before is there",
    "SQLITE_BUSY": "another process has kept it for half a minute: is one hanging? Then run it again",
    "SQLITE_READONLY": "the files and their directory must belong to the user that runs the sidecar",
    "SQLITE_CANTOPEN": "the files and their directory must belong to the user that runs the sidecar",
    "SQLITE_IOERR": "the disk, or a quota of the account, refuses it: the system's log says more",
    "SQLITE_NOTADB": "restore it from a backup, or move it away and run `sidecar sync --full`",
    "SQLITE_CORRUPT": "restore it from a backup, or move it away and run `sidecar sync --full`",
}


def failure(error: BaseException | None) -> StateFailed | None:
    """What to tell of an exception that the state's disk, owner or damage is behind; None for any other. Neither holds a
    person's data: SQLite names no values."""
    # peewee wraps what SQLite says; and to take back what a full disk has taken back already is an error on top of it.
    while error is not None and type(error).__module__ in ("sqlite3", "peewee"):
        name = getattr(error, "sqlite_errorname", "")
        for begins, hint in _FAILURES.items():
            if name.startswith(begins):
                return StateFailed(
                    f"the sidecar's own database ([state] dir, state.sqlite3) failed: {error}", hint=hint
                )
        error = error.__cause__ or error.__context__
    return None


class State:
    """The state directory: `state.sqlite3` (0600) and `identity.key`, the secret behind every person's key.

    Each thread has a connection of its own. Losing `identity.key` means that nobody is recognised again: a full sync rebuilds all.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        try:
            new_file.directory(self.directory)
            with self._one_at_a_time():
                # Copied for each key: a third less than to begin anew, and every account and order asks.
                self._keyed = hmac.new(_secret(self.directory / "identity.key"), digestmod="sha256")
        except OSError as error:
            raise ConfigError(
                f"the state directory {self.directory} cannot be used: {error.strerror}",
                hint="set [state] dir to a folder of your own, outside the web root",
            ) from error
        path = self.directory / "state.sqlite3"
        try:
            # For its owner only; what SQLite makes beside it has the same mode. (A umask would be that of all threads.)
            os.close(new_file.lock_file(path))
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be used: {error.strerror}", hint="its owner must be the user that runs the sidecar"
            ) from error
        self.database = SqliteDatabase(str(path), pragmas=_PRAGMAS, timeout=30)
        try:
            with self._one_at_a_time():
                # Who turns it to WAL while another one opens it is told that it is locked, whatever the timeout says.
                self.database.connect()
                self._migrate()
        except BaseException:
            self.database.close()
            raise

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """What only one process may do: the service, cron and a person at the shell open a new state, or one of an older
        version, in the same second. The lock is the directory's own, so no file of another account is left lying there."""
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def shrink(self) -> None:
        """Let go of the pages of the file that this connection keeps in memory."""
        self.sql.execute("PRAGMA shrink_memory")

    @property
    def sql(self) -> sqlite3.Connection:
        """The plain SQLite connection, for set-based work."""
        connection: sqlite3.Connection = self.database.connection()  # type: ignore[no-untyped-call]
        return connection

    def close(self) -> None:
        """Close; the file stays."""
        self.database.close()

    def __enter__(self) -> State:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. The right to write is taken at the start: a transaction that has read and then wants to write
        would fail at once, without waiting, when another thread has written in between."""
        with self.database.atomic("IMMEDIATE"):
            yield self.sql

    def key(self, identity: str) -> bytes:
        """The 16-byte key of an e-mail identity (already trimmed and lower-cased): the first half of HMAC-SHA-256."""
        keyed = self._keyed.copy()
        keyed.update(identity.encode("utf-8", "surrogatepass"))
        return keyed.digest()[:16]

    def get(self, key: str, default: str = "") -> str:
        """A setting, or the default."""
        row = self.sql.execute("SELECT value FROM setting WHERE key = ?", (key,)).fetchone()
        return str(row[0]) if row else default

    def set(self, key: str, value: str) -> None:
        """Keep a setting."""
        self.sql.execute(
            "INSERT INTO setting VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value",
            (key, value),
        )

    def rows(self, sql: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """The rows of a query on the state."""
        return self.sql.execute(sql, parameters).fetchall()

    def _migrate(self) -> None:
        version = self.sql.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise SchemaUnsupported(
                f"{self.directory / 'state.sqlite3'} was written by a newer sidecar (schema {version})",
                hint="install that version again, or move the file away and run `sidecar sync --full`",
            )
        for number in range(version, len(MIGRATIONS)):
            self.sql.executescript(f"BEGIN; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")


def _secret(path: Path) -> bytes:
    try:
        secret = path.read_bytes()
        if len(secret) >= 32:
            return secret
        raise ConfigError(
            f"{path} is damaged ({len(secret)} bytes)",
            hint="restore it from the backup, or remove it and the state",
        )
    except FileNotFoundError:
        secret = os.urandom(32)
        # Under its name only when it is whole on the disk: half of it would be a damaged one for ever.
        with new_file.private(path, replace=True, given=True) as file:
            file.buffer.write(secret)
        return secret
