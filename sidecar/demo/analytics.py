"""WooCommerce Analytics' tables, which lag and lie a little, as in life."""

from __future__ import annotations

from sidecar.demo.dates import ZERO, local, utc
from sidecar.demo.order_facts import moments
from sidecar.demo.plan import Order, Person, Plan
from sidecar.demo.rows import Rows


class Analytics:
    """Writes the customer lookup at once, and the order statistics order by order."""

    def __init__(self, plan: Plan, rows: Rows) -> None:
        self.plan = plan
        self.stats = rows.into(
            "wc_order_stats",
            "order_id,parent_id,date_created,date_created_gmt,date_paid,date_completed,num_items_sold,total_sales,"
            "tax_total,shipping_total,net_total,returning_customer,status,customer_id",
        )
        self.lookup = rows.into(
            "wc_customer_lookup",
            "customer_id,user_id,username,first_name,last_name,email,date_registered,country,postcode,city,state",
        )
        self.users: dict[int, int] = {}
        self.guests: dict[str, int] = {}
        for person in plan.people:
            if person.user_id:
                self.users[person.user_id] = self._customer(person)

    def customer(self, order: Order) -> int:
        """The lookup's id of an order's customer; 0 when Analytics does not know the order."""
        if order.type != "shop_order" or order.status in ("auto-draft", "draft"):
            return 0
        if order.customer_id in self.users:
            return self.users[order.customer_id]
        email = (order.email or "").strip().lower()
        if email not in self.guests:
            address = order.billing
            self.guests[email] = self._customer(Person(email, address)) if address else 0
        return self.guests[email]

    def write(self, order: Order, customer: int, when: str) -> None:
        """The statistics of an order and its refunds. WooCommerce forgets to mark the trash."""
        if not customer:
            return
        times, zone = moments(order, self.plan), self.plan.zone
        status = order.meta.get("_wp_trash_meta_status", order.status)
        shipping = sum(cost for _, _, cost in order.shipping)
        self.stats((
            order.id, 0, when, utc(order.created) if order.created is not None else ZERO,
            local(times.paid, zone) if times.paid else None, local(times.completed,
            zone) if times.completed else None,
            sum(line.quantity for line in order.lines), order.total / 100, order.tax / 100, shipping / 100,
            (order.total - order.tax - shipping) / 100, 0, status, customer,
        ))  # fmt: skip
        for refund in order.refunds:
            money = -refund.amount / 100
            self.stats((refund.id, order.id, local(refund.at, zone), utc(refund.at), None, None,
            -refund.quantity, money,
                        0, 0, money, 0, status, customer))  # fmt: skip

    def _customer(self, person: Person) -> int:
        number, a = len(self.users) + len(self.guests) + 1, person.address
        self.lookup((
            number, person.user_id or None, f"u{person.user_id}" if person.user_id else "", a.first[:255],
            a.last[:255],
            person.email[:100], utc(person.registered) if person.registered else None, a.country,
            a.postcode[:20],
            a.city[:100], a.state[:100],
        ))  # fmt: skip
        return number
