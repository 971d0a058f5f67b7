"""Carts and stock, read from a real MariaDB shop with the plugin's tables."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from bridging import OTHERS, install
from support import ShopDatabase
from syncing import ConfigFor, execute
from triggering import DAY, HOUR, NOW, SIGNUPS, Yard

from sidecar.automations import model
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.truth import Truth
from sidecar.events import refusals
from sidecar.segments.model import Period

CART = model.OnCart(idle=Period(seconds=1800))
STOCK = model.OnStock()
MINE, THEIRS = "aa" * 16, "bb" * 16


@pytest.fixture(scope="module")
def copy(mariadb: PrivateMariaDB, demo_template_hpos: tuple[str, Truth]) -> Iterator[ShopDatabase]:
    """One copy for all of these tests."""
    mariadb.clone(demo_template_hpos[0], "shop_of_triggers")
    made = ShopDatabase(mariadb, "shop_of_triggers", "hpos", demo_template_hpos[1])
    install(made)
    yield made
    mariadb.drop_database(made.database)


@pytest.fixture
def shop(copy: ShopDatabase) -> ShopDatabase:
    """Without carts, sign-ups and the tests' own products."""
    execute(copy, "DROP TABLE IF EXISTS wp_fcsc_carts, wp_wc_stock_notifications")
    execute(copy, OTHERS[0])
    execute(copy, SIGNUPS)
    execute(copy, "DELETE FROM wp_posts WHERE ID >= 90000")
    execute(copy, "DELETE FROM wp_wc_product_meta_lookup WHERE product_id >= 90000")
    execute(copy, "DELETE FROM wp_options WHERE option_name LIKE 'woocommerce_customer_stock_notifications%'")
    return copy


@pytest.fixture
def yard(shop: ShopDatabase, config_for: ConfigFor) -> Iterator[Yard]:
    made = Yard(config_for(shop))
    made.person(1, user=11, email="ann@example.net")
    made.person(2, email="bob@example.net")
    yield made
    made.close()


