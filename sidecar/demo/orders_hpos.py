"""Orders as WooCommerce's own tables hold them (HPOS)."""

from __future__ import annotations

from sidecar.demo.dates import ZERO, utc
from sidecar.demo.money import text
from sidecar.demo.order_facts import VERSION, indexes, key, moments, refund_metas
from sidecar.demo.orders import PAYMENTS
from sidecar.demo.plan import Order, Plan
from sidecar.demo.rows import Rows


class HposOrders:
    """Writes the four order tables."""

    def __init__(self, plan: Plan, rows: Rows) -> None:
        self.plan = plan
        self.order = rows.into(
            "wc_orders",
            "id,status,currency,type,tax_amount,total_amount,customer_id,billing_email,date_created_gmt,"
            "date_updated_gmt,parent_order_id,payment_method,payment_method_title,transaction_id,ip_address,"
            "user_agent,customer_note",
        )
        self.address = rows.into(
            "wc_order_addresses",
            "order_id,address_type,first_name,last_name,company,address_1,city,state,postcode,country,email,phone",
        )
        self.operational = rows.into(
            "wc_order_operational_data",
            "order_id,created_via,woocommerce_version,prices_include_tax,coupon_usages_are_counted,"
            "download_permission_granted,cart_hash,new_order_email_sent,order_key,order_stock_reduced,"
            "date_paid_gmt,date_completed_gmt,shipping_tax_amount,shipping_total_amount,discount_tax_amount,"
            "discount_total_amount,recorded_sales",
        )
        self.meta = rows.into("wc_orders_meta", "order_id,meta_key,meta_value")

    def write(self, order: Order) -> None:
        """One order with its refunds."""
        times = moments(order, self.plan)
        created = utc(order.created) if order.created is not None else ZERO if order.zero_date else None
        self.order((
            order.id, order.status, order.currency, order.type, text(order.tax), text(order.total),
            order.customer_id,
            order.email, created, utc(times.changed), order.parent.id if order.parent else 0, order.payment,
            PAYMENTS[order.payment], "", "", "", "",
        ))  # fmt: skip
        self._addresses(order)
        self.operational((
            order.id, order.via, VERSION, 0, 1, 1, "", 1, key(order.id), 1,
            utc(times.paid) if times.paid else None, utc(times.completed) if times.completed else None,
            0, text(sum(cost for _, _, cost in order.shipping)), 0, text(sum(off for _,
            off in order.coupons)), 1,
        ))  # fmt: skip
        for name, value in (indexes(order) | order.meta).items():
            self.meta((order.id, name, value))
        for refund in order.refunds:
            when = utc(refund.at)
            self.order((refund.id, "wc-completed", order.currency, "shop_order_refund", 0,
            text(-refund.amount), None,
                        None, when, when, order.id, None, None, None, None, None, None))  # fmt: skip
            self.operational(
                (
                    refund.id,
                    None,
                    VERSION,
                    0,
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                    None,
                    0,
                    0,
                    0,
                    0,
                    None,
                )
            )
            for name, value in refund_metas(refund).items():
                self.meta((refund.id, name, value))

    def _addresses(self, order: Order) -> None:
        a = order.billing
        if a is None:
            return
        parts = (a.first, a.last, a.company, a.street, a.city, a.state, a.postcode, a.country)
        self.address((order.id, "billing", *(part or None for part in parts), order.email or None, a.phone or None))
        if a.city or a.country:
            self.address((order.id, "shipping", None, None, None, None, a.city, None, None, a.country, None, None))
