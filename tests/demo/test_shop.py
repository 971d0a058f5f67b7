"""The demo shop: what it promises to hold, in either storage and at a small size."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import pymysql
import pytest
from support import ShopDatabase

from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.shop import build
from sidecar.demo.truth import Truth

LEFT_OUT = {
    "other_type", "trash", "draft", "anonymised", "no_email", "unpaid_status", "unconvertible_currency",
    "zero_net",
}  # fmt: skip
CASES = """
    order.account_and_guest order.changed_email order.dead_user order.dead_user_without_email order.no_email
    order.account_without_billing_email order.invalid_email order.anonymised order.accent_pair
    order.long_email
    order.two_names_one_email order.no_billing_row order.date_null order.date_zero order.broken_meta
    order.status_pending order.status_processing order.status_on-hold order.status_completed
    order.status_cancelled
    order.status_refunded order.status_failed order.status_checkout-draft order.status_trash
    order.status_auto-draft
    order.status_draft order.status_shipped order.status_half-paid order.refund_partial order.refund_full
    order.refund_amount_only order.refund_several order.refund_too_much order.refund_of_trash
    order.refund_later
    order.subscription order.subscription_renewal order.unknown_type order.zero_total order.negative_fee
    order.currency_wcpay order.currency_wcpay_inexact order.currency_aelia order.currency_woocs
    order.currency_unknown order.currency_rate_zero order.currency_rate_other_base order.coupon
    order.deleted_product order.item_virtual order.item_downloadable order.item_variation
    order.two_shipping_methods order.no_shipping order.shipping_flat_rate order.shipping_local_pickup
    order.attribution order.attribution_blank order.attribution_absent order.staff order.same_second
    order.dst_first_0230 order.dst_second_0230 order.dst_spring_before order.dst_spring_after
    order.new_year_before order.new_year_after order.new_year_utc order.month_end order.name_too_long
    order.optin_order_yes order.optin_order_no order.nip_order order.birthday_order
    email.phone_polish email.phone_persian_digits email.phone_iranian email.phone_bulgarian
    email.phone_british
    email.phone_junk email.nip email.vat email.role_b2b email.role_two email.role_none
    email.broken_capabilities
    email.broken_meta email.birthday_iso email.birthday_jalali email.birthday_jalali_persian
    email.birthday_zero
    email.birthday_impossible email.birthday_future email.optin_yes email.optin_no email.optin_mailchimp
    email.name_persian email.name_cyrillic email.name_emoji email.name_html email.name_smartcode
    email.name_one_field email.name_missing email.same_mobile email.staff email.account_without_orders
    email.changed email.accent_pair email.invalid email.too_long
    product.simple product.variable product.variation product.subscription product.virtual
    product.downloadable
    product.deleted cart.account cart.guest cart.expired cart.emptied
    contact.subscribed contact.unsubscribed contact.bounced contact.complained contact.pending
    contact.transactional
    contact.upper_case contact.name_edited contact.not_in_shop contact.queued_mail contact.noted
