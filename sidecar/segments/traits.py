"""What is known of a person, as rules ask for it: one value a field of the catalogue. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import tzinfo
from functools import lru_cache

from sidecar.insights import rfm
from sidecar.insights.rfm import Scores
from sidecar.people.model import Facts
from sidecar.segments.catalogue import FIELDS
from sidecar.values import dates

Value = int | float | str | None
# Between and around the members of a set: no text that a person types holds it.
SEPARATOR = "\x1f"
COLUMNS = tuple(name for name, field in FIELDS.items() if field.table == "trait")


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """How texts are compared: without regard to case, and to how a letter with an accent is put together. Cached: a shop has
    few words."""
    return unicodedata.normalize("NFC", text.casefold()).replace(SEPARATOR, " ").strip()


def joined(values: Collection[object]) -> str:
    """A set as one text, '' when it is empty."""
    if not values:
        return ""
    if len(values) == 1:
        (only,) = values
        text = fold(str(only))
        return f"{SEPARATOR}{text}{SEPARATOR}" if text else ""
    folded = sorted({fold(str(value)) for value in values} - {""})
    return f"{SEPARATOR}{SEPARATOR.join(folded)}{SEPARATOR}" if folded else ""


def members(text: str) -> list[str]:
    """What `joined` was given, folded."""
    return [part for part in text.split(SEPARATOR) if part]


def of(facts: Facts, zone: tzinfo, scores: Scores) -> dict[str, Value]:
    """The value of every field. Money in micros, moments in Unix seconds; days of the year are those of the shop's `zone`
    as MM-DD. A number or moment that is not there is None, a text or a set ''. `scores`: the borders of the RFM scores."""
    buyer = facts.orders_count > 0
    first, last, registered = facts.first_order, facts.last_order, facts.registered
    interval = None
    if facts.orders_count > 1 and first is not None and last is not None and last > first:
        interval = (last - first) / (facts.orders_count - 1) / 86400
    touch, begun = facts.last_touch, facts.first_touch
    return {
        "orders_count": facts.orders_count,
        "ltv": facts.ltv,
        "aov": facts.aov if facts.orders_count else None,
        "gross": facts.gross,
        "refunded": facts.refunded,
        "products_count": len(facts.products),
        "items_count": sum(facts.products.values()),
        "coupons_count": len(facts.coupons),
        "first_order": first,
        "last_order": last,
        "registered": registered,
        "interval_days": interval,
        "customer_status": facts.customer_status,
        "customer_type": facts.customer_type,
        "country": fold(facts.country),
        "locale": fold(facts.locale),
        "language": fold(facts.locale.partition("_")[0]),
        "payment_method": fold(facts.payment_method),
        "shipping_method": fold(facts.shipping_method),
        "utm_source": fold(touch.source),
        "utm_medium": fold(touch.medium),
        "utm_campaign": fold(touch.campaign),
        "device": fold(touch.device),
        "first_utm_source": fold(begun.source),
        "first_utm_medium": fold(begun.medium),
        "first_utm_campaign": fold(begun.campaign),
        "categories": joined(facts.categories),
        "products": joined(facts.products),
        "product_types": joined(facts.product_types),
        "payment_methods": joined(facts.payment_methods),
        "shipping_methods": joined(facts.shipping_methods),
        "coupons": joined(facts.coupons),
        "roles": joined(facts.roles),
        "is_account": int(facts.is_account),
        "optin": None if facts.optin is None else int(facts.optin),
        "birthday": facts.birthday[5:],
        "membership_day": _day(registered, zone),
        "first_order_day": _day(first, zone),
        "recency_score": rfm.score(rfm.NEVER if last is None else last, scores.recency) if buyer else None,
        "frequency_score": rfm.score(facts.orders_count, scores.frequency) if buyer else None,
        "monetary_score": rfm.score(facts.ltv, scores.monetary) if buyer else None,
    }


def _day(moment: int | None, zone: tzinfo) -> str:
    return "" if moment is None else dates.local_day(moment, zone)[5:]
