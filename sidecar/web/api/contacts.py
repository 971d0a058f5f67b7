"""`/api/v1/contacts/<id>`: one contact, 360°."""

from __future__ import annotations

import msgspec

from sidecar.people.model import Facts
from sidecar.sync.contact import Contact360
from sidecar.web.context import runtime
from sidecar.web.routes import CONTACT, Noun

noun = Noun("contacts")


class ContactView(msgspec.Struct, kw_only=True):
    """A contact, and the facts as the last sync left them (money in micros, times in Unix seconds; null: not synced)."""

    contact: Contact360
    facts: Facts | None


@noun.get_(CONTACT, may="contact", answers=ContactView)
def contact(contact_id: int) -> ContactView:
    """Orders with refunds, money, products, consent, events, and why each field has its value. 404 for nobody."""
    return ContactView(contact=runtime().contact(contact_id), facts=runtime().facts(contact_id))
