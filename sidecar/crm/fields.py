"""Custom field definitions: one PHP-serialized list for all fields, in `fc_meta`.

It is read, merged and written back under a guard; the owner's other definitions stay as they are. Source of the
shape: FluentCRM 3.1.10, app/Models/CustomContactField.php:94-204.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pymysql.connections import Connection

from sidecar.crm.terms import record
from sidecar.errors import CrmRefused
from sidecar.mysql.connection import Reader
from sidecar.values import php

_MOST_OPTIONS = 1000


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A custom field as a rule describes it. `type` and `key` are FluentCRM's two names of its type."""

    slug: str
    label: str
    type: str
    key: str
    options: tuple[str, ...] = ()
    group: str = ""


class Fields:
    """The definitions, and the writer of those that rules ask for."""

    def __init__(self, reader: Reader, connection: Connection[Any], run_id: int, now: str) -> None:
        self._reader = reader
        self._connection = connection
        self._prefix = reader.tables.prefix
        self._run = run_id
        self._now = now
        self._options: dict[str, set[str]] = {}
        self._owned = {row[2] for row in reader.rows("owned_all") if row[0] == "field"}
        self._ensured = False
        self.made = 0

    def ensure(self, wanted: Sequence[Definition]) -> None:
        """Make the missing definitions, once. Raises CrmRefused when a field of that slug has another kind of value."""
        if not self._ensured:
            self._change({definition.slug: definition for definition in wanted}, {})
            self._ensured = True

    def offer(self, values: Mapping[str, set[str]]) -> None:
        """Add options to choice fields of ours, so that FluentCRM's filters can offer the values."""
        new = {slug: found - self._options[slug] for slug, found in values.items() if slug in self._options}
        new = {slug: found for slug, found in new.items() if found and len(self._options[slug]) < _MOST_OPTIONS}
        if new:
            self._change({}, new)

    def _change(self, wanted: Mapping[str, Definition], options: Mapping[str, set[str]]) -> None:
        for _attempt in range(5):
            rows = self._reader.rows("fields_definitions")
            before = rows[0][1] if rows else None
            entries = self._parse(before)
            made = _merge(entries, wanted, options, self._owned)
            for entry in entries:
                if entry.get("slug") in self._owned or entry.get("slug") in made:
                    self._options[entry["slug"]] = set(_listed(entry.get("options")))
            after = self._text(entries)
            if not made and (before is None or php.loads(before) == entries):
                return
            if self._store(rows[0][0] if rows else None, before, after, made):
                self._owned.update(made)
                self.made += len(made)
                return
        raise CrmRefused(
            "FluentCRM's custom field definitions keep changing under us",
            hint="run it again when nobody edits them",
        )

    def _parse(self, text: str | None) -> list[dict[str, Any]]:
        if not text:
            return []
        try:
            value = php.loads(text)
        except php.PhpError as error:
            raise CrmRefused(
                f"FluentCRM's custom field definitions cannot be read ({error}): nothing was changed",
                hint="open FluentCRM → Settings → Custom Contact Fields and save them once",
            ) from error
        return entries_of(value)

    def _text(self, entries: list[dict[str, Any]]) -> str:
        try:
            return php.dumps(entries)
        except php.PhpError as error:
            raise CrmRefused(
                f"FluentCRM's custom field definitions hold what is no plain list ({error}): nothing was changed",
                hint="open FluentCRM → Settings → Custom Contact Fields and save them once",
            ) from error

    def _store(self, row_id: int | None, before: str | None, after: str, made: Sequence[str]) -> bool:
        table = f"`{self._prefix}fc_meta`"
        with self._connection.cursor() as cursor:
            if row_id is None:
                cursor.execute(
                    f"INSERT INTO {table} (object_type, object_id, `key`, value, created_at, updated_at)"
                    " VALUES ('option', NULL, 'contact_custom_fields', %s, %s, %s)",
                    (after, self._now, self._now),
                )
                changed = 1
            else:
                changed = cursor.execute(
                    f"UPDATE {table} SET value = %s, updated_at = %s WHERE id = %s AND BINARY value = BINARY %s",
                    (after, self._now, row_id, before),
                )
            if changed != 1:
                self._connection.rollback()
                return False
            for slug in made:
                record(cursor, self._prefix, self._run, "field", 0, slug)
        self._connection.commit()
        return True


def _merge(
    entries: list[dict[str, Any]],
    wanted: Mapping[str, Definition],
    options: Mapping[str, set[str]],
    owned: set[str],
) -> list[str]:
    """Put what is missing into `entries`; returns the slugs that were added. Others' entries are not touched."""
    have = {entry.get("slug"): entry for entry in entries}
    made = []
    for slug, definition in wanted.items():
        entry = have.get(slug)
        if entry is not None:
            multi = entry.get("type") in ("select-multi", "checkbox")
            if multi != (definition.type in ("select-multi", "checkbox")):
                raise CrmRefused(
                    f"the custom field {slug} exists as {entry.get('type')!r}, the rules want {definition.type!r}",
                    hint="change the type in the rules, or let them fill another slug",
                )
            continue
        entry = {
            "field_key": definition.key,
            "type": definition.type,
            "label": definition.label,
            "slug": slug,
        }
        if definition.options or definition.type in ("select-one", "select-multi", "radio", "checkbox"):
            entry["options"] = list(definition.options)
        if definition.group:
            entry["group"] = definition.group
        entries.append(entry)
        made.append(slug)
    for slug, found in options.items():
        entry = have.get(slug)
        if entry is not None and slug in owned:
            listed = _listed(entry.get("options"))
            entry["options"] = [*listed, *sorted(found - set(listed))][:_MOST_OPTIONS]
    return made


def entries_of(value: Any) -> list[dict[str, Any]]:
    """The definitions of an unserialized option. Raises CrmRefused when it is no list of fields."""
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CrmRefused("FluentCRM's custom field definitions are no list of fields: nothing was changed")
    return items


def _listed(options: Any) -> list[str]:
    items = options.values() if isinstance(options, dict) else options if isinstance(options, list) else ()
    return [str(item) for item in items]
