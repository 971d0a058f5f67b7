"""Where people can be reached by channels whose addresses are no column of FluentCRM."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import spans
from sidecar.state.database import State


def chats(reader: Reader, state: State, people: Sequence[int], field: str) -> dict[int, str]:
    """{person: chat id} of those who have one in that custom field. Raises StoreUnavailable."""
    rows = state.rows(
        "SELECT contact_id, id FROM person WHERE contact_id > 0 AND id IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(list(people)).decode(),),
    )
    persons: dict[int, int] = dict(rows)
    if not persons or not field:
        return {}
    found: dict[int, str] = {}
    # Of a field that stands twice FluentCRM reads the first row.
    for _, contact, _, value in sorted(reader.page("segments_fields", ids=spans(persons), slugs=[field])):
        if contact in persons and value and value.strip():
            found.setdefault(persons[contact], value.strip())
    return found
