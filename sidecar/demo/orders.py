"""The ordinary orders: who buys what, when, how, and what comes back."""

from __future__ import annotations

from sidecar.demo.chance import Chance
from sidecar.demo.plan import Address, Line, Order, Person, Plan, Product, Refund

DAY = 86_400
COUPON = "welcome10"
STATUSES = ("wc-completed",) * 12 + ("wc-processing",) * 3 + (
    "wc-on-hold", "wc-pending", "wc-cancelled", "wc-failed", "wc-refunded",
)  # fmt: skip
PAID = ("wc-processing", "wc-completed")
PAYMENTS = {
    "cod": "Cash on delivery", "bacs": "Bank transfer", "stripe": "Card", "przelewy24": "Przelewy24",
    "zarinpal": "زرین‌پال",
}  # fmt: skip
METHODS = (
    ("flat_rate", "InPost", 1299), ("flat_rate", "Kurier", 1500), ("free_shipping", "Free shipping", 0),
    ("local_pickup", "Pickup", 0), ("flexible_shipping_single", "Speedy", 990),
)  # fmt: skip
SOURCES = (
    ("utm", "google", "cpc", "brand"), ("utm", "newsletter", "email", "spring"), ("utm", "instagram",
    "social", ""),
    ("typein", "(direct)", "", ""), ("referral", "blog.example.org", "referral", ""), ("organic", "google",
    "organic", ""),
    ("utm", "telegram", "social", "نوروز"),
)  # fmt: skip
DEVICES = ("Mobile", "Mobile", "Desktop", "Tablet")
ATTRIBUTION = "_wc_order_attribution_"


class Till:
    """Rings up orders. The bulk uses `ring`, by chance; the deliberate cases use `sell`."""

    def __init__(self, plan: Plan, chance: Chance) -> None:
        self.plan = plan
        self.chance = chance
        self.goods = [p for p in plan.products if p.kind in ("simple", "variation")]

    def line(self, product: Product, quantity: int = 1, *, total: int | None = None) -> Line:
        """A line at the product's price, or at `total` cents for all of it."""
        full = product.price * quantity
        paid = full if total is None else total
        return Line(
            product=product.parent or product.id, variation=product.id if product.parent else 0,
            name=product.name, quantity=quantity, subtotal=max(full, paid) if total is None else paid,
            total=paid, size=product.size,
        )  # fmt: skip

    def sell(
        self, person: Person, created: int, total: int = 10_000, *, status: str = "wc-completed",
        product: Product | None = None, payment: str = "cod", email: str | None = None,
        billing: Address | None = None,
    ) -> Order:  # fmt: skip
        """One order with one line that costs `total` cents, attributed to a search. Planned at once."""
        product = product or self.goods[created // 7 % 50]
        order = Order(
            email=person.email if email is None else email, customer_id=person.user_id,
            billing=billing or person.address, created=created, status=status, payment=payment,
            lines=[self.line(product, total=total)], shipping=[("free_shipping", "Free shipping", 0)],
            meta=attribution(SOURCES[5], "Desktop"),
        ).add_up()  # fmt: skip
        self.plan.orders.append(order)
        return order

    def ring(self, person: Person, created: int) -> Order:
        """An ordinary order, by chance. The customer's spelling of the e-mail varies."""
        chance = self.chance
        lines = [self.line(chance.pick(self.goods), 1 + chance.below(3)) for _ in range(1 + chance.below(3))]
        order = Order(
            email=person.email.upper() if chance.one_in(40) else person.email, customer_id=person.user_id,
            billing=person.address, created=created, status=chance.pick(STATUSES),
            payment=chance.pick(tuple(PAYMENTS)), via=chance.pick(("checkout", "store-api", "admin")),
            shipping=[chance.pick(METHODS)], lines=lines,
        )  # fmt: skip
        if chance.one_in(9):
            order.coupons, order.lines = _discount(lines)
        if chance.one_in(10):
            order.tax = sum(line.total for line in order.lines) * 23 // 100
        if not chance.one_in(12):
            order.meta = attribution(chance.pick(SOURCES), chance.pick(DEVICES), blank=order.via == "store-api")
        if chance.one_in(5):
            order.meta["_gift_note"] = f"متن هدیه 🎁 {created % 1000}"
        if chance.one_in(3):
            order.meta["mailchimp_woocommerce_is_subscribed"] = chance.pick(("1", "0"))
        order.add_up()
        self._give_back(order)
        self.plan.orders.append(order)
        return order

    def _give_back(self, order: Order) -> None:
        chance, created = self.chance, order.created or 0
        later = min(created + (2 + chance.below(20)) * DAY, self.plan.now - 60)
        if order.status == "wc-refunded":
            order.refunds.append(Refund(order.total, later, full=True))
        elif order.status == "wc-completed" and chance.one_in(17):
            if chance.one_in(2):
                order.refunds.append(Refund(order.lines[0].total, later, line=0, quantity=order.lines[0].quantity))
            else:
                order.refunds.append(Refund(max(1, order.total * 3 // 10), later))


def attribution(source: tuple[str, str, str, str], device: str, *, blank: bool = False) -> dict[str, str]:
    """The metas of order attribution. The block checkout (`blank`) stores empty texts too."""
    kind, utm, medium, campaign = source
    metas = {"source_type": kind, "utm_source": utm, "utm_medium": medium, "utm_campaign": campaign,
             "device_type": device, "session_pages": str(1 + len(utm)), "session_count": "1"}  # fmt: skip
    return {ATTRIBUTION + key: value for key, value in metas.items() if value or blank}


def plan_orders(plan: Plan, till: Till, people: list[Person], count: int) -> None:
    """`count` ordinary orders over two years; some people buy often, many once, a few never."""
    chance = till.chance
    for _ in range(count):
        person = people[int(chance.random() ** 1.6 * len(people))]
        till.ring(person, plan.now - 3600 - int(chance.random() ** 1.3 * 730 * DAY))


def _discount(lines: list[Line]) -> tuple[list[tuple[str, int]], list[Line]]:
    """Ten percent off every line, as the coupon does."""
    cheaper, off = [], 0
    for line in lines:
        less = line.total // 10
        off += less
        cheaper.append(
            Line(
                line.product,
                line.variation,
                line.name,
                line.quantity,
                line.subtotal,
                line.total - less,
                line.size,
            )
        )
    return [(COUPON, off)], cheaper
