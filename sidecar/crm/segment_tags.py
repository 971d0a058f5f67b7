"""The tags of segments in FluentCRM: made where missing, found again by what `fcsc_owned` says of them, never by their name.

A tag that the owner made is never taken, whatever it is called; ours may be renamed there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import pymysql
from pymysql.connections import Connection

from sidecar.crm.model import TAG, FieldValue
from sidecar.mysql.connection import Reader

# How `fcsc_owned` calls the tag of a segment, and a custom field that says in which segment of a group somebody is.
SEGMENT, SEGMENT_FIELD = "segment", "segment_field"
_ABOUT = "Kept by FluentCRM Sidecar: who has it follows from the rules of the segment"
_CARRIERS = 20_000


def made(reader: Reader) -> dict[str, tuple[int, str]]:
    """{segment: (id, title) of its tag}, of the tags that are there; nothing before the first one was made."""
    try:
        rows = reader.rows("segment_tags")
    except pymysql.err.ProgrammingError:  # the sidecar has never written here
        return {}
    return {slug: (int(id_), title) for slug, id_, title in sorted(rows, key=lambda row: row[1], reverse=True)}


class Attached(msgspec.Struct):
    """A contact, and those of our tags that it has."""

    email: str
    tags: set[int] = set()


class SegmentTags:
    """The tags of one site. `connection` may write; `wall` is wall-clock text in the shop's time zone."""

    def __init__(self, reader: Reader, connection: Connection[Any], wall: str) -> None:
        self._reader = reader
        self._connection = connection
        self._prefix = reader.tables.prefix
        self._wall = wall
        there = made(reader)
        self.ids = {slug: id_ for slug, (id_, _) in there.items()}
        self._titles = {slug: title for slug, (_, title) in there.items()}

    def ensure(self, titles: Mapping[str, str], last: Mapping[str, str]) -> None:
        """Make the tags of {segment: title} that are missing. One whose title is still the `last` that we gave it is renamed
        when the segment is called otherwise now."""
        taken: set[str] | None = None
        for slug, title in titles.items():
            title = title[:192]
            if slug not in self.ids:
                if taken is None:
                    taken = {row[2] for row in self._reader.page("terms_tags")}
                self._make(slug, title, taken)
            elif self._titles[slug] == last.get(slug) != title:
                with self._connection.cursor() as cursor:
                    cursor.execute(
                        f"UPDATE `{self._prefix}fc_tags` SET title = %s, updated_at = %s WHERE id = %s AND title = %s",
                        (title, self._wall, self.ids[slug], self._titles[slug]),
                    )
                self._connection.commit()
                self._titles[slug] = title

    @property
    def fields(self) -> set[str]:
        """The custom fields of groups, as far as we know them for ours."""
        return {row[2] for row in self._reader.rows("owned_all") if row[0] == SEGMENT_FIELD}

    def theirs(self, field: str) -> bool:
        """Whether somebody else fills a custom field: nobody of us made it, and there are values in it."""
        owned = {row[2] for row in self._reader.rows("owned_all") if row[0] in (SEGMENT_FIELD, "field")}
        return field not in owned and bool(self._reader.rows("segment_field_used", key=field))

    def own(self, fields: Collection[str]) -> None:
        """Remember custom fields as those of groups."""
        with self._connection.cursor() as cursor:
            for field in fields:
                self._record(cursor, SEGMENT_FIELD, 0, field)
        self._connection.commit()

    def disown(self, fields: Collection[str]) -> None:
        """These custom fields are of no group any more."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM `{self._prefix}fcsc_owned` WHERE kind = %s AND slug IN %s", (SEGMENT_FIELD, list(fields))
            )
        self._connection.commit()

    def _record(self, cursor: Any, kind: str, id_: int, slug: str) -> None:
        cursor.execute(
            f"INSERT IGNORE INTO `{self._prefix}fcsc_owned` (kind, object_id, slug, created_gmt)"
            " VALUES (%s, %s, %s, UTC_TIMESTAMP())",
            (kind, id_, slug),
        )

    def _make(self, slug: str, title: str, taken: set[str]) -> None:
        name, number = f"segment-{slug}", 1
        while name in taken:
            number += 1
            name = f"segment-{slug}-{number}"
        taken.add(name)
        with self._connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO `{self._prefix}fc_tags` (title, slug, description, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s, %s)",
                (title, name, _ABOUT, self._wall, self._wall),
            )
            self.ids[slug] = int(cursor.lastrowid)
            self._record(cursor, SEGMENT, self.ids[slug], slug)
        self._connection.commit()
        self._titles[slug] = title

    def attached(self, contacts: Collection[int]) -> dict[int, Attached]:
        """Those of these contacts that there are, with those of our tags that they have."""
        if not contacts:
            return {}
        found = {
            id_: Attached(email=email or "") for id_, email in self._reader.page("segment_contacts", ids=list(contacts))
        }
        if found and self.ids:
            for contact, tag in self._reader.page(
                "segments_terms", ids=list(found), objects=list(self.ids.values()), type=TAG
            ):
                found[contact].tags.add(tag)
        return found

    def carriers(self, after: int) -> list[tuple[int, int, int]]:
        """(row, contact, tag) of those who have one of our tags, behind the row `after`: a page; empty at the end."""
        if not self.ids:
            return []
        page = self._reader.page(
            "segment_carriers", after=after, tags=list(self.ids.values()), type=TAG, limit=_CARRIERS
        )
        return sorted((row, contact, tag) for row, contact, tag in page)

    def values(self, contacts: Collection[int], fields: Collection[str]) -> dict[int, dict[str, FieldValue]]:
        """What contacts have in some custom fields."""
        found: dict[int, dict[str, FieldValue]] = {}
        if contacts and fields:
            rows = self._reader.page("segments_fields", ids=list(contacts), slugs=list(fields))
            # Of a field that stands twice FluentCRM reads the first row.
            for id_, contact, slug, value in sorted(rows, reverse=True, key=lambda row: row[0]):
                found.setdefault(contact, {})[slug] = FieldValue(id_, value or "")
        return found
