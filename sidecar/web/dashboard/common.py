"""What the pages share: reading what stands in URLs and forms, and putting names to ids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from flask import request

from sidecar.errors import UsageError
from sidecar.events.monitor import Event
from sidecar.store.names import Ref
from sidecar.web.context import runtime
from sidecar.web.dashboard import words
from sidecar.web.routes import MOST_ID

_THINGS: dict[str, Any] = {
    "order": "order",
    "customer": "customer",
    "product": "product",
    "contact": "contact",
    "email": "contact",
}


def notice() -> str:
    """What the last form did, as a code that has a word; '' for anything else that stands in the URL."""
    code = request.args.get("notice", "")
    return code if code in words.known("notice") else ""


def after() -> int:
    """Where a page of rows begins; 0 for the first page and for what is no number."""
    return number(request.args.get("after", "")) or 0


def number(text: str) -> int | None:
    """An id as typed, None for anything else."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= MOST_ID else None


def field(name: str) -> int:
    """An id of a form. Raises UsageError."""
    found = number(request.form.get(name, ""))
    if found is None or found < 1:
        raise UsageError(f"{name} must be a number")
    return found


class EventRow(msgspec.Struct, kw_only=True):
    """An event as a page shows it. `thing` is `#17` or '', `name` and `contact` what they are called now."""

    at: float
    family: str
    words: str
    detail: str
    thing: str
    name: str
    contact_id: int | None
    contact: str
    outcome: str
    reason: str


def event_rows(events: list[Event]) -> list[EventRow]:
    """Events with names, which are asked of the shop now: no state keeps them."""
    names = runtime().names(set(_refs(events)))
    rows = []
    for event in events:
        about = _about(event)
        rows.append(
            EventRow(
                at=event.at / 1000, family=event.family, words=words.say("topic", event.topic), detail=_detail(event),
                thing=f"#{event.object_id}" if event.object_id else "",
                name=(names.get(about, "") if about else "") or event.label,
                contact_id=event.contact_id,
                contact=names.get(("contact", event.contact_id), "") if event.contact_id else "",
                outcome=event.outcome, reason=event.reason,
            )
        )  # fmt: skip
    return rows


def _refs(events: Iterable[Event]) -> Iterable[Ref]:
    for event in events:
        about = _about(event)
        if about is not None:
            yield about
        if event.contact_id:
            yield ("contact", event.contact_id)


def _about(event: Event) -> Ref | None:
    kind = _THINGS.get(event.family)
    return (kind, event.object_id) if kind and event.object_id else None


def _detail(event: Event) -> str:
    """`pending>processing` → `pending → processing`; a hash of an erased person says nothing to people."""
    return "" if event.topic == "person.erased" else event.detail.replace(">", " → ")
