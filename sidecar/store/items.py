"""What was bought: lines, shipping methods and coupons of a page of orders (the same tables in both storages)."""

from __future__ import annotations

from collections.abc import Collection

from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import Spans, spans
from sidecar.store.model import Line
from sidecar.values.names import shown

_MOST = 10**15


class Items:
    """Lines, shipping methods and coupons by order. A line's stored name is read only when its product is gone.

    An item has ten meta rows and more, of which two matter. Looking each of them up by its item costs the server
    most of what reading orders takes, so the ids are asked for first (the index alone answers that) and the rows then
    come by ranges of their own primary key, where an order's rows lie side by side. The items themselves likewise.
    """

    def __init__(
        self, shop: Reader, ids: list[int] | Spans, wanted: Collection[int], products: Collection[int]
    ) -> None:
        """`ids`: orders, as a list or as spans that may hold others too; `wanted`: those whose items matter."""
        self.lines: dict[int, list[Line]] = {}
        self.shipping: dict[int, list[str]] = {}
        self.coupons: dict[int, list[str]] = {}
        if wanted:
            self._load(shop, ids, frozenset(wanted), products)

    def _load(self, shop: Reader, ids: list[int] | Spans, wanted: frozenset[int], products: Collection[int]) -> None:
        orders: dict[int, int] = {}
        goods: list[int] = []
        coupons = []
        places = spans(shop.numbers("items_ids", ids=ids))
        for item_id, order_id, coupon in shop.page("items_rows", ids=places) if places else ():
            if order_id in wanted:
                if coupon:
                    coupons.append((item_id, order_id, coupon))
                    continue
                orders[item_id] = order_id
                if coupon is None:
                    goods.append(item_id)
        for _, order_id, coupon in sorted(coupons):
            # WooCommerce keeps codes in small letters; importers and old versions did not.
            self.coupons.setdefault(order_id, []).append(coupon.lower())
        if orders:
            goods.sort()
            self._meta(shop, orders, goods, products)

    def _meta(self, shop: Reader, orders: dict[int, int], goods: list[int], products: Collection[int]) -> None:
        places = spans(shop.numbers("items_meta_ids", ids=spans(orders)))
        bought: dict[int, int] = {}
        variations: dict[int, int] = {}
        quantities: dict[int, int] = {}
        for item_id, key, value in shop.page("items_meta", ids=places):
            if item_id not in orders:
                continue
            if key == "_product_id":
                bought.setdefault(item_id, _int(value))
            elif key == "_qty":
                quantities.setdefault(item_id, _int(value))
            elif key == "_variation_id":
                variations.setdefault(item_id, _int(value))
            elif value:
                self.shipping.setdefault(orders[item_id], []).append(value.partition(":")[0])
        # A line that somebody typed has the product 0 or none at all; its name is all that is known.
        lost = [item_id for item_id in goods if bought.get(item_id, 0) not in products]
        names = {id_: shown(name or "") for id_, name in shop.page("items_names", ids=lost)} if lost else {}
        lines = self.lines
        for item_id in goods:
            line = (
                bought.get(item_id, 0), variations.get(item_id, 0), quantities.get(item_id, 1), names.get(item_id, "")
            )  # fmt: skip
            order_id = orders[item_id]
            if order_id in lines:
                lines[order_id].append(line)
            else:
                lines[order_id] = [line]


def _int(text: str | None) -> int:
    """Ids and quantities of lines: whole numbers from 0 ('2.5' of weighed goods is rounded), 0 for junk."""
    if not text:
        return 0
    try:
        found = int(text)
    except ValueError:
        try:
            found = round(float(text))
        except (ValueError, OverflowError):
            return 0
    return found if 0 <= found <= _MOST else 0
