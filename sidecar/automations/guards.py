"""What keeps a step from being done, asked when it is due and never before. Pure: facts in, a verdict or None out.

They are asked in the order in which they stand here, and the first one that objects decides; its `reason` is a name of REASONS, which
"why did they not get it" shows. Before all of them: nothing runs at all while the owner has paused the sidecar, while the site is
on hold as a clone, while an import is at work, and of an automation that is off.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from sidecar.automations import moments
from sidecar.automations.about import about
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.known import CONSENT_OF, DRAFTS, NOT_PLACED, STATUSES, UNPAID, Cart, Known, Purchase, Ware
from sidecar.automations.model import AnyStep, Automation, ChannelName, Exit, Goal, OnCart, Send
from sidecar.automations.reasons import REASONS as REASONS
from sidecar.segments import evaluate
from sidecar.segments.evaluate import Moment

Kind = Literal["goal", "exit", "skip", "wait", "fail"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """An objection. goal and exit end the enrolment, skip leaves the step out, wait tries again at `until` (Unix seconds)."""

    kind: Kind
    reason: str
    until: int = 0


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """What guards ask besides the person: `paid` statuses, the caps and quiet hours of [automations], what rules go by."""

    at: Moment
    paid: frozenset[str]
    cap_day: int = 2
    cap_week: int = 4
    quiet_from: str = "21:00"
    quiet_to: str = "09:00"


_DAY_MS = 86_400_000


# --- of every step: whether it goes on at all --------------------------------------------------------------------


def ended(one: Enrolment, spec: Automation, known: Known, shop: Shop) -> Verdict | None:
    """Whether the enrolment ends before its next step."""
    if known.suppressed:
        return Verdict(kind="exit", reason="suppressed")
    if known.contact is None:
        return Verdict(kind="exit", reason="no_contact")
    if about(one.subject).order and (known.order is None or known.order.status in DRAFTS):
        return Verdict(kind="exit", reason="gone")  # thrown away, or deleted: nobody is to hear of it
    if known.order is not None and not known.order.theirs:
        return Verdict(kind="exit", reason="not_theirs")
    return goal(one, spec.goal, known, shop) or purchase(spec, known, shop) or exits(one, spec.exits, known, shop)


def goal(one: Enrolment, wanted: Goal, known: Known, shop: Shop) -> Verdict | None:
    """Whether what it is for has happened since they entered, by the orders as they are now and by what was told. The order that they
    entered with is no success, unless it is the one that counts."""
    if not wanted.topics:
        return None
    mine = about(one.subject)
    orders = _orders(known, mine.order, wanted.same_order)
    if wanted.same_product:
        products = {mine.product, mine.sub if mine.product else 0} - {0}
        products |= set(known.cart.wares) if known.cart else set()
        products |= known.order.products if known.order and not wanted.same_order else set()
        orders = [order for order in orders if products & order.products]
    reached = any(_is(topic, (), order, shop) for topic in wanted.topics for order in orders)
    if reached or (not wanted.same_product and _told(one, wanted.topics, (), wanted.same_order, known)):
        return Verdict(kind="goal", reason="goal")
    return None


def _orders(known: Known, order: int, same: bool) -> list[Purchase]:
    """The orders that count: the one it is about, or all others since."""
    if same:
        return [known.order] if known.order else []
    return [each for each in known.purchases if each.id != order]


def purchase(spec: Automation, known: Known, shop: Shop) -> Verdict | None:
    """A cart is over with any order of the person since, whatever its file says: paid or on the way to it it was bought, unpaid
    it is for the payment reminder."""
    if not isinstance(spec.trigger, OnCart):
        return None
    placed = [order for order in known.purchases if order.status not in NOT_PLACED]
    if any(order.status not in UNPAID for order in placed):
        return Verdict(kind="goal", reason="bought")
    if any(order.status in UNPAID for order in known.purchases):
        return Verdict(kind="exit", reason="awaiting_payment")
    return None


def exits(one: Enrolment, wanted: Sequence[Exit], known: Known, shop: Shop) -> Verdict | None:
    """Whether it ends without success."""
    own = about(one.subject).order
    for exit_ in wanted:
        orders = _orders(known, own, exit_.same_order)
        # What becomes of the order it is about is an exit in any case.
        by_status = [known.order, *orders] if known.order else orders
        if any(
            _is(topic, exit_.to, order, shop)
            for topic in exit_.topics
            for order in (by_status if topic == "order.status" else orders)
        ):
            return Verdict(kind="exit", reason="exit")
        if _told(one, exit_.topics, exit_.to, exit_.same_order, known):
            return Verdict(kind="exit", reason="exit")
        if exit_.rule is not None and known.subject is not None and evaluate.member(exit_.rule, known.subject, shop.at):
            return Verdict(kind="exit", reason="exit")
    return None


def _is(topic: str, to: Collection[str], order: Purchase, shop: Shop) -> bool:
    """Whether an order is now as a topic says that it became."""
    if topic == "order.paid":
        return order.status in shop.paid
    if topic in ("order.placed", "order.created"):
        return order.status not in NOT_PLACED
    if topic == "order.status":
        return bool(to) and order.status in to
    if topic == "order.failed":
        return order.status == "failed"
    return False


def _told(one: Enrolment, topics: Collection[str], to: Collection[str], same_order: bool, known: Known) -> bool:
    """Whether an event says so. Of orders being paid or placed the orders themselves are asked: an event may be of one that was
    cancelled since."""
    asked = {"order.paid", "order.placed", "order.created"}
    order = about(one.subject).order
    return any(
        event.topic in topics
        and event.topic not in asked
        and event.at >= one.entered
        and (event.at > one.entered or event.object_id != order)
        and (not to or event.topic not in STATUSES or event.detail.rpartition(">")[2] in to)
        and (not same_order or event.object_id == order)
        for event in known.events
    )


# --- of a step ----------------------------------------------------------------------------------------------------


def too_late(step: AnyStep, planned: int, now: int, shop: Shop) -> Verdict | None:
    """Whether its time is over for longer than it allows."""
    if step.late is not None and moments.after(planned, step.late, shop.at.zone) < now:
        return Verdict(kind="skip", reason="too_late")
    return None


def holdout(one: Enrolment) -> Verdict | None:
    """Whether they are only watched."""
    return Verdict(kind="skip", reason="holdout") if one.held else None


def consent(send: Send, channel: ChannelName, known: Known) -> Verdict | None:
    """Whether a message of this purpose may go by this channel. E-mail: by FluentCRM's status and the last word; the others by
    the last word alone, given for marketing, not withdrawn for service."""
    word = known.words.get(CONSENT_OF[channel], "")
    status = known.contact.status if known.contact else ""
    if channel == "email":
        if status != "subscribed" and (send.purpose == "marketing" or status != "transactional"):
            return Verdict(kind="skip", reason="no_consent")
        withdrawn = word == "withdrawn" and send.purpose == "marketing"
    else:
        withdrawn = word == "withdrawn"
        if not withdrawn and send.purpose == "marketing" and word != "given":
            return Verdict(kind="skip", reason="no_consent")
    return Verdict(kind="skip", reason="withdrawn") if withdrawn else None


def channel_of(send: Send, known: Known, providers: Collection[str]) -> ChannelName | Verdict:
    """The first channel by which the person may be reached, else why not by the first that could send."""
    found: list[Verdict] = []
    for channel in send.channels:
        if channel not in providers:
            found.append(Verdict(kind="skip", reason="no_provider"))
        elif not any(text.body if channel == "email" else text.short for text in send.texts.values()):
            found.append(Verdict(kind="skip", reason="no_text"))
        elif not known.addresses.get(channel):
            found.append(Verdict(kind="skip", reason="no_address"))
        elif objection := consent(send, channel, known):
            found.append(objection)
        else:
            return channel
    weight = {"withdrawn": 0, "no_consent": 1, "no_address": 2, "no_text": 3, "no_provider": 4}
    return min(found, key=lambda verdict: weight[verdict.reason], default=Verdict(kind="skip", reason="no_provider"))


def refusal(send: Send, one: Enrolment, known: Known) -> Verdict | None:
    """Whether they said no to reminders of carts: by the address, whatever device they come with, or in this cart."""
    said = known.refused or (known.cart is not None and known.cart.consent == "refused")
    if about(one.subject).cart and send.purpose == "marketing" and said:
        return Verdict(kind="skip", reason="cart_refused")
    return None


def offer(kind: str, known: Known) -> Verdict | None:
    """Whether this kind of offer does not fit a segment that they are in."""
    return Verdict(kind="skip", reason="unfit_offer") if kind and kind in known.unfit else None


def still(send: Send, one: Enrolment, known: Known, goods: Sequence[int], now: int) -> Verdict | None:
    """Whether what the message says is not so any more."""
    for word in send.still:
        wares = [known.wares[id_] for id_ in goods if id_ in known.wares]
        if word == "in_stock" and not any(ware.there and ware.in_stock for ware in wares):
            return Verdict(kind="skip", reason="out_of_stock")
        if word == "price" and not any(_as_cheap(ware, one.data.prices) for ware in wares):
            return Verdict(kind="skip", reason="price_up")
        if word == "cart_open" and not _open(known.cart, one.subject):
            return Verdict(kind="skip", reason="cart_gone")
        if word == "unpaid" and (known.order is None or known.order.status not in UNPAID):
            return Verdict(kind="skip", reason="not_unpaid")
        if word == "not_bought" and _bought(one, known, () if about(one.subject).order else goods):
            return Verdict(kind="skip", reason="bought")
        if word == "coupon" and (not one.data.coupons or known.spent or 0 < one.data.expires <= now):
            return Verdict(kind="skip", reason="no_coupon")
    return None


def _as_cheap(ware: Ware, before: dict[str, str]) -> bool:
    if not ware.there or ware.price is None:
        return False
    known = before.get(str(ware.id), "")
    return ware.on_sale or not known.isdigit() or ware.price <= int(known)


def _open(cart: Cart | None, subject: str) -> bool:
    if cart is None or cart.status not in ("open", "checkout") or not cart.wares:
        return False
    made = about(subject).sub
    return not made or not cart.made or made == cart.made


def _bought(one: Enrolment, known: Known, goods: Sequence[int]) -> bool:
    """Whether they have ordered it since; with nothing certain in the subject: whether they have ordered at all."""
    mine = about(one.subject)
    products = {*goods, mine.product, mine.sub} - {0} if mine.product else set(goods)
    placed = [order for order in known.purchases if order.status not in NOT_PLACED and order.id != mine.order]
    return any(not products or products & order.products for order in placed)


def quiet(send: Send, now: int, known: Known, shop: Shop) -> Verdict | None:
    """Whether marketing has to wait for the morning, by the person's clock where it is known."""
    if send.purpose != "marketing":
        return None
    until = moments.quiet_until(now, shop.quiet_from, shop.quiet_to, known.zone)
    return None if until is None else Verdict(kind="wait", reason="quiet_hours", until=until)


def cap(send: Send, channel: str, sent: Sequence[int], now: int, shop: Shop) -> Verdict | None:
    """Whether they got enough marketing by this channel within the last 24 hours or seven days, and from when on there may be
    more. `sent`: Unix ms, ascending."""
    if send.purpose != "marketing":
        return None
    until = 0
    for most, span in ((shop.cap_day, _DAY_MS), (shop.cap_week, 7 * _DAY_MS)):
        inside = [at for at in sent if at > now * 1000 - span]
        if most and len(inside) >= most:
            # Free again when the oldest of the last `most` is out of the span; a second later, for what is below a second. What
            # went in a future that a wrong clock showed holds nobody up for longer than a span.
            until = max(until, (min(inside[-most], now * 1000) + span) // 1000 + 1)
    return Verdict(kind="wait", reason="cap", until=until) if until else None
