"""What messages can tell, read from a shop in MariaDB in both storages: bought, left, reduced, hostile, gone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from bridging import install
from messaging import FULFILLMENTS, HOSTILE, KEY, LINKS, NOW, WHOLE, step
from segmenting import refresh
from support import ShopDatabase
from syncing import run

from sidecar import config as parts
from sidecar.automations.enrolments import Data
from sidecar.automations.messages import check, context, links
from sidecar.automations.messages.model import Context, Item, Moment, Money, Percent, Tracking
from sidecar.automations.messages.preview import preview
from sidecar.automations.messages.render import render
from sidecar.automations.messages.writer import MessageWriter
from sidecar.automations.model import Automation, OnCart, OnEvent, OnReorder, OnSchedule, OnViews, Text, Wait, Webhook
from sidecar.automations.place import Item as EngineItem
from sidecar.automations.steps import wishes
from sidecar.config import Config
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.shop import build
from sidecar.errors import NotFound
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.values import php

SHIRT, SMALL, MEDIUM = 70, 71, 72  # a product with variations, and two of these
SALE, GONE_SOON, HIDDEN, ALONE = 14, 15, 16, 17


class Database(ShopDatabase):
    """One connection for all that a test does to the shop behind the sidecar's back."""

    def __init__(self, shop: ShopDatabase) -> None:
        super().__init__(shop.server, shop.database, shop.storage, shop.truth)
        self.__dict__["own"] = shop.connect()

    def rows(self, sql: str, arguments: object = None) -> list[tuple[Any, ...]]:
        with self.__dict__["own"].cursor() as cursor:
            cursor.execute("SET SESSION sql_mode=''")
            cursor.execute(sql, arguments)
            return list(cursor.fetchall())


def execute(shop: ShopDatabase, sql: str, arguments: object = None) -> None:
    shop.rows(sql, arguments)


class Here(SimpleNamespace):
    """What stands for the engine's place."""

    config: Config
    state: State
    reader: Reader
    zone: ZoneInfo
    now: int
    database: ShopDatabase

    def one(self, subject: str = "", **how: Any) -> Context:
        """The context of one person."""
        item = Item(
            id=1,
            person_id=how.pop("person", self.person),
            contact_id=how.pop("contact", self.contact),
            subject=subject,
            **how,
        )
        return context.load(self, [item])[1]


