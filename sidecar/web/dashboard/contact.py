"""The contact page: one person, 360°."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _

from sidecar.errors import NotFound
from sidecar.web.context import runtime
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error

EVENTS = 20


def show(contact_id: int, error: Error | None = None, code: int = 200) -> Response:
    """The page of a contact. Raises NotFound when FluentCRM has none with that id."""
    shop = runtime()
    found = shop.contact(contact_id)
    try:
        explanation = shop.explain(contact_id)
    except NotFound:
        explanation = None
    return render.fragment(
        "contact.html", status=code, view="contact", notice=common.notice(), error=error, found=found,
        explanation=explanation, events=common.event_rows(found.events[:EVENTS]),
        attribution=(
            (_("Source"), found.facts["utm_source"]), (_("Medium"), found.facts["utm_medium"]),
        ),
    )  # fmt: skip
