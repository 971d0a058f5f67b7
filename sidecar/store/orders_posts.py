"""Orders from posts and postmeta (the legacy storage).

`post_modified` does not move when an order's total, e-mail, items or meta change, so there is no cursor here:
changes are found by walking the primary key and comparing digests (`sums`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal

import msgspec

from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import spans
from sidecar.store.items import Items
from sidecar.store.model import Address, Order
from sidecar.store.orders import Cursor, Sums, id_of, kind_of, moment, page_of
from sidecar.values import money

_COLUMNS = frozenset({"_customer_user", "_billing_email", "_order_total", "_order_currency", "_payment_method"})
_PARTS = Address.__struct_fields__
_ADDRESS_KEYS = [f"_{kind}_{part}" for kind in ("billing", "shipping") for part in _PARTS]


class PostsOrders:
    """See `orders.OrderReader`. The columns of HPOS are meta rows here (facts: woocommerce.md §2)."""

    storage: Literal["posts"] = "posts"

    def __init__(self, shop: Reader, products: Collection[int] = ()) -> None:
        self._shop = shop
        self._products = products

    def ids(self, after: int, limit: int) -> list[int]:
        return sorted(row[0] for row in self._shop.page("orders_posts_ids", after=after, limit=limit))

    def load(
        self, ids: Sequence[int], keys: Collection[str], paid: Collection[str], *, whole: bool = False
    ) -> list[Order]:
        if not ids:
            return []
        page = page_of(ids, whole=whole)
        rows = self._shop.page("orders_posts_rows", ids=page)
        rows.sort()
        # Between two orders lie other posts with meta of their own: by a list, but for ids that lie close together.
        metas = self._shop.documents("orders_posts_meta", ids=spans(ids), keys=sorted(_COLUMNS | set(keys)))
        wanted = [row[0] for row in rows if row[1] == "shop_order" and (row[2] or "").removeprefix("wc-") in paid]
        items = Items(self._shop, page if whole else wanted, wanted, self._products)
        nothing: tuple[int, dict[str, str]] = (0, {})
        return [self._order(row, *metas.get(row[0], nothing), items) for row in rows]

    def _order(self, row: Sequence[Any], meta_crc: int, meta: dict[str, str], items: Items) -> Order:
        id_, type_, status, created, _local, parent, crc = row
        customer = meta.get("_customer_user", "")
        return Order(
            id=id_,
            kind=kind_of(type_),
            type=type_,
            status=(status or "").removeprefix("wc-"),
            parent_id=id_of(parent),
            customer_id=id_of(int(customer)) if customer.isascii() and customer.isdigit() and len(customer) < 20 else 0,
            email=meta.get("_billing_email", ""),
            total=money.to_micros(meta.get("_order_total", "")),
            currency=meta.get("_order_currency", "").upper(),
            created=moment(created),
            payment=meta.get("_payment_method", ""),
            crc=crc + meta_crc,
            meta=meta,
            lines=tuple(items.lines.get(id_, ())),
            shipping=tuple(items.shipping.get(id_, ())),
            coupons=tuple(items.coupons.get(id_, ())),
        )

    def addresses(self, ids: Sequence[int]) -> dict[int, tuple[Address, Address]]:
        if not ids:
            return {}
        found = {}
        for id_, meta in self.meta(ids, _ADDRESS_KEYS).items():
            both = [
                msgspec.convert({part: meta.get(f"_{kind}_{part}", "") for part in _PARTS}, Address)
                for kind in ("billing", "shipping")
            ]
            found[id_] = (both[0], both[1])
        return found

    def emails(self, ids: Sequence[int]) -> dict[int, str]:
        return {id_: meta["_billing_email"] for id_, meta in self.meta(ids, ["_billing_email"]).items()}

    def meta(self, ids: Sequence[int], keys: Collection[str]) -> dict[int, dict[str, str]]:
        if not ids or not keys:
            return {}
        found = self._shop.documents("orders_posts_meta", ids=ids, keys=sorted(keys))
        return {owner: meta for owner, (_, meta) in found.items()}

    def changed(self, cursor: Cursor, limit: int) -> list[tuple[str, int]] | None:
        return None

    def latest(self) -> Cursor | None:
        return None

    def last_id(self) -> int:
        return int(self._shop.value("orders_posts_last_id") or 0)

    def crcs(self, low: int, high: int, keys: Collection[str]) -> dict[int, int]:
        posts = dict(self._shop.page("orders_posts_crcs", low=low, high=high))
        if not posts:
            return {}
        wanted = sorted(_COLUMNS | set(keys))
        metas = dict(self._shop.page("orders_posts_meta_crcs", ids=sorted(posts), keys=wanted))
        return {id_: crc + metas.get(id_, 0) for id_, crc in posts.items()}

    def sums(self, after: int, upto: int) -> Sums:
        rows = self._shop.page("orders_posts_sums", after=after, upto=upto)
        return {bucket: (count, crc) for bucket, count, crc in rows}

    def last_meta_id(self) -> int:
        return int(self._shop.value("orders_posts_meta_last_id") or 0)

    def meta_sums(self, after: int, upto: int, keys: Collection[str]) -> dict[int, int]:
        wanted = sorted(_COLUMNS | set(keys))
        return dict(self._shop.page("orders_posts_meta_sums", after=after, upto=upto, keys=wanted))
