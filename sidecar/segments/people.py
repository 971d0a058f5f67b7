"""The people of a segment as others may see them: masked, by pages. What FluentCRM has of them is asked of it, not kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.values.masking import mask_email

_FIRST = 2**62


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A contact whose address is not told: j•••@g•••.com."""

    contact_id: int
    email: str

    def __str__(self) -> str:
        return f"{self.contact_id} {self.email}".strip()


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a segment. `id` is for paging; money in micros, `since` in Unix seconds."""

    id: int
    contact_id: int
    email: str
    orders: int
    ltv: int
    since: int


def page(state: State, reader: Reader, slug: str, after: int, limit: int) -> list[Member]:
    """People of a segment, the last made first: those below `after` (0: from the first)."""
    rows = state.rows(
        "SELECT m.person_id, p.contact_id, t.orders_count, t.ltv, m.since FROM membership m"
        " JOIN trait t ON t.person_id = m.person_id JOIN person p ON p.id = m.person_id"
        " WHERE m.segment = ? AND m.person_id < ? AND p.contact_id IS NOT NULL ORDER BY m.person_id DESC LIMIT ?",
        (slug, after or _FIRST, limit),
    )
    masked = _masked(reader, [row[1] for row in rows])
    return [
        Member(id=id_, contact_id=contact, email=masked.get(contact, ""), orders=orders, ltv=ltv, since=since)
        for id_, contact, orders, ltv, since in rows
    ]


def samples(reader: Reader, contacts: Sequence[int]) -> list[Sample]:
    """These contacts, masked; whoever is gone has no address."""
    masked = _masked(reader, contacts)
    return [Sample(contact_id=id_, email=masked.get(id_, "")) for id_ in contacts]


def shown(reader: Reader, contacts: Sequence[int]) -> dict[int, list[Any]]:
    """{id: [e-mail, first name, last name, phone, country, status]} in the clear, texts that are not there ''."""
    if not contacts:
        return {}
    return {row[0]: [text or "" for text in row[1:]] for row in reader.page("contacts_shown", ids=list(contacts))}


def _masked(reader: Reader, contacts: Sequence[int]) -> dict[int, str]:
    return {id_: mask_email(row[0]) for id_, row in shown(reader, contacts).items()}
