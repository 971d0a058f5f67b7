"""What stands in the orders: statuses, currencies, attribution."""

from __future__ import annotations

from sidecar.doctor.model import Facts, Verdict
from sidecar.doctor.registry import check

CORE = {"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft"}
NOT_ORDERS = {"trash", "auto-draft", "draft", "new", "inherit"}


@check(
    "store.W010",
    "Order statuses of plugins",
    'say what each means: [people.status_map] shipped = "completed", or list it in [people] paid_statuses',
)
def statuses(facts: Facts) -> Verdict:
    people = facts.config.people
    known = {status.removeprefix("wc-") for status in (*people.paid_statuses, *people.status_map)}
    found = {
        status: count
        for status, count in facts.shop.statuses.items()
        if status.removeprefix("wc-") not in CORE | NOT_ORDERS | known
    }
    if found:
        listed = [f"{status}: {count}" for status, count in sorted(found.items(), key=lambda row: -row[1])]
        return Verdict("warning", "orders with statuses that count as not bought", "", listed)
    return Verdict("ok", "every order has a status that is understood")


@check(
    "store.W011",
    "Foreign currencies",
    'give a rate: [people.currency_rates] EUR = "4.27"; without one such orders are left out of totals',
)
def currencies(facts: Facts) -> Verdict:
    base = facts.shop.options.get("woocommerce_currency", "USD")
    rates = {code.upper() for code in facts.config.people.currency_rates}
    found = {code: count for code, count in facts.shop.currencies.items() if code not in rates and code != base}
    if found:
        listed = [f"{code}: {count}" for code, count in sorted(found.items(), key=lambda row: -row[1])]
        sentence = f"orders in other currencies than {base} without a rate (some may store their own)"
        return Verdict("warning", sentence, "", listed)
    return Verdict("ok", f"orders are in {base}, or in currencies with a rate")


@check(
    "store.I012",
    "Order attribution",
    "switch it on in WooCommerce → Settings → Advanced → Features to learn where buyers come from",
)
def attribution(facts: Facts) -> Verdict:
    if facts.shop.options.get("woocommerce_feature_order_attribution_enabled") == "no":
        return Verdict("info", "WooCommerce does not record where orders come from")
    return Verdict("ok", "WooCommerce records where orders come from")
