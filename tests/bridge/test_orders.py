"""What orders leave in the outbox: exactly these rows, no other, none twice. In both storages, with a real WooCommerce."""

from __future__ import annotations

import re

import pytest
from shopper import Shopper
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

ORDER = """
$order = wc_create_order( array( 'status' => $in['status'] ?? 'pending' ) );
$order->add_product( wc_get_product( $in['product'] ), 2 );
$order->set_billing_email( 'made@example.com' ); $order->calculate_totals(); $order->save();
return $order->get_id();
"""


def make(site: Site, status: str = "processing") -> int:
    """An order that staff made; its own rows are gone from the outbox."""
    order = int(site.php(ORDER, {"product": site.ids["tea"], "status": status}))
    site.outbox()
    return order


def test_classic_checkout(site: Site, shopper: Shopper) -> None:
    shopper.add(site.ids["tea"], 2)
    assert site.outbox() == []
    order = shopper.classic_checkout("Ann@Example.com")["order_id"]
    assert site.rows("SELECT user_id, visitor FROM wp_fcsc_outbox WHERE topic = 'order.created'") == [(0, "")]
    assert sorted(site.outbox()) == [
        ("order.created", order, 0, ""),
        ("order.paid", order, 0, ""),
        ("order.status", order, 0, "pending>processing"),
        ("stock.changed", site.ids["tea"], 0, "instock"),
    ]
    shopper.page(f"/checkout/order-received/{order}/")
    assert site.outbox() == []


def test_block_checkout_with_coupon_and_variation(site: Site, shopper: Shopper) -> None:
    shopper.store("cart/add-item", {"id": site.ids["red"], "quantity": 1})
    shopper.store("cart/apply-coupon", {"code": "save10"})
    assert site.outbox() == []
    order = shopper.block_checkout("bob@example.com")["order_id"]
    assert sorted(site.outbox()) == [
        ("coupon.used", order, site.ids["save10"], ""),
        ("order.created", order, 0, ""),
        ("order.status", order, 0, "pending>on-hold"),
    ]


def test_items_are_saved_when_the_row_can_be_read(site: Site, shopper: Shopper) -> None:
    """woocommerce_new_order fires before the items of a classic checkout are there; the row must not."""
    (site.content / "extra" / "order.php").write_text(
        "<?php add_action( 'woocommerce_new_order', function ( $id ) { global $wpdb;"
        " update_option( 'seen_at_new_order', array( (int) $wpdb->get_var( \"SELECT COUNT(*) FROM {$wpdb->prefix}woocommerce_order_items WHERE order_id = $id\" ),"
        ' (int) $wpdb->get_var( "SELECT COUNT(*) FROM {$wpdb->prefix}fcsc_outbox" ) ) ); }, 99 );',
        "utf-8",
    )
    try:
        shopper.add(site.ids["tea"])
        shopper.classic_checkout("early@example.com")
    finally:
        (site.content / "extra" / "order.php").unlink()
    assert site.php("return get_option( 'seen_at_new_order' );") == [0, 0]
    assert site.outbox()[0][0] == "order.created"


@pytest.mark.parametrize(
    ("start", "to", "rows"),
    [
        ("pending", "processing", [("order.paid", 0, ""), ("order.status", 0, "pending>processing")]),
        ("on-hold", "completed", [("order.paid", 0, ""), ("order.status", 0, "on-hold>completed")]),
        ("processing", "completed", [("order.status", 0, "processing>completed")]),
        ("pending", "failed", [("order.failed", 0, ""), ("order.status", 0, "pending>failed")]),
        ("processing", "cancelled", [("order.status", 0, "processing>cancelled")]),
    ],
)
def test_a_status_change(site: Site, start: str, to: str, rows: list[tuple[str, int, str]]) -> None:
    order = make(site, start)
    site.php("wc_get_order( $in[0] )->update_status( $in[1] );", [order, to])
    told = [row for row in site.outbox() if not row[0].startswith(("stock", "product"))]
    assert sorted(told) == [(topic, order, sub, detail) for topic, sub, detail in rows]


