"""Web Push in a real shop: the button, the worker, who has subscribed, and the record of consent."""

from __future__ import annotations

import hashlib
import html
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from shopper import Shopper
from support import ROOT
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

KEY = "B" + "k" * 86
SETTING = {"push": True, "basis": "email"}


@pytest.fixture(scope="module")
def switched_on(site_hpos: Site) -> Iterator[None]:
    key_is(site_hpos, KEY)
    site_hpos.settings(**SETTING)
    yield
    key_is(site_hpos, "")
    site_hpos.settings(basis="email")


@pytest.fixture(autouse=True)
def empty(switched_on: None, hpos: Site) -> None:
    for table in ("push", "consents", "carts"):
        hpos.rows(f"DELETE FROM wp_fcsc_{table}")


def key_is(site: Site, key: str) -> None:
    """Nothing is kept beside the database, so this is as good as the option's functions, and quick."""
    site.rows("DELETE FROM wp_options WHERE option_name = 'fcsc_push_key'")
    if key:
        site.rows(
            "INSERT INTO wp_options (option_name, option_value, autoload) VALUES ('fcsc_push_key', %s, 'on')", (key,)
        )


def tell(site: Site, *items: Any) -> list[str]:
    answer = site.signed("POST", "/push", {"items": list(items)})
    assert answer.status_code == 200, answer.text[:500]
    return [one["state"] for one in answer.json()["outcomes"]]


def browser(number: int = 1, **more: object) -> dict[str, object]:
    """What push.js says of a subscription."""
    return {"endpoint": f"https://push.example/{number}", "p256dh": "B" + "p" * 86, "auth": "a" * 22, **more}


def say(shopper: Shopper, said: object, **headers: str) -> None:
    answer = shopper.post(
        "/?wc-ajax=fcsc_push", said if isinstance(said, str) else json.dumps(said), headers=headers
    )  # fmt: skip
    assert (answer.status_code, answer.text) == (204, "")


def kept(site: Site) -> list[tuple[Any, ...]]:
    return site.rows("SELECT endpoint, user_id, order_id, visitor FROM wp_fcsc_push ORDER BY id")


def words(site: Site) -> list[tuple[Any, ...]]:
    return site.rows("SELECT user_id, order_id, channel, state, source, wording FROM wp_fcsc_consents ORDER BY id")


def page_of(text: str) -> dict[str, Any]:
    found = re.findall(r'data-page="([^"]*)"', text)
    assert len(found) == 1
    said: dict[str, Any] = json.loads(html.unescape(found[0]))
    return said


OFF, ON = 's:4:"push";b:0;', 's:4:"push";b:1;'
NO_BASIS, BASIS = 's:5:"basis";s:4:"none";', 's:5:"basis";s:5:"email";'


@contextmanager
def setting(site: Site, now: str, then: str) -> Iterator[None]:
    """One of the settings as it is in the database."""
    sql = "UPDATE wp_options SET option_value = REPLACE(option_value, %s, %s) WHERE option_name = 'fcsc_settings'"
    site.rows(sql, (then, now))
    try:
        yield
    finally:
        site.rows(sql, (now, then))


@contextmanager
def no_key(site: Site) -> Iterator[None]:
    key_is(site, "")
    try:
        yield
    finally:
        key_is(site, KEY)


def test_a_button_where_the_owner_wants_it(hpos: Site, shopper: Shopper) -> None:
    hpos.php(
        "wp_insert_post( array( 'post_type' => 'page', 'post_status' => 'publish', 'post_name' => 'news', 'post_title' => 'News', 'post_content' => '[fcsc_push]' ) );"
    )
    shopper.login("shop")
    page = page_of(shopper.page("/news/"))
    assert (page["key"], page["order"]) == (KEY, 0)
    assert (page["worker"], page["scope"]) == (f"{hpos.url}/?fcsc_sw=1", f"{hpos.url}/fcsc-push/")
    assert page_of(shopper.page("/my-account/"))["user"] == 1
    with setting(hpos, OFF, ON):
        assert "fcsc-push" not in shopper.page("/my-account/")
        assert "fcsc-push" in shopper.page("/news/")
    with no_key(hpos):
        assert "fcsc-push" not in shopper.page("/my-account/")
        assert "fcsc-push" not in shopper.page("/news/")


def test_on_the_page_that_thanks(hpos: Site, shopper: Shopper) -> None:
    shopper.add(hpos.ids["tea"])
    placed = shopper.classic_checkout("thanks@example.com")
    text = shopper.page(placed["redirect"].removeprefix(hpos.url))
    assert page_of(text)["order"] == placed["order_id"]
    assert re.search(r'<p class="fcsc-push" hidden ', text), "the script shows it where the browser can"
    assert "push.js" in text


def test_the_worker_is_served_at_the_root(hpos: Site, shopper: Shopper) -> None:
    sql = "UPDATE wp_options SET option_value = %s WHERE option_name = 'permalink_structure'"
    for permalinks in ("", "/%postname%/"):
        hpos.rows(sql, (permalinks,))
        answer = shopper.get("/?fcsc_sw=1", allow_redirects=False)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert (answer.headers["Service-Worker-Allowed"], answer.headers["Cache-Control"]) == ("/", "no-cache")
        first, _, rest = answer.text.partition("\n")
        assert json.loads(first.removeprefix("self.fcsc=").removesuffix(";"))["name"] == "Shop"
        assert rest == (ROOT / "wp-bridge/assets/sw.js").read_text("utf-8")