def text(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")


def cart(
    shop: ShopDatabase, visitor: str = MINE, *, at: int = NOW + 60, created: int | None = None, user: int = 0, email: str = "",
    consent: str = "", status: str = "open", items: Any = ({"product_id": 7, "variation_id": 0, "quantity": 1},),
) -> int:  # fmt: skip
    """A visitor's cart as the plugin keeps it: one row, used again."""
    execute(
        shop,
        "INSERT INTO wp_fcsc_carts (visitor, user_id, email, consent, status, items, coupons, language, currency, total, created_gmt,"
        " updated_gmt) VALUES (%s, %s, %s, %s, %s, %s, '', 'pl_PL', 'PLN', 10, %s, %s) ON DUPLICATE KEY UPDATE user_id ="
        " VALUES(user_id), email = VALUES(email), consent = VALUES(consent), status = VALUES(status), items = VALUES(items),"
        " created_gmt = VALUES(created_gmt), updated_gmt = VALUES(updated_gmt)",
        (
            visitor, user, email, consent, status, json.dumps(items, separators=(",", ":")), text(at if created is None else created), text(at),
        ),
    )  # fmt: skip
    return int(shop.rows("SELECT id FROM wp_fcsc_carts WHERE visitor = %s", (visitor,))[0][0])


# --- carts -------------------------------------------------------------------------------------------------------


def test_a_cart_that_is_left_is_entered_once(shop: ShopDatabase, yard: Yard) -> None:
    """Pain 31. From half an hour after it was last touched."""
    yard.on(CART)
    id_ = cart(shop, email=" Ann@Example.net ")
    assert yard.collect(NOW + 60 + 1799).entered == 0
    assert yard.collect(NOW + 60 + 1830).entered == 1
    for minutes in (40, 60, 90):
        assert yard.collect(NOW + minutes * 60).entered == 0
    assert yard.inside() == [(1, f"cart:{id_}:{NOW + 60}")]
    assert yard.state.rows("SELECT due FROM enrolment") == [(NOW + 60 + 1800,)]


def test_a_clock_that_was_ahead_for_a_while_leaves_no_cart_out(shop: ShopDatabase, yard: Yard) -> None:
    yard.on(CART)
    yard.collect(NOW + 400 * DAY)
    yard.collect(NOW + 30)
    cart(shop, email="ann@example.net")
    assert yard.collect(NOW + HOUR).entered == 1


def test_whose_a_cart_is(shop: ShopDatabase, yard: Yard) -> None:
    yard.on(CART)
    yard.person(3)
    yard.state.sql.execute("INSERT INTO visitor VALUES (?, 3, 0)", ("cc" * 16,))
    ids = [
        cart(shop, MINE, user=11, email="bob@example.net"), cart(shop, THEIRS, email="bob@example.net", status="checkout"),
        cart(shop, "cc" * 16), cart(shop, "dd" * 16, email="nobody@example.net"), cart(shop, "ee" * 16),
    ]  # fmt: skip
    yard.collect(NOW + HOUR)
    assert sorted(person for person, _ in yard.inside()) == [1, 2, 3]
    assert {subject.split(":")[1] for _, subject in yard.inside()} == {str(id_) for id_ in ids[:3]}


@pytest.mark.parametrize("how", [{"consent": "refused"}, {"status": "emptied"}, {"status": "ordered"}, {"items": ()}])
def test_what_is_no_cart_to_remind_of(shop: ShopDatabase, yard: Yard, how: dict[str, Any]) -> None:
    yard.on(CART)
    cart(shop, email="ann@example.net", **how)
    assert yard.collect(NOW + HOUR).entered == 0


def test_who_said_no_once_is_never_reminded(shop: ShopDatabase, yard: Yard) -> None:
    """Pain 24: on another device, logged in, or by the address alone."""
    yard.on(CART)
    refusals.add(yard.state, [yard.state.key("ann@example.net"), yard.state.key("other@example.net")], NOW)
    cart(shop, MINE, user=11)
    cart(shop, THEIRS, user=0, email="ann@example.net")
    yard.state.sql.execute("INSERT INTO visitor VALUES (?, 2, 0)", ("cc" * 16,))
    cart(shop, "cc" * 16, email="other@example.net")
    assert yard.collect(NOW + HOUR).entered == 0


@pytest.mark.parametrize(
    ("verdict", "status"),
    [("candidate", "completed"), ("unpaid", "pending"), ("unpaid", "on-hold"), ("unpaid", "failed")],
)
def test_an_order_since_whatever_became_of_its_payment(
    shop: ShopDatabase, yard: Yard, verdict: str, status: str
) -> None:
    """Pains 28, 33: who pays elsewhere and never returns leaves the row at `checkout`; the payment has its own reminder."""
    yard.on(CART)
    cart(shop, email="ann@example.net", status="checkout")
    yard.order(55, 1, at=NOW + 300, verdict=verdict, status=status)
    cart(shop, THEIRS, email="bob@example.net")
    yard.order(56, 2, at=NOW - HOUR)
    yard.collect(NOW + HOUR)
    assert [person for person, _ in yard.inside()] == [2], "an order of before the cart is another matter"


def test_an_order_in_the_same_browser_by_another_address(shop: ShopDatabase, yard: Yard) -> None:
    """Pain 28."""
    yard.on(CART)
    cart(shop, email="ann@example.net", status="checkout")
    yard.order(55, 2, at=NOW + 300)
    yard.act("order", 55, 2, at=NOW + 300, visitor=MINE)
    assert yard.collect(NOW + HOUR).entered == 0


def test_the_next_cart_in_the_same_row_enters_again(shop: ShopDatabase, yard: Yard) -> None:
    yard.on(CART)
    id_ = cart(shop, email="ann@example.net")
    yard.collect(NOW + HOUR)
    cart(shop, email="ann@example.net", at=NOW + HOUR, created=NOW + 60, status="emptied")
    yard.collect(NOW + 2 * HOUR)
    cart(shop, email="ann@example.net", at=NOW + 3 * HOUR)
    yard.collect(NOW + 4 * HOUR)
    cart(shop, email="ann@example.net", at=NOW + 5 * HOUR, created=NOW + 3 * HOUR)  # touched again: the same cart
    yard.collect(NOW + 6 * HOUR)
    assert yard.inside() == [(1, f"cart:{id_}:{NOW + 60}"), (1, f"cart:{id_}:{NOW + 3 * HOUR}")]


def test_carts_of_before_it_was_on_and_of_long_ago(shop: ShopDatabase, yard: Yard) -> None:
    yard.on(CART)
    cart(shop, MINE, email="ann@example.net", at=NOW - 60)
    cart(shop, THEIRS, email="bob@example.net", at=NOW + HOUR)
    assert yard.collect(NOW + 3 * DAY).entered == 0, "nobody looked for three days"


def test_many_carts_of_one_second_come_by_pages(shop: ShopDatabase, yard: Yard) -> None:
    yard.on(CART)
    for person in range(100, 2300, 2):
        yard.person(person, email=f"p{person}@example.net")
        yard.state.sql.execute("INSERT INTO visitor VALUES (?, ?, 0)", (f"{person:032x}", person))
    connection = shop.connect()
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO wp_fcsc_carts (visitor, status, items, created_gmt, updated_gmt) VALUES (%s, 'open', '[{}]', %s, %s)",
            [(f"{person:032x}", text(NOW + 60), text(NOW + 60 + person % 4)) for person in range(100, 2300, 2)],
        )
    connection.close()
    assert yard.collect(NOW + HOUR).entered == 1100


