"""Who asked to be erased, as the plugin keeps it: hashes in `{prefix}fcsc_suppressed`, under the site's own key.

The sidecar's state has a list of its own (`suppressed`, under `identity.key`), which works without the plugin; the
plugin's outlives a lost state and knows of erasures that were asked for in wp-admin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import pymysql
from pymysql.connections import Connection

from sidecar import signing
from sidecar.mysql.connection import Reader

_KEY = re.compile(r"[0-9a-f]{64}")
# No such table; the account may not read it.
ABSENT = frozenset({1146, 1142, 1143})


class Suppression:
    """Read once a session. Without the plugin, or with nobody erased, nothing is ever computed."""

    def __init__(self, key: str, hashes: frozenset[str]) -> None:
        self._key = key
        self.hashes = hashes

    def blocks(self, identity: str) -> bool:
        """Whether this identity (see `values.email.identity`) asked to be erased."""
        return bool(self.hashes) and self.hash(identity) in self.hashes

    def hash(self, identity: str) -> str:
        """What is kept of an erased identity; '' when the site has no key."""
        return signing.suppression_hash(self._key, identity) if self._key else ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One erased person: the hash, and when (UTC, `YYYY-MM-DD HH:MM:SS`)."""

    hash: str
    created: str


def load(reader: Reader) -> Suppression:
    """The site's key and the hashes; empty without the plugin."""
    key = str(reader.value("suppression_key") or "")
    if not _KEY.fullmatch(key):
        return Suppression("", frozenset())
    try:
        hashes = frozenset(row[0] for row in reader.page("suppression_hashes"))
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return Suppression(key, frozenset())
        raise
    return Suppression(key, hashes)


def entries(reader: Reader) -> list[Entry]:
    """The plugin's list, newest first; empty without the plugin."""
    try:
        return [Entry(hash=row[0], created=row[1] or "") for row in reader.rows("suppression_list")]
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return []
        raise


def add(connection: Connection[Any], prefix: str, hash_: str) -> bool:
    """Keep a hash. Whether it could be: False without the plugin's table."""
    return _changed(
        connection,
        f"INSERT IGNORE INTO `{prefix}fcsc_suppressed` (hash, created_gmt) VALUES (%s, UTC_TIMESTAMP())",
        hash_,
    )


def lift(connection: Connection[Any], prefix: str, hash_: str) -> bool:
    """Forget a hash: the person may come in again. Whether the table is there."""
    return _changed(connection, f"DELETE FROM `{prefix}fcsc_suppressed` WHERE hash = %s", hash_)


def traces(
    connection: Connection[Any], prefix: str, identity: str, contact_ids: Sequence[int], user_ids: Sequence[int],
    consents: Sequence[int] = (), browsers: Sequence[int] = (),
) -> int:  # fmt: skip
    """What else there is of an erased person: the plugin's snapshots of their carts and its record of consent, browsers that
    get notifications, FluentCRM's tracked events.

    `consents` and `browsers` are numbers of its rows. Returns how many carts there were; tables that are not there have nothing.
    """
    carts = _removed(connection, f"DELETE FROM `{prefix}fcsc_carts` WHERE email = %s", (identity,))
    if user_ids:
        carts += _removed(connection, f"DELETE FROM `{prefix}fcsc_carts` WHERE user_id IN %s", (list(user_ids),))
    for column, ids in (("id", consents), ("user_id", user_ids), ("contact_id", contact_ids)):
        if ids:
            _removed(connection, f"DELETE FROM `{prefix}fcsc_consents` WHERE {column} IN %s", (list(ids),))
    if browsers:
        _removed(connection, f"DELETE FROM `{prefix}fcsc_push` WHERE id IN %s", (list(browsers),))
    if user_ids:
        _removed(connection, f"DELETE FROM `{prefix}fcsc_push` WHERE user_id IN %s", (list(user_ids),))
    if contact_ids:
        _removed(connection, f"DELETE FROM `{prefix}fc_event_tracking` WHERE subscriber_id IN %s", (list(contact_ids),))
    return carts


def _removed(connection: Connection[Any], sql: str, values: tuple[object, ...]) -> int:
    try:
        with connection.cursor() as cursor:
            gone = int(cursor.execute(sql, values))
        connection.commit()
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return 0
        raise
    return gone


def _changed(connection: Connection[Any], sql: str, hash_: str) -> bool:
    if not hash_:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, (hash_,))
        connection.commit()
    except pymysql.err.MySQLError as error:
        if error.args and error.args[0] in ABSENT:
            return False
        raise
    return True