def test_each_transition_of_one_request_is_told(site: Site) -> None:
    order = make(site, "pending")
    site.php(
        "$o = wc_get_order( $in ); foreach ( array( 'on-hold', 'processing', 'completed' ) as $s ) { $o->update_status( $s ); }",
        order,
    )
    assert [row[3] for row in site.outbox() if row[0] == "order.status"] == [
        "pending>on-hold", "on-hold>processing", "processing>completed",
    ]  # fmt: skip


def test_payment_complete_pays_once(site: Site) -> None:
    order = make(site, "pending")
    site.php("wc_get_order( $in )->payment_complete( 'txn' );", order)
    topics = [row[0] for row in site.outbox()]
    assert topics.count("order.paid") == 1
    assert topics.count("order.status") == 1
    assert "order.updated" not in topics


def test_made_by_staff_as_paid(site: Site) -> None:
    order = int(site.php("$o = new WC_Order(); $o->set_status( 'processing' ); return $o->save();"))
    told = [row for row in site.outbox() if not row[0].startswith(("stock", "product"))]
    assert sorted(told) == [
        ("order.created", order, 0, ""),
        ("order.paid", order, 0, ""),
        ("order.status", order, 0, "pending>processing"),
    ]


def test_an_edit_is_told_once(site: Site) -> None:
    order = make(site)
    site.php(
        "$o = wc_get_order( $in ); for ( $i = 0; $i < 5; $i++ ) { $o->set_billing_city( \"City $i\" ); $o->update_meta_data( 'x', $i ); $o->save(); }",
        order,
    )
    assert site.outbox() == [("order.updated", order, 0, "")]


def test_refunds(site: Site) -> None:
    order = make(site)
    refund = site.php("return wc_create_refund( array( 'order_id' => $in, 'amount' => 5 ) )->get_id();", order)
    assert site.outbox() == [("order.refunded", order, refund, "")]
    full = site.php(
        "return wc_create_refund( array( 'order_id' => $in, 'amount' => wc_get_order( $in )->get_remaining_refund_amount() ) )->get_id();",
        order,
    )
    assert sorted(site.outbox()) == [
        ("order.refunded", order, full, ""),
        ("order.status", order, 0, "processing>refunded"),
    ]
    site.php("wc_get_order( $in )->delete( true );", refund)
    assert site.outbox() == [("order.refund_deleted", order, refund, "")]


def test_status_refunded_makes_a_refund(site: Site) -> None:
    order = make(site)
    site.php("wc_get_order( $in )->update_status( 'refunded' );", order)
    refund = site.php("return current( wc_get_order( $in )->get_refunds() )->get_id();", order)
    assert sorted(row for row in site.outbox() if row[0].startswith("order")) == [
        ("order.refunded", order, refund, ""),
        ("order.status", order, 0, "processing>refunded"),
    ]


def test_trash_restore_delete_by_code(site: Site) -> None:
    order = make(site)
    site.php("wc_get_order( $in )->delete( false );", order)
    assert site.outbox() == [("order.trashed", order, 0, "")]
    if site.storage == "hpos":
        site.php("wc_get_order( $in )->untrash();", order)
    else:
        site.php("wp_untrash_post( $in );", order)
    assert site.outbox() == [("order.restored", order, 0, "")]
    site.php("wc_get_order( $in )->delete( true );", order)
    assert site.outbox() == [("order.deleted", order, 0, "")]


def test_trash_restore_delete_in_wp_admin(site: Site, shopper: Shopper) -> None:
    """The lists of the two storages are different pages with different hooks behind."""
    order = make(site)
    shopper.login("admin")
    if site.storage == "hpos":
        page, field = "/wp-admin/admin.php?page=wc-orders", "id[]"
        steps = (("trash", ""), ("untrash", "&status=trash"), ("trash", ""), ("delete", "&status=trash"))
    else:
        page, field = "/wp-admin/edit.php?post_type=shop_order", "post[]"
        steps = (("trash", ""), ("untrash", "&post_status=trash"), ("trash", ""), ("delete", "&post_status=trash"))
    told = []
    for action, where in steps:
        text = shopper.page(page + where)
        nonce = re.findall(r'name="_wpnonce" value="([0-9a-f]+)"', text)[0]
        site.outbox()
        answer = shopper.get(
            page + where,
            params={"action": action, "action2": "-1", field: str(order), "_wpnonce": nonce},
            headers={"Referer": site.url + page + where},
        )
        assert answer.status_code == 200
        told += site.outbox()
    assert told == [
        ("order.trashed", order, 0, ""),
        ("order.restored", order, 0, ""),
        ("order.trashed", order, 0, ""),
        ("order.deleted", order, 0, ""),
    ]