def test_who_is_logged_in_clicks(hpos: Site, shopper: Shopper) -> None:
    shopper.login("shop")
    user = hpos.rows("SELECT ID FROM wp_users WHERE user_login = 'shop'")[0][0]
    mark = page_of(shopper.page("/my-account/"))["mark"]
    hpos.outbox()
    say(shopper, browser(click=1, mark=mark))
    assert kept(hpos) == [("https://push.example/1", user, 0, "")]
    given = (user, 0, "push", "given", "push", "Show me news and offers as notifications in this browser")
    assert words(hpos) == [given]
    row = hpos.rows("SELECT id FROM wp_fcsc_consents")[0][0]
    assert [line for line in hpos.outbox() if line[0] == "consent.changed"] == [
        ("consent.changed", row, 0, "push given")
    ]
    say(shopper, browser())  # a look at a page is no word
    assert words(hpos) == [given]
    say(shopper, {"endpoint": "https://push.example/1", "stop": 1})
    assert kept(hpos) == []
    assert words(hpos) == [given, (user, 0, "push", "withdrawn", "push", "")]
    say(shopper, {"endpoint": "https://push.example/1", "stop": 1})
    say(shopper, browser())
    assert (kept(hpos), len(words(hpos))) == ([], 2), "nothing comes back without a click"


def test_a_stranger_who_buys(hpos: Site, shopper: Shopper) -> None:
    """Said when it was clicked: what was taken back since then stays so."""
    shopper.add(hpos.ids["tea"])
    shopper.beacon({"cart": 1})
    visitor = shopper.http.cookies.get_dict()["fcsc_visitor"]
    say(shopper, browser(click=1))
    assert kept(hpos) == [("https://push.example/1", 0, 0, visitor)]
    assert words(hpos) == []
    hpos.rows("UPDATE wp_fcsc_push SET created_gmt = '2026-01-02 03:04:05'")
    placed = shopper.classic_checkout("stranger@example.com")
    order, key = placed["order_id"], placed["redirect"].partition("key=")[2]
    say(shopper, browser(order=order, key="wc_order_guess"))
    assert words(hpos) == []
    say(shopper, browser(order=order, key=key))
    say(shopper, browser(order=order, key=key))
    assert kept(hpos) == [("https://push.example/1", 0, order, visitor)]
    assert [line[:5] for line in words(hpos)] == [(0, order, "push", "given", "push")]
    assert hpos.rows("SELECT CAST(created_gmt AS CHAR) FROM wp_fcsc_consents") == [("2026-01-02 03:04:05",)]
    # Somebody else at the same browser does not become its owner by looking, but by a click.
    with Shopper(hpos) as other:
        other.login("shop")
        say(other, browser())
        assert kept(hpos)[0][1:3] == (0, order)
        say(other, browser(click=1))
        assert kept(hpos)[0][1] > 0
        assert kept(hpos)[0][2] == 0


def test_a_browser_gets_another_address(hpos: Site, shopper: Shopper) -> None:
    shopper.login("shop")
    say(shopper, browser(1, click=1))
    owner = kept(hpos)[0][1]
    with Shopper(hpos) as worker:  # the worker's request, without a login
        say(worker, browser(2, old="https://push.example/1"))
        say(worker, browser(3, old="https://push.example/unknown"))
    assert kept(hpos) == [("https://push.example/2", owner, 0, "")]
    assert hpos.rows("SELECT endpoint_hash FROM wp_fcsc_push") == [
        (hashlib.sha256(b"https://push.example/2").hexdigest(),)
    ]
    assert len(words(hpos)) == 1


def test_what_no_page_of_ours_says(hpos: Site, shopper: Shopper) -> None:
    for said in (
        "", "[]", "{", "null", '{"endpoint":["https://push.example/1"],"click":1}', browser(click=1, endpoint="http://push.example/1"),
        browser(click=1, endpoint="https://push.example/" + "x" * 1000), browser(click=1, endpoint="javascript:alert(1)"),
        browser(click=1, endpoint='https://push.example/"><script>'), browser(click=1, p256dh="short"), browser(click=1, auth="a" * 23),
        browser(click=1, auth="a" * 21 + "\n"), browser(click=1, more="x" * 5000), {"endpoint": "https://push.example/1", "stop": 1},
    ):  # fmt: skip
        say(shopper, said)
        assert (kept(hpos), words(hpos)) == ([], []), said


def test_other_sites_and_get_say_nothing(hpos: Site, shopper: Shopper) -> None:
    say(shopper, browser(click=1), Origin="https://evil.example")
    assert shopper.get("/?wc-ajax=fcsc_push").status_code == 204
    with no_key(hpos):
        say(shopper, browser(click=1))
    assert kept(hpos) == []