"""


def _truth(shop: ShopDatabase) -> Truth:
    assert shop.truth is not None
    return shop.truth


def _order_ids(shop: ShopDatabase) -> list[int]:
    sql = {
        "hpos": "SELECT id FROM wp_wc_orders ORDER BY id",
        "posts": "SELECT ID FROM wp_posts WHERE post_type LIKE 'shop_order%' OR post_type IN"
        " ('shop_subscription', 'wc_weird') ORDER BY ID",
    }
    return [number for (number,) in shop.rows(sql[shop.storage])]


def test_both_storages_hold_the_same_shop(demo_hpos: ShopDatabase, demo_posts: ShopDatabase) -> None:
    assert demo_hpos.truth == demo_posts.truth
    assert _order_ids(demo_hpos) == _order_ids(demo_posts)
    assert len(_order_ids(demo_hpos)) > 900
    same = (
        "users usermeta terms term_taxonomy term_relationships woocommerce_order_items"
        " woocommerce_order_itemmeta"
        " woocommerce_sessions wc_order_stats wc_customer_lookup fc_subscribers fc_subscriber_pivot fc_meta"
    )
    for table in same.split():
        sums = [shop.rows(f"CHECKSUM TABLE wp_{table}")[0][1] for shop in (demo_hpos, demo_posts)]
        assert sums[0] == sums[1], table


def test_every_special_case_is_there_at_a_small_size(demo: ShopDatabase) -> None:
    truth = _truth(demo)
    assert [case for case in CASES.split() if not truth.cases.get(case)] == []
    assert set(truth.left_out) == LEFT_OUT
    ids = set(_order_ids(demo))
    for case, keys in truth.cases.items():
        if case.startswith("order."):
            assert ids.issuperset(keys), case
        elif case.startswith("email."):
            assert truth.people.keys() >= set(keys), case
    stored = {email for (email,) in demo.rows("SELECT email FROM wp_fc_subscribers")}
    assert stored == {contact.email for contact in truth.contacts}
    assert {status for (status,) in demo.rows("SELECT DISTINCT status FROM wp_fc_subscribers")} >= {
        "subscribed", "unsubscribed", "bounced", "complained", "pending", "transactional", "spammed",
    }  # fmt: skip


def test_the_truth_of_some_cases_is_what_the_design_says(demo_hpos: ShopDatabase) -> None:
    people = _truth(demo_hpos).people
    later = people["refund.later@example.org"]
    assert (later.orders_count, later.gross, later.net) == (2, Decimal("200.00"), Decimal("150.00"))
    assert later.last_order_id == _truth(demo_hpos).cases["order.refund_later"][1]
    both = people["anna.wielka@example.org"]
    assert both.is_account and both.orders_count == 3
    assert people["josé@cafe.example.org"].orders_count == 2
    assert people["jose@cafe.example.org"].orders_count == 1
    assert people["new.address@example.org"].net == Decimal("100.00")
    assert people["old.address@example.org"].net == Decimal("40.00")
    assert people["currency.wcpay@example.org"].net == Decimal("320.00")
    assert people["currency.wcpay.inexact@example.org"].net == Decimal("142.13")
    assert people["currency.aelia@example.org"].net == Decimal("198.77")
    assert people["currency.woocs@example.org"].net == Decimal("1000.00")
    assert people["currency.mixed@example.org"].net == Decimal("100.00")
    assert people["refund.full@example.org"].orders_count == 0
    assert people["date.null@example.org"].first_paid is None
    assert people["date.null@example.org"].orders_count == 1
    assert "deleted@site.invalid" not in people
    assert people["item.deleted@example.org"].products == {9: 2}


def test_sums_agree(demo_hpos: ShopDatabase) -> None:
    truth = _truth(demo_hpos)
    assert truth.gross - truth.refunded == truth.net > 0
    assert truth.buyers == sum(person.orders_count > 0 for person in truth.people.values())
    other = truth.left_out["other_type"]
    assert truth.orders + sum(truth.left_out.values()) - other == truth.shop_orders == 900 - other


def test_the_rows_are_as_odd_as_promised(demo: ShopDatabase) -> None:
    truth = _truth(demo)
    undated = truth.cases["order.date_zero"][0]
    table = "wp_wc_orders WHERE id" if demo.storage == "hpos" else "wp_posts WHERE ID"
    column = "date_created_gmt" if demo.storage == "hpos" else "post_date_gmt"
    assert demo.rows(f"SELECT CAST({column} AS CHAR) FROM {table}={undated}") == [("0000-00-00 00:00:00",)]
    assert (
        demo.rows("SELECT MAX(CHAR_LENGTH(meta_value)) FROM wp_usermeta WHERE meta_key='billing_first_name'")[0][0]
        > 192
    )
    with pytest.raises(pymysql.err.OperationalError, match="Illegal mix of collations"):
        demo.rows("SELECT 1 FROM wp_users u JOIN wp_fc_subscribers s ON s.email=u.user_email")
    placeholders = demo.rows("SELECT COUNT(*) FROM wp_posts WHERE post_type='shop_order_placehold'")[0][0]
    assert placeholders == (len(_order_ids(demo)) if demo.storage == "hpos" else 0)
    assert bool(demo.rows("SHOW TABLES LIKE 'wp_wc_orders'")) == (demo.storage == "hpos")
    assert demo.rows("SELECT DISTINCT object_type FROM wp_fc_subscriber_pivot ORDER BY 1") == [
        ("FluentCrm\\App\\Models\\Lists",), ("FluentCrm\\App\\Models\\Tag",),
    ]  # fmt: skip


def test_other_shapes(mariadb: PrivateMariaDB, demo_hpos: ShopDatabase) -> None:
    name = "other_shape"
    mariadb.create_database(name)
    with closing(mariadb.connect(name, autocommit=True)) as connection, connection.cursor() as cursor:
        truth = build(
            connection, storage="posts", hpos_sync=True, customers=300, orders=900, prefix="shop2_",
            fluentcrm="2.9", timezone="+5.5",
        )  # fmt: skip
        assert connection.get_autocommit()
        assert truth.people == _truth(demo_hpos).people  # nothing about a person depends on the wall clock
        cursor.execute("SELECT COUNT(*), SUM(total_amount) FROM shop2_wc_orders WHERE type='shop_order'")
        in_hpos = cursor.fetchone()
        cursor.execute(
            "SELECT COUNT(*), SUM(CAST(meta_value AS DECIMAL(26,8)))  FROM shop2_posts"
            " JOIN shop2_postmeta ON post_id=ID WHERE post_type='shop_order' AND meta_key='_order_total'"
        )
        assert cursor.fetchone() == in_hpos
        cursor.execute("SELECT option_name, option_value FROM shop2_options")
        options = dict(cursor.fetchall())
        assert options["timezone_string"] == "" and options["gmt_offset"] == "5.5"
        assert options["_fluentcrm_db_version"] == "2.9.50"
        assert options["woocommerce_custom_orders_table_enabled"] == "no"
        assert options["woocommerce_custom_orders_table_data_sync_enabled"] == "yes"
        cursor.execute("SHOW INDEX FROM shop2_fc_subscriber_pivot WHERE Non_unique=0 AND Key_name<>'PRIMARY'")
        assert cursor.fetchall() == ()
        cursor.execute(
            "SELECT COUNT(*) FROM shop2_fc_subscriber_pivot"
            " GROUP BY subscriber_id,object_id,object_type HAVING COUNT(*)>1"
        )
        assert cursor.fetchall(), "2.9 can hold a tag twice"
        cursor.execute("SELECT COUNT(*) FROM shop2_usermeta WHERE meta_key='shop2_capabilities'")
        assert cursor.fetchone() != (0,)
    mariadb.drop_database(name)


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(
    mariadb: PrivateMariaDB, demo_hpos: ShopDatabase
) -> None:
    sums = {}
    for seed in (20261101, 5):
        name = f"seed_{seed}"
        mariadb.create_database(name)
        with closing(mariadb.connect(name)) as connection, connection.cursor() as cursor:
            truth = build(connection, storage="hpos", customers=300, orders=900, seed=seed)
            cursor.execute("CHECKSUM TABLE wp_wc_orders, wp_usermeta, wp_woocommerce_order_itemmeta")
            sums[seed] = [value for _, value in cursor.fetchall()]
        mariadb.drop_database(name)
        assert (truth == demo_hpos.truth) == (seed == 20261101)
    here = demo_hpos.rows("CHECKSUM TABLE wp_wc_orders, wp_usermeta, wp_woocommerce_order_itemmeta")
    assert sums[20261101] == [value for _, value in here]
    assert sums[5] != sums[20261101]