def test_what_is_no_order_yet_is_not_told(site: Site) -> None:
    draft = make(site, "checkout-draft")
    site.php("$o = wc_get_order( $in ); $o->set_billing_email( 'd@example.com' ); $o->save();", draft)
    site.php("wc_get_order( $in )->delete( true );", draft)
    auto = make(site, "auto-draft")
    assert site.outbox() == []
    site.php("wc_get_order( $in )->update_status( 'on-hold' );", auto)  # staff presses "Create"
    assert [row for row in site.outbox() if not row[0].startswith(("stock", "product"))] == [
        ("order.created", auto, 0, ""),
        ("order.status", auto, 0, "pending>on-hold"),  # WooCommerce's own reading of an auto-draft
    ]


def test_anonymised(site: Site) -> None:
    order = make(site)
    site.php("WC_Privacy_Erasers::remove_order_personal_data( wc_get_order( $in ) );", order)
    assert site.outbox() == [("order.anonymised", order, 0, "")]


def test_a_long_import_is_written_in_between(site: Site) -> None:
    """Two thousand hints in one process: all arrive, none twice, memory stays flat."""
    site.php(
        "for ( $i = 1; $i <= 2000; $i++ ) { FluentCrmSidecar\\Outbox::add( 'order.created', $i ); FluentCrmSidecar\\Outbox::add( 'order.updated', $i ); }"
    )
    rows = site.outbox()
    assert [row[1] for row in rows if row[0] == "order.created"] == list(range(1, 2001))
    assert len(rows) < 2010


@pytest.mark.parametrize("broken", ["DROP TABLE wp_fcsc_outbox", "ALTER TABLE wp_fcsc_outbox DROP COLUMN visitor"])
def test_a_broken_table_breaks_no_checkout(site: Site, shopper: Shopper, broken: str) -> None:
    """Pain 34."""
    site.rows(broken)
    log = site.content / "debug.log"
    before = log.stat().st_size if log.exists() else 0
    try:
        shopper.add(site.ids["tea"])
        assert shopper.classic_checkout("still@example.com")["result"] == "success"
        assert "fcsc" not in (log.read_text("utf-8")[before:] if log.exists() else "")
    finally:
        site.rows("DROP TABLE IF EXISTS wp_fcsc_outbox")
        site.php("FluentCrmSidecar\\Tables::install();")
    shopper.add(site.ids["tea"])
    shopper.classic_checkout("still@example.com")
    assert site.outbox()


def test_a_long_detail_in_another_script_costs_no_row(hpos: Site) -> None:
    """An own status of another plugin, say: cut in the middle of a letter, WordPress refused the whole INSERT."""
    long = "پرداخت‌شده" * 20
    hpos.php(
        "FluentCrmSidecar\\Outbox::add( 'order.paid', 7 ); FluentCrmSidecar\\Outbox::add( 'order.status', 7, 0, $in ); FluentCrmSidecar\\Outbox::flush();",
        "x" + long,
    )
    assert hpos.outbox() == [("order.paid", 7, 0, ""), ("order.status", 7, 0, ("x" + long)[:100])]


def test_a_listener_that_throws_breaks_no_checkout(site: Site, shopper: Shopper) -> None:
    extra = site.content / "extra" / "thrower.php"
    extra.write_text(
        "<?php add_filter( 'woocommerce_order_is_paid_statuses', function ( $s ) {"
        " foreach ( debug_backtrace( DEBUG_BACKTRACE_IGNORE_ARGS, 12 ) as $f ) { if ( 'FluentCrmSidecar\\\\Orders' === ( $f['class'] ?? '' ) ) { throw new Exception( 'boom' ); } } return $s; } );",
        "utf-8",
    )
    try:
        shopper.add(site.ids["tea"])
        shopper.classic_checkout("boom@example.com")
    finally:
        extra.unlink()
    assert "order.created" in [row[0] for row in site.outbox()]