def test_without_the_plugin_there_are_no_carts(shop: ShopDatabase, yard: Yard) -> None:
    execute(shop, "DROP TABLE wp_fcsc_carts")
    yard.on(CART)
    assert yard.collect(NOW + HOUR).entered == 0


# --- stock -----------------------------------------------------------------------------------------------------


def ware(shop: ShopDatabase, id_: int, status: str, parent: int = 0, post: str = "publish") -> None:
    """A product or a variation with a stock status."""
    kind = "product_variation" if parent else "product"
    execute(shop, "DELETE FROM wp_posts WHERE ID = %s", (id_,))
    execute(
        shop,
        "INSERT INTO wp_posts (ID, post_type, post_status, post_parent, post_content, post_title, post_excerpt, to_ping, pinged,"
        " post_content_filtered) VALUES (%s, %s, %s, %s, '', '', '', '', '', '')",
        (id_, kind, post, parent),
    )
    execute(shop, "REPLACE INTO wp_wc_product_meta_lookup (product_id, stock_status) VALUES (%s, %s)", (id_, status))


def signed_up(
    shop: ShopDatabase,
    product: int,
    *,
    user: int = 0,
    email: str = "",
    status: str = "active",
    tried: str | None = None,
) -> None:
    execute(
        shop,
        "INSERT INTO wp_wc_stock_notifications (product_id, user_id, user_email, status, date_last_attempt_gmt)"
        " VALUES (%s, %s, %s, %s, %s)",
        (product, user, email, status, tried),
    )


@pytest.fixture
def shelf(shop: ShopDatabase, yard: Yard) -> Yard:
    """A variable product whose blue is sold out while its red is there; what waits is switched on."""
    ware(shop, 90_000, "instock")
    ware(shop, 90_001, "outofstock", 90_000)
    ware(shop, 90_002, "instock", 90_000)
    yard.on(STOCK)
    yard.collect(NOW + 60)
    return yard


def back(shop: ShopDatabase, yard: Yard, at: int, id_: int = 90_001, status: str = "instock") -> int:
    """It is there again, and the sidecar looks. Returns how many entered."""
    execute(shop, "UPDATE wp_wc_product_meta_lookup SET stock_status = %s WHERE product_id = %s", (status, id_))
    return yard.collect(at).entered


def test_who_asked_for_exactly_it_is_told_once_each_time(shop: ShopDatabase, shelf: Yard) -> None:
    """Pain 44."""
    signed_up(shop, 90_001, user=11)
    signed_up(shop, 90_002, email="bob@example.net")
    signed_up(shop, 90_001, email="bob@example.net", status="pending")
    assert back(shop, shelf, NOW + 2 * HOUR) == 1
    subject = f"product:90000:90001:{NOW + 2 * HOUR}"
    assert shelf.inside() == [(1, subject)]
    for minutes in (121, 125, 180):
        assert shelf.collect(NOW + minutes * 60).entered == 0
    # Gone and back within a day: not again. Gone for long and back: again.
    back(shop, shelf, NOW + 3 * HOUR, status="outofstock")
    assert back(shop, shelf, NOW + 4 * HOUR) == 0
    back(shop, shelf, NOW + 5 * HOUR, status="outofstock")
    for hours in range(6, 60, 6):
        shelf.collect(NOW + hours * HOUR)
    assert back(shop, shelf, NOW + 60 * HOUR) == 1


def test_a_clock_that_was_ahead_for_a_while_leaves_nothing_out(shop: ShopDatabase, shelf: Yard) -> None:
    for moment in (NOW + 400 * DAY, NOW + 401 * DAY):
        back(shop, shelf, moment, status="outofstock")
        back(shop, shelf, moment + HOUR)
    signed_up(shop, 90_001, user=11)
    back(shop, shelf, NOW + HOUR, status="outofstock")
    assert back(shop, shelf, NOW + 2 * HOUR) == 1


def test_the_shop_tells_of_stock_and_is_asked_at_once(shop: ShopDatabase, shelf: Yard) -> None:
    signed_up(shop, 90_001, user=11)
    assert back(shop, shelf, NOW + 70) == 0, "it was asked ten seconds ago"
    shelf.event("stock.changed", 90_000, sub=90_001, detail="instock")
    assert shelf.collect(NOW + 71).entered == 1


