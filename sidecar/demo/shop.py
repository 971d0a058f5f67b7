"""The demo shop: planned, written into an empty database, and its truth told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pymysql

from sidecar.demo import schema
from sidecar.demo.analytics import Analytics
from sidecar.demo.cases_orders import plan_order_cases
from sidecar.demo.cases_people import plan_people_cases
from sidecar.demo.chance import Chance
from sidecar.demo.crm import Crm
from sidecar.demo.dates import ZERO, local, zone_of
from sidecar.demo.order_items import Items
from sidecar.demo.orders import Till, plan_orders
from sidecar.demo.orders_hpos import HposOrders
from sidecar.demo.orders_posts import PostOrders
from sidecar.demo.people import plan_people
from sidecar.demo.plan import Order, Person, Plan
from sidecar.demo.products import plan_products, write_products
from sidecar.demo.rows import Rows
from sidecar.demo.site import write_carts, write_comments, write_coupon, write_options
from sidecar.demo.truth import ContactTruth, Truth, compute
from sidecar.demo.users import write_users

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST_ORDER = 1_001


def build(
    connection: pymysql.Connection[Any], *, storage: schema.Storage, hpos_sync: bool = False,
    customers: int = 2000,
    orders: int = 6000, seed: int = 20261101, prefix: str = "wp_", fluentcrm: schema.FluentCRM = "3.1",
    now: datetime = NOW, timezone: str = "Europe/Warsaw",
) -> Truth:  # fmt: skip
    """Fill the connection's empty database with a shop and return what is true about it.

    The same arguments give the same shop, and either storage the same ids. `customers` and `orders` include
    the deliberate cases, about 100 people and 130 orders, which are there at any size. `hpos_sync` is
    WooCommerce's compatibility mode: the other storage holds a copy. `timezone` is an IANA name, or an offset
    in hours like `+5.5`.
    """
    plan = Plan(int(now.timestamp()), zone_of(timezone))
    crowd = _plan(plan, Chance(seed), customers, orders)
    settings = "SET SESSION sql_mode='STRICT_TRANS_TABLES', unique_checks=0, foreign_key_checks=0"
    with connection.cursor() as cursor:
        # Zero dates are part of the shop, so the stricter modes that forbid them are off.
        cursor.execute(settings)
        schema.create(connection, prefix=prefix, hpos_tables=storage == "hpos" or hpos_sync, fluentcrm=fluentcrm)
        connection.begin()  # one transaction: InnoDB then loads the empty tables in bulk
        with Rows(connection, prefix) as rows:
            write_options(rows, hpos=storage == "hpos", sync=hpos_sync, fluentcrm=fluentcrm, timezone=timezone)
            write_products(plan, rows)
            write_coupon(plan, rows)
            write_users(plan, rows)
            write_carts(plan, rows, crowd)
            _write_orders(plan, rows, storage, hpos_sync)
            write_comments(plan, rows)
            contacts: list[ContactTruth] = Crm(plan, rows, duplicates=fluentcrm == "2.9").write(crowd)
            rows.flush()
        connection.commit()
        cursor.execute("SET SESSION sql_mode=DEFAULT, unique_checks=1, foreign_key_checks=1")
    return compute(plan, contacts)


def _plan(plan: Plan, chance: Chance, customers: int, orders: int) -> list[Person]:
    """Plan everything. Returns the ordinary people."""
    plan_products(plan, chance)
    till = Till(plan, chance)
    plan_people_cases(plan, till)
    plan_order_cases(plan, till)
    crowd = plan_people(plan, chance, max(20, customers - len({p.email for p in plan.people} | _buyers(plan))))
    plan_orders(plan, till, crowd, max(0, orders - len(plan.orders)))
    plan.number(FIRST_ORDER)
    first = plan.cases["order.subscription"][0]
    for renewal in plan.cases["order.subscription_renewal"]:
        assert isinstance(first, Order) and isinstance(renewal, Order)
        renewal.meta["_subscription_renewal"] = str(first.id)
    return crowd


def _buyers(plan: Plan) -> set[str]:
    return {order.email or "" for order in plan.orders}


def _write_orders(plan: Plan, rows: Rows, storage: schema.Storage, sync: bool) -> None:
    items, analytics = Items(plan, rows), Analytics(plan, rows)
    posts = PostOrders(plan, rows, placeholders=storage == "hpos" and not sync)
    hpos = HposOrders(plan, rows) if storage == "hpos" or sync else None
    for order in plan.orders:
        when = local(order.created, plan.zone) if order.created is not None else ZERO
        customer = analytics.customer(order)
        items.write(order, customer, when)
        analytics.write(order, customer, when)
        posts.write(order)
        if hpos is not None:
            hpos.write(order)
        rows.spill()
