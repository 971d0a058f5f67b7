"""Links in messages: a saved cart again in a fresh browser, a product, and what becomes of links that are wrong, old or done."""

from __future__ import annotations

import base64
import hmac
import html
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from shopper import Shopper
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

ANY_COLOUR = """
$p = new WC_Product_Variable(); $p->set_name( 'Scarf' ); $a = new WC_Product_Attribute(); $a->set_name( 'Colour' ); $a->set_options( array( 'Red', 'Blue' ) ); $a->set_variation( true );
$p->set_attributes( array( $a ) ); $id = $p->save(); $v = new WC_Product_Variation(); $v->set_parent_id( $id ); $v->set_attributes( array( 'colour' => '' ) ); $v->set_regular_price( '9' ); return array( $id, $v->save() );
"""


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    site: Site = request.getfixturevalue("site" if "site" in request.fixturenames else "hpos")
    site.pair()
    site.rows("DELETE FROM wp_fcsc_carts")
    site.outbox()
    yield
    site.settings(basis="email")


def token(site: Site, kind: str, id_: int, extra: str = "m7", *, lives: int = 3600, key: str = "") -> str:
    """As the sidecar mints it."""
    key = key or str(site.rows("SELECT option_value FROM wp_options WHERE option_name = 'fcsc_link_key'")[0][0])
    said = f"{kind}.{id_}.{int(time.time()) + lives}.{extra}"
    mac = hmac.new(bytes.fromhex(key), f"fcsc-link\n{said}".encode(), "sha256").digest()
    return f"{said}.{base64.urlsafe_b64encode(mac).decode()[:22]}"


def open_(browser: Shopper, link: str, **options: Any) -> requests.Response:
    return browser.get(f"/?fcsc={link}&utm_source=sidecar&utm_medium=e%20mail&junk=1", **options)


def left(site: Site, email: str = "ava@example.com", **more: Any) -> dict[str, Any]:
    """A cart that somebody left: two red shirts, tea, and (by default) their address. With id, visitor."""
    with Shopper(site) as browser:
        browser.post("/?wc-ajax=add_to_cart", {"product_id": site.ids["red"], "quantity": 2})
        browser.add(site.ids["tea"], 3)
        for product, quantity in more.get("also", ()):
            browser.post("/?wc-ajax=add_to_cart", {"product_id": product, "quantity": quantity})
        if more.get("coupon"):
            assert browser.store("cart/apply-coupon", {"code": more["coupon"]}).status_code == 200
        browser.beacon({"checkout": 1, "email": email})
    row = site.rows("SELECT id, visitor, items FROM wp_fcsc_carts ORDER BY id DESC LIMIT 1")[0]
    site.outbox()
    return {"id": int(row[0]), "visitor": str(row[1]), "items": json.loads(row[2])}


def cart(browser: Shopper) -> tuple[dict[int, int], list[str]]:
    """What is in it, and its coupons."""
    said = browser.get("/wp-json/wc/store/v1/cart").json()
    return {line["id"]: line["quantity"] for line in said["items"]}, [one["code"] for one in said["coupons"]]


def coupon(site: Site, **more: Any) -> str:
    wish = {
        "key": secrets.token_hex(16),
        "code": f"back-{secrets.token_hex(3)}",
        "kind": "percent",
        "amount": "10",
        "expires": int(time.time()) + 3600,
    }
    made = site.signed("POST", "/coupons", {"items": [wish | more]}).json()["outcomes"][0]
    assert made["state"] == "done", made
    return str(made["code"])


def notice(page: str) -> str:
    return html.unescape(page)


def test_a_cart_with_a_variation_and_a_coupon_in_a_fresh_browser(site: Site, shopper: Shopper) -> None:
    """Pain 30: on another device, with a coupon that only the person's own address may use, up to the order."""
    was = left(site)
    code = coupon(site, email="ava@example.com", minimum="20")
    link = token(site, "c", was["id"], f"m12~{code}")
    answer = open_(shopper, link, allow_redirects=False)
    assert answer.status_code == 302
    assert "/checkout/" in answer.headers["Location"]
    assert answer.headers["Location"].endswith("?utm_source=sidecar&utm_medium=e%20mail")
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert "noindex" in answer.headers["X-Robots-Tag"] and answer.headers["Referrer-Policy"] == "no-referrer"
    assert "ava" not in answer.headers["Location"]
    assert site.outbox() == [("message.clicked", 12, 0, ""), ("cart.restored", was["id"], 12, "")]
    red, tea = site.ids["red"], site.ids["tea"]
    assert cart(shopper) == ({red: 2, tea: 3}, [code])
    assert shopper.http.cookies.get_dict()["fcsc_visitor"] == was["visitor"]
    assert not [name for name in shopper.http.cookies.get_dict() if name.startswith("wordpress_logged_in")]
    # Again, as a scanner and an impatient person would: nothing doubles.
    open_(shopper, link)
    assert cart(shopper) == ({red: 2, tea: 3}, [code])
    site.outbox()
    placed = shopper.classic_checkout("ava@example.com")
    order = site.php(
        "$o = wc_get_order( $in ); return array( $o->get_coupon_codes(), array_values( array_map( fn( $i ) => array( $i->get_variation_id(), $i->get_quantity() ), $o->get_items() ) ) );",
        placed["order_id"],
    )
    assert order == [[code], [[red, 2], [0, 3]]]
    assert site.rows("SELECT visitor FROM wp_fcsc_outbox WHERE topic = 'order.created'") == [(was["visitor"],)]


