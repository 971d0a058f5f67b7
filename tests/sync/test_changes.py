"""A run of changes only ends where a first run on fresh state would: whatever happened in the shop in between."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, Contact, contacts, field, fresh, run, unlike

from sidecar.demo.mariadb import PrivateMariaDB

BUYER = "refund.later@example.org"
PLACE = {
    "billing_country": "PL",
    "billing_city": "Ełk",
    "billing_address_1": "Nowa 1",
    "billing_postcode": "19-300",
    "billing_state": "WM",
}
Happening = Callable[[Shopkeeper], None]


def new_order(keeper: Shopkeeper) -> None:
    keeper.order("fresh.guest@example.org", "12.34", lines=((10, 2, "Coffee"),))
    keeper.order(
        BUYER,
        "55.00",
        at="2026-11-01 11:58:00",
        payment="stripe",
        meta={"_wc_order_attribution_utm_source": "newsletter"},
    )


def old_order_appears(keeper: Shopkeeper) -> None:
    """Imported from elsewhere: its dates lie far behind the cursor."""
    keeper.order("late.import@example.org", "70.00", at="2020-02-29 10:00:00")


def edited_total(keeper: Shopkeeper) -> None:
    keeper.set(keeper.orders_of(BUYER)[0], _order_total="250.00")


def edited_by_raw_sql(keeper: Shopkeeper) -> None:
    """No date moves: only the digests tell."""
    keeper.set(keeper.orders_of(BUYER)[0], quiet=True, _order_total="333.33", _payment_method="przelewy24")


def other_currency(keeper: Shopkeeper) -> None:
    order = keeper.orders_of(BUYER)[1]
    keeper.meta(order, _woocs_order_rate="0.25", _woocs_order_base_currency="PLN")
    keeper.set(order, _order_currency="EUR")


def refund_added(keeper: Shopkeeper) -> None:
    keeper.refund(keeper.orders_of(BUYER)[1], "30.00")


def refund_of_foreign_order_added(keeper: Shopkeeper) -> None:
    keeper.refund(keeper.orders_of("currency.woocs@example.org")[0], "20.00", currency="EUR")


def refund_removed(keeper: Shopkeeper) -> None:
    order = keeper.orders_of(BUYER)[0]
    sql = (
        "SELECT id FROM wp_wc_orders WHERE parent_order_id = %s"
        if keeper.hpos
        else "SELECT ID FROM wp_posts WHERE post_parent = %s"
    )
    keeper.delete_order(keeper.one(sql, order))


def order_deleted(keeper: Shopkeeper) -> None:
    keeper.delete_order(keeper.orders_of(BUYER)[1])
    keeper.delete_order(keeper.orders_of("currency.wcpay@example.org")[0])


def order_trashed(keeper: Shopkeeper) -> None:
    keeper.status(keeper.orders_of(BUYER)[1], "trash")


def order_restored(keeper: Shopkeeper) -> None:
    keeper.status(keeper.orders_of("status.trash@example.org")[0], "wc-completed")


def order_paid(keeper: Shopkeeper) -> None:
    keeper.status(keeper.orders_of("status.pending@example.org")[0], "wc-processing")


def order_date_moved(keeper: Shopkeeper) -> None:
    order = keeper.orders_of(BUYER)[1]
    if keeper.hpos:
        keeper.do("UPDATE wp_wc_orders SET date_created_gmt = '2026-01-02 03:04:05' WHERE id = %s", order)
    else:
        keeper.do("UPDATE wp_posts SET post_date_gmt = '2026-01-02 03:04:05' WHERE ID = %s", order)


def order_given_to_another(keeper: Shopkeeper) -> None:
    keeper.set(keeper.orders_of(BUYER)[1], _customer_user=str(keeper.user_of("never.bought@example.org")))


def attribution_arrives_late(keeper: Shopkeeper) -> None:
    """WooCommerce writes the order's date anew with its attribution; on posts only meta rows come."""
    order = keeper.orders_of(BUYER)[1]
    keeper.meta(order, _wc_order_attribution_utm_source="podcast", _wc_order_attribution_device_type="Mobile")
    keeper.set(order)


def account_registered(keeper: Shopkeeper) -> None:
    keeper.account(
        "just.registered@example.org", billing_first_name="Ola", billing_phone="601 222 333", billing_country="PL"
    )


def guest_registers(keeper: Shopkeeper) -> None:
    keeper.account(BUYER, billing_first_name="Rejestrowana", billing_last_name="Osoba", **PLACE)


def guests_orders_become_the_accounts(keeper: Shopkeeper) -> None:
    user = keeper.account(BUYER)
    for order in keeper.orders_of(BUYER):
        keeper.set(order, _customer_user=str(user))


