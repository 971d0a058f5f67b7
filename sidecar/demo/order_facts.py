"""What both storages say about an order, worked out once."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.demo.orders import DAY
from sidecar.demo.plan import Address, Order, Plan, Refund

VERSION = "10.9.1"
TITLED = ("wc-processing", "wc-completed", "wc-refunded", "wc-shipped")


@dataclass(frozen=True, slots=True)
class Moments:
    """When things happened to an order, in Unix seconds; None is never."""

    paid: int | None
    completed: int | None
    changed: int


def moments(order: Order, plan: Plan) -> Moments:
    """The dates of an order. Cash on delivery is paid only when completed."""
    if order.created is None:
        return Moments(None, None, plan.now - DAY)
    completed = min(order.created + 2 * DAY, plan.now) if order.status in ("wc-completed", "wc-refunded") else None
    paid = order.created + 300 if order.status in TITLED else None
    if order.payment == "cod" and paid:
        paid = completed
    last = max([order.created, completed or 0, *(refund.at for refund in order.refunds)])
    return Moments(paid, completed, min(last, plan.now))


def key(number: int) -> str:
    """The order key, a secret in real life."""
    return f"wc_order_{number * 2654435761 % (1 << 52):013x}"


def indexes(order: Order) -> dict[str, str]:
    """The texts that WooCommerce's own order search reads. An order without an address has none."""
    if order.billing is None:
        return {}
    there = Address(city=order.billing.city, country=order.billing.country)
    return {
        "_billing_address_index": _index(order.billing, order.email or ""),
        "_shipping_address_index": _index(there, ""),
    }


def _index(a: Address, email: str) -> str:
    place = f"{a.street}  {a.city} {a.state} {a.postcode} {a.country}"
    return f"{a.first} {a.last} {a.company} {place} {email} {a.phone}"


def refund_metas(refund: Refund) -> dict[str, str]:
    """The metas of a refund, but for the money in the legacy storage."""
    cents = refund.amount
    return {
        "_refund_amount": f"{cents // 100}.{cents % 100:02d}", "_refunded_by": "1", "_refunded_payment": "",
        "_refund_reason": "test", "_refund_type": "full" if refund.full else "partial",
    }  # fmt: skip
