"""What the state knows of the person behind a contact, for pages that need no look at the shop."""

from __future__ import annotations

import msgspec

from sidecar.people.model import Facts
from sidecar.state.database import State

_facts = msgspec.json.Decoder(Facts).decode


def facts(state: State, contact_id: int) -> Facts | None:
    """The facts as the last look left them; None when nobody known is behind the contact."""
    rows = state.rows(
        "SELECT d.facts FROM person p JOIN person_doc d ON d.person_id = p.id WHERE p.contact_id = ? ORDER BY p.id LIMIT 1",
        (contact_id,),
    )
    return _facts(rows[0][0]) if rows else None
