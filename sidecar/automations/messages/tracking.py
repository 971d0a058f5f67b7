"""Parcels, as the common tracking plugins keep them in an order's meta (facts: woocommerce.md §11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from sidecar.automations.messages import clean
from sidecar.automations.messages.model import Tracking
from sidecar.automations.messages.site import url
from sidecar.values import php

KEYS = (
    "_wc_shipment_tracking_items", "_aftership_tracking_items", "_aftership_tracking_number",
    "_aftership_tracking_provider_name", "ywot_tracking_code", "ywot_carrier_name", "ywot_carrier_id", "ywot_carrier_url",
    "_tracking_number", "_tracking_provider", "_tracking_url", "tracking_number", "tracking_provider", "tracking_url",
    "_shipping_tracking_number",
)  # fmt: skip
# Where several keys say the same: (code, carrier, address).
_SINGLE = (
    (("ywot_tracking_code",), ("ywot_carrier_name", "ywot_carrier_id"), ("ywot_carrier_url",)),
    (("_aftership_tracking_number",), ("_aftership_tracking_provider_name",), ()),
    (
        ("_tracking_number", "tracking_number", "_shipping_tracking_number"),
        ("_tracking_provider", "tracking_provider"),
        ("_tracking_url", "tracking_url"),
    ),
)
_FULFILLED = ("_tracking_number", "_tracking_url", "_provider_name", "_shipment_provider")
_MOST = 10
_PLACES = ("{tracking_number}", "[TRACK_CODE]", "%1$s", "%s")


def parcels(
    meta: Mapping[str, str], items: Iterable[str] = (), fulfilled: Iterable[Mapping[str, str]] = ()
) -> tuple[Tracking, ...]:
    """The parcels of an order. `meta`: its own (KEYS); `items`: what VillaTheme's plugin wrote at its lines (JSON);
    `fulfilled`: the meta (JSON) of each of WooCommerce's own fulfillments."""
    found: list[Tracking] = []
    for entry in fulfilled:
        code, link, name, slug = (_said(entry.get(key)) for key in _FULFILLED)
        found.append(_one(code, link, name or _titled(slug)))
    for entry in _list(meta.get("_wc_shipment_tracking_items")):
        link = _text(entry, "custom_tracking_link", "ast_tracking_link", "formatted_tracking_link")
        carrier = _text(entry, "custom_tracking_provider", "formatted_tracking_provider") or _titled(
            _text(entry, "tracking_provider")
        )
        found.append(_one(_text(entry, "tracking_number"), link, carrier))
    for entry in _list(meta.get("_aftership_tracking_items")):
        link = _text(entry, "tracking_url", "custom_tracking_link")
        found.append(_one(_text(entry, "tracking_number"), link, _titled(_text(entry, "slug"))))
    for text in items:
        for entry in _json(text)[-1:]:
            link, carrier = (
                _text(entry, "carrier_url"),
                _text(entry, "carrier_name") or _titled(_text(entry, "carrier_slug")),
            )
            found.append(_one(_text(entry, "tracking_number"), link, carrier))
    for codes, carriers, links in _SINGLE:
        code = next((meta[key] for key in codes if meta.get(key)), "")
        link = next((meta[key] for key in links if meta.get(key)), "")
        found.append(_one(code, link, next((meta[key] for key in carriers if meta.get(key)), "")))
    known: dict[str, Tracking] = {}
    for parcel in found:
        if parcel.code or parcel.url:
            known.setdefault(parcel.code or parcel.url, parcel)
    return tuple(known.values())[:_MOST]


def _one(code: str, link: str, carrier: str) -> Tracking:
    code = clean.text(code, 80)
    for place in _PLACES:
        link = link.replace(place, code)
    return Tracking(code=code, url=url(link), carrier=clean.text(carrier, 60))


def _list(serialized: str | None) -> list[Mapping[Any, Any]]:
    try:
        value = php.loads(serialized) if serialized else None
    except php.PhpError:
        return []
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict)]


def _json(text: str) -> list[Mapping[Any, Any]]:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return []
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _said(text: str | None) -> str:
    """A text that is kept as JSON, or as it is."""
    try:
        value = msgspec.json.decode(text or '""')
    except (msgspec.DecodeError, UnicodeError):
        return text or ""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _text(entry: Mapping[Any, Any], *keys: str) -> str:
    return next((str(entry[key]) for key in keys if isinstance(entry.get(key), str | int) and entry.get(key)), "")


def _titled(slug: str) -> str:
    """A carrier's slug as a name: dhl-express → Dhl Express, but DHL stays."""
    return slug if slug.isupper() else slug.replace("-", " ").replace("_", " ").title()
