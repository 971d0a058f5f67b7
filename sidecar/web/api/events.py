"""`/api/v1/events`: what happened in the shop and in FluentCRM, and what became of it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from sidecar.events.monitor import Event
from sidecar.web.context import runtime
from sidecar.web.routes import Noun, Page, Paging

noun = Noun("events")


class EventsQuery(Paging):
    """`type` is a family (order, customer, product, cart, contact, email, consent) or one topic; '' for all."""

    type: Annotated[str, Meta(max_length=40, pattern=r"^[a-z_.]*$")] = ""


@noun.get_("", may="see", answers=list[Event], query=EventsQuery, paged=True)
def events(query: EventsQuery) -> Page[list[Event]]:
    """Events, the newest first. Ids only; what they are called is asked of the shop."""
    found = runtime().events(query.type, query.after, query.limit)
    return Page(data=found, next=found[-1].id if len(found) == query.limit else None)
