"""The topics of the bridge's hints: whom each one concerns, and how people read it.

A hint holds ids only and says that something changed, never what it is now: that is read from the shop.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Family = Literal["order", "customer", "product", "cart", "contact", "email", "message", "consent"]
FAMILIES: tuple[Family, ...] = ("order", "customer", "product", "cart", "contact", "email", "message", "consent")

# Found by asking the shop itself, not told by the bridge.
ORDER_FOUND = "order.found"
CUSTOMER_FOUND = "customer.found"


class Topic(msgspec.Struct, frozen=True):
    """One topic: its family (the type in the monitor), what happened in words, and what its ids are.

    `looks` says whether the people concerned are looked at again; topics without it are only remembered.
    """

    name: str
    family: Family
    words: str
    looks: bool = True


TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("order.created", "order", "order placed"),
        Topic("order.updated", "order", "order changed"),
        Topic("order.status", "order", "order status changed"),
        Topic("order.paid", "order", "order paid"),
        Topic("order.failed", "order", "payment failed"),
        Topic("order.refunded", "order", "order refunded"),
        Topic("order.refund_deleted", "order", "refund deleted"),
        Topic("order.trashed", "order", "order moved to the trash"),
        Topic("order.restored", "order", "order restored from the trash"),
        Topic("order.deleted", "order", "order deleted"),
        Topic("order.anonymised", "order", "order anonymised"),
        Topic(ORDER_FOUND, "order", "order change found by asking"),
        Topic("coupon.used", "order", "coupon used"),
        Topic("customer.created", "customer", "account created"),
        Topic("customer.updated", "customer", "account changed"),
        Topic("customer.address", "customer", "address saved"),
        Topic("customer.login", "customer", "logged in", looks=False),
        Topic("customer.deleted", "customer", "account deleted"),
        Topic(CUSTOMER_FOUND, "customer", "account found by asking"),
        Topic("person.erased", "customer", "person erased"),
        Topic("product.viewed", "product", "product viewed", looks=False),
        Topic("product.updated", "product", "product changed"),
        Topic("product.deleted", "product", "product deleted"),
        Topic("stock.changed", "product", "stock changed", looks=False),
        Topic("review.posted", "product", "review posted", looks=False),
        Topic("cart.changed", "cart", "cart changed", looks=False),
        Topic("cart.emptied", "cart", "cart emptied", looks=False),
        Topic("cart.email", "cart", "e-mail entered at the checkout", looks=False),
        Topic("checkout.started", "cart", "checkout started", looks=False),
        Topic("cart.restored", "cart", "cart restored from a link", looks=False),
        Topic("contact.created", "contact", "contact created"),
        Topic("contact.updated", "contact", "contact edited"),
        Topic("contact.status", "contact", "contact status changed"),
        Topic("contact.tags", "contact", "contact's tags changed"),
        Topic("contact.lists", "contact", "contact's lists changed"),
        Topic("contact.deleted", "contact", "contact deleted"),
        Topic("contact.unsubscribed", "contact", "contact unsubscribed"),
        Topic("email.opened", "email", "e-mail opened", looks=False),
        Topic("email.clicked", "email", "link in an e-mail clicked", looks=False),
        Topic("message.clicked", "message", "link in a message clicked", looks=False),
        Topic("consent.changed", "consent", "consent given or taken back", looks=False),
    )
}
# Said of orders that may not be there yet: the hint can overtake a slow transaction.
MAY_COME_LATER = frozenset({"order.created", "order.updated", "order.status", "order.paid", ORDER_FOUND})
# What a visitor did, kept for segments.
ACTIVITY = {
    "product.viewed": "view",
    "cart.changed": "cart",
    "cart.emptied": "emptied",
    "checkout.started": "checkout",
    "order.created": "order",
}
_UNKNOWN = Topic("", "order", "", looks=False)


def of(name: str) -> Topic:
    """The topic of that name. A newer bridge may tell of others: they are remembered and change nothing."""
    return TOPICS.get(name, _UNKNOWN)


def names_of(family: str) -> list[str]:
    """The topics of a family, or the one topic of that name; empty for neither."""
    if family in TOPICS:
        return [family]
    return [topic.name for topic in TOPICS.values() if topic.family == family]
