"""What is true about the demo shop, computed from its plan and never from its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from sidecar.demo.plan import Order, Person, Plan

CENT = Decimal("0.01")
PAID = ("wc-processing", "wc-completed")
NOT_YET = ("auto-draft", "draft")


class PersonTruth(msgspec.Struct, frozen=True, kw_only=True):
    """One identity: a trimmed, lower-cased e-mail. Money is in the shop's currency, moments are Unix seconds.

    `email_problem` is '', 'invalid',
    'too_long' (over FluentCRM's 190) or 'not_ascii'. The `*_last` values are
    those of the last counted order, '' when it has none. `roles` is empty for a guest.
    """

    email: str
    user_id: int
    is_account: bool
    roles: tuple[str, ...]
    email_problem: str
    orders_seen: int
    orders_count: int
    gross: Decimal
    refunded: Decimal
    net: Decimal
    first_paid: int | None
    last_paid: int | None
    payment_last: str
    shipping_last: tuple[str, ...]
    utm_source_last: str
    device_last: str
    last_order_id: int
    products: Mapping[int, int]


class ContactTruth(msgspec.Struct, frozen=True, kw_only=True):
    """A contact that FluentCRM already holds. `email` is spelt as stored; tags and lists by slug."""

    email: str
    status: str
    first_name: str
    user_id: int | None
    tags: tuple[str, ...]
    lists: tuple[str, ...]
    custom: Mapping[str, str]


class Truth(msgspec.Struct, frozen=True, kw_only=True):
    """The whole shop. `left_out` counts orders by the first reason that applies, in this order:

    other_type, trash, draft, anonymised, no_email, unpaid_status, unconvertible_currency, zero_net.
    `cases` names the deliberate oddities; keys say what the values are: `order.*` and `product.*` ids,
    `email.*` identities, `contact.*` e-mails as stored, `cart.*` session keys.
    """

    people: Mapping[str, PersonTruth]
    contacts: tuple[ContactTruth, ...]
    orders: int
    gross: Decimal
    refunded: Decimal
    net: Decimal
    buyers: int
    accounts: int
    shop_orders: int
    refund_rows: int
    left_out: Mapping[str, int]
    statuses: Mapping[str, int]
    cases: Mapping[str, tuple[int | str, ...]]


def compute(plan: Plan, contacts: list[ContactTruth]) -> Truth:
    """The truth about a plan whose orders have their ids."""
    accounts = {person.user_id: person for person in plan.people if person.user_id}
    seen: dict[str, list[tuple[Order, bool]]] = {identity(p.email): [] for p in accounts.values()}
    left_out: Counter[str] = Counter()
    for order in plan.orders:
        owner = accounts.get(order.customer_id)
        email = identity(owner.email if owner else order.email or "")
        reason = why_left_out(order, email)
        left_out[reason] += bool(reason)
        if reason not in ("other_type", "trash", "draft", "anonymised", "no_email"):
            seen.setdefault(email, []).append((order, not reason))
    owners = {identity(person.email): person for person in accounts.values()}
    people = {email: _person(email, owners.get(email), orders) for email, orders in seen.items()}
    real = [order for order in plan.orders if order.type == "shop_order"]
    return Truth(
        people=people,
        contacts=tuple(contacts),
        orders=sum(person.orders_count for person in people.values()),
        gross=sum((person.gross for person in people.values()), Decimal("0.00")),
        refunded=sum((person.refunded for person in people.values()), Decimal("0.00")),
        net=sum((person.net for person in people.values()), Decimal("0.00")),
        buyers=sum(person.orders_count > 0 for person in people.values()),
        accounts=len(accounts),
        shop_orders=len(real),
        refund_rows=sum(len(order.refunds) for order in plan.orders),
        left_out={reason: count for reason, count in sorted(left_out.items()) if count},
        statuses=dict(sorted(Counter(order.status for order in real).items())),
        cases={
            name: tuple(key.id if isinstance(key, Order) else key for key in keys)
            for name, keys in sorted(plan.cases.items())
        },
    )


def identity(email: str) -> str:
    """An e-mail as the key of a person."""
    return email.strip().lower()


def why_left_out(order: Order, email: str) -> str:
    """The first reason why an order does not count, or ''."""
    if order.type != "shop_order":
        return "other_type"
    if order.status == "trash":
        return "trash"
    if order.status in NOT_YET:
        return "draft"
    if "_anonymized" in order.meta or email.endswith("@site.invalid"):
        return "anonymised"
    if not email:
        return "no_email"
    if order.status not in PAID:
        return "unpaid_status"
    if order.rate is None and order.base_total is None:
        return "unconvertible_currency"
    return "" if order.total > sum(refund.amount for refund in order.refunds) else "zero_net"


def worth(order: Order, cents: int) -> Decimal:
    """An amount of this order in the shop's currency, to the cent, halves up."""
    if order.base_total is not None:
        rate = Decimal(order.total) / order.base_total
    else:
        assert order.rate is not None
        rate = order.rate
    return (Decimal(cents) / 100 / rate).quantize(CENT, ROUND_HALF_UP)


def _person(email: str, owner: Person | None, orders: list[tuple[Order, bool]]) -> PersonTruth:
    counted = sorted((order for order, counts in orders if counts), key=lambda o: (o.created or 0, o.id))
    gross = sum((worth(order, order.total) for order in counted), Decimal("0.00"))
    refunded = sum((worth(order, refund.amount) for order in counted for refund in order.refunds), Decimal("0.00"))
    dated = [order.created for order in counted if order.created is not None]
    products: Counter[int] = Counter()
    for order in counted:
        for line in order.lines:
            products[line.product] += line.quantity
    last = counted[-1] if counted else None
    meta = last.meta if last else {}
    return PersonTruth(
        email=email,
        user_id=owner.user_id if owner else 0,
        is_account=owner is not None,
        roles=owner.roles if owner else (),
        email_problem=_problem(email),
        orders_seen=len(orders),
        orders_count=len(counted),
        gross=gross,
        refunded=refunded,
        net=gross - refunded,
        first_paid=dated[0] if dated else None,
        last_paid=dated[-1] if dated else None,
        payment_last=last.payment if last else "",
        shipping_last=tuple(method for method, _, _ in last.shipping) if last else (),
        utm_source_last=meta.get("_wc_order_attribution_utm_source", ""),
        device_last=meta.get("_wc_order_attribution_device_type", ""),
        last_order_id=last.id if last else 0,
        products=dict(sorted(products.items())),
    )


def _problem(email: str) -> str:
    local, at, domain = email.partition("@")
    if not (local and at and "." in domain) or "@" in domain or " " in email:
        return "invalid"
    if len(email) > 190:
        return "too_long"
    return "" if email.isascii() else "not_ascii"
