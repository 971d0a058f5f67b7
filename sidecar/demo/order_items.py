"""The rows of order items, the same in both storages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

from sidecar.demo.money import text
from sidecar.demo.phptext import dump
from sidecar.demo.plan import Line, Order, Plan, Refund
from sidecar.demo.rows import Cell, Rows

LINE_TAXES = dump({"subtotal": [], "total": []})
SHIPPING_TAXES = dump({"total": []})
COUPON_ID = 8


class Items:
    """Writes items and remembers the next free item id."""

    def __init__(self, plan: Plan, rows: Rows) -> None:
        self.plan = plan
        self.item = rows.into("woocommerce_order_items", "order_item_id,order_item_name,order_item_type,order_id")
        self.meta: Callable[[Sequence[Cell]], None] = rows.into(
            "woocommerce_order_itemmeta", "order_item_id,meta_key,meta_value"
        )
        self.lookup = rows.into(
            "wc_order_product_lookup",
            "order_item_id,order_id,product_id,variation_id,customer_id,date_created,product_qty,"
            "product_net_revenue,product_gross_revenue,coupon_amount,shipping_amount",
        )
        self._next = count(1)

    def write(self, order: Order, customer: int, when: str) -> None:
        """Every item of an order and of its refunds. `customer` is the lookup's id, `when` the local time."""
        first = 0
        for number, line in enumerate(order.lines):
            item = self._line(order.id, line)
            first = first or item
            if customer:
                cost = sum(cost for _, _, cost in order.shipping) if number == 0 else 0
                net, off = line.total / 100, (line.subtotal - line.total) / 100
                self.lookup((item, order.id, line.product, line.variation, customer, when, line.quantity,
                             net, net + cost / 100, off, cost / 100))  # fmt: skip
        for method, title, cost in order.shipping:
            self._item(order.id, title, "shipping", {
                "method_id": method, "instance_id": "", "cost": text(cost), "total_tax": "0",
                "taxes": SHIPPING_TAXES,
            })  # fmt: skip
        for name, cents in order.fees:
            self._item(order.id, name, "fee", {
                "_fee_amount": text(cents), "_tax_class": "", "_tax_status": "taxable",
                "_line_total": text(cents),
                "_line_tax": "0", "_line_tax_data": SHIPPING_TAXES,
            })  # fmt: skip
        for code, off in order.coupons:
            self._item(order.id, code, "coupon", {
                "coupon_info": f'[{COUPON_ID},"{code}","percent",10]', "discount_amount": text(off),
                "discount_amount_tax": "0",
            })  # fmt: skip
        if order.tax:
            self._item(order.id, "PL-VAT-1", "tax", {
                "rate_id": "1", "label": "VAT", "compound": "", "tax_amount": text(order.tax),
                "shipping_tax_amount": "0", "rate_percent": "23",
            })  # fmt: skip
        for refund in order.refunds:
            if refund.line is not None:
                self._returned(refund, order.lines[refund.line], first + refund.line)

    def _line(self, order: int, line: Line) -> int:
        metas = {
            "_product_id": str(line.product), "_variation_id": str(line.variation),
            "_qty": str(line.quantity),
            "_tax_class": "", "_line_subtotal": text(line.subtotal), "_line_subtotal_tax": "0",
            "_line_total": text(line.total), "_line_tax": "0", "_line_tax_data": LINE_TAXES,
        }  # fmt: skip
        if line.size:
            metas["size"] = line.size
        return self._item(order, line.name, "line_item", metas)

    def _returned(self, refund: Refund, line: Line, original: int) -> None:
        amount = text(-refund.amount)
        self._item(refund.id, line.name, "line_item", {
            "_product_id": str(line.product), "_variation_id": str(line.variation),
            "_qty": str(-refund.quantity),
            "_tax_class": "", "_line_subtotal": amount, "_line_subtotal_tax": "0", "_line_total": amount,
            "_line_tax": "0", "_line_tax_data": LINE_TAXES, "_refunded_item_id": str(original),
        })  # fmt: skip

    def _item(self, order: int, name: str, kind: str, metas: dict[str, str]) -> int:
        number = next(self._next)
        self.item((number, name, kind, order))
        write = self.meta
        for key, value in metas.items():
            write((number, key, value))
        return number
