"""The shop as messages name it: its address, pages, pictures and money."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Protocol
from urllib.parse import quote

import msgspec

from sidecar.automations.messages import clean
from sidecar.automations.messages.model import Money, Shop
from sidecar.config import Config
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.values import money, php

_OPTIONS = (
    "home", "siteurl", "blogname", "WPLANG", "permalink_structure", "woocommerce_permalinks", "upload_url_path", "woocommerce_currency",
    "woocommerce_price_num_decimals", "woocommerce_store_address", "woocommerce_store_address_2", "woocommerce_store_city",
    "woocommerce_store_postcode", "woocommerce_email_header_image", "woocommerce_checkout_page_id",
    "woocommerce_checkout_pay_endpoint", "woocommerce_checkout_order_received_endpoint",
    "woocommerce_custom_orders_table_enabled",
    "woocommerce_fulfillments_db_tables_created",
)  # fmt: skip
# Currencies whose smallest unit is the whole (ISO 4217 and Iranian plugins): for amounts that are not in the shop's own.
_WHOLE = frozenset(
    {"IRR", "IRT", "IRHT", "IRHR", "JPY", "KRW", "VND", "CLP", "HUF", "ISK", "UGX", "PYG", "XAF", "XOF", "RWF"}
)
_URL = re.compile(r"https?://[^\s<>\"'`\\{}|^]+", re.IGNORECASE)
_SLUG = re.compile(r"[A-Za-z0-9%_.~-]+(?:/[A-Za-z0-9%_.~-]+)*")


class Source(Protocol):
    """Where data come from: the part of `automations.place.Place` that messages need. `now` is Unix seconds UTC."""

    @property
    def config(self) -> Config: ...
    @property
    def state(self) -> State: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def zone(self) -> tzinfo: ...
    @property
    def now(self) -> int: ...


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What addresses and amounts are made from. `checkout`: the id of the checkout's page, '' unknown.
    `fulfillments`: whether WooCommerce's own table of parcels is there."""

    shop: Shop
    locale: str
    hpos: bool
    uploads: str
    plain: bool
    slash: bool
    base: str
    checkout: str
    pay: str
    received: str
    fulfillments: bool

    def money(self, text: str | None, currency: str = "") -> Money | None:
        """An amount as the shop stores it; None when it is none."""
        micros = money.to_micros(text)
        if micros is None:
            return None
        code = (clean.text(currency, 8) or self.shop.currency).upper()
        own = code == self.shop.currency
        return Money(micros, code, self.shop.decimals if own else 0 if code in _WHOLE else 2)

    def product(self, id_: int, slug: str) -> str:
        """A product's page. Where the way to it cannot be known, WordPress is asked by id and sends on."""
        if slug and _SLUG.fullmatch(slug):
            if self.plain:
                return f"{self.shop.url}/?product={slug}"
            if self.base:
                return f"{self.shop.url}/{self.base}/{slug}{'/' if self.slash else ''}"
        return f"{self.shop.url}/?post_type=product&p={id_}"

    def order(self, id_: int, key: str, *, pay: bool) -> str:
        """Where an order is shown or paid; the key opens it."""
        if not self.checkout or not key:
            return ""
        what = f"{self.pay}={id_}&pay_for_order=true" if pay else f"{self.received}={id_}"
        return f"{self.shop.url}/?page_id={self.checkout}&{what}&key={quote(key, safe='')}"

    def picture(self, path: str) -> str:
        """The address of an uploaded file."""
        return url(f"{self.uploads}/{quote(path.lstrip('/'), safe='/%~')}") if path else ""


def load(reader: Reader) -> Site:
    """The shop as its options have it now."""
    found = {str(name): str(value or "") for name, value in reader.rows("schema_options", names=list(_OPTIONS))}

    def text(name: str) -> str:
        return clean.text(found.get(name), 120)

    home = url(found.get("home", "")).rstrip("/") or url(found.get("siteurl", "")).rstrip("/")
    decimals = found.get("woocommerce_price_num_decimals", "")
    town = " ".join(part for part in (text("woocommerce_store_postcode"), text("woocommerce_store_city")) if part)
    lines = (text("woocommerce_store_address"), text("woocommerce_store_address_2"), town)
    structure = found.get("permalink_structure", "")
    checkout = found.get("woocommerce_checkout_page_id", "")
    return Site(
        shop=Shop(
            name=_unescaped(found.get("blogname", "")),
            url=home,
            address=", ".join(line for line in lines if line),
            currency=text("woocommerce_currency").upper() or "USD",
            logo=url(found.get("woocommerce_email_header_image", "")),
            decimals=int(decimals) if decimals.isascii() and decimals.isdigit() and len(decimals) < 2 else 2,
        ),
        locale=text("WPLANG") or "en_US",
        hpos=found.get("woocommerce_custom_orders_table_enabled") == "yes",
        uploads=url(found.get("upload_url_path", "")).rstrip("/")
        or f"{url(found.get('siteurl', '')).rstrip('/') or home}/wp-content/uploads",
        plain=not structure,
        slash=structure.endswith("/"),
        base=_base(found.get("woocommerce_permalinks", "")),
        checkout=checkout if checkout.isascii() and checkout.isdigit() and checkout != "0" else "",
        pay=_endpoint(found.get("woocommerce_checkout_pay_endpoint"), "order-pay"),
        received=_endpoint(found.get("woocommerce_checkout_order_received_endpoint"), "order-received"),
        fulfillments=found.get("woocommerce_fulfillments_db_tables_created") in ("1", "yes"),
    )


def url(text: str | None) -> str:
    """An http(s) address as it may stand in a message; '' when it is none."""
    cleaned = (text or "").strip()
    if len(cleaned) > 2000 or "##" in cleaned or not _URL.fullmatch(cleaned):
        return ""
    return cleaned if cleaned.isascii() else quote(cleaned, safe=":/?#[]@!$&'()*+,;=%~-._")


def _unescaped(name: str) -> str:
    """WordPress keeps the site's name as HTML."""
    from html import unescape

    return clean.text(unescape(name), 80)


def _base(serialized: str) -> str:
    """Where products stand; '' where that depends on the product's category or is not known."""
    try:
        value = php.loads(serialized) if serialized else None
    except php.PhpError:
        return ""
    base = value.get("product_base") if isinstance(value, dict) else None
    base = base.strip("/") if isinstance(base, str) else ""
    return base if base and "%product_cat%" not in base and _SLUG.fullmatch(base) else ""


def _endpoint(text: str | None, otherwise: str) -> str:
    found = (text or "").strip()
    return found if found and _SLUG.fullmatch(found) else otherwise
