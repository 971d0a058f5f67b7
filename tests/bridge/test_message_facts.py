"""What messages tell of a real shop is what WooCommerce says, and every address in them opens what it should."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from wordpress_site import AGENT, Site

from sidecar.automations.messages import context
from sidecar.automations.messages import site as message_site
from sidecar.automations.messages.model import Context, Item, Money, Percent
from sidecar.config import Config, Database, Shop
from sidecar.config import State as StateSection
from sidecar.mysql.connection import Reader
from sidecar.state.database import State

# A picture, a sale, a coupon, and an order of a product and a variation; what WooCommerce itself says of them.
MAKE = r"""
require_once ABSPATH . 'wp-admin/includes/image.php';
$picture = imagecreatetruecolor( 600, 600 );
$folder  = wp_upload_dir();
imagepng( $picture, $folder['path'] . '/tea cup.png' );
$id = wp_insert_attachment( array( 'post_mime_type' => 'image/png', 'post_title' => 'tea', 'post_status' => 'inherit' ), $folder['path'] . '/tea cup.png' );
wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, $folder['path'] . '/tea cup.png' ) );
$tea = wc_get_product( $in['tea'] ); $tea->set_image_id( $id ); $tea->set_sale_price( '8.5' ); $tea->set_cross_sell_ids( array( $in['cup'] ) ); $tea->save();
$order = wc_create_order( array( 'status' => 'pending' ) );
$order->add_product( $tea, 2 ); $order->add_product( wc_get_product( $in['red'] ), 1 );
$order->set_billing_email( 'ann@example.com' ); $order->set_payment_method( 'cod' ); $order->set_payment_method_title( 'Cash' );
$order->calculate_totals(); $order->save();
$coupon = new WC_Coupon(); $coupon->set_code( 'Mine-1' ); $coupon->set_discount_type( 'percent' ); $coupon->set_amount( 12.5 );
$coupon->set_minimum_amount( 30 ); $coupon->set_date_expires( $in['until'] ); $coupon->save();
$red = wc_get_product( $in['red'] );
return array( 'order' => $order->get_id(), 'number' => $order->get_order_number(), 'total' => $order->get_total(), 'status' => $order->get_status(),
	'received' => $order->get_checkout_order_received_url(), 'pay' => $order->get_checkout_payment_url(), 'coupon' => $coupon->get_id(),
	'tea' => get_permalink( $in['tea'] ), 'shirt' => get_permalink( $in['shirt'] ), 'image' => wp_get_attachment_image_url( $id, 'woocommerce_thumbnail' ),
	'price' => $tea->get_price(), 'red' => $red->get_price(), 'lines' => array_values( array_map( fn( $item ) => array( $item->get_name(), $item->get_quantity(), $order->get_line_total( $item, true, false ) ), $order->get_items() ) ) );
