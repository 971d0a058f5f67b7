"""What is true about a hostile shop (`hostile.py`), straight from design §4. Knows no code of ours: a fault there must not
hide itself here."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hostile import ZERO, Order, Shop

CENT = Decimal("0.01")
DRAFTS = ("auto-draft", "draft", "new", "checkout-draft", "trash")


def owner(shop: Shop, order: Order) -> str:
    """The account's address where it exists and is one, else the billing address; '' when neither is one."""
    account = identity(shop.accounts.get(order.customer, ("", None))[0])
    found = account if usable(account) else identity(order.email or "")
    return found if usable(found) else ""


def _rate(shop: Shop, order: Order) -> Decimal | None:
    if (order.currency or shop.currency).upper() == shop.currency:
        return Decimal(1)
    meta = dict(reversed(order.meta))
    for key in ("_wcpay_multi_currency_order_exchange_rate", "_woocs_order_rate"):
        if key in meta and "_woocs_order_base_currency" not in meta and meta[key] != "abc":
            return Decimal(meta[key] or 0)
    based = meta.get("_order_total_base_currency")
    return Decimal(order.total) / Decimal(based) if based and Decimal(order.total) > 0 else None


def truth(shop: Shop) -> dict[str, dict[str, Any]]:
    """{identity: what FluentCRM should show}."""
    refunds: dict[int, Decimal] = defaultdict(Decimal)
    for order in shop.orders.values():
        if order.type == "shop_order_refund":
            refunds[order.parent] += Decimal(order.total)
    people: dict[str, list[Order]] = {}
    for email, _ in shop.accounts.values():
        if usable(identity(email)):
            people.setdefault(identity(email), [])
    for order in shop.orders.values():
        status = order.status.removeprefix("wc-")
        erased = dict(order.meta).get("_anonymized") or identity(order.email or "").endswith(".invalid")
        whose = owner(shop, order)
        if order.type == "shop_order" and status not in DRAFTS and not erased and whose:
            mine = people.setdefault(whose, [])
            if (
                status in ("processing", "completed")
                and "1970" < (order.created or ZERO) < "2200"
                and _rate(shop, order)
            ):
                mine.append(order)
            elif not mine:
                mine.append(Order(0))
    figures = {email: _figures(shop, [o for o in mine if o.id], refunds) for email, mine in people.items()}
    buyers = sorted((one["net"] for one in figures.values() if one["count"]), reverse=True)
    cut = buyers[-(-len(buyers) // 20) - 1] if buyers else Decimal(0)
    for email, one in figures.items():
        count = one["count"]
        one["status"] = (
            "lead" if not count else "vip" if one["net"] >= cut and count > 1 else "new" if count == 1 else "returning"
        )
        if not people[email]:
            user = min(id_ for id_, (address, _) in shop.accounts.items() if identity(address) == email)
            caps = shop.accounts[user][1]
            one["out"] = caps is None or "administrator" in caps or "shop_manager" in caps
    return {email: one for email, one in figures.items() if not one.pop("out", False)}


def _figures(shop: Shop, orders: list[Order], refunds: dict[int, Decimal]) -> dict[str, Any]:
    orders.sort(key=lambda order: (order.created or "", order.id))
    net, counted = Decimal(0), []
    for order in orders:
        rate = _rate(shop, order)
        assert rate
        mine = Decimal(order.total) + refunds[order.id]
        net += mine / rate
        if mine > 0:
            counted.append(order)
    last = counted[-1] if counted else Order(0)
    meta = {key: value or "" for key, value in reversed(last.meta)}
    titles, categories, kinds = set(), set(), set()
    for product, variation, _, name in (line for order in counted for line in order.lines):
        titles.add(shop.products[product][0][:255] if product in shop.products else name)
        categories.update(shop.products[product][2] if product in shop.products else ())
        known = shop.products.get(product or 0) or shop.products.get(variation)
        if known:
            kinds.add("subscription" if known[3] == "subscription" else "physical")
    return {
        "net": net, "count": len(counted), "aov": net / len(counted) if counted else None,
        "first": _wall(shop, counted[0]) if counted else None, "last": _wall(shop, last), "payment": last.payment,
        "shipping": last.methods[0].partition(":")[0] if last.methods else "",
        "utm": meta.get("_wc_order_attribution_utm_source", ""), "device": meta.get("_wc_order_attribution_device_type", ""),
        "products": titles, "categories": categories, "kinds": kinds,
    }  # fmt: skip


def _wall(shop: Shop, order: Order) -> str | None:
    if not order.created:
        return None
    at = datetime.fromisoformat(order.created).replace(tzinfo=UTC)
    hours = shop.zone.removeprefix("UTC")
    if "/" in shop.zone:
        return at.astimezone(ZoneInfo(shop.zone)).strftime("%Y-%m-%d %H:%M:%S")
    return (at + timedelta(hours=float(hours or 0))).strftime("%Y-%m-%d %H:%M:%S")


def identity(raw: str) -> str:
    """Trimmed of all that nobody sees, and of what mail programs put around an address; lower case."""
    return raw.strip(" \t\n\u00a0\u200b\ufeff").lower().removeprefix("<").removesuffix(">").removeprefix("mailto:")


def usable(address: str) -> bool:
    """What is_email() of WordPress takes, up to FluentCRM's 190 characters."""
    found = re.fullmatch(r"([a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64})@(?:[a-z0-9-]{1,63}\.)+[a-z]{2,}", address)
    return bool(found and not found[1].endswith(".") and len(address) <= 190 and not address.endswith(".invalid"))


def cents(amount: Decimal) -> str:
    return f"{amount.quantize(CENT, ROUND_HALF_UP):.2f}"
