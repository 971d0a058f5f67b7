"""Orders from WooCommerce's own order tables (HPOS)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import Spans
from sidecar.store.items import Items
from sidecar.store.model import Address, Order
from sidecar.store.orders import Cursor, Sums, id_of, kind_of, moment, page_of
from sidecar.values import money


class HposOrders:
    """See `orders.OrderReader`. Rows come from `wc_orders` and never from `posts`."""

    storage: Literal["hpos"] = "hpos"

    def __init__(self, shop: Reader, products: Collection[int] = ()) -> None:
        self._shop = shop
        self._products = products

    def ids(self, after: int, limit: int) -> list[int]:
        return sorted(row[0] for row in self._shop.page("orders_hpos_ids", after=after, limit=limit))

    def load(
        self, ids: Sequence[int], keys: Collection[str], paid: Collection[str], *, whole: bool = False
    ) -> list[Order]:
        if not ids:
            return []
        page = page_of(ids, whole=whole)
        rows = self._shop.page("orders_hpos_rows", ids=page)
        rows.sort()
        meta = self._meta(page, keys)
        wanted = [row[0] for row in rows if row[1] == "shop_order" and (row[2] or "").removeprefix("wc-") in paid]
        items = Items(self._shop, page if whole else wanted, wanted, self._products)
        nothing: dict[str, str] = {}
        return [
            Order(
                id=id_,
                kind=kind_of(type_ or ""),
                type=type_ or "",
                status=(status or "").removeprefix("wc-"),
                parent_id=id_of(parent),
                customer_id=id_of(customer),
                email=email or "",
                total=money.to_micros(total),
                currency=(currency or "").upper(),
                created=moment(created),
                payment=payment or "",
                crc=crc,
                meta=meta.get(id_, nothing),
                lines=tuple(items.lines.get(id_, ())),
                shipping=tuple(items.shipping.get(id_, ())),
                coupons=tuple(items.coupons.get(id_, ())),
            )
            for id_, type_, status, customer, email, total, currency, created, parent, payment, crc in rows
        ]

    def addresses(self, ids: Sequence[int]) -> dict[int, tuple[Address, Address]]:
        if not ids:
            return {}
        found: dict[int, dict[str, Address]] = {}
        for row in self._shop.page("orders_hpos_addresses", ids=ids):
            texts = [cell or "" for cell in row[2:]]
            found.setdefault(row[0], {})[row[1]] = Address(
                first_name=texts[0], last_name=texts[1], company=texts[2], address_1=texts[3], address_2=texts[4],
                city=texts[5], state=texts[6], postcode=texts[7], country=texts[8], email=texts[9], phone=texts[10],
            )  # fmt: skip
        none = Address()
        return {id_: (kinds.get("billing", none), kinds.get("shipping", none)) for id_, kinds in found.items()}

    def emails(self, ids: Sequence[int]) -> dict[int, str]:
        if not ids:
            return {}
        return {row[0]: row[1] or "" for row in self._shop.page("orders_hpos_emails", ids=ids)}

    def meta(self, ids: Sequence[int], keys: Collection[str]) -> dict[int, dict[str, str]]:
        return self._meta(list(ids), keys)

    def _meta(self, ids: list[int] | Spans, keys: Collection[str]) -> dict[int, dict[str, str]]:
        if not ids or not keys:
            return {}
        found = self._shop.documents("orders_hpos_meta", ids=ids, keys=sorted(keys))
        return {owner: meta for owner, (_, meta) in found.items()}

    def changed(self, cursor: Cursor, limit: int) -> list[tuple[str, int]] | None:
        at, after = cursor
        rows = self._shop.page("orders_hpos_changed", at=at, after=after, limit=limit)
        return sorted((row[1], row[0]) for row in rows)

    def latest(self) -> Cursor | None:
        rows = self._shop.rows("orders_hpos_latest")
        return (rows[0][0], rows[0][1]) if rows else None

    def last_id(self) -> int:
        return int(self._shop.value("orders_hpos_last_id") or 0)

    def crcs(self, low: int, high: int, keys: Collection[str]) -> dict[int, int]:
        return dict(self._shop.page("orders_hpos_crcs", low=low, high=high))

    def sums(self, after: int, upto: int) -> Sums:
        rows = self._shop.page("orders_hpos_sums", after=after, upto=upto)
        return {bucket: (count, crc) for bucket, count, crc in rows}

    def last_meta_id(self) -> int:
        return 0

    def meta_sums(self, after: int, upto: int, keys: Collection[str]) -> dict[int, int]:
        return {}