"""
UNTIL = 1_900_000_000


class Facts(SimpleNamespace):
    site: Site
    said: dict[str, Any]
    found: Context


@pytest.fixture
def facts(site: Site, tmp_path: Any) -> Facts:
    said = site.php(MAKE, {**site.ids, "until": UNTIL})
    config = Config(
        shop=Shop(
            table_prefix="wp_", database=Database(unix_socket=site.server.socket, user="root", name=site.database)
        ),
        state=StateSection(dir=str(tmp_path)),
    )
    with State(tmp_path) as state, Reader(config) as reader:
        with state.transaction() as sql:
            sql.execute(
                "INSERT INTO coupon (key, enrolment_id, automation_id, person_id, coupon_id, code, made, expires) VALUES ('k', 1, 1, 1, ?, 'mine-1', 0, ?)",
                (said["coupon"], UNTIL),
            )
        here = SimpleNamespace(
            config=config, state=state, reader=reader, zone=ZoneInfo("America/New_York"), now=UNTIL - 99
        )
        item = Item(
            id=1,
            person_id=1,
            contact_id=0,
            subject=f"order:{said['order']}",
            data=SimpleNamespace(coupons={"offer": "mine-1"}),
        )
        found = context.load(here, [item])[1]
    return Facts(site=site, said=said, found=found)


def micros(amount: Any) -> Money:
    return Money(round(float(amount) * 1_000_000), "USD", 2)


def opened(url: str) -> requests.Response:
    """The page that a browser without cookies gets."""
    return requests.get(url, timeout=60, headers={"User-Agent": AGENT})


def test_woocommerce_says_the_same(facts: Facts) -> None:
    order, said = facts.found.order, facts.said
    assert order is not None
    assert (order.number, order.total, order.status, order.payment) == (
        str(said["number"]),
        micros(said["total"]),
        said["status"],
        "Cash",
    )
    assert [[one.name, one.quantity, one.total] for one in order.items] == [
        [name, quantity, micros(total)] for name, quantity, total in said["lines"]
    ]
    tea, red = facts.found.products
    assert (tea.price, tea.regular_price, tea.on_sale) == (micros(said["price"]), micros(10), True)
    assert (red.name, red.options, red.price) == ("Shirt", "Red", micros(said["red"]))
    assert (tea.url, red.url, tea.image) == (said["tea"], said["shirt"], said["image"].replace(" ", "%20"))
    assert [one.name for one in facts.found.cross_sells] == ["Cup"]
    coupon = facts.found.coupon
    assert coupon is not None
    assert (coupon.code, coupon.amount, coupon.minimum, coupon.expires and coupon.expires.at) == (
        "mine-1",
        Percent("12.5"),
        micros(30),
        UNTIL,
    )


def test_every_address_opens_what_it_names(facts: Facts) -> None:
    order = facts.found.order
    assert order is not None
    tea = facts.found.products[0]
    assert "<h1" in opened(tea.url).text and "Tea" in opened(tea.url).text
    assert opened(tea.image).headers["Content-Type"] == "image/png"
    for ours, theirs in ((order.pay_link, facts.said["pay"]), (order.link, facts.said["received"])):
        shown = opened(ours)
        assert shown.status_code == 200
        assert main(shown) == main(opened(theirs))
    assert "Tea" in main(opened(order.pay_link))
    assert str(order.number) in main(opened(order.link))
    # Whoever does not have the order's key sees nothing of it.
    for link in (order.pay_link, order.link):
        stranger = opened(link[:-3] + "xxx")
        assert "Tea" not in main(stranger) and "Shirt" not in main(stranger)


def main(answer: requests.Response) -> str:
    """The text of a page's middle, without what is made anew each time."""
    middle = answer.text.partition("<main")[2].partition("</main")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style).*?</\1>", "", middle, flags=re.DOTALL)))


@pytest.mark.parametrize("structure", ["", "/blog/%postname%/", "/%year%/%postname%"])
def test_addresses_under_other_structures(facts: Facts, structure: str) -> None:
    site = facts.site

    def change(to: str) -> Any:
        site.php("update_option( 'permalink_structure', $in );", to)
        # In a process of its own: rules are made from what the option was when WordPress began.
        return site.php("flush_rewrite_rules(); return get_permalink( $in );", site.ids["tea"])

    before = site.php("return get_option( 'permalink_structure' );")
    try:
        wanted = change(structure)
        config = Config(
            shop=Shop(
                table_prefix="wp_", database=Database(unix_socket=site.server.socket, user="root", name=site.database)
            )
        )
        with Reader(config) as reader:
            known = message_site.load(reader)
        assert known.product(site.ids["tea"], "tea") == wanted
        # What is always true, where the way is not known.
        product = main(opened(wanted))
        assert "Tea" in product
        assert main(opened(f"{site.url}/?post_type=product&p={site.ids['tea']}")) == product
        order = facts.found.order
        assert order is not None
        theirs = main(opened(site.php("return wc_get_order( $in )->get_checkout_payment_url();", order.id)))
        assert "Tea" in theirs
        assert main(opened(order.pay_link)) == theirs
    finally:
        change(before)