def test_the_restored_cart_is_the_same_cart(hpos: Site, shopper: Shopper) -> None:
    """Pain 30: and is not left again as a new one; what this browser had before moves into it."""
    was = left(hpos)
    shopper.add(hpos.ids["cup"])
    shopper.beacon({"cart": 1})
    hpos.outbox()
    other = hpos.rows("SELECT id FROM wp_fcsc_carts WHERE id <> %s", (was["id"],))[0][0]
    open_(shopper, token(hpos, "c", was["id"]))
    assert ("cart.emptied", other, 0, "") in hpos.outbox()
    shopper.beacon({"checkout": 1})
    assert hpos.rows("SELECT id, status FROM wp_fcsc_carts ORDER BY id") == sorted(
        [(was["id"], "checkout"), (other, "emptied")]
    )
    assert cart(shopper)[0] == {hpos.ids["red"]: 2, hpos.ids["tea"]: 3, hpos.ids["cup"]: 1}


def test_the_same_browser_has_it_all_still(hpos: Site, shopper: Shopper) -> None:
    shopper.add(hpos.ids["tea"], 2)
    shopper.beacon({"cart": 1})
    row = hpos.rows("SELECT id FROM wp_fcsc_carts")[0][0]
    shopper.add(hpos.ids["tea"], 5)
    open_(shopper, token(hpos, "c", row))
    assert cart(shopper)[0] == {hpos.ids["tea"]: 7}
    assert hpos.rows("SELECT COUNT(*) FROM wp_fcsc_carts") == [(1,)]


def test_a_colour_that_the_variation_leaves_open(hpos: Site, shopper: Shopper) -> None:
    scarf, variation = hpos.php(ANY_COLOUR)
    with Shopper(hpos) as browser:
        browser.post(
            "/",
            {
                "add-to-cart": scarf,
                "product_id": scarf,
                "variation_id": variation,
                "attribute_colour": "Blue",
                "quantity": 1,
            },
        )
        browser.beacon({"cart": 1})
    row, items = hpos.rows("SELECT id, items FROM wp_fcsc_carts")[0]
    assert json.loads(items)[0]["variation"] == {"attribute_colour": "Blue"}
    open_(shopper, token(hpos, "c", row))
    said = shopper.get("/wp-json/wc/store/v1/cart").json()["items"]
    assert [(line["id"], line["variation"][0]["value"]) for line in said] == [(variation, "Blue")]


def test_what_is_gone_is_left_out_and_said(hpos: Site, shopper: Shopper) -> None:
    gone, few = (
        hpos.php("$p = new WC_Product_Simple(); $p->set_name( 'Hat' ); $p->set_regular_price( '5' ); $p->set_manage_stock( true ); $p->set_stock_quantity( 9 ); return $p->save();")
        for _ in range(2)
    )  # fmt: skip
    was = left(hpos, also=[(gone, 1), (few, 4)])
    hpos.php(
        "wp_trash_post( $in[0] ); $p = wc_get_product( $in[1] ); $p->set_stock_quantity( 2 ); $p->save();", [gone, few]
    )
    page = open_(shopper, token(hpos, "c", was["id"]))
    assert cart(shopper)[0] == {hpos.ids["red"]: 2, hpos.ids["tea"]: 3, few: 2}
    assert "no longer available" in notice(page.text)
    hpos.rows("UPDATE wp_fcsc_carts SET items = %s WHERE id = %s", (json.dumps([{"product_id": gone, "variation_id": 0, "quantity": 1}, "x", {"quantity": "a"}]), was["id"]))  # fmt: skip
    with Shopper(hpos) as other:
        answer = open_(other, token(hpos, "c", was["id"]))
        assert "/shop/" in answer.url and "no longer available" in notice(answer.text)


def test_coupons(hpos: Site, shopper: Shopper) -> None:
    """Their own come back; the message's that is over says so, and the cart is there all the same."""
    was = left(hpos, coupon="save10")
    open_(shopper, token(hpos, "c", was["id"], "m1"))
    assert cart(shopper) == ({hpos.ids["red"]: 2, hpos.ids["tea"]: 3}, ["save10"])
    over = coupon(hpos)
    hpos.php("$c = new WC_Coupon( $in ); $c->set_date_expires( time() - 5 ); $c->save();", over)
    with Shopper(hpos) as other:
        page = open_(other, token(hpos, "c", was["id"], f"m1~{over}"))
        assert cart(other)[1] == ["save10"]
        assert "expired" in notice(page.text)
    ours = coupon(hpos)  # alone, as ours are
    with Shopper(hpos) as other:
        open_(other, token(hpos, "c", was["id"], f"m1~{ours}"))
        assert cart(other)[1] == [ours]


