"""Garbage in any row of the shop: the run ends well, and people whose rows were not touched are as before."""

from __future__ import annotations

import random

import pytest
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, contacts, run, unlike

GARBAGE = [
    "", " ", "\x00", "a\x00b", "\x01\x02\x1f\x7f", "\u200f\u202e\ufeff", "👩‍👩‍👧🦄", "ﷺ" * 30, "'", '"', "\\", "\\'; DROP TABLE wp_users; --",
    "%s %(x)s %%", "{{contact.email}}", "a:1:{i:0;s:99:\"x\";}", "a:999999999:{", "O:8:\"stdClass\":0:{}", "C:1:\"x\":0:{}", "s:1:\"é\";",
    "i:99999999999999999999;", "R:1;", "d:NAN;", "b:2;", "N;", "a:1:{i:0;R:1;}", "NaN", "Infinity", "-1", "1e309", "-0", "1,234.56", "٣٤", "0x1F",
    "99999999999999999999999999", "-99999999999999.999999", "1.5e3", "0000-00-00", "2026-02-30", "9999-12-31 23:59:59", "-1-1-1", "x" * 65_000,
    "é" * 30_000, "\n\r\t\v", "<script>", "İıſK", "e\u0301" * 200, "\ud7ff\ue000\ufffd\uffff", "\U0010ffff", "null", "true", "[1,2", '{"a":',
    "a@b", "@", "a@b@c.de", "ä@ö.de", "x" * 300 + "@example.org", "deleted@site.invalid", "<a@example.org>", "mailto:z@example.org", "A B@example.org",
    "wc-", "wc-wc-completed", "trash", "shop_order", "__proto__", "../../etc/passwd",
]  # fmt: skip
TEXTS = {
    "hpos": [
        ("wp_wc_orders", "id", ["status", "currency", "billing_email", "payment_method", "type"]),
        ("wp_wc_orders", "id", ["total_amount", "customer_id", "parent_order_id", "date_created_gmt", "date_updated_gmt"]),
        ("wp_wc_order_addresses", "id", ["first_name", "last_name", "company", "address_1", "city", "state", "postcode", "country", "email", "phone", "address_type"]),
        ("wp_wc_orders_meta", "id", ["meta_key", "meta_value", "order_id"]),
    ],
    "posts": [
        ("wp_posts", "ID", ["post_status", "post_title", "post_date_gmt", "post_modified_gmt", "post_parent"]),
        ("wp_postmeta", "meta_id", ["meta_value"]),
        ("wp_postmeta", "meta_id", ["meta_key", "meta_value", "post_id"]),
    ],
}  # fmt: skip
BOTH = [
    ("wp_woocommerce_order_items", "order_item_id", ["order_item_name", "order_item_type", "order_id"]),
    ("wp_woocommerce_order_itemmeta", "meta_id", ["meta_key", "meta_value"]),
    ("wp_users", "ID", ["user_email", "display_name", "user_registered"]),
    ("wp_usermeta", "umeta_id", ["meta_value"]),
    ("wp_usermeta", "umeta_id", ["meta_key", "meta_value"]),
    ("wp_terms", "term_id", ["name", "slug"]),
    ("wp_wc_product_meta_lookup", "product_id", ["virtual", "downloadable"]),
]  # fmt: skip
# Whoever has this word in the address keeps out of the garbage's way.
CLEAN = [
    "phone.polish@example.org", "refund.later@example.org", "currency.woocs@example.org", "name.quotes@example.org",
    "status.pending@example.org", "same.mobile.first@example.org",
]  # fmt: skip


def _protected(keeper: Shopkeeper) -> dict[str, set[int]]:
    """Row ids by table that belong to the clean people."""
    orders = {id_ for email in CLEAN for id_ in keeper.orders_of(email)}
    if keeper.hpos:
        orders |= {
            row[0]
            for row in keeper.shop.rows("SELECT id FROM wp_wc_orders WHERE parent_order_id IN %s", (list(orders),))
        }
    else:
        orders |= {
            row[0] for row in keeper.shop.rows("SELECT ID FROM wp_posts WHERE post_parent IN %s", (list(orders),))
        }
    users = {row[0] for row in keeper.shop.rows("SELECT ID FROM wp_users WHERE LOWER(user_email) IN %s", (CLEAN,))}

    def ids(sql: str, wanted: set[int]) -> set[int]:
        return {row[0] for row in keeper.shop.rows(sql, (list(wanted),))}

    items = ids("SELECT order_item_id FROM wp_woocommerce_order_items WHERE order_id IN %s", orders)
    found = {
        "wp_wc_orders": orders, "wp_posts": orders, "wp_users": users, "wp_woocommerce_order_items": items,
        "wp_postmeta": ids("SELECT meta_id FROM wp_postmeta WHERE post_id IN %s", orders),
        "wp_usermeta": ids("SELECT umeta_id FROM wp_usermeta WHERE user_id IN %s", users),
        "wp_woocommerce_order_itemmeta": ids("SELECT meta_id FROM wp_woocommerce_order_itemmeta WHERE order_item_id IN %s", items),
    }  # fmt: skip
    if keeper.hpos:
        found["wp_wc_order_addresses"] = ids("SELECT id FROM wp_wc_order_addresses WHERE order_id IN %s", orders)
        found["wp_wc_orders_meta"] = ids("SELECT id FROM wp_wc_orders_meta WHERE order_id IN %s", orders)
    return found