def test_without_consent_the_browser_stays_a_stranger(hpos: Site, shopper: Shopper) -> None:
    shopper.beacon({"view": hpos.ids["tea"]})
    assert "fcsc_visitor" in shopper.http.cookies.get_dict()
    with setting(hpos, NO_BASIS, BASIS):
        say(shopper, browser(click=1))
    assert kept(hpos) == [("https://push.example/1", 0, 0, "")]


def test_what_the_sidecar_tells(hpos: Site, shopper: Shopper) -> None:
    for number in (1, 2):
        say(shopper, browser(number, click=1))
    gone = hashlib.sha256(b"https://push.example/1").hexdigest()
    assert tell(hpos, {"gone": gone}, {"gone": gone}, {"gone": "x"}, {"key": "B<script>"}, 7, {}) == [
        "done", "done", "refused", "refused", "refused", "refused"
    ]  # fmt: skip
    assert [row[0] for row in kept(hpos)] == ["https://push.example/2"]
    other = "B" + "_-" * 43
    assert tell(hpos, {"key": other}) == ["done"]
    assert hpos.rows("SELECT option_value, autoload FROM wp_options WHERE option_name = 'fcsc_push_key'")[0][0] == other
    key_is(hpos, KEY)


def test_strangers_are_forgotten(hpos: Site, shopper: Shopper) -> None:
    say(shopper, browser(1, click=1))
    shopper.login("shop")
    say(shopper, browser(2, click=1))
    hpos.rows("UPDATE wp_fcsc_push SET created_gmt = UTC_TIMESTAMP() - INTERVAL 181 DAY")
    hpos.php("FluentCrmSidecar\\Tables::cleanup();")
    assert [row[0] for row in kept(hpos)] == ["https://push.example/2"]


def test_it_costs_a_page_nothing(hpos: Site, shopper: Shopper) -> None:
    """Pain 34: no query, and where it is off no script."""
    shopper.login("shop")
    shopper.page("/my-account/")
    for on in (True, False):
        hpos.requests_log()
        with setting(hpos, ON if on else OFF, ON):
            assert ("push.js" in shopper.page("/my-account/")) is on
            assert "push.js" not in shopper.page("/shop/")
        assert [sql for line in hpos.requests_log() for sql in line["sql"] if "fcsc" in sql] == []


def test_export_and_erasure(hpos: Site, shopper: Shopper) -> None:
    """Pain 25."""
    email = f"gone{secrets.token_hex(4)}@example.com"
    shopper.add(hpos.ids["tea"])
    shopper.beacon({"cart": 1, "email": email})
    say(shopper, browser(1, click=1))
    with Shopper(hpos) as buyer:
        buyer.add(hpos.ids["tea"])
        placed = buyer.classic_checkout(email)
        say(buyer, browser(2, click=1, order=placed["order_id"], key=placed["redirect"].partition("key=")[2]))
    user = hpos.php(
        "return wp_insert_user( array( 'user_login' => $in, 'user_email' => $in, 'user_pass' => 'x' ) );", email
    )
    hpos.php(
        "$w = $GLOBALS['wpdb']; $w->insert( 'wp_fcsc_push', array( 'endpoint_hash' => str_repeat( 'a', 64 ), 'endpoint' => 'https://push.example/3', 'p256dh' => '', 'auth' => '', 'user_id' => $in, 'created_gmt' => '2026-01-01 00:00:00' ) );",
        user,
    )
    with Shopper(hpos) as other:
        say(other, browser(4, click=1))
    told = hpos.php(
        "return call_user_func( apply_filters( 'wp_privacy_personal_data_exporters', array() )['fluentcrm-sidecar']['callback'], $in, 1 );",
        email,
    )
    listed = [
        next(one["value"] for one in group["data"] if one["name"] == "endpoint")
        for group in told["data"]
        if group["group_id"] == "fcsc-push"
    ]
    assert sorted(listed) == [f"https://push.example/{number}" for number in (1, 2, 3)]
    assert hpos.php("return FluentCrmSidecar\\Privacy::erase( $in );", email)["items_removed"] is True
    assert [row[0] for row in kept(hpos)] == ["https://push.example/4"]
    # WooCommerce's own eraser takes the row of its order too.
    with Shopper(hpos) as buyer:
        buyer.add(hpos.ids["tea"])
        placed = buyer.classic_checkout("woo@example.com")
        say(buyer, browser(5, click=1, order=placed["order_id"], key=placed["redirect"].partition("key=")[2]))
    hpos.php("WC_Privacy_Erasers::remove_order_personal_data( wc_get_order( $in ) );", placed["order_id"])
    assert [row[0] for row in kept(hpos)] == ["https://push.example/4"]


def test_the_owner_switches_it_on(hpos: Site) -> None:
    """Off until then."""
    said = hpos.php(
        "$all = array( FluentCrmSidecar\\Settings::DEFAULTS['push'] ); foreach ( array( array(), array( 'push' => '1' ) ) as $form ) {"
        "FluentCrmSidecar\\Settings::post( $form + array( 'consent_form' => '1' ) ); $all[] = FluentCrmSidecar\\Settings::get( 'push' ); } return $all;"
    )
    assert said == [False, False, True]
