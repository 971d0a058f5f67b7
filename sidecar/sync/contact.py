"""One FluentCRM contact with all that is known of it: the 360° view of the Sidecar tab."""

from __future__ import annotations

import msgspec

from sidecar.config import Config
from sidecar.crm import contacts
from sidecar.errors import NotFound
from sidecar.events import activity, monitor, refusals
from sidecar.events.activity import Act
from sidecar.events.monitor import Event
from sidecar.mapping.compiled import Mapping
from sidecar.mysql.connection import Reader
from sidecar.people import consents
from sidecar.state.database import State
from sidecar.sync.explain import Explanation
from sidecar.sync.explain import explain as explain_address

_EVENTS = 50


class ConsentWord(msgspec.Struct, kw_only=True, frozen=True):
    """One line of the record of consent. `at` is Unix seconds UTC."""

    channel: str
    state: str
    source: str
    wording: str
    at: int


class Contact360(msgspec.Struct, kw_only=True):
    """A contact. `explanation` has facts, orders, fields and tags, each with its why; `acts` are views and carts."""

    contact_id: int
    person_id: int | None
    explanation: Explanation
    consent: list[ConsentWord]
    events: list[Event]
    acts: list[Act]


def read(config: Config, state: State, mapping: Mapping, contact_id: int) -> Contact360:
    """Raises NotFound when there is no such contact, or nobody of the shop is behind it."""
    explanation = explain(config, state, mapping, contact_id)
    rows = state.rows("SELECT id, key FROM person WHERE contact_id = ?", (contact_id,))
    people = [row[0] for row in rows]
    person = people[0] if people else None
    consent = [
        ConsentWord(channel=channel, state=word.state, source=word.source, wording=word.wording, at=word.at)
        for channel, word in (consents.history(state, person) if person is not None else ())
    ]
    consent += [
        ConsentWord(channel="cart", state="refused", source="checkout", wording="", at=at)
        for at in refusals.since(state, [row[1] for row in rows]).values()
    ]
    return Contact360(
        contact_id=contact_id,
        person_id=person,
        explanation=explanation,
        consent=consent,
        events=monitor.page(state, limit=_EVENTS, person_ids=people),
        acts=activity.of_person(state, person) if person is not None else [],
    )


def explain(config: Config, state: State, mapping: Mapping, contact_id: int) -> Explanation:
    """Why a contact's fields have their values; see `explain.explain`. Raises NotFound."""
    with Reader(config) as reader:
        found = contacts.read(reader, (), [contact_id]).by_id.get(contact_id)
    if found is None:
        raise NotFound(f"there is no contact {contact_id}")
    return explain_address(config, state, mapping, found.email)
