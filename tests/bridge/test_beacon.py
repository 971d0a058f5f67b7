"""Views, carts and the typed address: with consent only, once each, and no more personal data than recovery needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from shopper import Shopper
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

CONSENT = "<?php function wp_has_consent( $kind ) { return 'marketing' === $kind && 'allow' === ( $_COOKIE['wp_consent_marketing'] ?? '' ); }"


@pytest.fixture(autouse=True)
def clean(hpos: Site) -> Iterator[None]:
    hpos.rows("DELETE FROM wp_fcsc_carts")
    yield
    hpos.settings(basis="email")
    (hpos.content / "extra" / "consent.php").unlink(missing_ok=True)


def carts(site: Site) -> list[dict[str, object]]:
    names = "id, visitor, user_id, email, consent, status, order_id, currency, total, items, coupons"
    return [
        dict(zip(names.split(", "), row, strict=True))
        for row in site.rows(f"SELECT {names} FROM wp_fcsc_carts ORDER BY id")
    ]


def test_a_product_is_viewed(hpos: Site, shopper: Shopper) -> None:
    answer = shopper.beacon({"view": hpos.ids["tea"]})
    assert (answer.status_code, answer.text) == (204, "")
    visitor = shopper.http.cookies.get_dict()["fcsc_visitor"]
    assert "httponly" in answer.headers["Set-Cookie"].lower()
    assert hpos.rows("SELECT topic, object_id, sub_id, user_id, visitor FROM wp_fcsc_outbox") == [
        ("product.viewed", hpos.ids["tea"], 0, 0, visitor)
    ]
    hpos.outbox()
    shopper.beacon({"view": hpos.ids["shirt"], "variation": hpos.ids["red"]})
    shopper.beacon({"view": hpos.ids["shirt"], "variation": hpos.ids["tea"]})
    assert hpos.outbox() == [
        ("product.viewed", hpos.ids["shirt"], hpos.ids["red"], ""),
        ("product.viewed", hpos.ids["shirt"], 0, ""),
    ]


def test_a_cart_from_first_product_to_order(hpos: Site, shopper: Shopper) -> None:
    """Pains 29, 33."""
    tea = hpos.ids["tea"]
    shopper.beacon({"cart": 1})
    assert (carts(hpos), hpos.outbox()) == ([], [])
    shopper.add(tea, 2)
    shopper.beacon({"cart": 1})
    shopper.beacon({"cart": 1})
    row = carts(hpos)[0]
    assert (row["status"], row["email"], row["currency"], float(str(row["total"]))) == ("open", "", "USD", 20.0)
    assert json.loads(str(row["items"])) == [{"product_id": tea, "variation_id": 0, "quantity": 2, "total": "20.0000"}]
    assert hpos.outbox() == [("cart.changed", row["id"], 0, "2")]
    shopper.beacon({"checkout": 1})
    shopper.beacon({"checkout": 1})
    assert hpos.outbox() == [("checkout.started", row["id"], 0, "")]
    shopper.beacon({"email": "Ann@Example.com"})
    assert carts(hpos)[0]["email"] == "Ann@Example.com"
    assert hpos.outbox() == [("cart.email", row["id"], 0, "")]
    placed = shopper.classic_checkout("ann@example.com")
    assert hpos.rows("SELECT visitor FROM wp_fcsc_outbox WHERE topic = 'order.created'") == [(row["visitor"],)]
    hpos.outbox()
    key = placed["redirect"].partition("key=")[2]
    shopper.beacon({"cart": 1, "order": placed["order_id"], "key": key})
    done = carts(hpos)[0]
    assert (done["id"], done["status"], done["order_id"], done["items"]) == (
        row["id"],
        "ordered",
        placed["order_id"],
        row["items"],
    )
    assert hpos.outbox() == [("cart.emptied", row["id"], 0, "")]
    shopper.add(tea)
    shopper.beacon({"cart": 1})
    again = carts(hpos)
    assert [(cart["status"], cart["order_id"]) for cart in again] == [("open", 0)]
    assert hpos.outbox() == [("cart.changed", row["id"], 0, "1")]


def test_a_cart_with_many_coupons_in_another_script(hpos: Site, shopper: Shopper) -> None:
    """255 characters, not bytes: half a letter would make the whole row refused."""
    codes = [f"تخفیف-ویژه-بهار-تابستان-{number}" for number in range(12)]
    hpos.php(
        "foreach ( $in as $code ) { $coupon = new WC_Coupon(); $coupon->set_code( $code ); $coupon->set_amount( 0.01 ); $coupon->save(); }",
        codes,
    )
    shopper.add(hpos.ids["cup"])
    for code in codes:
        nonce = re.search(r'"apply_coupon_nonce":"(\w+)"', shopper.page("/classic-checkout/"))
        assert nonce is not None
        shopper.post("/?wc-ajax=apply_coupon", {"security": nonce[1], "coupon_code": code})
    shopper.beacon({"cart": 1})
    assert carts(hpos)[-1]["coupons"] == ",".join(codes)[:255]


def test_an_emptied_cart(hpos: Site, shopper: Shopper) -> None:
    shopper.add(hpos.ids["tea"])
    shopper.beacon({"cart": 1})
    key = next(iter(shopper.get("/wp-json/wc/store/v1/cart").json()["items"]))["key"]
    shopper.store("cart/remove-item", {"key": key})
    hpos.outbox()
    shopper.beacon({"cart": 1, "order": 1, "key": "wc_order_guess"})
    assert carts(hpos)[0]["status"] == "emptied"
    assert [row[0] for row in hpos.outbox()] == ["cart.emptied"]


def test_the_snapshot_outlives_the_session(hpos: Site, shopper: Shopper) -> None:
    """Pain 32."""
    shopper.add(hpos.ids["red"])
    shopper.beacon({"cart": 1, "email": "later@example.com"})
    hpos.rows("DELETE FROM wp_woocommerce_sessions")
    hpos.php("FluentCrmSidecar\\Tables::cleanup();")
    assert [row["email"] for row in carts(hpos)] == ["later@example.com"]
    hpos.rows("UPDATE wp_fcsc_carts SET updated_gmt = UTC_TIMESTAMP() - INTERVAL 31 DAY")
    hpos.php("FluentCrmSidecar\\Tables::cleanup();")
    assert carts(hpos) == []


def test_the_owners_setting_without_a_consent_plugin(hpos: Site, shopper: Shopper) -> None:
    """Pain 24."""
    shopper.add(hpos.ids["tea"])
    for values, views, email in (({"basis": "none"}, 0, None), ({"capture": False, "basis": "email"}, 0, None), ({"basis": "carts"}, 1, ""), ({"basis": "email"}, 1, "a@example.com")):  # fmt: skip
        hpos.settings(**values)
        page = shopper.page("/product/tea/")
        assert ("fcscPage" in page) is bool(views), values
        shopper.beacon({"view": hpos.ids["tea"], "cart": 1, "email": "a@example.com"})
        assert len([row for row in hpos.outbox() if row[0] == "product.viewed"]) == views
        assert [row["email"] for row in carts(hpos)] == ([] if email is None else [email])
        hpos.rows("DELETE FROM wp_fcsc_carts")


def test_by_default_nothing_is_captured(hpos: Site) -> None:
    """Pain 24."""
    assert hpos.php("return FluentCrmSidecar\\Settings::DEFAULTS['basis'];") == "none"


def test_the_consent_plugin_decides(hpos: Site, shopper: Shopper) -> None:
    """Pain 24."""
    (hpos.content / "extra" / "consent.php").write_text(CONSENT, "utf-8")
    shopper.add(hpos.ids["tea"])
    assert '"basis":"ask"' in shopper.page("/product/tea/")
    shopper.beacon({"view": hpos.ids["tea"], "cart": 1, "email": "a@example.com"})
    assert (hpos.outbox(), carts(hpos), "fcsc_visitor" in shopper.http.cookies.get_dict()) == ([], [], False)
    shopper.http.cookies.set("wp_consent_marketing", "allow")
    shopper.beacon({"view": hpos.ids["tea"], "cart": 1, "email": "a@example.com"})
    assert [(row["email"], row["consent"]) for row in carts(hpos)] == [("a@example.com", "marketing")]
    hpos.outbox()
    shopper.http.cookies.set("wp_consent_marketing", "deny")
    shopper.beacon({"refused": 1})
    row = carts(hpos)[0]
    assert row["consent"] == "refused"
    assert hpos.outbox() == [("cart.email", row["id"], 0, "refused")]
    assert "fcsc_visitor" not in shopper.http.cookies.get_dict()
    shopper.beacon({"cart": 1, "email": "a@example.com"})
    assert len(carts(hpos)) == 1
    assert hpos.outbox() == []


@pytest.mark.parametrize(
    "agent", ["Googlebot/2.1", "Mozilla/5.0 HeadlessChrome/140.0", "facebookexternalhit crawler", ""]
)
def test_robots_leave_nothing(hpos: Site, shopper: Shopper, agent: str) -> None:
    shopper.http.headers["User-Agent"] = agent
    shopper.beacon({"view": hpos.ids["tea"]})
    assert hpos.outbox() == []


def test_staff_leaves_nothing(hpos: Site, shopper: Shopper) -> None:
    shopper.login("shop")
    hpos.outbox()
    assert "fcscPage" not in shopper.page("/product/tea/")
    shopper.add(hpos.ids["tea"])
    shopper.beacon({"view": hpos.ids["tea"], "cart": 1})
    assert (hpos.outbox(), carts(hpos)) == ([], [])


@pytest.mark.parametrize(
    "said",
    ["", "null", "[]", "{", '{"view":{"a":1}}', '{"view":"1 OR 1=1"}', '{"view":999999}', '{"email":"not an address","cart":"x"}', '{"view":1}' + " " * 5000, '"x"', "1", '{"order":1,"key":["x"]}'],
)  # fmt: skip
def test_nonsense_is_answered_like_sense(hpos: Site, shopper: Shopper, said: str) -> None:
    answer = shopper.beacon(said)
    assert (answer.status_code, answer.text) == (204, "")
    assert (hpos.outbox(), carts(hpos)) == ([], [])


def test_other_sites_and_get_are_ignored(hpos: Site, shopper: Shopper) -> None:
    """Pains 24, 26."""
    shopper.beacon({"view": hpos.ids["tea"]}, Origin="https://evil.example")
    shopper.get("/?wc-ajax=fcsc_beacon")
    assert hpos.outbox() == []
    shopper.beacon({"view": hpos.ids["tea"]}, Origin=hpos.url)
    assert len(hpos.outbox()) == 1


def test_the_script_is_small_and_is_there(hpos: Site, shopper: Shopper) -> None:
    page = shopper.page("/product/tea/")
    assert f'"view":{hpos.ids["tea"]}' in page
    shopper.add(hpos.ids["tea"])
    assert '"checkout":1' in shopper.page("/checkout/")
    assert shopper.get("/wp-content/plugins/fluentcrm-sidecar/assets/beacon.js").status_code == 200
