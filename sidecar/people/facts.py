"""The facts about a person from their orders and account. Pure: structs in, structs out."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import msgspec

from sidecar.people.model import CustomerStatus, Facts, LedgerOrder
from sidecar.store.model import Account, Product
from sidecar.values import dates, php

_YES = frozenset({"1", "yes", "true", "on", "y", "tak", "да", "بله"})
_NO = frozenset({"0", "no", "false", "off", "n", "nie", "не", "خیر"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The owner's words that facts depend on: which meta mean what."""

    b2b_roles: frozenset[str] = frozenset()
    b2b_meta: frozenset[str] = frozenset()
    birthday_meta: tuple[str, ...] = ()
    optin_meta: tuple[str, ...] = ()
    capabilities_key: str = "wp_capabilities"
    default_locale: str = ""
    dayfirst: bool | None = None


def compute(
    orders: Sequence[LedgerOrder],
    account: Account | None,
    products: Mapping[int, Product],
    settings: Settings,
    order_birthday: str = "",
) -> Facts:
    """Facts of one person. `orders` are theirs of any verdict, in any order; `account` is None for a guest.

    `customer_status` is lead, new or returning; who is a VIP depends on all others (`status_of`).
    """
    facts = Facts()
    business = False
    opted: tuple[tuple[int, int], bool] | None = None
    paid = []
    newest = None
    for order in orders:
        if newest is None or (order.created, order.id) > newest:
            newest = (order.created, order.id)
        if order.doc.b2b:
            business = True
        said = order.doc.optin
        if said is not None and (opted is None or (order.created, order.id) > opted[0]):
            opted = ((order.created, order.id), said)
        if order.verdict == "candidate":
            facts.gross += order.total
            facts.refunded += order.refunded
            if order.total > order.refunded:
                paid.append(order)
    facts.orders_seen = len(orders)
    facts.address_order = newest[1] if newest else 0
    facts.ltv = facts.gross - facts.refunded
    if paid:
        paid.sort(key=_by_time)
        _bought(facts, paid, products)
    if account is not None:
        facts.is_account = True
        facts.registered = account.registered
        meta = account.meta
        facts.locale = meta.get("locale", "") or settings.default_locale
        facts.roles = roles(meta.get(settings.capabilities_key, ""))
        business = business or not settings.b2b_roles.isdisjoint(facts.roles)
        business = business or _any(meta, settings.b2b_meta)
        business = business or meta.get("customer_type", "").strip().lower() in ("b2b", "business", "company")
        for key in settings.birthday_meta:
            if key in meta and (day := dates.birthday(meta[key], settings.dayfirst)):
                facts.birthday = day
                break
        for key in settings.optin_meta:
            if key in meta and (word := yes_or_no(meta[key])) is not None:
                facts.optin = word
                break
    if not facts.birthday and order_birthday:
        facts.birthday = dates.birthday(order_birthday, settings.dayfirst) or ""
    if facts.optin is None and opted is not None:
        facts.optin = opted[1]
    facts.customer_type = "b2b" if business else "retail"
    facts.customer_status = status_of(facts.orders_count, facts.ltv, None, 0)
    return facts


def _by_time(order: LedgerOrder) -> tuple[int, int]:
    return (order.created, order.id)


def _bought(facts: Facts, paid: Sequence[LedgerOrder], products: Mapping[int, Product]) -> None:
    """What counted orders say; `paid` is in order of time and not empty."""
    first, last = paid[0], paid[-1]
    facts.orders_count = len(paid)
    facts.first_order, facts.first_order_id = first.created, first.id
    facts.last_order, facts.last_order_id = last.created, last.id
    facts.first_touch, facts.last_touch = first.doc.touch, last.doc.touch
    facts.payment_method = last.doc.payment
    facts.shipping_method = last.doc.shipping[0] if last.doc.shipping else ""
    bought: dict[int, int] = {}
    categories: dict[str, int] = {}
    lost: dict[int, str] = {}
    kinds: set[str] = set()
    payments: set[str] = set()
    methods: set[str] = set()
    coupons: set[str] = set()
    for order in paid:
        doc = order.doc
        if doc.payment:
            payments.add(doc.payment)
        methods.update(doc.shipping)
        coupons.update(doc.coupons)
        for id_, variation, quantity, name in doc.lines:
            if not id_:
                # A line without a product, typed by hand or imported: its name is all that tells it from others.
                id_ = -zlib.crc32(name.encode("utf-8", "replace"))
            bought[id_] = bought.get(id_, 0) + quantity
            if id_ not in products:
                lost[id_] = name
            # A variation may have outlived its product.
            product = products.get(variation or id_) or products.get(id_)
            if product is None:
                continue
            for category in product.categories:
                categories[category] = categories.get(category, 0) + quantity
            kinds.add(
                "subscription" if "subscription" in product.kind else "physical" if product.physical else "digital"
            )
    facts.products = bought
    facts.lost_products = lost
    facts.categories = categories
    facts.product_types = sorted(kinds)
    facts.payment_methods = sorted(payments)
    facts.shipping_methods = sorted(methods)
    facts.coupons = sorted(coupons)


def status_of(orders_count: int, ltv: int, vip_from: int | None, vip_orders: int) -> CustomerStatus:
    """Design §4: lead (no counted order), new (1), returning (2+), vip (LTV at or above `vip_from`, micros,
    and at least `vip_orders`). `vip_from` None: nobody is one."""
    if orders_count == 0:
        return "lead"
    if vip_from is not None and ltv >= vip_from and orders_count >= vip_orders:
        return "vip"
    return "new" if orders_count == 1 else "returning"


def _any(meta: Mapping[str, str], keys: frozenset[str]) -> bool:
    return not keys.isdisjoint(meta) and any(meta[key].strip() for key in keys.intersection(meta))


def roles(capabilities: str) -> list[str]:
    """Role names from `{prefix}capabilities` (PHP-serialized {role: true})."""
    return list(_roles(capabilities)) if capabilities else []


@lru_cache(maxsize=256)
def _roles(capabilities: str) -> tuple[str, ...]:
    try:
        value = php.loads(capabilities)
    except php.PhpError:
        return ()
    return tuple(str(role) for role, on in value.items() if on) if isinstance(value, dict) else ()


def yes_or_no(text: str) -> bool | None:
    """What a checkbox's meta says; None when it says nothing that can be understood."""
    word = text.strip().lower()
    return True if word in _YES else False if word in _NO else None


def wanted_user_meta(settings: Settings, mapped: Collection[str]) -> frozenset[str]:
    """Every usermeta key that facts and rules look at."""
    own = {settings.capabilities_key, "locale", "customer_type"}
    own.update(settings.b2b_meta, settings.birthday_meta, settings.optin_meta)
    return frozenset(own.union(mapped))
