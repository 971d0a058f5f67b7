"""The SQL of the quiet writer: contacts, custom fields, tags and lists, and the undo rows that can take it all back.

Nothing here begins or ends a transaction: that is `writer_sql.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pymysql
from pymysql.connections import Connection

from sidecar.crm.batch import Change, NewContact, Outcome
from sidecar.crm.model import LIST, TAG, UndoDetail, UndoOld
from sidecar.mysql.connection import has_returning, has_table_values
from sidecar.mysql.sqltext import chunks, derived, quote, quote_or_null, quoted

_COLUMNS = (
    "user_id", "prefix", "first_name", "last_name", "timezone", "address_line_1", "address_line_2", "postal_code",
    "city", "state", "country", "phone", "contact_type", "source", "date_of_birth",
)  # fmt: skip
# Written also where nothing is known: the column's default would say something ("lead").
_ALWAYS = frozenset({"contact_type"})
_DELETED_WITH = (
    ("fc_subscriber_meta", "subscriber_id"), ("fc_subscriber_pivot", "subscriber_id"),
    ("fc_subscriber_notes", "subscriber_id"), ("fc_funnel_subscribers", "subscriber_id"),
    ("fc_funnel_metrics", "subscriber_id"), ("fc_campaign_url_metrics", "subscriber_id"),
    ("fc_campaign_emails", "subscriber_id"),
)  # fmt: skip


class Rows:
    """Statements on one connection. `now` is wall-clock text in the shop's time zone; `rows` counts what was touched."""

    def __init__(self, connection: Connection[Any], prefix: str, run_id: int, now: str, *, pivot_unique: bool) -> None:
        self._connection = connection
        self._prefix = prefix
        self._run_id = run_id
        self._now = quote(now)
        self._pivot_unique = pivot_unique
        self._wide = has_table_values(connection)
        self._returning = has_returning(connection)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT @@max_allowed_packet, UNIX_TIMESTAMP({self._now})")
            packet, moment = cursor.fetchone() or (1 << 20, 0)
        # Characters, of which one may take four bytes.
        self._limit = max(16_000, min(int(packet) // 5, 1_500_000))
        self._clock = _clock(connection, now, int(moment or 0)) if self._wide else ""
        # How `now` is written where rows are made: as text the server reads it and brings it to UTC for each of them.
        self._moment = "NOW()" if self._clock else self._now
        self.rows = 0

    def _run(self, sql: str) -> None:
        # Text that is no valid Unicode (from damaged PHP strings) must not stop a batch.
        self.rows += self._connection.query(sql.encode("utf-8", "replace"))

    def _table(self, name: str) -> str:
        return f"`{self._prefix}{name}`"

    def insert(self, new: Sequence[NewContact]) -> list[Outcome]:
        # MD5 of the address is FluentCRM's own `hash` column (Subscriber.php:73-75), not a secret.
        used = {name for c in new for name in c.columns}
        columns = [name for name in _COLUMNS if name in used or name in _ALWAYS]
        rows = (
            f"({quote(c.email)},'{hashlib.md5(c.email.encode(), usedforsecurity=False).hexdigest()}',{quote(c.status)},"
            f"{quote(c.created) if c.created else self._moment},{self._moment},"
            f"{','.join([quote_or_null(c.columns.get(name, '')) for name in columns])})"
            for c in new
        )
        head = (
            f"{self._clock}INSERT INTO {self._table('fc_subscribers')}"
            f" (email,hash,status,created_at,updated_at,{','.join(columns)}) VALUES "
        )
        ids: dict[str, int] = {}
        for group in chunks(rows, self._limit):
            if self._returning:
                ids.update(self._returned(f"{head}{','.join(group)} RETURNING email, id"))
            else:
                self._run(head + ",".join(group))
        if not self._returning:
            ids = self._ids(new)
        undo: list[str] = []
        tags: list[tuple[int, int, str]] = []
        encode = msgspec.json.encode
        for contact in new:
            number = ids[contact.email]
            id_ = str(number)
            tags += [(number, tag, TAG) for tag in contact.tags]
            tags += [(number, list_, LIST) for list_ in contact.lists]
            undo.append(
                f"({self._run_id},'created',{id_},{quote(encode((contact.status, contact.written)).decode())},UTC_TIMESTAMP())"
            )
        if self._wide:
            self._fields_wide([(ids[c.email], c.fields) for c in new])
        else:
            self._fields(
                f"({ids[c.email]},0,'custom_field',{quote(slug)},{quote(value)},{self._now},{self._now})"
                for c in new
                for slug, value in c.fields.items()
                if value
            )
        self._attach(tags)
        self._undo(undo)
        return [Outcome(person=c.person, state="done", contact_id=ids[c.email]) for c in new]

    def _returned(self, sql: str) -> Sequence[tuple[str, int]]:
        with self._connection.cursor() as cursor:
            self.rows += cursor.execute(sql.encode("utf-8", "replace"))
            found: Sequence[tuple[str, int]] = cursor.fetchall()
            return found

    def _ids(self, new: Sequence[NewContact]) -> dict[str, int]:
        found: dict[str, int] = {}
        with self._connection.cursor() as cursor:
            for group in chunks((quote(c.email) for c in new), self._limit):
                cursor.execute(
                    f"SELECT email, id FROM {self._table('fc_subscribers')} WHERE email IN ({','.join(group)})"
                )
                found.update(cursor.fetchall())
        return found

    def _fields(self, rows: Iterable[str]) -> None:
        head = (
            f"INSERT INTO {self._table('fc_subscriber_meta')}"
            " (subscriber_id,created_by,object_type,`key`,value,created_at,updated_at) VALUES "
        )
        for group in chunks(rows, self._limit):
            self._run(head + ",".join(group))

    def _fields_wide(self, rows: Sequence[tuple[int, dict[str, str]]]) -> None:
        """The same for many new contacts: one row a contact, turned into one row a field by the server. A fifth
        cheaper for it than plain rows, and half the text; needs MariaDB's table value constructors (10.3). The time
        comes from the statement's clock where it may be set: as text it is read and brought to UTC twice a row."""
        slugs = list(dict.fromkeys(slug for _, fields in rows for slug in fields))
        if not slugs:
            return
        names = ",".join(f"v{number}" for number in range(1, len(slugs) + 1))
        keys = " UNION ALL ".join(f"SELECT {number} i,{quote(slug)} k" for number, slug in enumerate(slugs, 1))
        texts = (f"({id_},{quoted([fields.get(slug, '') for slug in slugs])})" for id_, fields in rows)
        now = self._moment
        for group in chunks(texts, self._limit):
            self._run(
                f"{self._clock}INSERT INTO {self._table('fc_subscriber_meta')}"
                " (subscriber_id,created_by,object_type,`key`,value,created_at,updated_at)"
                f" WITH p(s,{names}) AS (VALUES {','.join(group)})"
                f" SELECT p.s,0,'custom_field',k.k,ELT(k.i,{names}),{now},{now}"
                f" FROM p CROSS JOIN ({keys}) k WHERE LENGTH(ELT(k.i,{names})) > 0"
            )

    def _undo(self, rows: Iterable[str]) -> None:
        head = f"INSERT INTO {self._table('fcsc_undo')} (run_id,kind,object_id,detail,created_gmt) VALUES "
        for group in chunks(rows, self._limit):
            self._run(head + ",".join(group))

    def _attach(self, rows: Sequence[tuple[int, int, str]]) -> None:
        if not rows:
            return
        pivot = self._table("fc_subscriber_pivot")
        columns = "(subscriber_id,object_id,object_type,created_at,updated_at)"
        if self._pivot_unique:
            types = {TAG: quote(TAG), LIST: quote(LIST)}
            now = self._moment
            texts = (f"({s},{o},{types[t]},{now},{now})" for s, o, t in rows)
            for group in chunks(texts, self._limit):
                self._run(f"{self._clock}INSERT IGNORE INTO {pivot} {columns} VALUES {','.join(group)}")
            return
        # 2.9 has no unique key: an attachment that is there already must not be made twice.
        for type_ in (TAG, LIST):
            mine = [(str(s), str(o)) for s, o, t in rows if t == type_]
            for start in range(0, len(mine), 500):
                table = derived(mine[start : start + 500], ("s", "o"))
                self._run(
                    f"INSERT INTO {pivot} {columns} SELECT n.s, n.o, {quote(type_)}, {self._now}, {self._now} FROM {table} n"
                    f" LEFT JOIN {pivot} p ON p.subscriber_id = n.s AND p.object_id = n.o AND p.object_type = {quote(type_)}"
                    " WHERE p.id IS NULL"
                )

    def _detach(self, rows: Sequence[tuple[int, int, str]]) -> None:
        pivot = self._table("fc_subscriber_pivot")
        for type_ in (TAG, LIST):
            pairs = [f"({s},{o})" for s, o, t in rows if t == type_]
            for group in chunks(pairs, self._limit):
                self._run(
                    f"DELETE FROM {pivot} WHERE object_type = {quote(type_)} AND (subscriber_id, object_id) IN ({','.join(group)})"
                )

    def update(self, changes: Sequence[Change], *, undo: bool = True) -> None:
        columns: dict[str, list[tuple[str, ...]]] = {}
        set_: list[tuple[str, ...]] = []
        empty: list[tuple[str, ...]] = []
        fresh: list[str] = []
        attach: list[tuple[int, int, str]] = []
        detach: list[tuple[int, int, str]] = []
        kept: list[str] = []
        for change in changes:
            patch = change.patch
            id_ = patch.contact_id
            for name, (old, value) in patch.columns.items():
                columns.setdefault(name, []).append((str(id_), quote(old), quote_or_null(value)))
            for slug, (row, value) in patch.fields.items():
                if row is None:
                    fresh.append(f"({id_},0,'custom_field',{quote(slug)},{quote(value)},{self._now},{self._now})")
                elif value:
                    set_.append((str(row.row_id), quote(row.value), quote(value)))
                else:
                    empty.append((str(row.row_id), quote(row.value)))
            attach += [(id_, tag, TAG) for tag in patch.tags_add] + [(id_, list_, LIST) for list_ in patch.lists_add]
            detach += [(id_, tag, TAG) for tag in patch.tags_remove]
            detach += [(id_, list_, LIST) for list_ in patch.lists_remove]
            if change.move_to:
                self._move(id_, change.email, change.move_to)
            if undo:
                kept.append(f"({self._run_id},'changed',{id_},{quote(undo_detail(change))},UTC_TIMESTAMP())")
        self._set_columns(columns)
        self._set_fields(set_, empty)
        self._fields(fresh)
        self._attach(attach)
        self._detach(detach)
        self._undo(kept)

    def _set_columns(self, columns: dict[str, list[tuple[str, ...]]]) -> None:
        table = self._table("fc_subscribers")
        for name, rows in columns.items():
            for start in range(0, len(rows), 500):
                values = derived(rows[start : start + 500], ("id", "old", "new_"))
                # BINARY: the accent-blind collation would call an old and a changed name equal.
                self._run(
                    f"UPDATE {table} s JOIN {values} n ON n.id = s.id SET s.`{name}` = n.new_, s.updated_at = {self._now}"
                    f" WHERE BINARY COALESCE(CAST(s.`{name}` AS CHAR CHARACTER SET utf8mb4), '') = BINARY n.old"
                )

    def _set_fields(self, set_: list[tuple[str, ...]], empty: list[tuple[str, ...]]) -> None:
        table = self._table("fc_subscriber_meta")
        for start in range(0, len(set_), 500):
            values = derived(set_[start : start + 500], ("id", "old", "new_"))
            self._run(
                f"UPDATE {table} m JOIN {values} n ON n.id = m.id SET m.value = n.new_, m.updated_at = {self._now}"
                " WHERE BINARY m.value = BINARY n.old"
            )
        for start in range(0, len(empty), 500):
            values = derived(empty[start : start + 500], ("id", "old"))
            self._run(f"DELETE m FROM {table} m JOIN {values} n ON n.id = m.id WHERE BINARY m.value = BINARY n.old")

    def _move(self, id_: int, old: str, new: str) -> None:
        """A new address: contact, its hash, and mail that waits (source: FluentCRM's Cleanup.php:146-157)."""
        md5 = hashlib.md5(new.encode(), usedforsecurity=False).hexdigest()
        self._run(
            f"UPDATE {self._table('fc_subscribers')} SET email = {quote(new)}, hash = '{md5}', updated_at = {self._now}"
            f" WHERE id = {id_} AND BINARY email = BINARY {quote(old)}"
        )
        self._run(
            f"UPDATE {self._table('fc_campaign_emails')} e JOIN {self._table('fc_subscribers')} s ON s.id = e.subscriber_id"
            f" SET e.email_address = {quote(new)} WHERE e.subscriber_id = {id_} AND BINARY s.email = BINARY {quote(new)}"
            " AND e.status IN ('draft','pending','scheduled','scheduling')"
        )

    def erase(self, id_: int) -> None:
        """A contact and all that hangs on it (source: FluentCRM's Cleanup.php:36-57). A mail left in the queue
        would be sent without an unsubscribe link. Nothing is kept for undo: this is an erasure."""
        for table, column in _DELETED_WITH:
            self._run(f"DELETE FROM {self._table(table)} WHERE {column} = {id_}")
        self._run(f"DELETE FROM {self._table('fcsc_undo')} WHERE object_id = {id_} AND kind IN ('created', 'changed')")
        self._run(f"DELETE FROM {self._table('fc_subscribers')} WHERE id = {id_}")


def _clock(connection: Connection[Any], now: str, moment: int) -> str:
    """What before a statement makes its NOW() be `now` (at Unix time `moment`), or '' where the server does not let us."""
    head = f"SET STATEMENT timestamp={moment} FOR "
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"{head}SELECT CAST(NOW() AS CHAR)")
            return head if moment and cursor.fetchone() == (now,) else ""
    except pymysql.err.MySQLError:  # secure_timestamp
        return ""


def undo_detail(change: Change) -> str:
    """What undo needs of a change: old values, digests of the new ones, terms that came and went."""
    patch = change.patch
    detail = UndoDetail(
        c={name: UndoOld.of(old, new) for name, (old, new) in patch.columns.items()},
        f={slug: UndoOld.of(row.value if row else "", new) for slug, (row, new) in patch.fields.items()},
        ta=patch.tags_add,
        tr=patch.tags_remove,
        la=patch.lists_add,
        lr=patch.lists_remove,
        moved=(change.email, change.move_to) if change.move_to else None,
    )
    return msgspec.json.encode(detail).decode()
