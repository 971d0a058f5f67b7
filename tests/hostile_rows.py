"""The rows of a hostile shop (`hostile.py`) in either storage, in tables of the collations that real hosts have."""

from __future__ import annotations

from typing import Any

import pymysql
from hostile import ZERO, Shop
from hostile_truth import identity, usable

from sidecar.demo import schema


def create(shop: Shop, connection: pymysql.Connection[Any]) -> None:
    """The empty tables, of a collation or charset that real hosts have."""
    tables = schema.statements(
        prefix=shop.prefix, hpos_tables=shop.storage == "hpos", fluentcrm=shop.dice.choice(["3.1", "2.9"])
    )
    for sql in tables:
        word = shop.dice.choice(
            ["utf8mb4_unicode_520_ci"] * 3 + ["utf8mb4_unicode_ci", "utf8mb4_general_ci", "utf8mb4_bin"]
        )
        _run(
            shop,
            connection,
            sql.replace("utf8mb4_unicode_520_ci", "utf8mb4_unicode_520_ci" if "fc_" in sql[:40] else word),
        )


def _run(shop: Shop, connection: pymysql.Connection[Any], sql: str, *cells: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO'")
        cursor.execute(sql, cells or None)


def _insert(shop: Shop, connection: pymysql.Connection[Any], table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        names = list(rows[0])
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO'")
            cursor.executemany(
                f"INSERT INTO `{shop.prefix}{table}` ({','.join(f'`{n}`' for n in names)}) VALUES ({','.join(['%s'] * len(names))})",
                [[row[name] for name in names] for row in rows],
            )


def write(shop: Shop, connection: pymysql.Connection[Any]) -> None:
    """Everything anew: but for FluentCRM the tables are emptied first. Meta have the same ids as long as nothing moves."""
    for table in ("options", "users", "usermeta", "posts", "postmeta", "terms", "term_taxonomy", "term_relationships",
                  "woocommerce_order_items", "woocommerce_order_itemmeta", "wc_product_meta_lookup",
                  *(("wc_orders", "wc_orders_meta") if shop.storage == "hpos" else ())):  # fmt: skip
        _run(shop, connection, f"TRUNCATE TABLE `{shop.prefix}{table}`")
    offset = shop.zone[:1] in ("+", "-")
    options = {
        "siteurl": "http://x.test", "home": "http://x.test", "gmt_offset": shop.zone if offset else "0", "active_plugins": "a:0:{}",
        "timezone_string": "" if offset else shop.zone, "woocommerce_currency": shop.currency, "woocommerce_default_country": "PL",
        "woocommerce_custom_orders_table_enabled": "yes" if shop.storage == "hpos" else "no", "_fluentcrm_db_version": "2.10.10",
    }  # fmt: skip
    _insert(shop, connection, "options", [{"option_name": n, "option_value": v} for n, v in options.items()])
    _insert(shop, connection, "users", [
        {"ID": id_, "user_login": f"u{id_}", "user_email": email, "user_registered": "2025-01-01 00:00:00", "display_name": "x"}
        for id_, (email, _) in shop.accounts.items()
    ])  # fmt: skip
    _insert(shop, connection, "usermeta", [
        {"umeta_id": id_, "user_id": id_, "meta_key": f"{shop.prefix}capabilities", "meta_value": caps}
        for id_, (_, caps) in shop.accounts.items() if caps is not None
    ])  # fmt: skip
    _products(shop, connection)
    _orders(shop, connection)


def _post(shop: Shop, id_: int, type_: str, status: str, title: str, parent: int, at: str = ZERO) -> dict[str, object]:
    empty = dict.fromkeys(("post_content", "post_excerpt", "to_ping", "pinged", "post_content_filtered"), "")
    return {"ID": id_, "post_type": type_, "post_status": status, "post_title": title, "post_parent": parent,
            "post_date_gmt": at, "post_date": at, "post_modified_gmt": at, **empty}  # fmt: skip


def _products(shop: Shop, connection: pymysql.Connection[Any]) -> None:
    _insert(shop, connection, "posts", [
        _post(shop, id_, "product_variation" if parent else "product", "publish", title, parent)
        for id_, (title, parent, _, _) in shop.products.items()
    ])  # fmt: skip
    words = [("product_cat", f"Kat {n}") for n in range(4)] + [
        ("product_type", kind) for kind in ("simple", "variable", "subscription")
    ]
    _insert(
        shop, connection, "terms", [{"term_id": n, "name": name, "slug": name} for n, (_, name) in enumerate(words, 1)]
    )
    _insert(shop, connection, "term_taxonomy", [
        {"term_taxonomy_id": n, "term_id": n, "taxonomy": taxonomy, "description": ""} for n, (taxonomy, _) in enumerate(words, 1)
    ])  # fmt: skip
    number = {word: n for n, word in enumerate(words, 1)}
    _insert(shop, connection, "term_relationships", [
        {"object_id": id_, "term_taxonomy_id": number[word]}
        for id_, (_, parent, names, kind) in shop.products.items() if not parent
        for word in [("product_type", kind), *(("product_cat", name) for name in names)]
    ])  # fmt: skip


def _orders(shop: Shop, connection: pymysql.Connection[Any]) -> None:
    posts, metas, rows, items, parts = [], [], [], [], []
    owner = "order_id" if shop.storage == "hpos" else "post_id"
    for order in shop.orders.values():
        if shop.storage == "hpos":
            posts.append(_post(shop, order.id, "shop_order_placehold", "draft", "", 0))
            rows.append({"id": order.id, "status": order.status, "currency": order.currency, "type": order.type, "total_amount": order.total,
                         "customer_id": order.customer, "billing_email": order.email, "date_created_gmt": order.created, "date_updated_gmt": order.created,
                         "parent_order_id": order.parent, "payment_method": order.payment})  # fmt: skip
            mine = order.meta
        else:
            posts.append(_post(shop, order.id, order.type, order.status, "", order.parent, order.created or ZERO))
            mine = [
                *order.meta,
                ("_order_total", order.total),
                ("_customer_user", str(order.customer)),
                ("_payment_method", order.payment),
            ]
            mine += [
                (key, value)
                for key, value in (("_billing_email", order.email), ("_order_currency", order.currency))
                if value is not None
            ]
        metas += [{owner: order.id, "meta_key": key, "meta_value": value} for key, value in mine]
        for number, (product, variation, quantity, name) in enumerate(order.lines):
            item = order.id * 10 + number
            items.append(
                {
                    "order_item_id": item,
                    "order_item_name": name,
                    "order_item_type": "line_item",
                    "order_id": order.id,
                }
            )
            cells = (
                {"_product_id": product, "_variation_id": variation, "_qty": quantity} if product is not None else {}
            )
            parts += [
                {"order_item_id": item, "meta_key": key, "meta_value": str(value)} for key, value in cells.items()
            ]
        for number, method in enumerate(order.methods):
            item = order.id * 10 + 5 + number
            items.append(
                {
                    "order_item_id": item,
                    "order_item_name": "Dostawa",
                    "order_item_type": "shipping",
                    "order_id": order.id,
                }
            )
            parts.append({"order_item_id": item, "meta_key": "method_id", "meta_value": method})
    _insert(shop, connection, "posts", posts)
    _insert(shop, connection, "wc_orders", rows)
    _insert(shop, connection, "wc_orders_meta" if shop.storage == "hpos" else "postmeta", metas)
    _insert(shop, connection, "woocommerce_order_items", items)
    _insert(shop, connection, "woocommerce_order_itemmeta", parts)


def contacts(shop: Shop, connection: pymysql.Connection[Any]) -> None:
    """Whom FluentCRM knew before: spelt in capitals, unsubscribed, with a figure that stands twice."""
    emails = sorted({identity(e).upper() for e, _ in shop.accounts.values() if usable(identity(e))})[::3]
    _insert(
        shop,
        connection,
        "fc_subscribers",
        [{"email": e[:190], "status": "unsubscribed", "first_name": "Kept"} for e in emails],
    )
    _insert(shop, connection, "fc_subscriber_meta", [
        {"subscriber_id": 1, "created_by": 0, "object_type": "custom_field", "key": "woo_ltv", "value": value} for value in ("1", "2")
    ])  # fmt: skip
    _insert(
        shop,
        connection,
        "fc_tags",
        [{"title": "Woo: lead", "slug": slug} for slug in ("other", "woo-lead", "woo-lead")],
    )
