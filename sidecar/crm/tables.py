"""The sidecar's own tables in the shop's database: what a run replaced, and which terms and fields are ours."""

from __future__ import annotations

from typing import Any

import pymysql
from pymysql.connections import Connection

from sidecar.errors import CrmRefused

_TABLES = (
    """CREATE TABLE IF NOT EXISTS `{p}fcsc_undo` (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  run_id BIGINT UNSIGNED NOT NULL,
  kind VARCHAR(20) NOT NULL,
  object_id BIGINT UNSIGNED NOT NULL,
  detail LONGTEXT NOT NULL,
  created_gmt DATETIME NOT NULL,
  KEY run (run_id, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
    """CREATE TABLE IF NOT EXISTS `{p}fcsc_owned` (
  kind VARCHAR(20) NOT NULL,
  object_id BIGINT UNSIGNED NOT NULL,
  slug VARCHAR(150) NOT NULL,
  created_gmt DATETIME NOT NULL,
  PRIMARY KEY (kind, object_id, slug)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4""",
)


def ensure(connection: Connection[Any], prefix: str) -> None:
    """Make our two tables where they are missing. Raises CrmRefused when the account may not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (%s, %s)",
                (f"{prefix}fcsc_undo", f"{prefix}fcsc_owned"),
            )
            row = cursor.fetchone()
            if row is not None and row[0] == len(_TABLES):
                return
            for statement in _TABLES:
                cursor.execute(statement.replace("{p}", prefix))
        connection.commit()
    except pymysql.err.MySQLError as error:
        raise CrmRefused(
            f"cannot make the table {prefix}fcsc_undo: {error.args[-1]}",
            hint="`sidecar init` prints the GRANTs that the account needs",
        ) from error


def prune(connection: Connection[Any], prefix: str, days: int) -> int:
    """Forget what runs replaced more than `days` ago, in small bites. Returns the rows taken away."""
    gone = 0
    with connection.cursor() as cursor:
        while True:
            count = int(
                cursor.execute(
                    f"DELETE FROM `{prefix}fcsc_undo` WHERE created_gmt < UTC_TIMESTAMP() - INTERVAL %s DAY LIMIT 2000",
                    (days,),
                )
            )
            connection.commit()
            gone += count
            if count < 2000:
                return gone
