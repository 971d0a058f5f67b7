"""Reading contacts: by the e-mail identities and ids of a page of people, with fields, tags and lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sidecar.crm.model import LIST, TAG, Contact, FieldValue
from sidecar.mysql.connection import Reader
from sidecar.mysql.queries import get
from sidecar.values import email as emails

_HEAD = 5
_COLUMNS = get("contacts_by_id").columns[_HEAD:]


class Found:
    """Contacts of a page of people. `clashes` are identities whose address FluentCRM's accent-insensitive
    index takes for another contact's: {identity: that contact's id}."""

    def __init__(self) -> None:
        self.by_identity: dict[str, Contact] = {}
        self.by_id: dict[int, Contact] = {}
        self.clashes: dict[str, int] = {}


def read(reader: Reader, identities: Sequence[str], ids: Iterable[int] = ()) -> Found:
    """The contacts of these identities, and those with these ids whatever their address is now."""
    found = Found()
    rows = reader.page("contacts_by_email", emails=identities) if identities else []
    have = {row[0] for row in rows}
    rest = sorted(set(ids) - have)
    if rest:
        rows += reader.page("contacts_by_id", ids=rest)
    if not rows:
        return found
    for row in rows:
        contact = Contact(
            id=row[0],
            email=row[1],
            user_id=row[2],
            status=row[3],
            updated=row[4] or "",
            columns={name: cell or "" for name, cell in zip(_COLUMNS, row[_HEAD:], strict=True)},
        )
        contact.columns["user_id"] = str(row[2] or "")
        found.by_id[contact.id] = contact
        identity = emails.identity(contact.email)
        if identity is not None:
            found.by_identity[identity] = contact
    everyone = sorted(found.by_id)
    for row_id, contact_id, slug, value, updated in reader.page("contacts_fields", ids=everyone):
        fields = found.by_id[contact_id].fields
        old = fields.get(slug)
        # No unique key: FluentCRM itself reads the first row.
        if old is None or row_id < old.row_id:
            fields[slug] = FieldValue(row_id, value or "", updated or "")
    for contact_id, object_id, type_ in reader.page("contacts_terms", ids=everyone, types=[TAG, LIST]):
        contact = found.by_id[contact_id]
        (contact.tags if type_ == TAG else contact.lists).add(object_id)
    folded = {emails.fold(identity): contact.id for identity, contact in found.by_identity.items()}
    for identity in identities:
        if identity not in found.by_identity:
            other = folded.get(emails.fold(identity))
            if other is not None:
                found.clashes[identity] = other
    return found
