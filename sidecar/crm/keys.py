"""The plugin's table of keys: where a new key is made known to it, when our account may write there."""

from __future__ import annotations

from contextlib import suppress

import pymysql

from sidecar.config import Config
from sidecar.errors import CrmRefused
from sidecar.mysql.connection import open_connection
from sidecar.state.pairing import Key

_NO_TABLE = 1146
_DENIED = {1142, 1143, 1044}


def make_known(config: Config, key: Key, endpoint: str) -> None:
    """Make `key` the plugin's current one, the one before it the previous one, in one transaction.

    Raises CrmRefused with what to do when the plugin's table is not there or may not be written.
    """
    table = f"`{config.shop.table_prefix or 'wp_'}fcsc_keys`"
    connection = open_connection(config.shop.database, write=True)
    try:
        with connection.cursor() as cursor:
            # The prefix is checked by `config_file`: letters, digits and _.
            cursor.execute(
                f"UPDATE {table} SET state = 'previous' WHERE state = 'current' AND key_id <> %s",
                (key.key_id,),
            )
            cursor.execute(
                f"INSERT INTO {table} (key_id, secret, endpoint, state, created_gmt)"
                " VALUES (%s, %s, %s, 'current', UTC_TIMESTAMP())"
                " ON DUPLICATE KEY UPDATE endpoint = VALUES(endpoint), state = 'current'",
                (key.key_id, key.secret, endpoint),
            )
        connection.commit()
    except pymysql.err.MySQLError as error:
        number = error.args[0] if error.args else 0
        with suppress(pymysql.err.MySQLError):
            connection.rollback()
        if number == _NO_TABLE:
            raise CrmRefused(
                f"there is no table {table.strip('`')}: the plugin is not active on this site",
                hint="upload and activate fluentcrm-sidecar, then run `sidecar pair` again",
            ) from error
        if number in _DENIED:
            raise CrmRefused(
                f"the database account may not write {table.strip('`')}",
                hint="run `sidecar pair --print-code` and paste the code into the plugin's settings page",
            ) from error
        raise CrmRefused(f"the plugin's table of keys refused the key (MySQL error {number})") from error
    finally:
        connection.close()
