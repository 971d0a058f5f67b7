"""Taking a run back: exactly the contacts, fields and tags that it changed and that nobody has changed since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pymysql

from sidecar.crm import contacts
from sidecar.crm.batch import Batch, Change
from sidecar.crm.fields import entries_of
from sidecar.crm.model import LIST, TAG, Contact, FieldValue, Patch, UndoDetail
from sidecar.crm.segment_tags import SEGMENT, SEGMENT_FIELD
from sidecar.crm.writer_sql import Writer
from sidecar.crm.written import Written, digest, unpack
from sidecar.crm.written import name as key
from sidecar.errors import CrmRefused, NotFound
from sidecar.mysql.connection import Reader
from sidecar.values import php

_PAGE = 500


class Result(msgspec.Struct, kw_only=True):
    """What an undo did. `kept` counts contacts that stay because somebody has changed them since."""

    restored: int = 0
    removed: int = 0
    kept: int = 0
    terms_removed: int = 0
    fields_removed: int = 0
    contact_ids: list[int] = []


def undo(reader: Reader, writer: Writer, run_id: int) -> Result:
    """Undo a run. What is undone leaves the undo table, so doing it twice does nothing more.

    Raises NotFound when there is nothing (any more) to undo of that run.
    """
    try:
        first = reader.page("undo_page", run=run_id, after=0, limit=1)
    except pymysql.err.ProgrammingError:
        first = []
    if not first:
        raise NotFound(
            f"there is nothing to undo of run {run_id}",
            hint="`sidecar sync status` lists the runs; what they replaced is kept for [sync] undo_days",
        )
    result = Result()
    follows = _follows(reader)
    after = 0
    made: list[tuple[int, str, int, str]] = []
    while rows := reader.page("undo_page", run=run_id, after=after, limit=_PAGE):
        rows.sort()
        after = rows[-1][0]
        made += [(row[0], row[1], row[2], row[3]) for row in rows if row[1] not in ("created", "changed")]
        rows = [row for row in rows if row[1] in ("created", "changed")]
        _contacts(reader, writer, rows, result, follows)
    for row_id, kind, object_id, slug in reversed(made):
        _made(reader, writer, kind, object_id, slug, result)
        _forget(writer, [row_id])
    return result


class _Follows(msgspec.Struct, frozen=True):
    """What contacts have because of their segments: it says nothing about who touched them."""

    tags: frozenset[int]
    fields: frozenset[str]


def _follows(reader: Reader) -> _Follows:
    owned = reader.rows("owned_all")
    return _Follows(
        frozenset(row[1] for row in owned if row[0] == SEGMENT),
        frozenset(row[2] for row in owned if row[0] == SEGMENT_FIELD),
    )


def _contacts(reader: Reader, writer: Writer, rows: Sequence[Sequence[Any]], result: Result, follows: _Follows) -> None:
    # One contact may stand twice in a run (a retry): newest first.
    ids = sorted({row[2] for row in rows})
    found = contacts.read(reader, (), ids).by_id if ids else {}
    for row_id, kind, contact_id, text in reversed(rows):
        contact = found.get(contact_id)
        if contact is not None:
            if kind == "created":
                status, written = _made_of(text)
                gone = _untouched(contact, status, written, follows)
                if gone:
                    _delete(writer, contact)
                    result.removed += 1
                else:
                    patch = _taken_back(contact, written)
                    writer.write(Batch(changes=[Change(person=0, patch=patch)]))
                    result.kept += 1
            else:
                detail = msgspec.json.decode(text, type=UndoDetail)
                patch, moved = _restored(contact, detail)
                if patch or moved:
                    outcome = writer.write(
                        Batch(
                            changes=[Change(person=0, patch=patch, move_to=moved, email=contact.email if moved else "")]
                        )
                    )
                    result.restored += outcome[0].state == "done"
            result.contact_ids.append(contact_id)
            found.update(contacts.read(reader, (), [contact_id]).by_id)
        _forget(writer, [row_id])


def _made_of(text: str) -> tuple[str, Written]:
    """(status, what was written) of a contact that a run made; an older sidecar kept the digests as an object."""
    status, written = msgspec.json.decode(text, type=tuple[str, msgspec.Raw])
    raw = bytes(written)
    return status, unpack(raw if raw.startswith(b"{") else msgspec.json.decode(raw, type=bytes))


def _untouched(contact: Contact, status: str, written: Written, follows: _Follows) -> bool:
    """Whether a contact is still just as the run made it."""
    return (
        contact.status == status
        and written.c.items() <= {key(name): digest(value) for name, value in contact.columns.items()}.items()
        and {key(slug): digest(row.value) for slug, row in contact.fields.items() if slug not in follows.fields}
        == written.f
        and sorted(contact.tags - follows.tags) == written.t
        and sorted(contact.lists) == written.l
    )


def _taken_back(contact: Contact, written: Written) -> Patch:
    """The contact stays; fields and tags of the run that nobody touched go."""
    return Patch(
        contact_id=contact.id,
        fields={
            slug: (row, "") for slug, row in contact.fields.items() if written.f.get(key(slug)) == digest(row.value)
        },
        tags_remove=[tag for tag in written.t if tag in contact.tags],
        lists_remove=[list_ for list_ in written.l if list_ in contact.lists],
    )


def _restored(contact: Contact, detail: UndoDetail) -> tuple[Patch, str]:
    patch = Patch(contact_id=contact.id)
    for name, old in detail.c.items():
        current = contact.columns.get(name, "")
        if current != old.value and (digest(current) if current else 0) == old.new:
            patch.columns[name] = (current, old.value)
    for slug, old in detail.f.items():
        row: FieldValue | None = contact.fields.get(slug)
        current = row.value if row else ""
        if current != old.value and (digest(current) if current else 0) == old.new:
            patch.fields[slug] = (row, old.value)
    patch.tags_remove = [tag for tag in detail.ta if tag in contact.tags]
    patch.tags_add = [tag for tag in detail.tr if tag not in contact.tags]
    patch.lists_remove = [list_ for list_ in detail.la if list_ in contact.lists]
    patch.lists_add = [list_ for list_ in detail.lr if list_ not in contact.lists]
    moved = detail.moved[0] if detail.moved and contact.email == detail.moved[1] else ""
    return patch, moved


def _delete(writer: Writer, contact: Contact) -> None:
    outcome = writer.write(Batch(erase=[(0, contact.id)]))
    if outcome[0].state != "done":
        raise CrmRefused(f"contact {contact.id} cannot be taken away ({outcome[0].reason})")


def _forget(writer: Writer, ids: Sequence[int]) -> None:
    connection, prefix = writer.connection, writer.prefix
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM `{prefix}fcsc_undo` WHERE id IN %s", (list(ids),))
    connection.commit()


def _made(reader: Reader, writer: Writer, kind: str, object_id: int, slug: str, result: Result) -> None:
    """A tag, list or field that the run made goes when nobody uses it."""
    connection, prefix = writer.connection, writer.prefix
    with connection.cursor() as cursor:
        if kind == "field":
            used = cursor.execute(
                f"SELECT 1 FROM `{prefix}fc_subscriber_meta` WHERE object_type = 'custom_field' AND `key` = %s LIMIT 1",
                (slug,),
            )
            rows = reader.rows("fields_definitions")
            if used or not rows:
                return
            entries = entries_of(php.loads(rows[0][1]))
            left = [entry for entry in entries if entry.get("slug") != slug]
            if len(left) == len(entries):
                return
            cursor.execute(
                f"UPDATE `{prefix}fc_meta` SET value = %s WHERE id = %s AND BINARY value = BINARY %s",
                (php.dumps(left), rows[0][0], rows[0][1]),
            )
            result.fields_removed += 1
        else:
            type_, table = (TAG, "fc_tags") if kind == "tag" else (LIST, "fc_lists")
            if cursor.execute(
                f"SELECT 1 FROM `{prefix}fc_subscriber_pivot` WHERE object_id = %s AND object_type = %s LIMIT 1",
                (object_id, type_),
            ):
                return
            cursor.execute(f"DELETE FROM `{prefix}{table}` WHERE id = %s", (object_id,))
            result.terms_removed += 1
        cursor.execute(
            f"DELETE FROM `{prefix}fcsc_owned` WHERE kind = %s AND object_id = %s AND slug = %s",
            (kind, object_id, slug[:150]),
        )
    connection.commit()
