"""Opening the state database: private files, WAL, migrations, and the key that hides e-mail addresses."""

from __future__ import annotations

import hmac
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peewee import SqliteDatabase

from sidecar.errors import ConfigError, SchemaUnsupported
from sidecar.state.migrations import MIGRATIONS

_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "normal",
    "busy_timeout": 30000,
    "temp_store": "memory",
    "cache_size": -12000,
    "wal_autocheckpoint": 4000,
}


class State:
    """The state directory: `state.sqlite3` (0600) and `identity.key`, the secret behind every person's key.

    Each thread has a connection of its own. Losing `identity.key` means that nobody is recognised again: a full sync rebuilds all.
    """

    def __init__(self, directory: str | Path) -> None:
        self.directory = Path(directory)
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
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
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be used: {error.strerror}", hint="its owner must be the user that runs the sidecar"
            ) from error
        self.database = SqliteDatabase(str(path), pragmas=_PRAGMAS, timeout=30)
        self.database.connect()
        self._migrate()

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
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
        return secret