def _spoil(keeper: Shopkeeper, chance: random.Random, cells: int) -> int:
    kept = _protected(keeper)
    spoiled = 0
    for _ in range(cells):
        table, key, columns = chance.choice(TEXTS[keeper.shop.storage] + BOTH)
        column = chance.choice(columns)
        only = " WHERE post_type LIKE 'shop_order%%'" if table == "wp_posts" else ""
        ids = [
            row[0]
            for row in keeper.shop.rows(f"SELECT {key} FROM {table}{only.replace('%%', '%')}")
            if row[0] not in kept.get(table, ())
        ]
        # IGNORE and no strictness: the server bends what does not fit, as old shops' imports did.
        spoiled += keeper.do(
            f"UPDATE IGNORE {table} SET `{column}` = %s WHERE {key} = %s", chance.choice(GARBAGE), chance.choice(ids)
        )
    return spoiled


def _clean(shop: ShopDatabase) -> dict[str, object]:
    """The clean people; categories and product kinds may have been spoiled, and who is a VIP depends on all."""
    found = {email: contact for email, contact in contacts(shop).items() if email in CLEAN}
    for contact in found.values():
        for slug in ("woo_categories", "woo_product_types", "woo_products", "woo_customer_status"):
            contact["fields"].pop(slug, None)
        contact["tags"] = [tag for tag in contact["tags"] if tag not in ("woo-vip", "woo-returning")]
    return dict(found)


@pytest.mark.parametrize(
    ("storage", "seed"),
    [
        ("hpos", 0),
        ("hpos", 1),
        ("hpos", 2),
        ("hpos", 3),
        ("posts", 0),
        ("posts", 1),
        ("posts", 2),
        ("posts", 3),
    ],
)
def test_garbage_never_stops_a_run(
    storage: str, seed: int, config_for: ConfigFor, request: pytest.FixtureRequest
) -> None:
    shop: ShopDatabase = request.getfixturevalue(f"demo_{storage}")
    keeper, config = Shopkeeper(shop), config_for(shop)
    chance = random.Random(seed)
    first = config_for(shop)
    if seed % 2:  # garbage in a shop that was in order before; else from the beginning
        run(config)
    else:
        config = first
    assert _spoil(keeper, chance, 60) > 40
    report = run(config)
    assert report.run.state == "done"
    before = _clean(shop)
    assert before.keys() == set(CLEAN)
    assert _spoil(keeper, chance, 60) > 40
    assert run(config).run.state == "done"
    assert unlike(_clean(shop), before) == {}
    assert run(config, full=True).run.state == "done"
    assert unlike(_clean(shop), before) == {}
    assert run(config, full=True).counts.writes == 0, "garbage does not make a run write for ever"


def test_a_total_beyond_all_measure(demo: ShopDatabase, config_for: ConfigFor) -> None:
    Shopkeeper(demo).order("endless@example.org", "99999999999999999.00")
    assert run(config_for(demo)).run.state == "done"


def test_an_order_at_the_end_of_time(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    keeper.order("late@example.org", at="9999-12-31 23:59:59")
    assert run(config).run.state == "done"


def test_a_last_update_at_the_end_of_time(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    run(config)
    keeper.user_meta(keeper.user_of("nip@example.org"), last_update="99999999999", billing_city="Hel")
    keeper.do("UPDATE wp_users SET user_registered = '9999-12-31 23:59:59' WHERE user_email = 'vat@example.org'")
    assert run(config, full=True).run.state == "done"


def test_the_clean_people_are_right(demo: ShopDatabase, config_for: ConfigFor, synced: object) -> None:
    """The yardstick itself: in a spoiled shop they are what they are in a shop in order."""
    from typing import Any

    whole: Any = synced
    keeper = Shopkeeper(demo)
    _spoil(keeper, random.Random("yardstick"), 80)
    run(config_for(demo))
    assert unlike(_clean(demo), _clean(whole(f"demo_{demo.storage}").shop)) == {}
