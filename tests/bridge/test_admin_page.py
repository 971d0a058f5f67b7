"""The sidecar's pages inside a real wp-admin: only what is signed is shown, only what is listed is asked, only by whom it may be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_sidecar import Answer, FakeSidecar
from shopper import Shopper, field
from wordpress_site import SECRET, Site

pytestmark = pytest.mark.wordpress

PAGE = "/wp-admin/admin.php?page=fluentcrm-sidecar"
PROXY = "/wp-json/fluentcrm-sidecar/v1/proxy"


@pytest.fixture
def sidecar(hpos: Site) -> Iterator[FakeSidecar]:
    with FakeSidecar() as fake:
        hpos.pair(fake.endpoint)
        yield fake
    hpos.pair()


@pytest.fixture
def admin(hpos: Site, shopper: Shopper) -> Shopper:
    shopper.login("admin")
    return shopper


def someone(site: Site, role: str) -> str:
    name = f"{role.replace('_', '')}{secrets.token_hex(3)}"
    site.php(
        "return wp_insert_user( array( 'user_login' => $in[0], 'user_email' => $in[0] . '@example.com', 'user_pass' => $in[0], 'role' => $in[1] ) );",
        [name, role],
    )
    return name


def test_a_page_is_shown_in_wp_admin(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    sidecar.answer = lambda _: Answer('<h1>Fine</h1><form method="post"><!--fcsc:nonce--></form>')
    page = admin.page(PAGE + "&view=events&type=order&evil[]=x")
    assert '<div class="wrap fcsc">' in page
    assert "<h1>Fine</h1>" in page
    assert "<!--fcsc:nonce-->" not in page
    assert field(page, "_wpnonce")
    asked = sidecar.asked[-1]
    assert (asked.good, asked.method, asked.target) == (True, "GET", "/ui/events?type=order")
    assert re.fullmatch(r"1;administrator;en_US;ltr", asked.headers["x-fcsc-actor"])
    assert "assets/admin.css" in page
    assert "assets/admin.js" in page


@pytest.mark.parametrize("signature", ["", "0" * 64, "x"])
def test_what_is_not_signed_is_not_shown(hpos: Site, sidecar: FakeSidecar, admin: Shopper, signature: str) -> None:
    """Another tenant of the host sits on the port."""
    sidecar.answer = lambda _: Answer("<script>steal()</script>", signature=signature)
    page = admin.page(PAGE)
    assert "steal()" not in page
    assert "did not prove" in page


def test_an_old_answer_is_not_shown_again(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    admin.page(PAGE)
    nonce = sidecar.asked[-1].headers["x-fcsc-nonce"]
    old = hmac.new(
        bytes.fromhex(SECRET), f"FCSC1R\n200\n{nonce}\n{hashlib.sha256(b'<p>hello</p>').hexdigest()}".encode(), "sha256"
    )
    sidecar.answer = lambda _: Answer(signature=old.hexdigest())
    assert "did not prove" in admin.page(PAGE)


def test_without_a_sidecar_the_page_says_how_to_start_it(hpos: Site, admin: Shopper) -> None:
    hpos.pair("http://127.0.0.1:9")
    assert "sidecar serve" in admin.page(PAGE)
    hpos.rows("DELETE FROM wp_fcsc_keys")
    assert "not paired" in admin.page(PAGE)
    assert "sidecar pair" in admin.page(PAGE + "&view=settings")
    hpos.pair()


def test_an_error_of_the_sidecar(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    sidecar.answer = lambda _: Answer('{"error":{}}', status=500, type="application/json")
    assert "(500)" in admin.page(PAGE)


def test_a_form_goes_through_and_comes_back_to_a_page(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    sidecar.answer = lambda _: Answer("<form><!--fcsc:nonce--></form>")
    nonce = field(admin.page(PAGE + "&view=sync"), "_wpnonce")
    sidecar.answer = lambda _: Answer("", status=303, headers={"Location": "/ui/sync?notice=started&_wpnonce=x"})
    answer = admin.post(
        PAGE + "&view=sync",
        f"_wpnonce={nonce}&_wp_http_referer=%2F&action=start&what=orders&what=carts&text=%D9%82%26",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    )
    assert answer.status_code == 303
    assert answer.headers["Location"] == hpos.url + PAGE + "&view=sync&notice=started"
    asked = sidecar.asked[-1]
    assert (asked.good, asked.method, asked.target, asked.body) == (
        True, "POST", "/ui/sync", b"action=start&what=orders&what=carts&text=%D9%82%26",
    )  # fmt: skip
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "location", ["https://evil.example/", "//evil.example", "/ui/../x", "/ui/sync\\@evil.example", "javascript:x"]
)
def test_a_redirect_leads_to_our_page_only(hpos: Site, sidecar: FakeSidecar, admin: Shopper, location: str) -> None:
    nonce = field(_with_form(sidecar, admin), "_wpnonce")
    sidecar.answer = lambda _: Answer("<p>stay</p>", status=303, headers={"Location": location})
    answer = admin.post(PAGE + "&view=sync", {"_wpnonce": nonce, "action": "start"}, allow_redirects=False)
    assert answer.status_code == 200
    assert "Location" not in answer.headers


def _with_form(sidecar: FakeSidecar, admin: Shopper) -> str:
    sidecar.answer = lambda _: Answer("<form><!--fcsc:nonce--></form>")
    return admin.page(PAGE + "&view=sync")


def test_a_forged_form_goes_nowhere(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    for nonce in ({}, {"_wpnonce": "0123456789"}):
        answer = admin.post(PAGE + "&view=sync", {"action": "undo", **nonce})
        assert answer.status_code == 403
    answer = admin.post(PAGE + "&view=settings", {"pairing_code": "x"})
    assert answer.status_code == 403
    assert not [asked for asked in sidecar.asked if asked.method == "POST"]


@pytest.mark.parametrize(
    ("role", "actor", "pages"),
    [
        ("shop_manager", "shop_manager", {"status", "events", "sync", "contact/7"}),
        ("fcsc_crm_manager", "crm_manager", {"status", "events", "sync", "mapping", "contact/7"}),
        ("fcsc_support", "support", {"status", "events", "sync", "contact/7"}),
        ("editor", "", set()),
        ("customer", "", set()),
    ],
)
def test_who_may_see_what(
    hpos: Site, sidecar: FakeSidecar, shopper: Shopper, role: str, actor: str, pages: set[str]
) -> None:
    shopper.login(someone(hpos, role))
    for view in ("status", "events", "sync", "mapping", "contact/7"):
        before = len(sidecar.asked)
        answer = shopper.get(f"{PAGE}&view={view}")
        assert ("hello" in answer.text) is (view in pages), view
        assert len(sidecar.asked) == before + (view in pages)
        if view in pages:
            assert sidecar.asked[-1].headers["x-fcsc-actor"].split(";")[1] == actor
    if role != "administrator":
        assert "pairing_code" not in shopper.get(f"{PAGE}&view=settings").text


def test_fluentcrm_permissions_count(hpos: Site, sidecar: FakeSidecar, shopper: Shopper) -> None:
    """FluentCRM 3 keeps them in its own table, where current_user_can() does not look."""
    name = someone(hpos, "editor")
    granted = hpos.php(
        "$user = get_user_by( 'login', $in ); FluentCrm\\App\\Services\\PermissionManager::attachPermissions( $user, array( 'fcrm_view_dashboard', 'fcrm_read_contacts' ) );"
        "wp_set_current_user( $user->ID ); return FluentCrmSidecar\\Roles::current();",
        name,
    )
    if granted == "":
        pytest.skip("this FluentCRM gives permissions with its Pro version only")
    shopper.login(name)
    assert "hello" in shopper.page(PAGE)
    assert sidecar.asked[-1].headers["x-fcsc-actor"].split(";")[1] == "support"


def _rest_nonce(browser: Shopper) -> str:
    found = re.search(r'fcscAdmin=\{[^}]*"nonce":"([0-9a-f]+)"', browser.page(PAGE))
    assert found
    return found[1]


def test_the_rest_proxy(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    nonce = {"X-WP-Nonce": _rest_nonce(admin)}
    sidecar.answer = lambda _: Answer("<div><!--fcsc:nonce--></div>")
    answer = admin.get(f"{PROXY}/ui/events?type=order&_locale=user", headers=nonce)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "_wpnonce" in answer.text
    assert sidecar.asked[-1].target == "/ui/events?type=order"
    sidecar.answer = lambda _: Answer('{"data":[1]}', type="application/json")
    answer = admin.post(
        f"{PROXY}/api/v1/letters/retry", '{"letters":[3]}', headers={**nonce, "Content-Type": "application/json"}
    )
    assert answer.json() == {"data": [1]}
    assert answer.headers["Content-Type"].startswith("application/json")
    asked = sidecar.asked[-1]
    assert (asked.good, asked.body, asked.headers["content-type"]) == (True, b'{"letters":[3]}', "application/json")
    for path in (
        "api/v1/segments",
        "api/v1/segments/vip",
        "api/v1/segments/no-1/people?after=7",
        "api/v1/segment-rules",
        "api/v1/automations/cart-recovery/people/7",
        "api/v1/automation-texts/cart-recovery",
    ):
        assert admin.get(f"{PROXY}/{path}", headers=nonce).json() == {"data": [1]}, path
        assert sidecar.asked[-1].target == f"/{path}"
    sidecar.answer = lambda _: Answer("<b>x</b>", signature="0" * 64)
    assert admin.get(f"{PROXY}/ui/events", headers=nonce).status_code == 502


def test_the_rest_proxy_refuses(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    nonce = {"X-WP-Nonce": _rest_nonce(admin)}
    before = len(sidecar.asked)
    assert admin.get(f"{PROXY}/ui/status").status_code in (401, 403)  # no nonce: a forged request from another site
    for path in (
        "healthz",
        "metrics",
        "ui/%2e%2e/healthz",
        "api/v1/openapi.json",
        "api/v1/contacts/7/x",
        "ui/contact/0",
        "api/v1/segments/UP",
        "api/v1/segments/a/b/people",
        "api/v1/automations/UP",
        "api/v1/automations/a/people/0",
    ):
        assert admin.get(f"{PROXY}/{path}", headers=nonce).status_code in (403, 404), path
    for method in ("PUT", "DELETE", "PATCH"):
        assert admin.http.request(method, f"{hpos.url}{PROXY}/ui/status", headers=nonce, timeout=30).status_code in (
            403,
            404,
            405,
        )
    assert len(sidecar.asked) == before
    with Shopper(hpos) as support:
        support.login(someone(hpos, "fcsc_support"))
        nonce = {"X-WP-Nonce": _rest_nonce(support)}
        before = len(sidecar.asked)
        for path in (
            "api/v1/sync/start",
            "api/v1/sync/undo",
            "api/v1/mapping/save",
            "api/v1/segments/refresh",
            "api/v1/segment-rules/save",
            "api/v1/automations/on",
            "api/v1/automation-texts/save",
            "ui/segments",
            "api/v1/site/confirm",
            "api/v1/privacy/erase",
            "ui/sync",
            "ui/mapping",
        ):
            assert support.post(f"{PROXY}/{path}", "{}", headers=nonce).status_code == 403, path
        for path in ("ui/mapping", "ui/status/..%2fmapping", "ui/contact/7/..%2f..%2fmapping"):
            assert support.get(f"{PROXY}/{path}", headers=nonce).status_code in (403, 404), path
        assert len(sidecar.asked) == before


def test_over_a_unix_socket(hpos: Site, admin: Shopper, tmp_path: Path) -> None:
    with FakeSidecar(f"/tmp/fcsc-{secrets.token_hex(4)}.sock") as fake:
        hpos.pair(fake.endpoint)
        assert "hello" in admin.page(PAGE)
        assert fake.asked[-1].good
    Path(fake.endpoint.removeprefix("unix:")).unlink()
    hpos.pair()


def test_the_settings(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    page = admin.page(PAGE + "&view=settings")
    nonce = field(page, "_wpnonce")
    admin.post(PAGE + "&view=settings", {"_wpnonce": nonce, "basis": "carts", "cart_days": "7"})
    kept = {"ask": [], "wording": [], "confirm": False, "push": False}
    assert (
        hpos.php("return get_option( 'fcsc_settings' );") == {"capture": False, "basis": "carts", "cart_days": 7} | kept
    )
    admin.post(PAGE + "&view=settings", {"_wpnonce": nonce, "capture": "1", "basis": "all", "cart_days": "-5"})
    assert (
        hpos.php("return get_option( 'fcsc_settings' );") == {"capture": True, "basis": "none", "cart_days": 5} | kept
    )
    hpos.settings(basis="email")
    secret = secrets.token_hex(32)
    data = json.dumps({"k": "00000000000000ef", "s": secret, "e": "http://127.0.0.1:8765"}).encode()
    code = "fcsc1." + base64.urlsafe_b64encode(data).decode().rstrip("=")
    page = admin.post(PAGE + "&view=settings", {"_wpnonce": nonce, "pairing_code": code}).text
    assert "Paired" in page
    assert secret not in page
    assert hpos.rows("SELECT key_id, state FROM wp_fcsc_keys ORDER BY state") == [
        ("00000000000000ef", "current"),
        ("00000000000000ab", "previous"),
    ]
    assert (
        "not a pairing code" in admin.post(PAGE + "&view=settings", {"_wpnonce": nonce, "pairing_code": "fcsc1.x"}).text
    )
    hpos.pair()


def test_the_tab_on_the_contact(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    id_ = hpos.php(
        "return (int) FluentCrm\\App\\Models\\Subscriber::create( array( 'email' => 'tab@example.com' ) )->id;"
    )
    found = re.search(r'"nonce":"([0-9a-f]{10})"', admin.page("/wp-admin/admin.php?page=fluentcrm-admin"))
    assert found
    answer = admin.get(
        f"/wp-json/fluent-crm/v2/subscribers/{id_}/external_view?section_provider=fcsc",
        headers={"X-WP-Nonce": found[1]},
    )
    assert answer.json()["content_html"] == '<div class="fcsc"><p>hello</p></div>'
    assert sidecar.asked[-1].target == f"/ui/contact/{id_}?bare=1"


def test_the_menu(hpos: Site, sidecar: FakeSidecar, admin: Shopper) -> None:
    """Under FluentCRM; without FluentCRM under WooCommerce, and the page says what is missing."""
    both = ["fluent-crm/fluent-crm.php", "fluentcrm-sidecar/fluentcrm-sidecar.php", "woocommerce/woocommerce.php"]
    assert "is not active" not in admin.page(PAGE)
    try:
        hpos.php("update_option( 'active_plugins', $in );", both[1:])
        page = admin.page(PAGE)
        assert "FluentCRM is not active" in page
        assert "hello" in page
        hpos.php("update_option( 'active_plugins', $in );", [both[0], both[1]])
        page = admin.page(PAGE)
        assert "WooCommerce is not active" in page
        with Shopper(hpos) as visitor:
            assert visitor.get("/").status_code == 200
        hpos.php("update_option( 'active_plugins', $in );", [both[1]])
        assert "hello" in admin.page(PAGE)
        assert hpos.signed("GET", "/status").json()["woocommerce"] == ""
    finally:
        hpos.php("update_option( 'active_plugins', $in );", both)
