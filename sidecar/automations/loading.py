"""What decisions need of a batch of enrolments, gathered by few queries, now. See `known` for what it is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from sidecar.automations import handing, purchases, purse, wares
from sidecar.automations.about import about
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.handing import COUNTED
from sidecar.automations.happenings import BY_PEOPLE
from sidecar.automations.known import Contact, Happened, Known, Purchase
from sidecar.automations.model import Automation, Branch, Coupon, Send, WaitMoment
from sidecar.automations.moments import person_zone
from sidecar.automations.place import Place
from sidecar.automations.purchases import Buyer
from sidecar.crm import suppression
from sidecar.crm.suppression import Suppression
from sidecar.events import refusals
from sidecar.people import consents
from sidecar.segments import contacts as crm
from sidecar.segments import membership, subjects
from sidecar.segments.evaluate import Moment, Order, Subject
from sidecar.segments.model import Condition, Segment, Top, walk
from sidecar.store.orders import choose
from sidecar.values import email, phone

# A cart's snapshot may be a moment younger than the order that emptied it.
_SLACK = 5
_WEEK_MS = 7 * 86_400_000
# Channels whose addresses FluentCRM does not have.
_ELSEWHERE = ("telegram", "push")


def load(place: Place, claimed: Sequence[Enrolment], specs: Mapping[int, Automation]) -> dict[int, Known]:
    """{enrolment: what is known}. Raises StoreUnavailable."""
    people = sorted({one.person_id for one in claimed})
    persons = _persons(place, people)
    suppressed = suppression.load(place.reader)
    contacts = _contacts(place, [contact for _, contact in persons.values() if contact])
    used = {one.id: specs[one.version_id] for one in claimed}
    carts = wares.carts(place.reader, {about(one.subject).cart for one in claimed} - {0})
    found: dict[int, Known] = {}
    for one in claimed:
        key, contact_id = persons.get(one.person_id, (b"", 0))
        contact = contacts.get(contact_id)
        cart = carts.get(about(one.subject).cart)
        known = Known(contact=contact, zone=person_zone(contact.timezone if contact else "", place.zone), cart=cart)
        known.since = min(one.entered, cart.updated - _SLACK) if cart and cart.updated else one.entered
        known.suppressed = not key or _suppressed(place, key, contact, suppressed)
        found[one.id] = known
    _bought(place, claimed, used, found)
    _goods(place, claimed, used, found)
    _state(place, claimed, used, found, {id_: key for id_, (key, _) in persons.items()})
    _rules(place, claimed, used, found)
    _moments(place, claimed, used, found)
    return found


def _persons(place: Place, people: Sequence[int]) -> dict[int, tuple[bytes, int]]:
    """{person: (key, contact)}; people who were forgotten are missing."""
    rows = place.state.rows(
        "SELECT id, key, COALESCE(contact_id, 0) FROM person WHERE id IN (SELECT value FROM json_each(?))",
        (_json(people),),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _contacts(place: Place, ids: Collection[int]) -> dict[int, Contact]:
    if not ids:
        return {}
    found = {}
    for id_, address, status, number, zone, country in place.reader.page("automation_contacts", ids=sorted(ids)):
        read = phone.normalize(number, country or place.info.country).e164 if number else None
        found[id_] = Contact(
            id=id_, email=(address or "").strip(), status=status or "", phone=read or "", timezone=zone or ""
        )
    return found


def _suppressed(place: Place, key: bytes, contact: Contact | None, there: Suppression) -> bool:
    if place.state.rows("SELECT 1 FROM suppressed WHERE key = ?", (key,)):
        return True
    identity = email.identity(contact.email) if contact else None
    return bool(identity and there.blocks(identity))


# --- the shop ------------------------------------------------------------------------------------------------


def _bought(
    place: Place, claimed: Sequence[Enrolment], used: Mapping[int, Automation], found: Mapping[int, Known]
) -> None:
    buyers = []
    for one in claimed:
        known, spec = found[one.id], used[one.id]
        still = {word for step in spec.steps if isinstance(step, Send) for word in step.still}
        # Rules ask when they last bought: the ledger is a moment behind.
        since = min(known.since, place.now - purchases.FRESH) if rules_of(spec) else known.since
        buyers.append(
            Buyer(
                id=one.id, person_id=one.person_id, since=since, cart=known.cart,
                phone=known.contact.phone if known.contact else "", order=about(one.subject).order,
                products=spec.goal.same_product or "not_bought" in still or bool(about(one.subject).order and _wares(spec, still)),
            )
        )  # fmt: skip
    orders = purchases.load(place, buyers)
    for one in claimed:
        known, about_order = found[one.id], about(one.subject).order
        known.order = next((order for order in orders[one.id] if order.id == about_order), None)
        known.latest = orders[one.id]
        known.purchases = tuple(
            order for order in known.latest
            if order.created >= known.since or (known.cart is not None and order.id == known.cart.order_id)
        )  # fmt: skip


def _wares(spec: Automation, still: Collection[str]) -> bool:
    """Whether it matters what exactly the order holds that it is about."""
    only = any(isinstance(step, Coupon) and step.only_products for step in spec.steps)
    return only or "in_stock" in still or "price" in still


def _goods(
    place: Place, claimed: Sequence[Enrolment], used: Mapping[int, Automation], found: Mapping[int, Known]
) -> None:
    """Stock and prices, where a message asks for them."""
    wanted: dict[int, tuple[int, ...]] = {}
    for one in claimed:
        if any(
            word in ("in_stock", "price")
            for step in used[one.id].steps
            if isinstance(step, Send)
            for word in step.still
        ):
            wanted[one.id] = wares.goods(one.subject, found[one.id])
    there = wares.wares(place.reader, {id_ for ids in wanted.values() for id_ in ids})
    for id_, ids in wanted.items():
        found[id_].wares = {ware: there[ware] for ware in ids if ware in there}


def _moments(
    place: Place, claimed: Sequence[Enrolment], used: Mapping[int, Automation], found: Mapping[int, Known]
) -> None:
    """The meta of orders that somebody waits for."""
    orders: dict[str, dict[int, list[int]]] = {}
    for one in claimed:
        step = used[one.id].step(one.step)
        later = [step, *used[one.id].steps]
        keys = {each.order_meta for each in later if isinstance(each, WaitMoment)}
        for key in keys:
            orders.setdefault(key, {}).setdefault(about(one.subject).order, []).append(one.id)
    for key, ids in orders.items():
        values = choose(place.reader, place.info.storage).meta([id_ for id_ in ids if id_], (key,))
        for order, enrolments in ids.items():
            for id_ in enrolments:
                found[id_].moments[key] = values.get(order, {}).get(key, "")


# --- the state -----------------------------------------------------------------------------------------------


def _state(
    place: Place, claimed: Sequence[Enrolment], used: Mapping[int, Automation], found: Mapping[int, Known],
    keys: Mapping[int, bytes],
) -> None:  # fmt: skip
    people = sorted({one.person_id for one in claimed})
    wanted = (_json(people),)
    sent: dict[int, dict[str, list[int]]] = {}
    for person, channel, at in place.state.rows(
        "SELECT person_id, channel, decided FROM message WHERE person_id IN (SELECT value FROM json_each(?))"
        f" AND decided > ? AND purpose = 'marketing' AND {COUNTED} AND NOT (state = 'handing' AND enrolment_id IN"
        " (SELECT value FROM json_each(?))) ORDER BY decided",
        # What was cut off is not in the way of itself.
        (*wanted, place.now * 1000 - _WEEK_MS, _json({one.id for one in claimed})),
    ):
        sent.setdefault(person, {}).setdefault(channel, []).append(at)
    unfit: dict[int, set[str]] = {}
    for person, slug in place.state.rows(
        "SELECT person_id, segment FROM membership WHERE person_id IN (SELECT value FROM json_each(?))", wanted
    ):
        if slug in place.at.segments:
            unfit.setdefault(person, set()).update(place.at.segments[slug].no_offers)
    nobody = handing.nobody(place.state, people, place.now)
    words = consents.latest(place.state, people)
    refused = refusals.since(place.state, list(keys.values()))
    events = _events(place, claimed, used)
    asking = {
        one.id for one in claimed if one.data.coupons
        and any("coupon" in step.still for step in used[one.id].steps if isinstance(step, Send))
    }  # fmt: skip
    spent = purse.spent(place.state, place.reader, asking) if asking else set()
    channels = {
        channel for spec in used.values() for step in spec.steps if isinstance(step, Send) for channel in step.channels
    }
    elsewhere = {channel: place.reach.addresses(channel, people) for channel in _ELSEWHERE if channel in channels}
    for one in claimed:
        known = found[one.id]
        # The same lists for everybody's enrolments: a message that goes out now counts for the next one.
        known.sent = sent.setdefault(one.person_id, {})
        known.unfit = frozenset(unfit.get(one.person_id, ()))
        known.words = {channel: word.state for channel, word in words.get(one.person_id, {}).items()}
        known.spent = one.id in spent
        known.refused = keys.get(one.person_id, b"") in refused
        known.events = tuple(events.get(one.person_id, ()))
        contact = known.contact
        known.addresses = {channel: ids.get(one.person_id, "") for channel, ids in elsewhere.items()}
        if contact:
            email_ = "" if one.person_id in nobody else contact.email
            known.addresses |= {"email": email_, "sms": contact.phone, "whatsapp": contact.phone}


def _events(place: Place, claimed: Sequence[Enrolment], used: Mapping[int, Automation]) -> dict[int, list[Happened]]:
    """Events that may be a goal or an exit, since the first of them entered."""
    topics = {
        topic for spec in used.values() for topic in (*spec.goal.topics, *(t for one in spec.exits for t in one.topics))
    }
    if not topics:
        return {}
    found: dict[int, list[Happened]] = {}
    for person, topic, at, object_id, detail in place.state.rows(
        "SELECT person_id, topic, at / 1000, object_id, detail FROM event e WHERE person_id IN (SELECT value FROM json_each(?))"
        f" AND at >= ? AND topic IN (SELECT value FROM json_each(?)) AND {BY_PEOPLE}",
        (
            _json({one.person_id for one in claimed}), min(one.entered for one in claimed) * 1000,
            msgspec.json.encode(sorted(topics)).decode(),
        ),
    ):  # fmt: skip
        found.setdefault(person, []).append(Happened(topic=topic, at=at, object_id=object_id, detail=detail))
    return found


def _rules(
    place: Place, claimed: Sequence[Enrolment], used: Mapping[int, Automation], found: Mapping[int, Known]
) -> None:
    """People as rules ask about them. When they last bought is found anew from the orders: what the traits say may be old."""
    asking = [one for one in claimed if rules_of(used[one.id])]
    if not asking:
        return
    people = sorted({one.person_id for one in asking})
    rules = [rule for one in asking for rule in rules_of(used[one.id])]
    asked = [Segment(slug="asked", name="asked", rule=rule) for rule in dict.fromkeys(rules)]
    there = [contact.id for one in asking if (contact := found[one.id].contact) is not None]
    crm.refresh(place.state, place.reader, [*place.at.segments.values(), *asked], place.zone, there)
    known = subjects.load(place.state, people)
    counted: dict[int, dict[int, int]] = {}
    for person, order, at in place.state.rows(
        "SELECT o.person_id, o.id, o.created FROM shop_order o WHERE o.person_id IN (SELECT value FROM json_each(?))"
        " AND o.verdict = 'candidate' AND o.created IS NOT NULL AND o.total + COALESCE((SELECT SUM(r.total)"
        " FROM shop_order r WHERE r.parent_id = o.id AND r.verdict = 'refund'), 0) > 0",
        (_json(people),),
    ):
        counted.setdefault(person, {})[order] = at
    for one in asking:
        person = known.get(one.person_id)
        if person is not None:
            found[one.id].subject = _fresh(person, dict(counted.get(one.person_id, {})), found[one.id].latest, place)


def rules_of(spec: Automation) -> list[Condition]:
    """The rules about people that it asks on the way."""
    exits = [exit_.rule for exit_ in spec.exits if exit_.rule is not None]
    return [*exits, *(step.rule for step in spec.steps if isinstance(step, Branch))]


def with_tops(place: Place, specs: Iterable[Automation]) -> Moment:
    """What rules go by, with the borders of the top percents that these automations ask for."""
    at = place.at
    for spec in specs:
        for rule in rules_of(spec):
            if any(isinstance(part, Top) and (part.field, part.percent) not in at.tops for part in walk(rule)):
                at = msgspec.structs.replace(at, tops=membership.tops(place.state, at, rule))
    return at


def _fresh(person: Subject, counted: dict[int, int], bought: Iterable[Purchase], place: Place) -> Subject:
    paid = place.info.paid_statuses
    fresh = {order.id: order.created for order in bought if order.status in paid and order.total > 0}
    new = [order for order in fresh if order not in counted]
    for order in bought:
        if order.status not in paid:
            counted.pop(order.id, None)
    counted |= fresh
    first, last = (min(counted.values()), max(counted.values())) if counted else (None, None)
    traits = dict(person.traits) | {"orders_count": len(counted), "first_order": first, "last_order": last}
    return msgspec.structs.replace(
        person, traits=traits, orders=(*person.orders, *(Order(fresh[order]) for order in new))
    )


def _json(ids: Iterable[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