def guests_orders_become_the_accounts_one(keeper: Shopkeeper) -> None:
    """The same later: the account is there already."""
    user = keeper.account("currency.mixed@example.org")
    for order in keeper.orders_of("currency.mixed@example.org"):
        keeper.set(order, _customer_user=str(user))


def user_meta_edited(keeper: Shopkeeper) -> None:
    keeper.user_meta(
        keeper.user_of("nip@example.org"), billing_nip="", billing_city="Gdynia", billing_phone="+48 799 888 777"
    )
    keeper.user_meta(keeper.user_of("never.bought@example.org"), birthday="1970-12-24")


def user_deleted(keeper: Shopkeeper) -> None:
    """As `wp_delete_user` does with WooCommerce: the orders stay, their customer id leads nowhere."""
    keeper.delete_account(keeper.user_of("nip@example.org"))
    keeper.delete_account(keeper.user_of("never.bought@example.org"))


def product_renamed(keeper: Shopkeeper) -> None:
    keeper.do("UPDATE wp_posts SET post_title = 'Renamed ☕' WHERE ID = 12")


def product_deleted(keeper: Shopkeeper) -> None:
    keeper.do("DELETE FROM wp_posts WHERE ID = 13")
    keeper.do("DELETE FROM wp_term_relationships WHERE object_id = 13")
    keeper.do("DELETE FROM wp_wc_product_meta_lookup WHERE product_id = 13")


def deleted_product_comes_back(keeper: Shopkeeper) -> None:
    keeper.do(
        "INSERT INTO wp_posts (ID, post_type, post_status, post_date, post_date_gmt, post_modified, post_modified_gmt,"
        " post_content, post_title, post_excerpt, to_ping, pinged, post_content_filtered)"
        " VALUES (9, 'product', 'publish', NOW(), NOW(), NOW(), NOW(), '', 'Back again', '', '', '', '')"
    )


def many_products_renamed(keeper: Shopkeeper) -> None:
    keeper.do("UPDATE wp_posts SET post_title = CONCAT('New ', post_title) WHERE post_type = 'product'")


def category_renamed(keeper: Shopkeeper) -> None:
    keeper.do(
        "UPDATE wp_terms t JOIN wp_term_taxonomy x USING (term_id) SET t.name = CONCAT(t.name, ' (nowe)') WHERE x.taxonomy = 'product_cat'"
    )


def product_becomes_virtual(keeper: Shopkeeper) -> None:
    keeper.do("UPDATE wp_wc_product_meta_lookup SET `virtual` = 1 WHERE product_id IN (10, 11, 12)")


def somebody_spends_very_much(keeper: Shopkeeper) -> None:
    """New VIPs push others out, who themselves did nothing."""
    for number in range(3):
        for _ in range(2):
            keeper.order(f"rich{number}@example.org", "99999.00")


def everybody_else_is_refunded(keeper: Shopkeeper) -> None:
    keeper.do(
        "UPDATE wp_wc_orders SET total_amount = 1.00 WHERE type = 'shop_order' AND total_amount > 500"
        if keeper.hpos
        else "UPDATE wp_postmeta SET meta_value = '1.00' WHERE meta_key = '_order_total' AND meta_value + 0 > 500"
    )


def lines_edited(keeper: Shopkeeper) -> None:
    """The owner replaces what was bought; saving the order moves its date (legacy: its post)."""
    order = keeper.orders_of(BUYER)[1]
    keeper.do(
        "UPDATE wp_woocommerce_order_itemmeta m JOIN wp_woocommerce_order_items i USING (order_item_id)"
        " SET m.meta_value = '15' WHERE i.order_id = %s AND m.meta_key = '_product_id'", order,
    )  # fmt: skip
    keeper.set(order, _order_total="77.00")


GROUPS: dict[str, list[Happening]] = {
    "orders": [attribution_arrives_late, new_order, old_order_appears, order_restored, order_paid, edited_by_raw_sql],
    "money": [edited_total, refund_added, refund_of_foreign_order_added, other_currency, lines_edited],
    "gone": [refund_removed, order_date_moved, order_deleted],
    "given": [order_given_to_another],
    "trash": [order_trashed],
    "accounts": [account_registered, guest_registers, user_meta_edited, guests_orders_become_the_accounts_one],
    "owners": [guests_orders_become_the_accounts, user_deleted],
    "products": [product_renamed, product_deleted, product_becomes_virtual, category_renamed],
    "many products": [many_products_renamed],
    "rich": [somebody_spends_very_much],
    "poor": [everybody_else_is_refunded],
}