@pytest.fixture(scope="module", params=["hpos", "posts"])
def here(
    request: pytest.FixtureRequest, mariadb: PrivateMariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Here]:
    storage: Literal["hpos", "posts"] = request.param
    name = f"messages_{storage}"
    mariadb.create_database(name)
    with closing(mariadb.connect(name)) as connection:
        truth = build(connection, storage=storage, customers=60, orders=150)
    shop = Database(ShopDatabase(mariadb, name, storage, truth))
    config = Config(
        shop=parts.Shop(table_prefix="wp_", database=parts.Database(unix_socket=shop.socket, user="root", name=name)),
        state=parts.State(dir=str(tmp_path_factory.mktemp("state"))),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
        install(shop)
        furnish(shop)
        run(config)
        refresh(config)
    with State(config.state.dir) as state, Reader(config) as reader:
        person, contact, order = state.rows(
            "SELECT p.id, p.contact_id, c.order_id FROM person p JOIN counted_order c ON c.person_id = p.id"
            " WHERE p.contact_id IS NOT NULL AND p.orders_count > 2 ORDER BY c.at DESC LIMIT 1"
        )[0]
        yield Here(
            config=config, state=state, reader=reader, zone=ZoneInfo("Europe/Warsaw"), now=NOW, database=shop, person=person,
            contact=contact, order=order,
        )  # fmt: skip
    shop.__dict__["own"].close()
    mariadb.drop_database(name)


def furnish(shop: ShopDatabase) -> None:
    """What the demo's products do not have: pictures, a sale, attributes with terms, ratings, cross-sells, no stock."""
    options = {
        "permalink_structure": "/%postname%/", "woocommerce_permalinks": php.dumps({"product_base": "/produkt"}),
        "woocommerce_checkout_page_id": "33", "woocommerce_store_address": "ul. Długa 1", "woocommerce_store_postcode": "50-001",
        "woocommerce_store_city": "Wrocław", "fcsc_link_key": KEY, "woocommerce_fulfillments_db_tables_created": "", "home": "https://shop.example.com",
        "siteurl": "https://shop.example.com/wp",
    }  # fmt: skip
    for name, value in options.items():
        execute(shop, "DELETE FROM wp_options WHERE option_name = %s", (name,))
        execute(shop, "INSERT INTO wp_options (option_name, option_value) VALUES (%s, %s)", (name, value))
    sizes = {"sizes": {"woocommerce_thumbnail": {"file": "mug-300x300.jpg", "width": 300}}}
    for id_, type_, title in ((9001, "attachment", "mug"), (9002, "attachment", "shirt")):
        execute(
            shop,
            "INSERT INTO wp_posts (ID, post_type, post_title, post_status, post_date, post_date_gmt, post_modified, post_modified_gmt,"
            " post_content, post_excerpt, to_ping, pinged, post_content_filtered) VALUES (%s, %s, %s, 'inherit', NOW(), NOW(), NOW(), NOW(),"
            " '', '', '', '', '')",
            (id_, type_, title),
        )
    meta(shop, 9001, _wp_attached_file="2026/11/mug.jpg", _wp_attachment_metadata=php.dumps(sizes))
    meta(shop, 9002, _wp_attached_file="2026/11/koszulka ż.jpg")
    meta(shop, SALE, _thumbnail_id="9001", _regular_price="99.90", _wc_average_rating="4.67", _wc_review_count="12")
    meta(shop, SHIRT, _thumbnail_id="9002")
    meta(shop, MEDIUM, attribute_pa_color="czerwony", attribute_size="M", attribute_pa_any="")
    meta(shop, ALONE, _crosssell_ids=php.dumps([GONE_SOON, HIDDEN, SALE, 9999, ALONE]), _upsell_ids=php.dumps(["18"]))
    execute(shop, "INSERT INTO wp_terms (term_id, name, slug) VALUES (900, 'Czerwony <b>', 'czerwony')")
    execute(
        shop,
        "INSERT INTO wp_term_taxonomy (term_taxonomy_id, term_id, taxonomy, description) VALUES (900, 900, 'pa_color', '')",
    )
    execute(
        shop,
        "UPDATE wp_wc_product_meta_lookup SET min_price = 79.90, onsale = 1, stock_quantity = 3 WHERE product_id = %s",
        (SALE,),
    )
    execute(
        shop, "UPDATE wp_wc_product_meta_lookup SET stock_status = 'outofstock' WHERE product_id = %s", (GONE_SOON,)
    )
    execute(shop, "UPDATE wp_posts SET post_status = 'draft' WHERE ID = %s", (HIDDEN,))


def meta(shop: ShopDatabase, post: int, **values: str) -> None:
    for key, value in values.items():
        execute(shop, "DELETE FROM wp_postmeta WHERE post_id = %s AND meta_key = %s", (post, key))
        execute(shop, "INSERT INTO wp_postmeta (post_id, meta_key, meta_value) VALUES (%s, %s, %s)", (post, key, value))


def order_meta(here: Here, order: int, **values: str) -> None:
    if here.database.storage == "posts":
        meta(here.database, order, **values)
        return
    for key, value in values.items():
        execute(here.database, "DELETE FROM wp_wc_orders_meta WHERE order_id = %s AND meta_key = %s", (order, key))
        execute(
            here.database,
            "INSERT INTO wp_wc_orders_meta (order_id, meta_key, meta_value) VALUES (%s, %s, %s)",
            (order, key, value),
        )


def cart(here: Here, items: Any, *, id_: int = 12, total: str = "100.0000", language: str = "pl_PL") -> str:
    text = items if isinstance(items, str) else json.dumps(items)
    execute(here.database, "DELETE FROM wp_fcsc_carts WHERE id = %s", (id_,))
    execute(
        here.database,
        "INSERT INTO wp_fcsc_carts (id, visitor, currency, total, items, coupons, language, created_gmt, updated_gmt)"
        " VALUES (%s, %s, 'PLN', %s, %s, '', %s, NOW(), NOW())",
        (id_, f"{id_:032d}", total, text, language),
    )
    return f"cart:{id_}"


def line(product: int, variation: int = 0, quantity: float = 1, total: str = "50.0000") -> dict[str, Any]:
    return {"product_id": product, "variation_id": variation, "quantity": quantity, "total": total}


# --- orders --------------------------------------------------------------------------------------------------


def test_an_order_is_as_the_shop_has_it(here: Here) -> None:
    found = here.one(f"order:{here.order}")
    order = found.order
    assert order is not None
    shop = here.database
    lines = shop.rows("SELECT order_item_name FROM wp_woocommerce_order_items WHERE order_id = %s AND order_item_type = 'line_item' ORDER BY order_item_id", (here.order,))  # fmt: skip
    assert [one.name for one in order.items] == [row[0] for row in lines] != []
    if shop.storage == "hpos":
        total, status, email = shop.rows(
            "SELECT total_amount, status, billing_email FROM wp_wc_orders WHERE id = %s", (here.order,)
        )[0]
        key = shop.rows("SELECT order_key FROM wp_wc_order_operational_data WHERE order_id = %s", (here.order,))[0][0]
    else:
        metas = dict(shop.rows("SELECT meta_key, meta_value FROM wp_postmeta WHERE post_id = %s", (here.order,)))
        total, email, key = metas["_order_total"], metas["_billing_email"], metas["_order_key"]
        status = shop.rows("SELECT post_status FROM wp_posts WHERE ID = %s", (here.order,))[0][0]
    assert order.total == Money(round(float(total) * 1_000_000), "PLN", 2)
    assert order.status == status.removeprefix("wc-")
    assert order.number == str(here.order)
    assert order.link == f"https://shop.example.com/?page_id=33&order-received={here.order}&key={key}"
    assert order.pay_link == ""
    assert isinstance(order.date, Moment)
    assert found.person.email.lower() == email.strip().lower()
    assert found.products and not found.gone
    assert next(one.url for one in found.products if one.id != SHIRT).startswith(
        "https://shop.example.com/produkt/product-"
    )


def test_an_order_that_waits_for_money_can_be_paid(here: Here) -> None:
    pending = here.state.rows(
        "SELECT id FROM shop_order WHERE status IN ('pending', 'failed') AND verdict = 'candidate' LIMIT 1"
    )
    pending = pending or here.state.rows("SELECT id FROM shop_order WHERE status IN ('pending', 'failed') LIMIT 1")
    order = here.one(f"order:{pending[0][0]}").order
    assert order is not None
    assert order.pay_link.startswith(
        f"https://shop.example.com/?page_id=33&order-pay={order.id}&pay_for_order=true&key=wc_order_"
    )


@pytest.mark.parametrize(
    ("values", "parcels"),
    [
        ({"_tracking_number": "A1", "_tracking_provider": "DHL"}, [("A1", "", "DHL")]),
        ({"_wc_shipment_tracking_items": php.dumps([{"tracking_provider": "dhl-express", "tracking_number": "B1", "custom_tracking_link": "https://t.example.com/B1"}, {"tracking_provider": "", "custom_tracking_provider": "InPost", "tracking_number": "B2"}])}, [("B1", "https://t.example.com/B1", "Dhl Express"), ("B2", "", "InPost")]),
        ({"_aftership_tracking_items": php.dumps([{"slug": "ups", "tracking_number": "C1"}])}, [("C1", "", "Ups")]),
        ({"ywot_tracking_code": "D1", "ywot_carrier_name": "GLS", "ywot_carrier_url": "https://gls.example.com/?q=[TRACK_CODE]"}, [("D1", "https://gls.example.com/?q=D1", "GLS")]),
        ({"_wc_shipment_tracking_items": "a:1:{broken", "_tracking_number": "E1"}, [("E1", "", "")]),
        ({"_tracking_number": "{{ 7*7 }}##x##<b>F1", "_tracking_url": "javascript:alert(1)"}, [("7*7 xF1", "", "")]),
        ({"_tracking_number": "", "tracking_number": "G1"}, [("G1", "", "")]),
        ({}, []),
    ],
)  # fmt: skip
def test_tracking(here: Here, values: dict[str, str], parcels: list[tuple[str, str, str]]) -> None:
    order_meta(here, here.order, **values)
    try:
        order = here.one(f"order:{here.order}").order
    finally:
        order_meta(here, here.order, **dict.fromkeys(values, ""))
    assert order is not None
    assert order.parcels == tuple(Tracking(code=code, url=url, carrier=carrier) for code, url, carrier in parcels)
    assert order.tracking == (order.parcels[0] if parcels else None)


def test_tracking_at_the_lines(here: Here) -> None:
    item = here.database.rows("SELECT MIN(order_item_id) FROM wp_woocommerce_order_items WHERE order_id = %s AND order_item_type = 'line_item'", (here.order,))[0][0]  # fmt: skip
    kept = [
        {"tracking_number": "old"},
        {"tracking_number": "V1", "carrier_name": "DPD", "carrier_url": "https://dpd.example.com/{tracking_number}"},
    ]
    execute(here.database, "INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value) VALUES (%s, '_vi_wot_order_item_tracking_data', %s)", (item, json.dumps(kept)))  # fmt: skip
    try:
        order = here.one(f"order:{here.order}").order
    finally:
        execute(
            here.database,
            "DELETE FROM wp_woocommerce_order_itemmeta WHERE meta_key = '_vi_wot_order_item_tracking_data'",
        )
    assert order is not None
    assert order.parcels == (Tracking(code="V1", url="https://dpd.example.com/V1", carrier="DPD"),)


def test_tracking_in_woocommerces_own_fulfillments(here: Here) -> None:
    set_options(here, woocommerce_fulfillments_db_tables_created="1")
    try:
        assert (here.one(f"order:{here.order}").order or 1).parcels == ()  # type: ignore[union-attr]  # no such tables
        for statement in FULFILLMENTS:
            execute(here.database, statement)
        for number, (done, gone) in enumerate(((1, None), (0, None), (1, "2026-11-01")), 1):
            execute(
                here.database,
                "INSERT INTO wp_wc_order_fulfillments VALUES (%s, 'WC_Order', %s, 'fulfilled', %s, NOW(), %s)",
                (number, here.order, done, gone),
            )
            for key, value in (
                ("_tracking_number", f'"1Z{number}"'),
                ("_shipment_provider", '"ups"'),
                ("_tracking_url", '"https://ups.example.com/1"'),
                ("_items", "[]"),
            ):
                execute(
                    here.database,
                    "INSERT INTO wp_wc_order_fulfillment_meta (fulfillment_id, meta_key, meta_value, date_updated) VALUES (%s, %s, %s, NOW())",
                    (number, key, value),
                )
        order = here.one(f"order:{here.order}").order
    finally:
        set_options(here, woocommerce_fulfillments_db_tables_created="")
    assert order is not None
    assert order.parcels == (Tracking(code="1Z1", url="https://ups.example.com/1", carrier="Ups"),)


def test_a_number_and_a_language_of_plugins(here: Here) -> None:
    order_meta(here, here.order, _order_number_formatted="2026/A-17", wpml_language="fa")
    try:
        found = here.one(f"order:{here.order}")
    finally:
        order_meta(here, here.order, _order_number_formatted="", wpml_language="")
    assert found.order is not None
    assert (found.order.number, found.locale) == ("2026/A-17", "fa")


# --- carts and products --------------------------------------------------------------------------------------


def test_a_cart_with_a_variation(here: Here) -> None:
    found = here.one(
        cart(here, [line(SALE, quantity=2, total="159.8000"), line(SHIRT, MEDIUM, total="59.9000")], total="219.7000")
    )
    assert found.cart is not None
    mug, shirt = found.cart.items
    assert (mug.quantity, mug.price, mug.total) == (2, Money(79_900_000, "PLN"), Money(159_800_000, "PLN"))
    assert mug.image == "https://shop.example.com/wp/wp-content/uploads/2026/11/mug-300x300.jpg"
    assert (shirt.name, shirt.options, shirt.variation_id) == ("T-shirt", "Czerwony, M", MEDIUM)
    assert shirt.image == "https://shop.example.com/wp/wp-content/uploads/2026/11/koszulka%20%C5%BC.jpg"
    assert found.cart.total == Money(219_700_000, "PLN")
    assert [(one.id, one.variation_id) for one in found.products] == [(SALE, 0), (SHIRT, MEDIUM)]
    assert (found.locale, found.shop_locale, found.gone) == ("pl_PL", "en_US", False)


def test_the_total_is_that_of_what_is_shown(here: Here) -> None:
    """One of two things is not sold any more."""
    items = [line(SALE, quantity=2, total="159.8000"), line(HIDDEN, total="60.0000")]
    found = here.one(cart(here, items, total="219.8000"))
    assert found.cart is not None and len(found.cart.items) == 1
    assert found.cart.total == Money(159_800_000, "PLN")
    items[0] = line(SALE, quantity=2, total="x")
    found = here.one(cart(here, items, total="219.8000"))
    assert found.cart is not None and found.cart.total is None


@pytest.mark.parametrize(
    "items",
    ["", "{", "[]", "null", "5", '[{"product_id": "x"}]', '[{"product_id": 1e999}]', '[[]]', '[{"product_id": -1, "quantity": {}}]', '[{"product_id": 9999}]', [line(HIDDEN)]],
)  # fmt: skip
def test_a_cart_of_which_nothing_is_left(here: Here, items: Any) -> None:
    found = here.one(cart(here, items))
    assert found.cart is not None
    assert found.cart.items == ()
    assert found.gone


def test_odd_quantities(here: Here) -> None:
    found = here.one(cart(here, [line(SALE, quantity=0.25, total="20"), line(18, quantity=2.6, total="x")]))
    assert found.cart is not None
    assert [(one.quantity, one.total) for one in found.cart.items] == [(1, Money(20_000_000, "PLN")), (3, None)]


def test_a_product_as_it_is_now(here: Here) -> None:
    found = here.one(f"product:{SALE}").products[0]
    assert (found.price, found.regular_price, found.on_sale) == (
        Money(79_900_000, "PLN"),
        Money(99_900_000, "PLN"),
        True,
    )
    assert (found.rating, found.reviews, found.stock, found.in_stock) == ("4.7", 12, 3, True)
    shirt = here.one(f"product:{SHIRT}:{MEDIUM}").products[0]
    assert (shirt.id, shirt.variation_id, shirt.options) == (SHIRT, MEDIUM, "Czerwony, M")
    assert here.one(f"product:{GONE_SOON}").products[0].in_stock is False
    assert here.one(f"product:{HIDDEN}").gone
    assert here.one("product:999999").gone


@pytest.mark.parametrize("behind", [":1793534400", ":2026-11-26", ":review-9"], ids=["moment", "day", "review"])
def test_a_product_whatever_its_source_has_put_behind_it(here: Here, behind: str) -> None:
    """As the triggers write it (back in stock, views, reorders): the message is about that product, not about what was bought last."""
    shirt = here.one(f"product:{SHIRT}:{MEDIUM}{behind}").products
    assert [(one.id, one.variation_id) for one in shirt] == [(SHIRT, MEDIUM)]
    assert [one.id for one in here.one(f"product:{SALE}:0{behind}").products] == [SALE]
    assert here.one(f"product:999999:0{behind}").gone


@pytest.mark.parametrize(
    ("structure", "permalinks", "address"),
    [
        ("", "", "https://shop.example.com/?product=product-14"),
        ("/%postname%/", php.dumps({"product_base": "/sklep/rzeczy/"}), "https://shop.example.com/sklep/rzeczy/product-14/"),
        ("/%postname%", php.dumps({"product_base": "produkt"}), "https://shop.example.com/produkt/product-14"),
        ("/%postname%/", php.dumps({"product_base": "/shop/%product_cat%"}), "https://shop.example.com/?post_type=product&p=14"),
        ("/%postname%/", "", "https://shop.example.com/?post_type=product&p=14"),
        ("/%postname%/", "a:1:{broken", "https://shop.example.com/?post_type=product&p=14"),
        ("/%postname%/", php.dumps({"product_base": "//evil.example.com/<x>"}), "https://shop.example.com/?post_type=product&p=14"),
    ],
)  # fmt: skip
def test_addresses_of_products(here: Here, structure: str, permalinks: str, address: str) -> None:
    before = dict(here.database.rows("SELECT option_name, option_value FROM wp_options WHERE option_name IN ('permalink_structure', 'woocommerce_permalinks')"))  # fmt: skip
    set_options(here, permalink_structure=structure, woocommerce_permalinks=permalinks)
    try:
        assert here.one(f"product:{SALE}").products[0].url == address
    finally:
        set_options(here, **before)


def set_options(here: Here, **values: str) -> None:
    for name, value in values.items():
        execute(here.database, "UPDATE wp_options SET option_value = %s WHERE option_name = %s", (value, name))


@pytest.mark.parametrize("subject", ["", "day:2026-11-26", "cart:x", "cart:", "cart:-1", "cart::2:3", "order:99999999999999999999", "product:７", "order:'; DROP", "other:1"])  # fmt: skip
def test_subjects_without_a_thing(here: Here, subject: str) -> None:
    found = here.one(subject)
    assert (found.cart, found.order, found.reorder, found.gone) == (None, None, None, False)
    assert found.person.email


def test_what_is_gone(here: Here) -> None:
    assert here.one("cart:424242").gone
    assert here.one("order:424242").gone
    nobody = here.one(contact=424242)
    assert nobody.person.email == ""


# --- what goes with it ---------------------------------------------------------------------------------------


def test_cross_sells_are_the_shops_own_first(here: Here) -> None:
    found = here.one(f"product:{ALONE}", person=-1)
    ids = [one.id for one in found.cross_sells]
    # Of the shop's own: one has no stock, one is not published, one is gone, one is itself.
    assert ids == list(dict.fromkeys([SALE, 18, *together(here, ALONE)]))[:4]


def together(here: Here, product: int) -> list[int]:
    """What was bought with a product, most often first."""
    counted: dict[int, int] = {}
    for (doc,) in here.state.rows("SELECT doc FROM shop_order WHERE verdict = 'candidate'"):
        bought = {entry[0] for entry in json.loads(doc)[0]}
        if product in bought:
            for other in bought - {product, GONE_SOON, HIDDEN, 9}:
                counted[other] = counted.get(other, 0) + 1
    return sorted(counted, key=lambda id_: (-counted[id_], id_))


def test_then_what_others_bought_with_it(here: Here) -> None:
    products = [id_ for id_ in range(20, 60) if together(here, id_)]
    assert len(products) > 5
    found = context.load(here, [Item(id=id_, person_id=-1, contact_id=0, subject=f"product:{id_}") for id_ in products])
    for id_ in products:
        assert [one.id for one in found[id_].cross_sells] == together(here, id_)[:4]


def test_nobody_is_shown_what_they_have(here: Here) -> None:
    rows = here.state.rows("SELECT c.person_id, o.doc FROM counted_order c JOIN shop_order o ON o.id = c.order_id")
    had: dict[int, set[int]] = {}
    for person, doc in rows:
        had.setdefault(person, set()).update(entry[0] for entry in json.loads(doc)[0])
    people = sorted(had)[:100]
    found = context.load(here, [Item(id=person, person_id=person, contact_id=0) for person in people])
    assert sum(len(found[person].cross_sells) for person in people) > 50
    for person in people:
        shown = {one.id for one in found[person].cross_sells}
        assert not shown & (had[person] | {GONE_SOON, HIDDEN})
        # About nothing in particular: what they bought last.
        assert {one.id for one in found[person].products} <= had[person]


def test_a_reorder_has_its_interval(here: Here) -> None:
    rows = here.state.rows(
        "SELECT person_id, product, interval_days FROM reorder WHERE product > 0 AND product NOT IN (15, 16)"
    )
    assert rows
    person, product, days = rows[0]
    found = here.one(f"product:{product}", person=person).reorder
    assert found is not None
    assert (found.product.id, found.days) == (product, round(days))
    assert here.one(f"product:{product}", person=-1).reorder is None


# --- coupons -------------------------------------------------------------------------------------------------


def coupon(
    here: Here, code: str = "gift-a1", coupon_id: int | None = 9100, expires: int = NOW + 86_400, **values: str
) -> Item:
    with here.state.transaction() as sql:
        sql.execute("DELETE FROM coupon")
        sql.execute(
            "INSERT INTO coupon (key, enrolment_id, automation_id, person_id, coupon_id, code, made, expires) VALUES ('k', 1, 1, 1, ?, ?, 0, ?)",
            (coupon_id, code, expires),
        )
    execute(here.database, "DELETE FROM wp_postmeta WHERE post_id = 9100")
    if values:
        meta(here.database, 9100, **values)
    return Item(
        id=1, person_id=here.person, contact_id=here.contact, data=SimpleNamespace(coupons={"old": "x", "offer": code})
    )


def test_a_coupon_as_woocommerce_has_it(here: Here) -> None:
    item = coupon(here, discount_type="percent", coupon_amount="10", minimum_amount="50.00", date_expires=str(NOW + 99))
    found = context.load(here, [item])[1].coupon
    assert found is not None
    assert (found.code, found.amount, found.expires, found.minimum) == (
        "gift-a1",
        Percent("10"),
        Moment(NOW + 99),
        Money(50_000_000, "PLN"),
    )
    item = coupon(
        here,
        discount_type="fixed_cart",
        coupon_amount="15.50",
        minimum_amount="0",
        free_shipping="yes",
        date_expires="",
    )
    found = context.load(here, [item])[1].coupon
    assert found is not None
    assert (found.amount, found.expires, found.minimum, found.free_shipping) == (
        Money(15_500_000, "PLN"),
        Moment(NOW + 86_400),
        None,
        True,
    )


def test_no_message_promises_a_coupon_that_is_over(here: Here) -> None:
    def found(item: Item) -> Any:
        return context.load(here, [item])[1].coupon

    assert found(coupon(here, discount_type="percent", coupon_amount="10", date_expires=str(NOW))) is None
    assert found(coupon(here)) is None  # its post is gone
    assert found(coupon(here, expires=NOW - 1, coupon_id=None)) is None
    assert found(coupon(here, coupon_id=None)) is not None
    item = coupon(here, discount_type="percent", coupon_amount="10")
    here.state.sql.execute("UPDATE coupon SET order_id = 5")
    assert found(item) is None


# --- hostile, many, and whole --------------------------------------------------------------------------------


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_in_the_shop(here: Here, hostile: str) -> None:
    shop, text = here.database, hostile[:180]
    before = shop.rows("SELECT first_name, last_name FROM wp_fc_subscribers WHERE id = %s", (here.contact,))[0]
    title = shop.rows("SELECT post_title FROM wp_posts WHERE ID = %s", (SALE,))[0][0]
    execute(
        shop, "UPDATE wp_fc_subscribers SET first_name = %s, last_name = %s WHERE id = %s", (text, text, here.contact)
    )
    execute(shop, "INSERT INTO wp_fc_subscriber_meta (subscriber_id, created_by, object_type, `key`, value) VALUES (%s, 0, 'custom_field', 'x_note', %s)", (here.contact, hostile))  # fmt: skip
    execute(shop, "UPDATE wp_posts SET post_title = %s WHERE ID = %s", (f"Mug {hostile}", SALE))
    execute(shop, "UPDATE wp_options SET option_value = %s WHERE option_name = 'blogname'", (f"Shop {hostile}"[:150],))
    try:
        found = here.one(cart(here, [line(SALE)], language=text[:20]))
    finally:
        execute(
            shop, "UPDATE wp_fc_subscribers SET first_name = %s, last_name = %s WHERE id = %s", (*before, here.contact)
        )
        execute(shop, "DELETE FROM wp_fc_subscriber_meta WHERE `key` = 'x_note'")
        execute(shop, "UPDATE wp_posts SET post_title = %s WHERE ID = %s", (title, SALE))
        execute(shop, "UPDATE wp_options SET option_value = 'Kawa & Herbata' WHERE option_name = 'blogname'")
    send = step(
        Text(
            subject='{{ person.first_name|default("You") }} at {{ shop.name }}',
            body=WHOLE + '{{ person.fields.x_note|d("-") }}',
            short="{{ cart.link }}",
        )
    )
    rendered = render(send, found, "en", LINKS)
    assert rendered.problems == ()
    assert check.problems(rendered, send, needs_unsubscribe=True) == []
    for part in (rendered.html, rendered.subject):
        assert (
            "{{" not in part
            and "##" not in part
            and "<script" not in part
            and "\u202e" not in part
            and "49" not in found.person.name
        )


def test_a_hundred_people_in_few_queries_and_little_time(here: Here) -> None:
    rows = here.state.rows(
        "SELECT o.id, o.person_id, COALESCE(p.contact_id, 0) FROM shop_order o JOIN person p ON p.id = o.person_id"
        " WHERE o.verdict = 'candidate' ORDER BY o.id DESC LIMIT 60"
    )
    items = [
        Item(id=number, person_id=person, contact_id=contact, subject=f"order:{order}")
        for number, (order, person, contact) in enumerate(rows)
    ]
    for number in range(40):
        subject = cart(here, [line(20 + number), line(SHIRT, MEDIUM)], id_=100 + number)
        items.append(Item(id=len(items), person_id=rows[number][1], contact_id=rows[number][2], subject=subject))
    assert len(items) == 100
    context.load(here, items)
    took = []
    for _ in range(3):
        asked, started = here.reader.queries, time.perf_counter()
        found = context.load(here, items)
        took.append(time.perf_counter() - started)
        assert len(found) == 100
        assert here.reader.queries - asked <= 20
    assert min(took) < 0.3
    few = here.reader.queries
    context.load(here, [Item(id=1, person_id=here.person, contact_id=here.contact)], names=("person", "shop"))
    assert here.reader.queries - few <= 3


def test_nobody_and_nothing(here: Here) -> None:
    assert context.load(here, []) == {}


def test_the_key_of_links(here: Here) -> None:
    assert links.key_of(here.reader) == KEY
    for broken in ("", "xyz", KEY.upper()):
        set_options(here, fcsc_link_key=broken)
        assert links.key_of(here.reader) == ""
    set_options(here, fcsc_link_key=KEY)
    execute(here.database, "DELETE FROM wp_options WHERE option_name = 'fcsc_link_key'")
    assert links.key_of(here.reader) == ""
    execute(here.database, "INSERT INTO wp_options (option_name, option_value) VALUES ('fcsc_link_key', %s)", (KEY,))


# --- preview -------------------------------------------------------------------------------------------------

SEND = step(
    {
        "en": Text(subject="{{ person.first_name|default('You') }}!", body="Hello,\n\n{{ product_grid(products) }}\n\n{{ coupon_box(coupon) }}", short="{{ shop.url }}"),
        "fa": Text(subject="سلام", body="{{ person.greeting }}\n\n{{ product_grid(products) }}", short="{{ shop.url }}"),
    }
)  # fmt: skip


def automation(trigger: Any) -> Automation:
    return Automation(name="a", title="A", trigger=trigger, steps=(Wait(id="wait"), SEND))


def test_a_preview_with_an_example(here: Here) -> None:
    found = preview(here.config, here.state, automation(OnSchedule(every="day")), "first", "fa")
    assert found.problems == ()
    assert "سارا" in found.text and "۲۴۹٫۰۰ PLN" in found.text and 'dir="rtl"' in found.html


@pytest.mark.parametrize("trigger", [OnCart(idle=SEND.late or Wait(id="x").period), OnEvent(topic="order.paid"), OnViews(times=3, within=Wait(id="x").period), OnReorder(), OnSchedule(every="day")])  # fmt: skip
def test_a_preview_of_a_real_person(here: Here, trigger: Any) -> None:
    with here.state.transaction() as sql:
        sql.execute("DELETE FROM activity")
        for number, (kind, id_) in enumerate((("cart", 12), ("view", SALE))):
            sql.execute("INSERT INTO activity (outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail) VALUES (?, 1, ?, '', ?, ?, 0, '')", (number, kind, here.person, id_))  # fmt: skip
    cart(here, [line(SALE)])
    found = preview(here.config, here.state, automation(trigger), "first", "en", here.contact)
    assert found.problems == ()
    if isinstance(trigger, OnCart | OnViews):
        name = here.database.rows("SELECT post_title FROM wp_posts WHERE ID = %s", (SALE,))[0][0]
        assert name in found.text
    assert "Hand coffee grinder" not in found.text
    assert "gift-k7m2p9" in found.text  # the example's: a preview makes no coupon


@pytest.mark.parametrize(("name", "contact"), [("wait", None), ("nothing", None), ("first", 424242)])
def test_a_preview_of_nothing(here: Here, name: str, contact: int | None) -> None:
    with pytest.raises(NotFound):
        preview(here.config, here.state, automation(OnSchedule(every="day")), name, "en", contact)


# --- what the engine asks ------------------------------------------------------------------------------------


class Ways:
    """Stands for the channels."""

    def __init__(self, email: str) -> None:
        self._email = email

    def providers(self) -> dict[Any, str]:
        return {"email": self._email, "sms": "gateway"}

    def knows(self, provider: str) -> bool:
        return False

    def addresses(self, channel: Any, people: Any) -> dict[int, str]:
        return {}


def writer(here: Here, email: str = "fluentcrm") -> MessageWriter:
    return MessageWriter(here.config, here.state, here.reader, here.zone, Ways(email))


def whom(here: Here, subject: str = "", **how: Any) -> Any:
    return EngineItem(
        **{
            "id": 1,
            "person_id": here.person,
            "contact_id": here.contact,
            "subject": subject,
            "data": Data(),
            "message": 77,
            **how,
        }
    )


REMIND = step(
    {
        "en": Text(subject="Your cart", body="{{ cart_table(cart) }}\n\n{{ button('Back', cart.link) }}", short="{{ cart.link }} {{ unsubscribe_link }}"),
        "pl": Text(subject="Koszyk", body="{{ cart_table(cart) }}\n\n{{ cart.items[0].url }}", short="Koszyk:\n{{ cart.link }}"),
        "fa": Text(short="{{ cart.link }}"),
    },
    channels=("email", "sms", "telegram", "whatsapp", "push"),
    whatsapp={"pl": "cart_pl"},
)  # fmt: skip


def test_an_e_mail_for_fluentcrm_is_what_goes_into_its_page(here: Here) -> None:
    found = writer(here).messages([(whom(here, cart(here, [line(SALE)])), REMIND, "email")])[0]
    assert (found.problems, found.language, found.subject) == ((), "pl", "Koszyk")
    assert found.html.startswith("<div") and "?fcsc=u" not in found.html
    assert "https://shop.example.com/produkt/product-14/" in found.text
    assert "?fcsc=u." in found.unsubscribe


def test_an_e_mail_for_smtp_is_whole(here: Here) -> None:
    found = writer(here, "smtp").messages([(whom(here, cart(here, [line(SALE)])), REMIND, "email")])[0]
    assert found.problems == ()
    assert found.html.startswith("<!doctype html>") and "?fcsc=u" in found.html
    token = links.verify(KEY, found.text.partition("?fcsc=g")[2].split()[0].join(["g", ""]), NOW)
    assert token is not None and (token.id, token.extra) == (SALE, "m77")
    service = step(REMIND.texts, channels=("email",), purpose="service")
    assert writer(here, "smtp").messages([(whom(here, "cart:12"), service, "email")])[0].unsubscribe == ""


@pytest.mark.parametrize(("channel", "consent"), [("sms", "sms"), ("telegram", "messaging"), ("push", "push")])
def test_short_messages(here: Here, channel: Any, consent: str) -> None:
    found = writer(here).messages([(whom(here, cart(here, [line(SALE)], language="en_US")), REMIND, channel)])[0]
    assert (found.problems, found.language, found.html) == ((), "en", "")
    back, stop = (links.verify(KEY, link.partition("?fcsc=")[2], NOW) for link in found.text.split())
    assert back is not None and (back.kind, back.id, back.extra) == ("c", 12, "m77")
    assert stop is not None and (stop.kind, stop.id, stop.extra) == ("u", here.contact, consent)
    assert (found.link != "") is (channel == "push")


def test_whatsapp_takes_an_approved_template(here: Here) -> None:
    found = writer(here).messages([(whom(here, cart(here, [line(SALE)], language="fa_IR")), REMIND, "whatsapp")])[0]
    assert (found.problems, found.template, found.language) == ((), "cart_pl", "pl")
    assert found.parameters == (found.text,) and "\n" not in found.text
    bare = step({"en": Text(short="Hi")}, channels=("whatsapp",))
    assert writer(here).messages([(whom(here), bare, "whatsapp")])[0].problems == (
        "there is no approved template of WhatsApp",
    )


def test_a_language_is_one_that_the_channel_has_a_text_in(here: Here) -> None:
    subject = cart(here, [line(SALE)], language="fa_IR")
    email, sms = writer(here).messages([(whom(here, subject), REMIND, "email"), (whom(here, subject), REMIND, "sms")])
    assert (email.language, sms.language) == ("en", "fa")


@pytest.mark.parametrize("subject", ["order:424242", "cart:424242", "product:424242"])
def test_what_is_gone_is_not_told_of(here: Here, subject: str) -> None:
    send = step(
        Text(
            subject="a",
            body="{{ order.number|d('') }}{{ cart.total|d('') }}{% for p in products %}{% endfor %}x",
            short="x",
        )
    )
    email, sms = writer(here).messages([(whom(here, subject), send, "email"), (whom(here, subject), send, "sms")])
    assert email.problems == (f"gone: the {subject.partition(':')[0]} that it is about is not there any more",)
    assert sms.problems == ()  # says nothing of it


def test_broken_ones_stop_nobody_else(here: Here) -> None:
    bad = step(Text(subject="{{ coupon.code }}", body="{{ nobody }}"))
    good = step(Text(subject="Hi", body="Good day"))
    found = writer(here).messages(
        [(whom(here), bad, "email"), (whom(here, id=2), good, "email"), (whom(here, id=3), bad, "sms")]
    )
    assert [bool(one.problems) for one in found] == [True, False, True]
    assert writer(here).messages([]) == []


def test_without_the_plugin_no_marketing_goes_out_by_smtp(here: Here) -> None:
    set_options(here, fcsc_link_key="")
    try:
        found = writer(here, "smtp").messages([(whom(here), step(Text(subject="Hi", body="Good day")), "email")])[0]
    finally:
        set_options(here, fcsc_link_key=KEY)
    assert found.problems == ("a marketing e-mail without a way to unsubscribe",)


def test_single_texts_for_the_engine(here: Here) -> None:
    asked = [
        (whom(here, f"order:{here.order}"), source)
        for source in ("Order {{ order.number }}", "{{ nobody }}", "{{ coupon.code }}", "10")
    ]
    assert writer(here).texts(asked) == [f"Order {here.order}", None, None, "10"]
    assert writer(here).texts([]) == []


def test_a_webhook_tells_what_there_is(here: Here) -> None:
    """Who has no coupon, no cart or no such field is told of all the same."""
    fields = ("order.number", "person.fields.nothing", "coupon.code", "coupon.expires", "cart.total")
    hook = Webhook(id="h", url="https://a.example", fields=fields)
    asked = [(whom(here, f"order:{here.order}"), source) for source in wishes.templates(hook)]
    assert writer(here).texts(asked) == [str(here.order), "", "", "", ""]
