"""What the tests share: a shop in a private database, and where the real stores are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.truth import Truth

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class ShopDatabase:
    """One test's own copy of a shop. `truth` is None for the real stores; they have `truth_lines`."""

    server: PrivateMariaDB
    database: str
    storage: str
    truth: Truth | None

    @property
    def socket(self) -> str:
        return self.server.socket

    def connect(self, **options: Any) -> pymysql.Connection[Any]:
        """A new connection, autocommit unless said otherwise. Close it: warnings are errors here."""
        return self.server.connect(self.database, **{"autocommit": True, **options})

    def rows(self, sql: str, arguments: object = None) -> list[tuple[Any, ...]]:
        """All rows of a query. The `%` of a LIKE is doubled only when there are arguments."""
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments)
                return list(cursor.fetchall())
        finally:
            connection.close()


def real_store(name: str) -> Path:
    """The path of a file of the real stores: in $SHARED_STORES, else beside the repository."""
    folder = os.environ.get("SHARED_STORES") or ROOT.parent / "shared" / "stores"
    return Path(folder) / name