@pytest.mark.parametrize("storage", ["hpos", "posts"])
@pytest.mark.parametrize("group", GROUPS)
def test_changes_only_ends_like_a_fresh_run(
    group: str, storage: str, mariadb: PrivateMariaDB, config_for: ConfigFor, request: pytest.FixtureRequest
) -> None:
    shop: ShopDatabase = request.getfixturevalue(f"demo_{storage}")
    template = request.getfixturevalue(f"demo_template_{storage}")[0]
    config = config_for(shop)
    run(config)
    before = contacts(shop)
    for happening in GROUPS[group]:
        happening(Shopkeeper(shop))
        report = run(config)
        assert (report.mode, report.counts.failed) == ("changes", {})
        assert report.counts.writes > 0, f"{happening.__name__} changed nothing: it is worth nothing as a test"
    now, expected = contacts(shop), _fresh(shop, mariadb, config_for, template)
    # Who is no longer in the shop at all keeps the contact: the fresh run never hears of them.
    assert now.keys() - expected.keys() <= before.keys()
    assert len(now.keys() - expected.keys()) == {"gone": 1, "trash": 0, "owners": 1}.get(group, 0)
    for email, contact in expected.items():
        kept = now[email]["columns"]
        contact["columns"]["created_at"] = kept["created_at"]
        if group == "owners":
            contact["columns"]["user_id"] = kept["user_id"]  # a number that leads nowhere any more is kept
    assert unlike({email: now[email] for email in expected}, expected) == {}
    assert run(config).counts.writes == 0


def _fresh(shop: ShopDatabase, server: PrivateMariaDB, config_for: ConfigFor, template: str) -> dict[str, Contact]:
    """What a first run on fresh state makes of the shop as it is now."""
    copy = fresh(server, shop, f"{shop.database}_fresh", template)
    try:
        run(config_for(copy))
        return contacts(copy)
    finally:
        server.drop_database(copy.database)


def test_a_deleted_product_that_comes_back(
    demo_hpos: ShopDatabase, mariadb: PrivateMariaDB, config_for: ConfigFor, demo_template_hpos: tuple[str, object]
) -> None:
    config = config_for(demo_hpos)
    run(config)
    deleted_product_comes_back(Shopkeeper(demo_hpos))
    run(config)
    assert unlike(contacts(demo_hpos), _fresh(demo_hpos, mariadb, config_for, demo_template_hpos[0])) == {}


def test_a_new_address_is_not_mixed_with_the_old_one(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    keeper.order(
        "mover@example.org", billing={"address_1": "Długa 1", "address_2": "m. 5", "state": "DS", "city": "Wrocław"}
    )
    run(config)
    keeper.order(
        "mover@example.org",
        at="2026-11-01 10:00:00",
        billing={"address_1": "Krótka 2", "city": "Berlin", "country": "DE"},
    )
    run(config)
    columns = contacts(demo)["mover@example.org"]["columns"]
    assert (columns["address_line_1"], columns["city"], columns["country"]) == ("Krótka 2", "Berlin", "DE")
    assert (columns["address_line_2"], columns["state"]) == (None, None)


def test_figures_after_some_of_them(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """The same end state could be equally wrong: a few figures by hand."""
    keeper, config = Shopkeeper(demo), config_for(demo)
    run(config)

    def shown(slug: str) -> str | None:
        run(config)
        return field(contacts(demo)[BUYER], slug)

    assert shown("woo_ltv") == "150.00"
    edited_total(keeper)
    assert shown("woo_ltv") == "300.00"
    refund_added(keeper)
    assert shown("woo_ltv") == "270.00"
    assert shown("woo_aov") == "135.00"
    order_trashed(keeper)
    assert shown("woo_orders_count") == "1"
    assert shown("woo_ltv") == "200.00"
    keeper.status(keeper.orders_of(BUYER)[1], "wc-completed")
    assert shown("woo_ltv") == "270.00"
    keeper.delete_order(keeper.orders_of(BUYER)[0])
    assert shown("woo_ltv") == "70.00"
    keeper.delete_order(keeper.orders_of(BUYER)[0])
    assert shown("woo_ltv") == "0.00"
    contact = contacts(demo)[BUYER]
    assert (field(contact, "woo_last_order"), field(contact, "woo_aov"), field(contact, "woo_products")) == (
        None,
        None,
        None,
    )
    assert "woo-lead" in contact["tags"] and "woo-returning" not in contact["tags"]


def test_two_writes_in_one_second_are_both_seen(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    """The cursor is compound and overlaps: an order that commits late, under an earlier date, is not lost."""
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    run(config)
    for number in range(3):
        keeper.order(f"same.second{number}@example.org", at="2026-11-01 11:59:59")
    assert run(config).counts.created == 3
    keeper.order("committed.late@example.org", at="2026-11-01 11:57:00")
    assert run(config).counts.created == 1


def test_a_changed_order_costs_little(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """Changes only: one person is looked at, not everybody."""
    keeper, config = Shopkeeper(demo), config_for(demo)
    run(config)
    keeper.order(BUYER, "5.00")
    report = run(config)
    assert report.mode == "changes"
    assert report.counts.people == 1
    assert report.counts.orders_changed == 1