def test_an_ordered_cart_is_not_filled_again(hpos: Site, shopper: Shopper) -> None:
    """Pain 30."""
    was = left(hpos)
    hpos.rows("UPDATE wp_fcsc_carts SET status = 'ordered', order_id = 5 WHERE id = %s", (was["id"],))
    answer = open_(shopper, token(hpos, "c", was["id"]))
    assert "/shop/" in answer.url and "You have ordered" in notice(answer.text)
    assert cart(shopper)[0] == {}
    with Shopper(hpos) as staff:
        staff.login("shop")
        assert "/orders/" in open_(staff, token(hpos, "c", was["id"])).url


@pytest.mark.parametrize("what", ["old", "forged", "missing", "other kind", "list", "empty"])
def test_links_that_lead_nowhere(hpos: Site, shopper: Shopper, what: str) -> None:
    was = left(hpos)
    link = {
        "old": token(hpos, "c", was["id"], lives=-1), "forged": token(hpos, "c", was["id"], key="ab" * 32), "missing": token(hpos, "c", 999999999),
        "other kind": token(hpos, "g", was["id"]).replace("g.", "c.", 1), "list": "", "empty": "",
    }[what]  # fmt: skip
    answer = shopper.get("/?fcsc[]=x" if what == "list" else f"/?fcsc={link}")
    assert "/shop/" in answer.url
    assert "not valid" in notice(answer.text)
    assert cart(shopper)[0] == {}
    assert hpos.outbox() == []


def test_a_visitor_who_is_not_to_be_known(hpos: Site, shopper: Shopper) -> None:
    """Without a basis no cookie; the cart comes back all the same."""
    was = left(hpos)
    hpos.settings(basis="none")
    open_(shopper, token(hpos, "c", was["id"]))
    assert cart(shopper)[0] == {hpos.ids["red"]: 2, hpos.ids["tea"]: 3}
    assert "fcsc_visitor" not in shopper.http.cookies.get_dict()


def test_who_said_no_is_not_named(hpos: Site, shopper: Shopper) -> None:
    """Pain 24: the address of a refused cart is left alone."""
    was = left(hpos)
    code = coupon(hpos, email="ava@example.com")
    hpos.rows("UPDATE wp_fcsc_carts SET consent = 'refused' WHERE id = %s", (was["id"],))
    open_(shopper, token(hpos, "c", was["id"], f"m1~{code}"))
    assert shopper.get("/wp-json/wc/store/v1/cart").json()["billing_address"]["email"] == ""
    assert "fcsc_visitor" not in shopper.http.cookies.get_dict()


def test_robots_and_staff_make_no_news(hpos: Site, shopper: Shopper) -> None:
    was = left(hpos)
    shopper.http.headers["User-Agent"] = "Mozilla/5.0 (compatible; SafeLinksBot/1.0)"
    open_(shopper, token(hpos, "c", was["id"]))
    with Shopper(hpos) as staff:
        staff.login("shop")
        hpos.outbox()
        open_(staff, token(hpos, "c", was["id"]))
        assert cart(staff)[0] == {hpos.ids["red"]: 2, hpos.ids["tea"]: 3}
    assert hpos.outbox() == []
    assert hpos.rows("SELECT visitor, status FROM wp_fcsc_carts") == [(was["visitor"], "checkout")]


def test_to_a_product_with_credit(hpos: Site, shopper: Shopper) -> None:
    answer = open_(shopper, token(hpos, "g", hpos.ids["tea"], "m9"), allow_redirects=False)
    assert answer.headers["Location"] == f"{hpos.url}/product/tea/?utm_source=sidecar&utm_medium=e%20mail"
    visitor = shopper.http.cookies.get_dict()["fcsc_visitor"]
    assert hpos.rows("SELECT topic, object_id, sub_id, visitor FROM wp_fcsc_outbox") == [
        ("message.clicked", 9, 0, visitor)
    ]
    hpos.outbox()
    for id_, where in ((hpos.ids["red"], "attribute_color=Red"), (0, f"{hpos.url}/?utm_source"), (999999999, "/shop/")):
        assert where in open_(shopper, token(hpos, "g", id_, "m9"), allow_redirects=False).headers["Location"]
    hpos.outbox()
    old = open_(shopper, token(hpos, "g", hpos.ids["tea"], "m9", lives=-1), allow_redirects=False)
    assert "/product/tea/" in old.headers["Location"]
    assert hpos.outbox() == []  # an old link leads there, and earns nothing


def test_plain_permalinks(hpos: Site, shopper: Shopper) -> None:
    was = left(hpos)
    hpos.php("update_option( 'permalink_structure', '' ); flush_rewrite_rules();")
    try:
        answer = open_(shopper, token(hpos, "c", was["id"]), allow_redirects=False)
        assert "page_id=" in answer.headers["Location"]
        said = shopper.get("/index.php?rest_route=/wc/store/v1/cart").json()
        assert {line["id"]: line["quantity"] for line in said["items"]} == {hpos.ids["red"]: 2, hpos.ids["tea"]: 3}
    finally:
        hpos.php("update_option( 'permalink_structure', '/%postname%/' ); flush_rewrite_rules();")
