"""Steps that do something to the world, as wishes. Pure: texts come from outside.

A wish's key is the same whenever the step is done again: from the enrolment and the step, under the state's own secret, with what
tells an enrolment of a lost state from a new one of the same number.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from sidecar.automations.about import about
from sidecar.automations.effects import ContactWish, CouponWish, HookWish, NoteWish
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.model import Coupon, Note, SetField, Tagged, Ticket, Webhook
from sidecar.automations.steps.moves import Walk
from sidecar.automations.wares import goods
from sidecar.state.database import State

Wish = ContactWish | CouponWish | NoteWish | HookWish


def key(state: State, one: Enrolment, step: str) -> str:
    """32 hex digits."""
    return state.key(f"wish/{one.id}/{one.person_id}/{one.entered}/{one.subject}/{step}").hex()


def code(state: State, one: Enrolment, step: Coupon) -> str:
    """A coupon's code: nobody guesses it, and there is no I, O, 0 or 1 in it to misread."""
    digest = state.key(f"coupon/{key(state, one, step.id)}")
    return step.prefix + base64.b32encode(digest)[:10].decode().translate(_CLEAR)


_CLEAR = str.maketrans("IO", "89")


def templates(step: object) -> list[str]:
    """What has to be put into words before the wish."""
    if isinstance(step, SetField):
        return [step.value]
    if isinstance(step, Note | Ticket):
        return [step.subject if isinstance(step, Ticket) else step.title, step.body]
    if isinstance(step, Webhook):
        # What somebody has not is '': there is no place in a name for what to say instead.
        return [f'{{{{ {name}|default("") }}}}' for name in step.fields]
    return []


def contact(step: Tagged | SetField, walk: Walk, state: State, texts: Sequence[str]) -> ContactWish:
    """Tags and fields of the contact."""
    known = walk.known.contact
    wish = ContactWish(
        key=key(state, walk.one, step.id), person_id=walk.one.person_id, contact_id=known.id if known else 0
    )
    if isinstance(step, SetField):
        return ContactWish(
            key=wish.key, person_id=wish.person_id, contact_id=wish.contact_id, fields={step.field: texts[0]}
        )
    return ContactWish(
        key=wish.key, person_id=wish.person_id, contact_id=wish.contact_id, add=step.add, remove=step.remove
    )


def note(step: Note | Ticket, walk: Walk, state: State, texts: Sequence[str]) -> NoteWish:
    """A note on the contact, or a ticket."""
    known = walk.known.contact
    ticket = isinstance(step, Ticket)
    return NoteWish(
        key=key(state, walk.one, step.id), contact_id=known.id if known else 0, title=texts[0], body=texts[1],
        ticket=ticket, priority=step.priority if isinstance(step, Ticket) else "normal",
        order_id=about(walk.one.subject).order,
    )  # fmt: skip


def hook(step: Webhook, walk: Walk, state: State, texts: Sequence[str]) -> HookWish:
    """What another program is told. Ids; what is personal only where the owner asks for it by `fields`."""
    one, known = walk.one, walk.known.contact
    return HookWish(
        key=key(state, one, step.id), url=step.url,
        data={
            "automation": walk.spec.name, "step": step.id, "enrolment": one.id, "entered": one.entered,
            "subject": one.subject, "contact": known.id if known else 0,
            "coupon": next(reversed(one.data.coupons.values()), ""),
            "fields": dict(zip(step.fields, texts, strict=True)),
        },
    )  # fmt: skip


def coupon(step: Coupon, walk: Walk, state: State, code_: str, expires: int) -> CouponWish:
    """A coupon of the person's own."""
    known = walk.known.contact
    return CouponWish(
        key=key(state, walk.one, step.id), code=code_, kind=step.kind, amount=step.amount, expires=expires,
        minimum=step.minimum, free_shipping=step.free_shipping,
        email=known.email if step.bound and known else "",
        products=goods(walk.one.subject, walk.known) if step.only_products else (), automation=walk.spec.name,
    )  # fmt: skip
