"""Orders as messages tell of them, from either storage."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import pymysql

from sidecar.automations.messages import clean, tracking
from sidecar.automations.messages.model import Line, Moment, Money, Order
from sidecar.automations.messages.products import Catalogue
from sidecar.automations.messages.site import Site
from sidecar.mysql.connection import Reader
from sidecar.store import orders as store
from sidecar.values import money

log = logging.getLogger(__name__)

_NUMBER = ("_order_number_formatted", "_order_number")
_POSTS = ("_order_key", "_order_total", "_order_currency", "_payment_method_title")
_LANGUAGE = "wpml_language"
_MOST_LINES = 50
# While an order is so, it can be paid.
_UNPAID = frozenset({"pending", "failed"})


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it was read; `lines` by item id: name and meta."""

    id: int
    status: str
    total: Money | None
    currency: str
    created: int | None
    payment: str
    key: str
    meta: Mapping[str, str]
    lines: tuple[tuple[str, Mapping[str, str]], ...]
    fulfilled: tuple[Mapping[str, str], ...] = ()

    @property
    def bought(self) -> list[tuple[int, int]]:
        """(product, variation or 0) of its lines."""
        return [(_int(meta.get("_product_id")), _int(meta.get("_variation_id"))) for _, meta in self.lines]

    @property
    def products(self) -> list[int]:
        """Ids of the products and variations in it."""
        return [id_ for pair in self.bought for id_ in pair if id_]

    @property
    def language(self) -> str:
        """The language it was placed in, where a plugin says so."""
        return self.meta.get(_LANGUAGE, "")


def read(reader: Reader, site: Site, ids: Collection[int]) -> dict[int, Raw]:
    """These orders; those that are gone are missing."""
    if not ids:
        return {}
    wanted = sorted(ids)
    keys = [*tracking.KEYS, *_NUMBER, _LANGUAGE]
    found = store.choose(reader, "hpos" if site.hpos else "posts").meta(wanted, keys if site.hpos else [*keys, *_POSTS])
    rows: list[list[Any]] = []
    if site.hpos:
        rows = reader.page("messages_orders_hpos", ids=wanted)
    else:
        for id_, status, created in reader.page("messages_orders_posts", ids=wanted):
            own = found.get(id_, {})
            rows.append([
                id_, status, own.get("_order_currency"), own.get("_order_total"), created, own.get("_payment_method_title"),
                own.get("_order_key"),
            ])  # fmt: skip
    lines = _lines(reader, [row[0] for row in rows])
    fulfilled = _fulfilled(reader, wanted) if site.fulfillments else {}
    return {
        row[0]: Raw(
            id=row[0],
            status=clean.text((row[1] or "").removeprefix("wc-"), 40),
            currency=(row[2] or "").upper(),
            total=site.money(row[3], row[2] or ""),
            created=store.moment(row[4]),
            payment=clean.text(row[5], 100),
            key=row[6] or "",
            meta=found.get(row[0], {}),
            lines=lines.get(row[0], ()),
            fulfilled=fulfilled.get(row[0], ()),
        )
        for row in rows
    }


def show(raw: Raw, site: Site, catalogue: Catalogue) -> Order:
    """An order for a message. `catalogue` knows its products, as far as they are still there."""
    items = [_line(name, meta, raw.currency, site, catalogue) for name, meta in raw.lines[:_MOST_LINES]]
    parcels = tracking.parcels(raw.meta, [meta[_VILLA] for _, meta in raw.lines if meta.get(_VILLA)], raw.fulfilled)
    number = next((raw.meta[key] for key in _NUMBER if raw.meta.get(key)), "")
    return Order(
        id=raw.id,
        number=clean.text(number, 40) or str(raw.id),
        status=raw.status,
        items=tuple(items),
        total=raw.total,
        date=Moment(raw.created) if raw.created else None,
        payment=raw.payment,
        tracking=parcels[0] if parcels else None,
        parcels=parcels,
        pay_link=site.order(raw.id, raw.key, pay=True) if raw.status in _UNPAID else "",
        link=site.order(raw.id, raw.key, pay=False),
    )


_VILLA = "_vi_wot_order_item_tracking_data"


def _line(name: str, meta: Mapping[str, str], currency: str, site: Site, catalogue: Catalogue) -> Line:
    product, variation = _int(meta.get("_product_id")), _int(meta.get("_variation_id"))
    now = catalogue.get(variation) or catalogue.get(product)
    there = now.shown if now and now.published else None
    parts = [money.to_micros(meta.get(key) or "0") for key in ("_line_total", "_line_tax")]
    micros = sum(part for part in parts if part is not None)
    quantity = _int(meta.get("_qty")) or 1
    total = site.money(money.fixed(micros, 6), currency)
    title = clean.text(name, 200) or (there.name if there else f"#{product}")
    options = now.shown.options if now else ""
    return Line(
        product_id=product,
        variation_id=variation,
        name=title,
        # WooCommerce writes short options into the name of the line: "T-shirt - Red, L".
        options="" if options in title else options,
        quantity=quantity,
        price=msgspec.structs.replace(total, micros=money.divide(total.micros, quantity)) if total else None,
        total=total,
        image=there.image if there else "",
        url=there.url if there else "",
    )


def _lines(reader: Reader, ids: list[int]) -> dict[int, tuple[tuple[str, Mapping[str, str]], ...]]:
    if not ids:
        return {}
    orders: dict[int, dict[int, tuple[str, dict[str, str]]]] = {}
    for order_id, item_id, name, key, value in reader.page("messages_lines", ids=ids):
        orders.setdefault(order_id, {}).setdefault(item_id, (name or "", {}))[1].setdefault(key, value or "")
    return {order_id: tuple(items[item_id] for item_id in sorted(items)) for order_id, items in orders.items()}


def _fulfilled(reader: Reader, ids: list[int]) -> dict[int, tuple[Mapping[str, str], ...]]:
    """The meta of each fulfillment, by order. A table of a feature that is off for most: without the right to read it orders
    are told without its parcels."""
    try:
        rows = sorted(reader.page("messages_fulfillments", ids=ids))
    except pymysql.err.MySQLError:
        log.info("WooCommerce's fulfillments cannot be read: parcels come from plugins' meta only")
        return {}
    found: dict[int, dict[int, dict[str, str]]] = {}
    for order_id, id_, key, value in rows:
        found.setdefault(order_id, {}).setdefault(id_, {}).setdefault(key, value or "")
    return {order_id: tuple(each.values()) for order_id, each in found.items()}


def _int(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
