"""What happens to people who are in automations: goals and exits end their way, and what they wait for wakes them.

Each event is looked at once, after the triggers have read it, so that who enters by an order that is paid at once is seen paid.
It is the quick way: before each message the engine asks the shop itself again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from sidecar.automations import enrolments, happenings, model, versions
from sidecar.automations.about import about
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.happenings import ORDER_PLACED, Happened
from sidecar.automations.known import STATUSES
from sidecar.people.model import OrderDoc
from sidecar.state.database import State

_FOLLOWED = "automations.followed"
_MOST = 500
# Of these a person has one after the other; all else that is told of an order is of interest to those who are in for it.
_PURCHASES = (ORDER_PLACED, "order.paid")
_document = msgspec.json.Decoder(OrderDoc).decode


class Ended(msgspec.Struct, kw_only=True):
    """How many ways ended, and how many who waited were woken. `more`: there is more to look at."""

    goals: int = 0
    exits: int = 0
    woken: int = 0
    more: bool = False


def follow(state: State, upto: int, now: int) -> Ended:
    """Look at the events up to that one which were not looked at yet, a bounded number."""
    counts = Ended()
    after = int(state.get(_FOLLOWED) or 0)
    if after >= upto:
        return counts
    if not state.rows("SELECT 1 FROM enrolment WHERE state = 'waiting' LIMIT 1"):
        state.set(_FOLLOWED, str(upto))
        return counts
    events = happenings.read(state, after, upto, _MOST)
    with state.transaction():
        for one in events:
            for enrolment in _concerned(state, one):
                _settle(state, enrolment, one, now, counts)
        counts.more = len(events) >= _MOST
        state.set(_FOLLOWED, str(events[-1].id if counts.more else upto))
    return counts


# --- whom ------------------------------------------------------------------------------------------------------


def _concerned(state: State, one: Happened) -> list[Enrolment]:
    """The person's, and those about the cart that it is about or that became this order, under whatever address."""
    found = {row.id: row for row in enrolments.of_people(state, {one.person_id})} if one.person_id is not None else {}
    for cart in _carts(state, one):
        rows = state.rows(
            "SELECT id FROM enrolment WHERE state = 'waiting' AND subject >= ? AND subject < ?",
            (f"cart:{cart}:", f"cart:{cart};"),
        )
        for (id_,) in rows:
            enrolment = enrolments.get(state, id_)
            if enrolment is not None:
                found[id_] = enrolment
    return list(found.values())


def _carts(state: State, one: Happened) -> list[int]:
    if one.family == "cart":
        return [one.object_id]
    if one.topic != "order.created" or one.outbox_id is None:
        return []
    rows = state.rows(
        "SELECT DISTINCT c.object_id FROM activity o JOIN activity c ON c.visitor = o.visitor WHERE o.outbox_id = ? AND o.at = ?"
        " AND o.kind = 'order' AND o.visitor <> '' AND c.visitor <> '' AND c.kind IN ('cart', 'checkout', 'emptied')",
        (one.outbox_id, one.at),
    )
    return [row[0] for row in rows]


# --- what it is to them ----------------------------------------------------------------------------------------


def _settle(state: State, enrolment: Enrolment, one: Happened, now: int, counts: Ended) -> None:
    spec = versions.specs(state, [enrolment.version_id]).get(enrolment.version_id)
    if spec is None or enrolment.state != "waiting" or one.moment < enrolment.entered:
        return
    own = about(enrolment.subject)
    if one.family == "cart" and own.cart and own.cart != one.object_id:
        return
    if own.cart and one.topic == "cart.email" and one.detail == "refused":
        counts.exits += enrolments.end(state, enrolment.id, "exit", "cart_refused", now)
        return
    if _reached(state, spec, enrolment, one):
        counts.goals += enrolments.end(state, enrolment.id, "goal", "goal", now)
    elif any(_leaves(spec, enrolment, one, way) for way in spec.exits):
        counts.exits += enrolments.end(state, enrolment.id, "exit", "exit", now)
    elif enrolment.awaits and _awaited(spec, enrolment, one):
        counts.woken += enrolments.wake_one(state, enrolment.id, enrolment.awaits, now)


def _reached(state: State, spec: model.Automation, enrolment: Enrolment, one: Happened) -> bool:
    goal, order = spec.goal, about(enrolment.subject).order
    if not _any(goal.topics, (), one) or _began(spec, enrolment, one):
        return False
    if goal.same_order and order != one.order:
        return False
    if not goal.same_order and order and order == one.order:
        return False  # the order that they entered with is no success
    return not goal.same_product or _has_product(state, enrolment, one)


def _leaves(spec: model.Automation, enrolment: Enrolment, one: Happened, way: model.Exit) -> bool:
    if not _any(way.topics, way.to, one) or _began(spec, enrolment, one):
        return False
    return not way.same_order or about(enrolment.subject).order == one.order


def _awaited(spec: model.Automation, enrolment: Enrolment, one: Happened) -> bool:
    step = spec.step(enrolment.step)
    if not isinstance(step, model.WaitEvent) or not one.means(step.topic, step.to):
        return False
    order = about(enrolment.subject).order
    if order and one.order and step.topic not in _PURCHASES:
        return order == one.order
    return not _began(spec, enrolment, one)


def _began(spec: model.Automation, enrolment: Enrolment, one: Happened) -> bool:
    """Whether this is (another row of) what they entered by."""
    trigger = spec.trigger
    same = about(enrolment.subject).order == one.order != 0
    return same and isinstance(trigger, model.OnEvent) and one.means(trigger.topic, trigger.to)


def _any(names: Iterable[str], to: Sequence[str], one: Happened) -> bool:
    return any(one.means(topic, to if topic in STATUSES else ()) for topic in names)


def _has_product(state: State, enrolment: Enrolment, one: Happened) -> bool:
    """Whether a product that they are in for is in the order. Of a cart it is not known here: any purchase will do."""
    own = about(enrolment.subject)
    wanted = {own.product} if own.product else _products(state, own.order) if own.order else set()
    return not wanted or bool(wanted & _products(state, one.order))


def _products(state: State, order: int) -> set[int]:
    rows = state.rows("SELECT doc FROM shop_order WHERE id = ? AND doc IS NOT NULL", (order,))
    return {line[0] for row in rows for line in _document(row[0]).lines}
