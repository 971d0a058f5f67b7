"""A message as somebody would get it now, without anything being sent, and without a coupon being made."""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from sidecar import clock
from sidecar.automations.messages import check, context, example, links, site
from sidecar.automations.messages.model import Item, Rendered
from sidecar.automations.messages.render import render
from sidecar.automations.model import Automation, OnCart, OnEvent, OnReorder, OnStock, OnViews, Send
from sidecar.config import Config
from sidecar.errors import NotFound
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store import schema

# Whose links an example has: nobody's, so that nobody is signed off by trying one.
_NOBODY = 2**31 - 1


class _Here(msgspec.Struct, frozen=True):
    config: Config
    state: State
    reader: Reader
    zone: tzinfo
    now: int


def preview(
    config: Config, state: State, automation: Automation, step_id: str, language: str, contact_id: int | None = None,
    *, standalone: bool = True,
) -> Rendered:  # fmt: skip
    """The message of a send step in a language; `problems` has what would refuse it. With a contact: as they are now, with the
    newest cart, order or product of theirs that the automation could be about. Else with an example. `standalone`: see `render`.

    Raises NotFound when there is no such send step or no such person, StoreUnavailable without the shop.
    """
    step = automation.step(step_id)
    if not isinstance(step, Send):
        raise NotFound(f"{automation.name} has no message {step_id!r}", hint=f"it has {', '.join(_sends(automation))}")
    with Reader(config) as reader:
        info = schema.probe(reader, config.people.paid_statuses)
        here = _Here(config, state, reader, info.zone, int(clock.now().timestamp()))
        shop = site.load(reader)
        key = links.key_of(reader)
        made = example.context(shop.shop, language, here.now, info.zone)
        if contact_id is not None:
            person = _person(state, contact_id)
            item = Item(id=0, person_id=person, contact_id=contact_id, subject=newest(state, automation, person))
            real = context.load(here, [item])[0]
            # A preview makes no coupon: the example's stands for it.
            made = msgspec.structs.replace(real, coupon=made.coupon)
    rendered = render(
        step, made, language, links.Links(home=shop.shop.url, key=key, now=here.now, contact=contact_id or _NOBODY,
        survey=config.automations.survey_url), standalone=standalone,
    )  # fmt: skip
    return msgspec.structs.replace(rendered, problems=tuple(check.problems(rendered, step)))


def _sends(automation: Automation) -> list[str]:
    return [step.id for step in automation.steps if isinstance(step, Send)] or ["none"]


def _person(state: State, contact_id: int) -> int:
    rows = state.rows("SELECT id FROM person WHERE contact_id = ? ORDER BY id LIMIT 1", (contact_id,))
    if not rows:
        raise NotFound(f"the sidecar knows no contact {contact_id}", hint="its id is in FluentCRM's address bar")
    return int(rows[0][0])


def newest(state: State, automation: Automation, person: int) -> str:
    """The newest thing of the person that such an automation is about; '' when there is none."""
    trigger = automation.trigger
    query = ""
    if isinstance(trigger, OnCart):
        query = (
            "SELECT 'cart:' || object_id FROM activity WHERE person_id = ? AND kind IN ('cart', 'checkout')"
            " AND object_id > 0 ORDER BY at DESC LIMIT 1"
        )
    elif isinstance(trigger, OnViews | OnStock):
        query = (
            "SELECT 'product:' || object_id FROM activity WHERE person_id = ? AND kind = 'view' AND object_id > 0"
            " ORDER BY at DESC LIMIT 1"
        )
    elif isinstance(trigger, OnReorder):
        query = "SELECT 'product:' || product FROM reorder WHERE person_id = ? AND product > 0 ORDER BY last_order DESC LIMIT 1"
    elif isinstance(trigger, OnEvent) and trigger.topic.startswith(("order.", "payment.", "checkout.")):
        query = "SELECT 'order:' || id FROM shop_order WHERE person_id = ? ORDER BY created DESC, id DESC LIMIT 1"
    rows = state.rows(query, (person,)) if query else []
    return str(rows[0][0]) if rows else ""
