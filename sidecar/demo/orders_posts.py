"""Orders as posts: the legacy storage, and the placeholders that HPOS leaves in it."""

from __future__ import annotations

from sidecar.demo.dates import ZERO, local, utc
from sidecar.demo.money import text
from sidecar.demo.order_facts import VERSION, indexes, key, moments, refund_metas
from sidecar.demo.orders import PAYMENTS
from sidecar.demo.plan import Order, Plan, Refund
from sidecar.demo.rows import Rows

POST = (
    "ID,post_author,post_date,post_date_gmt,post_content,post_title,post_excerpt,post_status,comment_status,"
    "ping_status,post_password,post_name,to_ping,pinged,post_modified,post_modified_gmt,post_content_filtered,"
    "post_parent,guid,post_type"
)
GUID = "http://127.0.0.1:8080/?post_type="


class PostOrders:
    """Writes posts and postmeta, or with `placeholders` only the empty posts that reserve the ids."""

    def __init__(self, plan: Plan, rows: Rows, *, placeholders: bool) -> None:
        self.plan = plan
        self.placeholders = placeholders
        self.post = rows.into("posts", POST)
        self.meta = rows.into("postmeta", "post_id,meta_key,meta_value")

    def write(self, order: Order) -> None:
        """One order with its refunds."""
        parent = order.parent.id if order.parent else 0
        if self.placeholders:
            self._placeholder(order.id, order.created, parent)
            for refund in order.refunds:
                self._placeholder(refund.id, refund.at, order.id)
            return
        times = moments(order, self.plan)
        self._post(order.id, order.created, times.changed, order.status, order.type, parent)
        for name, value in self._metas(order, times.paid, times.completed).items():
            self.meta((order.id, name, value))
        for refund in order.refunds:
            self._post(refund.id, refund.at, refund.at, "wc-completed", "shop_order_refund", order.id)
            for name, value in _refund(order, refund).items():
                self.meta((refund.id, name, value))

    def _post(self, number: int, created: int | None, changed: int, status: str, kind: str, parent: int) -> None:
        zone = self.plan.zone
        here, there = (local(created, zone), utc(created)) if created is not None else (ZERO, ZERO)
        if status == "auto-draft":
            there = ZERO  # WordPress gives a draft no date in UTC
        self.post((
            number, 1, here, there, "", f"{kind.removeprefix('shop_').capitalize()} &ndash; {here}", "",
            status, "open",
            "closed", key(number), f"{kind}-{number}", "", "", local(changed, zone), utc(changed), "", parent,
            f"{GUID}{kind}&#038;p={number}", kind,
        ))  # fmt: skip

    def _placeholder(self, number: int, created: int | None, parent: int) -> None:
        moment = created or self.plan.now
        here, there = local(moment, self.plan.zone), utc(moment)
        self.post((number, 0, here, there, "", "", "", "draft", "closed", "closed", "", "", "", "", here,
        there, "",
                   parent, f"{GUID}shop_order_placehold&p={number}", "shop_order_placehold"))  # fmt: skip

    def _metas(self, order: Order, paid: int | None, completed: int | None) -> dict[str, str]:
        metas = {
            "_order_key": key(order.id), "_customer_user": str(order.customer_id),
            "_payment_method": order.payment,
            "_payment_method_title": PAYMENTS[order.payment], "_created_via": order.via,
            "_download_permissions_granted": "yes", "_recorded_sales": "yes",
            "_recorded_coupon_usage_counts": "yes",
            "_new_order_email_sent": "true", "_order_stock_reduced": "yes",
        }  # fmt: skip
        if order.email:
            metas["_billing_email"] = order.email
        if order.billing is not None:
            metas |= {f"_billing_{name}": value for name, value in order.billing.parts()}
            metas |= {
                f"_shipping_{name}": value for name, value in order.billing.parts() if name in ("city", "country")
            }
        metas |= {
            "_order_currency": order.currency, "_cart_discount": text(sum(off for _, off in order.coupons)),
            "_cart_discount_tax": "0", "_order_shipping": text(sum(cost for _, _, cost in order.shipping)),
            "_order_shipping_tax": "0", "_order_tax": text(order.tax), "_order_total": text(order.total),
            "_order_version": VERSION, "_prices_include_tax": "no",
        }  # fmt: skip
        zone = self.plan.zone
        if paid:
            metas |= {"_date_paid": str(paid), "_paid_date": local(paid, zone)}
        if completed:
            metas |= {"_date_completed": str(completed), "_completed_date": local(completed, zone)}
        return metas | indexes(order) | order.meta


def _refund(order: Order, refund: Refund) -> dict[str, str]:
    return {
        "_order_currency": order.currency, "_cart_discount": "0", "_cart_discount_tax": "0",
        "_order_shipping": "0",
        "_order_shipping_tax": "0", "_order_tax": "0", "_order_total": text(-refund.amount),
        "_order_version": VERSION,
        "_prices_include_tax": "no", **refund_metas(refund),
    }  # fmt: skip
