"""Tags and lists: looked up by slug, made where missing, remembered as ours. The tags of segments are others (`segment_tags.py`)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pymysql
from pymysql.connections import Connection

from sidecar.crm.segment_tags import SEGMENT
from sidecar.mysql.connection import Reader

_TABLE = {"tag": "fc_tags", "list": "fc_lists"}


class Terms:
    """The ids of tags (or lists) by slug. `owned` are those that the sidecar made; only these, and those it
    attached itself, does it ever detach. Neither slug nor title is unique in FluentCRM: the lowest id wins."""

    def __init__(self, reader: Reader, connection: Connection[Any], kind: str, run_id: int, now: str) -> None:
        self._connection = connection
        self._prefix = reader.tables.prefix
        self._kind = kind
        self._run = run_id
        self._now = now
        self._lock = threading.Lock()
        self.ids: dict[str, int] = {}
        owned = reader.rows("owned_all")
        segments = _of_segments(owned, kind)
        for id_, _title, slug in sorted(reader.page(f"terms_{kind}s")):
            if id_ not in segments:
                self.ids.setdefault(slug, id_)
        present = set(self.ids.values())
        self.owned = {row[1] for row in owned if row[0] == kind and row[1] in present}
        self.made = 0

    def resolve(self, wanted: Mapping[str, str]) -> list[int]:
        """The ids of {slug: title}; missing ones are made."""
        return [self.ids[slug] if slug in self.ids else self._make(slug, title) for slug, title in wanted.items()]

    def _make(self, slug: str, title: str) -> int:
        with self._lock, self._connection.cursor() as cursor:
            table = f"`{self._prefix}{_TABLE[self._kind]}`"
            cursor.execute(
                f"INSERT INTO {table} (title, slug, description, created_at, updated_at) VALUES (%s, %s, %s, %s, %s)",
                (title[:192], slug[:192], "Kept by FluentCRM Sidecar", self._now, self._now),
            )
            id_ = int(cursor.lastrowid)
            record(cursor, self._prefix, self._run, self._kind, id_, slug)
            self._connection.commit()
        self.ids[slug] = id_
        self.owned.add(id_)
        self.made += 1
        return id_


class DryTerms:
    """Tags or lists for a dry run: missing ones get ids that no row has."""

    def __init__(self, reader: Reader, kind: str) -> None:
        self.ids: dict[str, int] = {}
        try:
            segments = _of_segments(reader.rows("owned_all"), kind)
        except pymysql.err.ProgrammingError:  # the sidecar has never written here
            segments = set()
        for id_, _title, slug in sorted(reader.page(f"terms_{kind}s")):
            if id_ not in segments:
                self.ids.setdefault(slug, id_)
        self.owned: set[int] = set()

    def resolve(self, wanted: Mapping[str, str]) -> list[int]:
        """As `Terms.resolve`, but nothing is made."""
        return [self.ids.setdefault(slug, -1 - len(self.ids)) for slug in wanted]


def _of_segments(owned: Sequence[Sequence[Any]], kind: str) -> set[int]:
    """The tags of segments: rules never take one, whatever its slug, or two writers would fight over it."""
    return {row[1] for row in owned if row[0] == SEGMENT} if kind == "tag" else set()


def record(cursor: Any, prefix: str, run_id: int, kind: str, id_: int, slug: str) -> None:
    """Remember a thing as made by us, and by which run (so that undo can take it away)."""
    cursor.execute(
        f"INSERT IGNORE INTO `{prefix}fcsc_owned` (kind, object_id, slug, created_gmt) VALUES (%s, %s, %s, UTC_TIMESTAMP())",
        (kind, id_, slug[:150]),
    )
    cursor.execute(
        f"INSERT INTO `{prefix}fcsc_undo` (run_id, kind, object_id, detail, created_gmt) VALUES (%s, %s, %s, %s, UTC_TIMESTAMP())",
        (run_id, kind, id_, slug),
    )
