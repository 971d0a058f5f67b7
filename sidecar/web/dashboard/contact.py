"""The contact page: one person, 360°."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _

from sidecar.people.model import Facts
from sidecar.store.names import Ref
from sidecar.web.context import runtime
from sidecar.web.dashboard import common, render
from sidecar.web.errors import Error

EVENTS = 20
MOST = 15


def show(contact_id: int, error: Error | None = None, code: int = 200) -> Response:
    """The page of a contact. Raises NotFound when there is none, or nobody of the shop is behind it."""
    shop = runtime()
    found = shop.contact(contact_id)
    facts = shop.facts(contact_id) or Facts()
    me: Ref = ("contact", contact_id)
    acts = [act for act in found.acts if act.kind == "view"][:MOST]
    products: list[Ref] = [("product", id_) for id_ in facts.products]
    viewed: list[Ref] = [("product", act.object_id) for act in acts]
    names = shop.names({me, *products, *viewed})
    return render.fragment(
        "contact.html", status=code, view="contact", notice=common.notice(), error=error, found=found,
        name=names.get(me, ""), explanation=found.explanation, facts=found.explanation.facts,
        events=common.event_rows(found.events[:EVENTS]),
        products=_most((names.get(ref) or facts.lost_products.get(ref[1]) or f"#{ref[1]}", facts.products[ref[1]]) for ref in products),
        categories=_most(facts.categories.items()),
        viewed=[(names.get(("product", act.object_id)) or f"#{act.object_id}", act.at / 1000) for act in acts],
        origin=(
            (_("Source"), facts.last_touch.source), (_("Medium"), facts.last_touch.medium),
            (_("Campaign"), facts.last_touch.campaign), (_("Device"), facts.last_touch.device),
            (_("First source"), facts.first_touch.source), (_("First campaign"), facts.first_touch.campaign),
        ),
    )  # fmt: skip


def _most(counted: object) -> list[tuple[str, int]]:
    return sorted(dict(counted).items(), key=lambda row: (-row[1], row[0]))[:MOST]  # type: ignore[call-overload]
