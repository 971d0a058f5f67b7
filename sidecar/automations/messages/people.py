"""The people of messages: FluentCRM's contacts as they are now."""

from __future__ import annotations

from collections.abc import Collection

from sidecar.automations.messages import clean
from sidecar.automations.messages.model import Person
from sidecar.mysql.connection import Reader
from sidecar.mysql.packed import first_rows
from sidecar.values import php

_NAME, _FIELD = 60, 300
# Of contacts_by_id.
_ID, _EMAIL, _FIRST, _LAST, _PHONE, _CITY, _COUNTRY = 0, 1, 6, 7, 8, 12, 14


def load(reader: Reader, contacts: Collection[int]) -> dict[int, Person]:
    """Contacts by id; those that are gone are missing."""
    if not contacts:
        return {}
    ids = sorted(contacts)
    rows = reader.page("contacts_by_id", ids=ids)
    fields = first_rows([(row[1], row[0], row[2], row[3]) for row in reader.page("contacts_fields", ids=ids)])
    found = {}
    for row in rows:
        first, last = clean.text(row[_FIRST], _NAME), clean.text(row[_LAST], _NAME)
        found[row[_ID]] = Person(
            first_name=first,
            last_name=last,
            name=f"{first} {last}".strip(),
            email=clean.text(row[_EMAIL], 190),
            phone=clean.text(row[_PHONE], 50),
            city=clean.text(row[_CITY], _NAME),
            country=clean.text(row[_COUNTRY], 2),
            fields={slug: value for slug, raw in fields.get(row[_ID], {}).items() if (value := _value(raw))},
        )
    return found


def _value(raw: str) -> str:
    """A custom field as text: several values joined by commas."""
    if php.looks_serialized(raw):
        try:
            value = php.loads(raw)
        except php.PhpError:
            return ""
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return clean.text(", ".join(str(item) for item in items if isinstance(item, str | int | float)), _FIELD)
    return clean.text(raw, _FIELD)