def test_who_has_it_in_a_cart_or_looked_at_it_twice_while_it_was_out(shop: ShopDatabase, shelf: Yard) -> None:
    line = {"product_id": 90_000, "variation_id": 90_001, "quantity": 1}
    cart(shop, MINE, user=11, at=NOW - 5 * DAY, items=[line])
    cart(shop, THEIRS, email="bob@example.net", at=NOW - 5 * DAY, items=[{**line, "variation_id": 90_002}])
    for person, variation, times in ((3, 90_001, 2), (4, 90_001, 1), (5, 90_002, 3), (6, 0, 2)):
        shelf.person(person)
        for number in range(times):
            shelf.act("view", 90_000, person, sub=variation, at=NOW + 120 + number * 60)
    shelf.act("view", 90_000, 4, sub=90_001, at=NOW - DAY)
    back(shop, shelf, NOW + HOUR)
    assert [person for person, _ in shelf.inside()] == [1, 3]


def test_a_product_with_its_variation_is_told_of_once(shop: ShopDatabase, shelf: Yard) -> None:
    execute(shop, "UPDATE wp_wc_product_meta_lookup SET stock_status = 'outofstock' WHERE product_id IN (90000, 90002)")
    shelf.collect(NOW + HOUR)
    for variation in (0, 0, 90_001, 90_001):
        shelf.act("view", 90_000, 1, sub=variation, at=NOW + 2 * HOUR)
    execute(shop, "UPDATE wp_wc_product_meta_lookup SET stock_status = 'instock' WHERE product_id IN (90000, 90001)")
    shelf.collect(NOW + 3 * HOUR)
    assert shelf.inside() == [(1, f"product:90000:90001:{NOW + 3 * HOUR}")]


@pytest.mark.parametrize("how", ["allowed", "sends"])
def test_where_woocommerce_tells_them_itself_they_are_not_ours(shop: ShopDatabase, shelf: Yard, how: str) -> None:
    """Pains 44, 46: whoever asked it is left to it, others are not."""
    if how == "allowed":
        execute(
            shop,
            "INSERT INTO wp_options (option_name, option_value) VALUES ('woocommerce_customer_stock_notifications_allow_signups', 'yes')",
        )
    else:
        signed_up(shop, 123, email="x@example.net", status="sent", tried="2026-10-30 10:00:00")
    signed_up(shop, 90_001, user=11)
    for person in (1, 2):
        for minutes in (5, 6):
            shelf.act("view", 90_000, person, sub=90_001, at=NOW + minutes * 60)
    back(shop, shelf, NOW + HOUR)
    assert [person for person, _ in shelf.inside()] == [2]


def test_what_nobody_can_see_is_not_back(shop: ShopDatabase, shelf: Yard) -> None:
    signed_up(shop, 90_001, user=11)
    execute(shop, "UPDATE wp_posts SET post_status = 'draft' WHERE ID = 90000")
    assert back(shop, shelf, NOW + HOUR) == 0
    execute(shop, "UPDATE wp_posts SET post_status = 'publish' WHERE ID = 90000")
    assert shelf.collect(NOW + 2 * HOUR).entered == 1


def test_after_a_long_time_without_a_look_nothing_is_just_back(shop: ShopDatabase, shelf: Yard) -> None:
    signed_up(shop, 90_001, user=11)
    assert back(shop, shelf, NOW + 3 * DAY) == 0
    back(shop, shelf, NOW + 3 * DAY + HOUR, status="outofstock")
    assert back(shop, shelf, NOW + 3 * DAY + 2 * HOUR) == 1


def test_many_that_come_back_at_once_come_one_after_the_other(shop: ShopDatabase, shelf: Yard) -> None:
    execute(
        shop,
        "INSERT INTO wp_posts (ID, post_type, post_status, post_content, post_title, post_excerpt, to_ping, pinged,"
        " post_content_filtered) SELECT seq, 'product', 'publish', '', '', '', '', '', '' FROM seq_91000_to_91049",
    )
    execute(
        shop,
        "INSERT INTO wp_wc_product_meta_lookup (product_id, stock_status) SELECT seq, 'outofstock' FROM seq_91000_to_91049",
    )
    execute(
        shop,
        "INSERT INTO wp_wc_stock_notifications (product_id, user_id, user_email, status) SELECT seq, 11, '', 'active'"
        " FROM seq_91000_to_91049",
    )
    shelf.collect(NOW + HOUR)
    execute(shop, "UPDATE wp_wc_product_meta_lookup SET stock_status = 'onbackorder' WHERE product_id >= 91000")
    assert shelf.collect(NOW + 2 * HOUR).entered == 50


def test_a_shop_without_notices_and_carts(shop: ShopDatabase, shelf: Yard) -> None:
    execute(shop, "DROP TABLE wp_wc_stock_notifications, wp_fcsc_carts")
    for minutes in (5, 6):
        shelf.act("view", 90_000, 1, sub=90_001, at=NOW + minutes * 60)
    assert back(shop, shelf, NOW + HOUR) == 1
