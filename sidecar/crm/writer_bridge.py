"""The live writer: contacts are written by FluentCRM's own PHP API through the plugin, so that its hooks fire and the
owner's automations start. The same interface as the quiet writer (`writer_sql.Writer`).

Each item carries what was read: if the contact has something else by now, nothing is written and the outcome is
`raced`. What was replaced goes to the undo table by SQL, right after (docs/adr/0011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pymysql
from pymysql.connections import Connection

from sidecar.crm.batch import Batch, Change, NewContact, Outcome
from sidecar.crm.bridge_client import MOST_BYTES, MOST_ITEMS, Bridge, ContactOutcome, ServerFailed
from sidecar.crm.rows import undo_detail
from sidecar.errors import StoreUnavailable

_encode = msgspec.json.encode
Item = dict[str, Any]
Entry = NewContact | Change | tuple[int, int]


class BridgeWriter:
    """Writes through `bridge`; `connect` gives the connection for the undo rows of run `run_id`."""

    def __init__(self, bridge: Bridge, connect: Callable[[], Connection[Any]], prefix: str, run_id: int) -> None:
        self._bridge = bridge
        self._connect = connect
        self._table = f"`{prefix}fcsc_undo`"
        self._run_id = run_id

    def write(self, batch: Batch) -> list[Outcome]:
        """Write a batch. Raises BridgeUnreachable or BridgeRefused; then some of it may have been written."""
        entries: list[tuple[Entry, Item]] = [(new, _create(new)) for new in batch.new]
        entries += [(change, _update(change)) for change in batch.changes]
        entries += [
            ((person, id_), {"person": person, "op": "erase", "contact_id": id_}) for person, id_ in batch.erase
        ]
        outcomes: list[Outcome] = []
        for part in _parts(entries):
            outcomes += self._part(part, batch.undo)
        return outcomes

    def _part(self, part: Sequence[tuple[Entry, Item]], undo: bool) -> list[Outcome]:
        try:
            answered = {one.person: one for one in self._bridge.contacts([item for _, item in part])}
        except ServerFailed:
            if len(part) > 1:
                middle = len(part) // 2
                return [*self._part(part[:middle], undo), *self._part(part[middle:], undo)]
            # Alone and still failing: is it this contact, or all of WordPress? Then this raises.
            self._bridge.status()
            return [Outcome(person=part[0][1]["person"], state="refused", reason="wordpress_500")]
        outcomes = [_outcome(item, answered.get(item["person"])) for _, item in part]
        if undo:
            self._undo(part, outcomes)
        return outcomes

    def _undo(self, part: Sequence[tuple[Entry, Item]], outcomes: Sequence[Outcome]) -> None:
        rows: list[tuple[int, str, int, str]] = []
        erased: list[int] = []
        for (entry, _), outcome in zip(part, outcomes, strict=True):
            if outcome.state != "done":
                continue
            if isinstance(entry, NewContact):
                detail = _encode((entry.status, entry.written)).decode()
                rows.append((self._run_id, "created", outcome.contact_id, detail))
            elif isinstance(entry, Change):
                rows.append((self._run_id, "changed", entry.patch.contact_id, undo_detail(entry)))
            else:
                erased.append(entry[1])
        if not rows and not erased:
            return
        try:
            connection = self._connect()
            with connection.cursor() as cursor:
                if rows:
                    cursor.executemany(
                        f"INSERT INTO {self._table} (run_id, kind, object_id, detail, created_gmt)"
                        " VALUES (%s, %s, %s, %s, UTC_TIMESTAMP())",
                        rows,
                    )
                if erased:
                    # An erasure keeps nothing that could be brought back.
                    cursor.execute(
                        f"DELETE FROM {self._table} WHERE object_id IN %s AND kind IN ('created', 'changed')", (erased,)
                    )
            connection.commit()
        except pymysql.err.MySQLError as error:
            raise StoreUnavailable(
                f"what was replaced cannot be kept for undo: {error.args[-1]}",
                hint="the contacts are written; the next pass looks at them again",
            ) from error


def _create(new: NewContact) -> Item:
    return {
        "person": new.person, "op": "create", "contact_id": 0, "email": new.email, "status": new.status,
        "created": new.created, "columns": new.columns, "fields": new.fields, "tags_add": list(new.tags),
        "lists_add": list(new.lists),
    }  # fmt: skip


def _update(change: Change) -> Item:
    patch = change.patch
    return {
        "person": change.person, "op": "update", "contact_id": patch.contact_id, "email": change.email,
        "columns": {name: new for name, (_, new) in patch.columns.items()},
        "fields": {slug: new for slug, (_, new) in patch.fields.items()},
        # FluentCRM has both NULL and 0 for "no account", which we read as '': nothing to compare then.
        "old_columns": {name: old for name, (old, _) in patch.columns.items() if old or name != "user_id"},
        "old_fields": {slug: old.value if old else "" for slug, (old, _) in patch.fields.items()},
        "tags_add": patch.tags_add, "tags_remove": patch.tags_remove, "lists_add": patch.lists_add,
        "lists_remove": patch.lists_remove, "move_to": change.move_to,
    }  # fmt: skip


def _outcome(item: Mapping[str, Any], answer: ContactOutcome | None) -> Outcome:
    person = item["person"]
    if answer is None:
        return Outcome(person=person, state="refused", reason="no_answer")
    contact_id = answer.contact_id or item["contact_id"]
    if answer.state == "done" and contact_id:
        return Outcome(person=person, state="done", contact_id=contact_id)
    if answer.state == "raced":
        return Outcome(person=person, state="raced")
    return Outcome(person=person, state="refused", reason=f"bridge_{answer.reason or answer.state}"[:60])


def _parts(entries: Sequence[tuple[Entry, Item]]) -> Iterator[list[tuple[Entry, Item]]]:
    part: list[tuple[Entry, Item]] = []
    size = 0
    for entry in entries:
        length = len(_encode(entry[1])) + 1
        if part and (len(part) >= MOST_ITEMS or size + length > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(entry)
        size += length
    if part:
        yield part
