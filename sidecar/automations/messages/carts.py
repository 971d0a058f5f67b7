"""Carts as messages show them, from the plugin's snapshots."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from sidecar.automations.messages import clean
from sidecar.automations.messages.model import Cart, Line, Money
from sidecar.automations.messages.products import Catalogue
from sidecar.automations.messages.site import Site
from sidecar.mysql.connection import Reader
from sidecar.values import money

_MOST_LINES = 50


class Raw(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as it was read. `items`: (product, variation, quantity, total as text)."""

    id: int
    status: str
    currency: str
    total: str
    items: tuple[tuple[int, int, int, str], ...]
    language: str

    @property
    def products(self) -> list[int]:
        """Ids of the products and variations in it."""
        return [id_ for product, variation, _, _ in self.items for id_ in (variation, product) if id_]


def read(reader: Reader, ids: Collection[int]) -> dict[int, Raw]:
    """These carts; those that are gone are missing."""
    if not ids:
        return {}
    return {
        row[0]: Raw(
            id=row[0], status=row[2] or "", currency=row[4] or "", total=row[5] or "", items=_items(row[6] or ""),
            language=clean.text(row[7], 20),
        )
        for row in reader.page("messages_carts", ids=sorted(ids))
    }  # fmt: skip


def show(raw: Raw, site: Site, catalogue: Catalogue) -> Cart:
    """A cart for a message: what the shop does not sell any more is left out, of the total too."""
    lines = []
    for product, variation, quantity, text in raw.items[:_MOST_LINES]:
        now = catalogue.get(variation or product)
        if now is None or not now.published:
            continue
        total = site.money(text, raw.currency)
        lines.append(
            Line(
                product_id=product,
                variation_id=variation,
                name=now.shown.name,
                options=now.shown.options,
                quantity=quantity,
                price=msgspec.structs.replace(total, micros=money.divide(total.micros, quantity)) if total else None,
                total=total,
                image=now.shown.image,
                url=now.shown.url,
            )
        )
    whole = len(lines) == len(raw.items[:_MOST_LINES])
    return Cart(id=raw.id, items=tuple(lines), total=site.money(raw.total, raw.currency) if whole else _sum(lines))


def _sum(lines: list[Line]) -> Money | None:
    """What is shown costs so much; nothing where that of one of them is not known."""
    known = [line.total for line in lines if line.total is not None]
    if not known or len(known) < len(lines):
        return None
    return msgspec.structs.replace(known[0], micros=sum(one.micros for one in known))


def _items(text: str) -> tuple[tuple[int, int, int, str], ...]:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return ()
    if not isinstance(found, list):
        return ()
    lines = []
    for item in found:
        if isinstance(item, dict) and (product := _number(item.get("product_id"))):
            total = item.get("total")
            quantity = max(_number(item.get("quantity")), 1)
            lines.append(
                (product, _number(item.get("variation_id")), quantity, total if isinstance(total, str) else "")
            )
    return tuple(lines)


def _number(value: Any) -> int:
    """A whole number from 0; weighed goods ('0.5') are rounded."""
    try:
        found = round(float(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else 0
    except (ValueError, OverflowError):
        return 0
    return found if 0 <= found < 2**63 else 0
