"""The order ledger: what becomes of every order row, and why. Pure but for `Ledger`, which keeps it in the state.

Verdicts: `candidate` (a paid order with a person, a date and a total in the shop's currency: it counts when
its net is above 0), `refund`, and the reasons why an order is left out or failed, see REASONS.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import msgspec

from sidecar.people.model import OrderDoc, Touch
from sidecar.store.model import Order
from sidecar.values import email, money

REASONS = {
    "unpaid": "its status is not one of the paid ones",
    "custom_status": "its status is none that WooCommerce knows: name it in [people] status_map or paid_statuses",
    "trash": "it is in the trash",
    "draft": "it is a draft",
    "other_type": "it is no order: a subscription or another plugin's type",
    "anonymised": "its personal data was erased",
    "erased": "the person asked to be erased",
    "no_email": "it has no e-mail address, so it belongs to nobody",
    "bad_email": "its e-mail address is not one",
    "no_rate": "it is in another currency and has no exchange rate",
    "bad_total": "its total is no number",
    "no_date": "it has no creation date",
}
FAILED = frozenset({"bad_total", "no_date"})
CORE_STATUSES = frozenset({"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"})
# 10^11 units of a currency, as micros: sums of such orders still fit 64 bits.
MOST = 10**17
_DIGITS = 40
_DRAFTS = frozenset({"auto-draft", "draft", "new", "checkout-draft"})
ATTRIBUTION = tuple(
    f"_wc_order_attribution_{part}"
    for part in ("utm_source", "utm_medium", "utm_campaign", "device_type", "source_type")
)
RATES = (
    "_wcpay_multi_currency_order_exchange_rate", "_wcpay_multi_currency_order_default_currency",
    "_order_total_base_currency", "_woocs_order_rate", "_woocs_order_base_currency",
)  # fmt: skip
ANONYMISED = "_anonymized"
_NO_TOUCH = Touch()


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger goes by. `statuses` maps custom statuses to core ones, `rates` currencies to the number of
    their units in one unit of the shop's currency, as text; `extra` is b2b_meta and optin_meta together."""

    paid: frozenset[str]
    statuses: Mapping[str, str] = {}
    currency: str = "USD"
    rates: Mapping[str, str] = {}
    b2b_meta: tuple[str, ...] = ()
    optin_meta: tuple[str, ...] = ()
    extra: frozenset[str] = frozenset()

    def keys(self) -> frozenset[str]:
        """The order meta keys that the ledger reads."""
        return frozenset((*ATTRIBUTION, *RATES, ANONYMISED, *self.b2b_meta, *self.optin_meta))


def status(order: Order, rules: Rules) -> str:
    """The order's status after the owner's map."""
    return rules.statuses.get(order.status, order.status)


def identity(order: Order) -> str | None:
    """The billing e-mail as an identity, or None (empty, or erased)."""
    found = email.identity(order.email)
    return None if found is None or email.anonymised(found) else found


def is_anonymised(order: Order) -> bool:
    """Whether WooCommerce's privacy eraser has been over it."""
    if order.meta.get(ANONYMISED) == "yes":
        return True
    found = email.identity(order.email)
    return found is not None and email.anonymised(found)


def before_person(order: Order, rules: Rules) -> str | None:
    """The verdict that needs no person, or None. Such orders make nobody a contact."""
    if order.kind == "other":
        return "other_type"
    if order.kind == "refund":
        return "refund"
    if order.status == "trash":
        return "trash"
    if order.status in _DRAFTS:
        return "draft"
    if is_anonymised(order):
        return "anonymised"
    return None


def with_person(order: Order, rules: Rules, has_person: bool) -> str:
    """The verdict of a real order."""
    if not has_person:
        address = identity(order)
        if address is None:
            return "no_email"
        return "bad_email" if email.problem(address) else "erased"
    now = status(order, rules)
    if now not in rules.paid:
        return "unpaid" if now in CORE_STATUSES else "custom_status"
    if order.total is None or abs(order.total) > MOST:
        return "bad_total"
    if order.created is None:
        return "no_date"
    if order.currency and order.currency != rules.currency:
        found = rate(order, rules)
        if found is None:
            return "no_rate"
        if abs(convert(order.total, found)) > MOST:
            return "bad_total"
    return "candidate"


def rate(order: Order, rules: Rules) -> str | None:
    """How many units of the order's currency made one of the shop's when it was placed, as decimal text.

    Sources: WooPayments and FOX/WOOCS store the rate, Aelia the total in the base currency, else the owner's
    declared rate. None: not known. A stored rate counts only when it was to the shop's present currency.
    """
    meta = order.meta
    for value, base in ((RATES[0], RATES[1]), (RATES[3], RATES[4])):
        if meta.get(value) and meta.get(base, rules.currency).upper() in ("", rules.currency):
            found = _positive(meta[value])
            if found is not None:
                return str(found)
    based = _positive(meta.get(RATES[2], ""))
    if based is not None and order.total is not None and order.total > 0:
        return str(Decimal(order.total) / (based * 1_000_000))
    declared = _positive(rules.rates.get(order.currency, ""))
    return str(declared) if declared is not None else None


def convert(micros: int, rate_: str) -> int:
    """An amount of another currency in the shop's, halves up."""
    # A dong is 0.00004 euros: with fewer digits a price of millions would be off by more than a cent.
    return money.divide(micros * 10**_DIGITS, int(Decimal(rate_).scaleb(_DIGITS)))


def _positive(text: str) -> Decimal | None:
    try:
        found = Decimal(text.strip())
    except (InvalidOperation, ValueError):
        return None
    return found if found.is_finite() and Decimal("0.000001") <= found <= Decimal(10**9) else None


def document(order: Order, rules: Rules) -> OrderDoc:
    """The order's parts for the ledger."""
    meta = order.meta
    touch, optin, b2b = _NO_TOUCH, None, False
    if meta:
        get = meta.get
        touch = _attributed(*[get(key, "")[:190] for key in ATTRIBUTION])
        if not rules.extra.isdisjoint(meta):
            b2b = any(get(key, "").strip() for key in rules.b2b_meta)
            said = next((meta[key] for key in rules.optin_meta if get(key)), "")
            optin = said.strip().lower() in ("1", "yes", "true", "on") if said else None
    return OrderDoc(order.lines, order.shipping, order.coupons, order.payment, touch, b2b, optin)


@lru_cache(maxsize=4096)
def _attributed(source: str, medium: str, campaign: str, device: str, type_: str) -> Touch:
    """Orders come from the same few places again and again."""
    return Touch(source, medium, campaign, device, type_)


def custom_statuses(found: Iterable[str], rules: Rules) -> list[str]:
    """Statuses that neither WooCommerce nor the owner's map knows."""
    known: Collection[str] = CORE_STATUSES | _DRAFTS | {"trash"} | rules.paid | set(rules.statuses)
    return sorted({name for name in found if name not in known})
