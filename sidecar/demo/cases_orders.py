"""The deliberate oddities among orders: statuses, refunds, types, money, dates, items, attribution."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from sidecar.demo.cases_people import HOME
from sidecar.demo.dates import unix
from sidecar.demo.orders import ATTRIBUTION, COUPON, DAY, METHODS, Till
from sidecar.demo.plan import Line, Order, Person, Plan, Refund
from sidecar.demo.products import DELETED_NAME, DELETED_PRODUCT, FIRST_PRODUCT

STATUSES = (
    "wc-pending", "wc-processing", "wc-on-hold", "wc-completed", "wc-cancelled", "wc-refunded", "wc-failed",
    "wc-checkout-draft", "trash", "auto-draft", "draft", "wc-shipped", "wc-half-paid",
)  # fmt: skip


def plan_order_cases(plan: Plan, till: Till) -> None:
    """All of them."""
    _statuses(plan, till)
    _refunds(plan, till)
    _types(plan, till)
    _money(plan, till)
    _currencies(plan, till)
    _dates(plan, till)
    _items(plan, till)
    _metas(plan, till)


def _guest(name: str) -> Person:
    return Person(f"{name.replace('_', '.')}@example.org", HOME)


def _statuses(plan: Plan, till: Till) -> None:
    for number, status in enumerate(STATUSES):
        name = status.removeprefix("wc-")
        order = till.sell(_guest(f"status.{name}"), plan.now - (90 + number) * DAY, status=status)
        if status == "trash":
            order.meta |= {
                "_wp_trash_meta_status": "wc-completed",
                "_wp_trash_meta_time": str(plan.now - DAY),
            }
        if status == "wc-refunded":
            order.refunds.append(Refund(order.total, plan.now - 80 * DAY, full=True))
        plan.mark(f"order.status_{name}", order)


def _refunds(plan: Plan, till: Till) -> None:
    day = plan.now - 75 * DAY
    goods = till.goods

    def order(case: str, *refunds: Refund, status: str = "wc-completed") -> Order:
        sold = till.sell(_guest(f"refund.{case}"), day, status=status, product=goods[len(case)])
        sold.refunds += refunds
        plan.mark(f"order.refund_{case}", sold)
        return sold

    order("partial", Refund(2_500, day + 3 * DAY, line=0, quantity=1))
    order("full", Refund(10_000, day + 3 * DAY, line=0, quantity=1, full=True))
    order("amount_only", Refund(1_234, day + 3 * DAY))
    order("several", *(Refund(1_000 + n, day + n * DAY) for n in (1, 2, 3)))
    order("too_much", Refund(10_001, day + DAY))
    order("of_trash", Refund(4_000, day + DAY), status="trash")
    # Two orders of 100; the refund of 50 on the first comes 30 days later. The last order is the second.
    person = _guest("refund.later")
    first = till.sell(person, plan.now - 50 * DAY, product=goods[1])
    second = till.sell(person, plan.now - 40 * DAY, product=goods[2])
    first.refunds.append(Refund(5_000, plan.now - 20 * DAY))
    plan.mark("order.refund_later", first, second)
    plan.mark("email.refund_later", person.email)


def _types(plan: Plan, till: Till) -> None:
    day = plan.now - 70 * DAY
    person = plan.account(
        Person("subscriber.monthly@example.org", HOME, profile=HOME, roles=("subscriber", "customer"))
    )
    club = next(p for p in plan.products if p.kind == "subscription")
    parent = till.sell(person, day, 4_900, product=club)
    for status in ("wc-active", "wc-cancelled"):
        subscription = till.sell(person, day + 60, 4_900, product=club, status=status)
        subscription.type, subscription.parent, subscription.via = "shop_subscription", parent, "subscription"
        subscription.meta |= {"_billing_period": "month", "_billing_interval": "1", "_schedule_end": "0",
                              "_schedule_next_payment": "2026-11-20 10:00:00"}  # fmt: skip
        plan.mark("order.subscription", subscription)
    renewal = till.sell(person, day + 30 * DAY, 4_900, product=club, payment="stripe")
    renewal.meta["_subscription_renewal"] = "@subscription"  # the id is put in when it is known
    renewal.via, renewal.parent = "subscription", None
    plan.mark("order.subscription_renewal", renewal)
    weird = till.sell(_guest("type.weird"), day)
    weird.type = "wc_weird"
    plan.mark("order.unknown_type", weird)


def _money(plan: Plan, till: Till) -> None:
    day = plan.now - 65 * DAY
    free = till.sell(_guest("money.free"), day)
    free.coupons, free.lines = [("hundred", 10_000)], [replace(free.lines[0], total=0)]
    free.add_up()
    plan.mark("order.zero_total", free)
    fee = till.sell(_guest("money.fee"), day)
    fee.fees = [("Loyalty discount", -1_550), ("Gift wrap", 500)]
    fee.add_up()
    plan.mark("order.negative_fee", fee)
    coupon = till.sell(_guest("money.coupon"), day)
    coupon.coupons = [(COUPON, 1_000), ("free-mug", 250)]
    plan.mark("order.coupon", coupon)


def _currencies(plan: Plan, till: Till) -> None:
    day = plan.now - 60 * DAY

    def foreign(case: str, total: int, currency: str, rate: str | None, meta: dict[str, str]) -> Order:
        order = till.sell(_guest(f"currency.{case}"), day, total)
        order.currency, order.rate = currency, Decimal(rate) if rate else None
        order.meta |= meta
        plan.mark(f"order.currency_{case}", order)
        return order

    wcpay = "_wcpay_multi_currency_order_"
    exact = foreign(
        "wcpay", 10_000, "EUR", "0.25", {wcpay + "exchange_rate": "0.25", wcpay + "default_currency": "PLN"}
    )
    exact.refunds.append(Refund(2_000, day + DAY))
    # 33.33 / 0.2345 is 142.13219…: one amount only, so that it does not matter when somebody rounds.
    foreign("wcpay_inexact", 3_333, "EUR", "0.2345",
            {wcpay + "exchange_rate": "0.2345", wcpay + "default_currency": "PLN"})  # fmt: skip
    aelia = foreign("aelia", 5_000, "USD", None, {"_order_total_base_currency": "198.77"})
    aelia.base_total = 19_877
    foreign("woocs", 20_000, "EUR", "0.2", {"_woocs_order_rate": "0.2", "_woocs_order_base_currency": "PLN"})
    foreign("unknown", 9_900, "GBP", None, {})
    foreign("rate_zero", 9_900, "EUR", None, {"_woocs_order_rate": "0", "_woocs_order_base_currency": "PLN"})
    foreign("rate_other_base", 9_900, "EUR", None,
            {"_woocs_order_rate": "1.1", "_woocs_order_base_currency": "USD"})  # fmt: skip
    # One of three cannot be converted: the person counts, the order does not.
    mixed = _guest("currency.mixed")
    till.sell(mixed, day)
    unknown = till.sell(mixed, day + DAY, 50_000)
    unknown.currency, unknown.rate = "CHF", None
    plan.mark("order.currency_unknown", unknown)


def _dates(plan: Plan, till: Till) -> None:
    # By Warsaw's clock the first two are both 02:30, and 23:00 UTC on 31 December is next year.
    moments = {
        "dst_first_0230": "2026-10-25 00:30:00", "dst_second_0230": "2026-10-25 01:30:00",
        "dst_spring_before": "2026-03-29 00:59:59", "dst_spring_after": "2026-03-29 01:00:00",
        "new_year_before": "2025-12-31 22:59:59", "new_year_after": "2025-12-31 23:00:00",
        "new_year_utc": "2026-01-01 00:00:00", "month_end": "2026-09-30 22:30:00",
    }  # fmt: skip
    for case, moment in moments.items():
        plan.mark(f"order.{case}", till.sell(_guest(f"date.{case}"), unix(moment)))
    for case in ("null", "zero"):
        undated = till.sell(_guest(f"date.{case}"), plan.now)
        undated.created, undated.zero_date = None, case == "zero"
        plan.mark(f"order.date_{case}", undated)
    twice = _guest("date.sometimes")
    till.sell(twice, plan.now - 55 * DAY, payment="bacs")
    undated = till.sell(twice, plan.now)
    undated.created = None
    plan.mark("order.date_null", undated)
    same = _guest("date.same.second")
    pair = [till.sell(same, plan.now - 54 * DAY, payment=payment) for payment in ("bacs", "stripe")]
    plan.mark("order.same_second", *pair)


def _items(plan: Plan, till: Till) -> None:
    day = plan.now - 45 * DAY
    by_id = {product.id: product for product in plan.products}
    gone = till.sell(_guest("item.deleted"), day)
    gone.lines = [Line(DELETED_PRODUCT, 0, DELETED_NAME, 2, 10_000, 10_000)]
    plan.mark("order.deleted_product", gone)
    for case, number in (("virtual", 7), ("downloadable", 13), ("variation", 61)):
        product = by_id[FIRST_PRODUCT + number]
        plan.mark(f"order.item_{case}", till.sell(_guest(f"item.{case}"), day, product=product))
    ways = till.sell(_guest("item.two.parcels"), day)
    ways.shipping = [METHODS[0], METHODS[3]]
    plan.mark("order.two_shipping_methods", ways.add_up())
    none = till.sell(_guest("item.no.shipping"), day, product=by_id[FIRST_PRODUCT + 7])
    none.shipping = []
    plan.mark("order.no_shipping", none)
    for method in METHODS:
        sold = till.sell(_guest(f"shipping.{method[1].lower().replace(' ', '.')}"), day + DAY)
        sold.shipping = [method]
        plan.mark(f"order.shipping_{method[0]}", sold.add_up())


def _metas(plan: Plan, till: Till) -> None:
    day = plan.now - 35 * DAY
    blank = till.sell(_guest("attribution.blank"), day)
    blank.meta = {ATTRIBUTION + key: "" for key in ("source_type", "utm_source", "utm_medium", "device_type")}
    plan.mark("order.attribution_blank", blank)
    absent = till.sell(_guest("attribution.absent"), day)
    absent.meta = {}
    plan.mark("order.attribution_absent", absent)
    plan.mark("order.attribution", till.sell(_guest("attribution.present"), day))
    broken = till.sell(_guest("meta.broken"), day)
    broken.meta["_wc_shipment_tracking_items"] = 'a:1:{i:0;a:6:{s:17:"tracking_pro'
    plan.mark("order.broken_meta", broken)
    bare = till.sell(_guest("billing.missing"), day)
    bare.billing = None
    plan.mark("order.no_billing_row", bare)
    account = plan.account(Person("billing.missing.account@example.org", HOME))
    bare = till.sell(account, day)
    bare.billing = None
    plan.mark("order.no_billing_row", bare)
