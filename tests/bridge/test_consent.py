"""The record of consent, in a real shop: boxes at both checkouts and in the registration, the page of preferences, one-click."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
from shopper import Shopper, field
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

WORDS = "Yes, write to me <b>now</b> & then"
SHOWN = "Yes, write to me now & then"  # no HTML
CHANNEL = "fluentcrm-sidecar/consent-"
CONTACT = "$c = FluentCrm\\App\\Models\\Subscriber::create( array( 'email' => $in[0], 'status' => $in[1] ) ); return (int) $c->id;"


@pytest.fixture
def asking(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A shop that asks for e-mail and SMS."""
    name = "site" if "site" in request.fixturenames else "hpos"
    shop: Site = request.getfixturevalue(name)
    shop.settings(basis="email", ask=["email", "sms"], wording={"email": WORDS})
    shop.rows("DELETE FROM wp_fcsc_consents")
    shop.outbox()
    yield shop
    shop.settings(basis="email")


def rows(site: Site) -> list[tuple[Any, ...]]:
    return site.rows(
        "SELECT contact_id, user_id, order_id, channel, state, source, wording FROM wp_fcsc_consents ORDER BY id"
    )


def hints(site: Site) -> list[tuple[int, str]]:
    """(row, detail) of what the sidecar is told of consent."""
    return [(row[1], row[3]) for row in site.outbox() if row[0] == "consent.changed"]


def boxes(page: str) -> dict[str, str]:
    """channel: value, of the boxes on a page; none of them is ticked or required."""
    found = re.findall(r'<input type="checkbox"[^>]*name="fcsc_consent\[(\w+)\]"[^>]*>', page)
    for tag in re.findall(r'<input type="checkbox"[^>]*name="fcsc_consent[^>]*>', page):
        assert not re.search(r"\b(checked|required)\b", tag), tag
    return {name: field(page, f"fcsc_consent[{name}]") for name in found}


def contact(site: Site, status: str = "subscribed", email: str = "") -> tuple[int, str]:
    email = email or f"p{secrets.token_hex(5)}@example.com"
    return int(site.php(CONTACT, [email, status])), email


def status(site: Site, id_: int) -> str:
    return str(site.rows("SELECT status FROM wp_fc_subscribers WHERE id = %s", (id_,))[0][0])


def token(site: Site, kind: str, id_: int, extra: str = "", *, seconds: int = 3600) -> str:
    key = site.rows("SELECT option_value FROM wp_options WHERE option_name = 'fcsc_link_key'")[0][0]
    said = f"{kind}.{id_}.{int(time.time()) + seconds}.{extra}"
    mac = hmac.new(bytes.fromhex(key), f"fcsc-link\n{said}".encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(mac).decode()[:22]}"


# --- boxes ---------------------------------------------------------------------------------------------------


def test_the_classic_checkout(site: Site, asking: Site, shopper: Shopper) -> None:
    shopper.add(site.ids["cup"])
    shown = boxes(shopper.page("/classic-checkout/"))
    assert set(shown) == {"email", "sms"}
    order = int(shopper.classic_checkout("classic@example.com", **{"fcsc_consent[email]": shown["email"]})["order_id"])
    assert rows(site) == [(0, 0, order, "email", "given", "checkout", SHOWN)]
    assert hints(site) == [(site.rows("SELECT id FROM wp_fcsc_consents")[0][0], "email given")]
    # The words changed between the page and the order: what was shown is recorded.
    shopper.add(site.ids["cup"])
    shown = boxes(shopper.page("/classic-checkout/"))
    site.settings(basis="email", ask=["email", "sms"], wording={"sms": "Other words"})
    order = int(
        shopper.classic_checkout(
            "classic@example.com", **{"fcsc_consent[email]": shown["email"], "fcsc_consent[sms]": "forged"}
        )["order_id"]
    )
    assert rows(site)[1:] == [(0, 0, order, "email", "given", "checkout", SHOWN)]
    asking.outbox()


def test_the_block_checkout(site: Site, asking: Site, shopper: Shopper) -> None:
    shopper.add(site.ids["tea"])
    order = shopper.block_checkout(
        "block@example.com", additional_fields={f"{CHANNEL}email": False, f"{CHANNEL}sms": True}
    )["order_id"]
    words = site.php("return FluentCrmSidecar\\Settings::wording( 'sms' );")
    assert rows(asking) == [(0, 0, order, "sms", "given", "block-checkout", words)]
    assert [detail for _, detail in hints(site)] == ["sms given"]
    # In the same session the next order begins unticked.
    shopper.add(site.ids["tea"])
    said = shopper.get("/wp-json/wc/store/v1/checkout").json()
    assert not said.get("additional_fields", {}).get(f"{CHANNEL}sms")
    shopper.block_checkout("block@example.com")
    assert len(rows(site)) == 1


def test_unticked_is_nothing(site: Site, asking: Site, shopper: Shopper) -> None:
    """Pain 22: and it costs no query."""
    shopper.add(site.ids["cup"])
    shopper.page("/classic-checkout/")
    site.requests_log()
    shopper.classic_checkout("plain@example.com")
    shopper.add(site.ids["cup"])
    shopper.block_checkout("plain@example.com", additional_fields={f"{CHANNEL}email": False})
    assert rows(asking) == []
    assert hints(site) == []
    assert [sql for line in site.requests_log() for sql in line["sql"] if "fcsc_consents" in sql or "fcsc_wordings" in sql] == []  # fmt: skip


def test_nothing_is_asked_by_default(site: Site, shopper: Shopper) -> None:
    """Pain 23."""
    shopper.add(site.ids["cup"])
    assert boxes(shopper.page("/classic-checkout/")) == {}
    before = len(rows(site))
    shopper.classic_checkout("default@example.com", **{"fcsc_consent[email]": "0123456789ab"})
    assert len(rows(site)) == before
    fields = site.php(
        "return array_keys( Automattic\\WooCommerce\\Blocks\\Package::container()->get( Automattic\\WooCommerce\\Blocks\\Domain\\Services\\CheckoutFields::class )->get_additional_fields() );"
    )
    assert [name for name in fields if name.startswith("fluentcrm-sidecar")] == []


def test_a_new_account(hpos: Site, asking: Site, shopper: Shopper) -> None:
    page = shopper.page("/my-account/")
    form = {
        "email": f"reg{secrets.token_hex(4)}@example.com", "password": "Long-enough-1!", "register": "Register",
        "woocommerce-register-nonce": field(page, "woocommerce-register-nonce"), "_wp_http_referer": "/my-account/",
    }  # fmt: skip
    assert shopper.post("/my-account/", form | {"fcsc_consent[sms]": boxes(page)["sms"]}).status_code == 200
    user = hpos.php("return get_user_by( 'email', $in )->ID;", form["email"])
    assert [row[:6] for row in rows(asking)] == [(0, user, 0, "sms", "given", "register")]


def test_the_settings(hpos: Site) -> None:
    with Shopper(hpos) as admin:
        admin.login("admin")
        page = admin.page("/wp-admin/admin.php?page=fluentcrm-sidecar&view=settings")
        form = {
            "_wpnonce": field(page, "_wpnonce"), "consent_form": "1", "ask[]": ["email", "nonsense"], "confirm": "1",
            "wording[email]": "Yes <script>x</script>please", "wording[sms]": field(page, "wording[sms]"),
        }  # fmt: skip
        try:
            admin.post("/wp-admin/admin.php?page=fluentcrm-sidecar&view=settings", form)
            saved = hpos.php("return get_option( 'fcsc_settings' );")
            assert (saved["ask"], saved["wording"], saved["confirm"]) == (["email"], {"email": "Yes please"}, True)
            assert saved["basis"] == "email", "the other form's settings stay"
        finally:
            hpos.settings(basis="email")


# --- the page of preferences -----------------------------------------------------------------------------------


def test_get_changes_nothing(hpos: Site, asking: Site) -> None:
    """Pain 26: scanners follow every link, with every method that should be harmless, and know no form."""
    id_, email = contact(hpos)
    hpos.outbox()
    for kind, extra in (("p", ""), ("u", "email"), ("u", "sms"), ("u", "")):
        for suffix in ("", "&save=1&stop=1&shown[]=email", "&List-Unsubscribe=One-Click"):
            with Shopper(hpos) as scanner:
                answer = scanner.get(f"/?fcsc={token(hpos, kind, id_, extra)}{suffix}")
                assert answer.status_code == 200
                assert 'method="post"' in answer.text
                assert email not in answer.text, "the link may have been forwarded"
                assert answer.headers["Referrer-Policy"] == "no-referrer"
                assert "no-store" in answer.headers["Cache-Control"]
                assert not scanner.http.cookies
                scanner.http.head(f"{hpos.url}/?fcsc={token(hpos, kind, id_, extra)}", timeout=20)
    assert status(hpos, id_) == "subscribed"
    assert rows(asking) == []
    assert hints(hpos) == []


def test_the_page(hpos: Site, asking: Site, shopper: Shopper) -> None:
    id_, _ = contact(hpos)
    hpos.php(
        "$c = FluentCrm\\App\\Models\\CustomEmailCampaign::create( array( 'title' => 'x', 'status' => 'published', 'email_subject' => 's', 'email_body' => 'b' ) ); $c->subscribe( array( $in ), array( 'status' => 'scheduled', 'scheduled_at' => '2099-01-01 00:00:00' ) );",
        id_,
    )
    proof = token(hpos, "p", id_)
    page = shopper.page(f"/?fcsc={proof}")
    assert re.findall(r'name="shown\[\]" value="(\w+)"', page) == ["email"]
    assert re.findall(r'name="channels\[\]" value="(\w+)"', page) == ["email", "sms"]
    # SMS yes, e-mail no longer.
    answer = shopper.post("/", {"fcsc": proof, "save": "1", "shown[]": ["email"], "channels[]": ["sms", "x"]})
    assert (answer.status_code, 'role="status"' in answer.text) == (200, True)
    assert [row[:1] + row[3:6] for row in rows(asking)] == [(id_, "email", "withdrawn", "preferences"), (id_, "sms", "given", "preferences")]  # fmt: skip
    assert status(hpos, id_) == "unsubscribed"
    assert hpos.rows("SELECT status FROM wp_fc_campaign_emails WHERE subscriber_id = %s", (id_,)) == [("cancelled",)]
    # A page that was open since before gives nothing back that it showed as given.
    shopper.post("/", {"fcsc": proof, "save": "1", "shown[]": ["email"], "channels[]": ["email"]})
    assert (status(hpos, id_), len(rows(hpos))) == ("unsubscribed", 2)
    # And again by their own act.
    page = shopper.page(f"/?fcsc={proof}")
    assert re.findall(r'name="shown\[\]" value="(\w+)"', page) == ["sms"]
    shopper.post("/", {"fcsc": proof, "save": "1", "shown[]": ["sms"], "channels[]": ["sms", "email"]})
    assert status(hpos, id_) == "subscribed"
    shopper.post("/", {"fcsc": proof, "stop": "1"})
    assert status(hpos, id_) == "unsubscribed"
    last = {row[3]: row[4] for row in rows(hpos)}
    assert last == {"email": "withdrawn", "sms": "withdrawn"}
    hpos.mails()
    hpos.settings(basis="email", ask=["email"], confirm=True)
    answer = shopper.post("/", {"fcsc": proof, "save": "1", "channels[]": ["email"]})
    assert status(hpos, id_) == "pending"
    assert len(hpos.mails()) == 1, "FluentCRM asks for confirmation"


def test_a_question_that_is_open_stays_open(hpos: Site, asking: Site, shopper: Shopper) -> None:
    """A link to this page may have come by text message: it proves a phone, not the address that nobody has answered from."""
    id_, _ = contact(hpos, "pending")
    hpos.mails()
    shopper.post("/", {"fcsc": token(hpos, "p", id_), "save": "1", "channels[]": ["email"]})
    assert status(hpos, id_) == "pending"


def test_words_that_another_page_made_us_forget(hpos: Site, asking: Site) -> None:
    """Two first visitors at once, in two languages: each writes the option without the other's words."""
    code = """$mark = substr( md5( FluentCrmSidecar\\Settings::asked()['email'] ), 0, 12 ); update_option( 'fcsc_wordings', array( 'x' => 'other' ) );
    $_POST = array( 'woocommerce-register-nonce' => 'x', 'fcsc_consent' => array( 'email' => $mark, 'sms' => 'forged' ) ); FluentCrmSidecar\\ConsentBoxes::registered( '', 1 );"""
    hpos.php(code)
    assert [row[3:] for row in rows(asking)] == [("email", "given", "register", SHOWN)]


def test_one_click(hpos: Site, asking: Site) -> None:
    """RFC 8058: a POST by the mail program, without cookies, that follows no redirect; done twice it is done once."""
    for channel in ("email", ""):
        id_, _ = contact(hpos)
        link = f"/?fcsc={token(hpos, 'u', id_, channel)}"
        with Shopper(hpos) as robot:
            assert robot.post(link, {"x": "y"}).status_code == 200
            assert status(hpos, id_) == "subscribed", "only these words act"
            for _ in range(2):
                answer = robot.post(link, {"List-Unsubscribe": "One-Click"}, allow_redirects=False)
                assert answer.status_code == 200
        assert status(hpos, id_) == "unsubscribed"
        assert [row[3:6] for row in rows(asking) if row[0] == id_] == [("email", "withdrawn", "one-click")]
    # Another channel leaves e-mail alone.
    id_, _ = contact(hpos)
    with Shopper(hpos) as robot:
        robot.post("/", {"fcsc": token(hpos, "u", id_, "sms"), "stop": "1"})
    assert status(hpos, id_) == "subscribed"
    assert [row[3:6] for row in rows(hpos) if row[0] == id_] == [("sms", "withdrawn", "preferences")]


def test_what_is_no_proof(hpos: Site, asking: Site, shopper: Shopper) -> None:
    id_, _ = contact(hpos)
    good = token(hpos, "u", id_, "email")
    for bad in (good[:-1] + ("A" if good[-1] != "A" else "B"), good.replace("u.", "p.", 1), token(hpos, "u", id_, "email", seconds=-5),
                token(hpos, "u", 999_999, "email"), token(hpos, "u", id_, "fax"), "u.", "p.1"):  # fmt: skip
        for answer in (
            shopper.get(f"/?fcsc={bad}"),
            shopper.post("/", {"fcsc": bad, "stop": "1", "List-Unsubscribe": "One-Click"}),
        ):
            assert answer.status_code == 404
            assert "<form" not in answer.text
    shopper.post("/?fcsc[]=u.1", {"fcsc[]": good, "stop": "1"})
    assert status(hpos, id_) == "subscribed"
    assert rows(asking) == []


def test_the_page_reads_from_right_to_left(hpos: Site, asking: Site, shopper: Shopper) -> None:
    file = hpos.content / "extra" / "fa.php"
    file.write_text(
        "<?php add_filter( 'locale', fn() => 'fa_IR' ); add_action( 'init', function () { $GLOBALS['wp_locale']->text_direction = 'rtl'; }, 1 );",
        "utf-8",
    )
    try:
        page = shopper.page(f"/?fcsc={token(asking, 'p', contact(hpos)[0])}")
    finally:
        file.unlink()
    assert 'dir="rtl"' in page
    assert "ذخیره" in page


# --- what FluentCRM tells, and what the sidecar asks ------------------------------------------------------------


def test_fluentcrms_own_ways_are_recorded(hpos: Site, asking: Site) -> None:
    id_, _ = contact(hpos)
    hpos.outbox()
    hpos.php("FluentCrm\\App\\Models\\Subscriber::find( $in )->updateStatus( 'unsubscribed' );", id_)
    hpos.php(
        "$c = FluentCrm\\App\\Models\\Subscriber::find( $in ); $c->updateStatus( 'pending' ); $c->updateStatus( 'subscribed' ); do_action( 'fluent_crm/subscriber_confirmed_via_double_optin', $c );",
        id_,
    )
    assert [row[0:1] + row[3:6] for row in rows(asking)] == [
        (id_, "email", "withdrawn", "fluentcrm"), (id_, "email", "given", "double-opt-in")
    ]  # fmt: skip
    assert [detail for _, detail in hints(hpos)] == ["email withdrawn", "email given"]


def act(site: Site, email: str, *, channel: str = "email", ago: int = 0, source: str = "checkout") -> int:
    """A row of a ticked box, with its order. Returns the row's id."""
    return int(
        site.php(
            "$o = wc_create_order(); $o->set_billing_email( $in[0] ); $o->save();"
            "return FluentCrmSidecar\\Consents::add( array( 'channel' => $in[1], 'state' => 'given', 'source' => $in[3], 'order_id' => $o->get_id(), 'created_gmt' => gmdate( 'Y-m-d H:i:s', time() - $in[2] ) ) );",
            [email, channel, ago, source],
        )
    )


def settle(site: Site, *items: tuple[int, int, bool]) -> list[tuple[str, str, str]]:
    answer = site.signed(
        "POST", "/consents", {"items": [{"id": row, "contact_id": id_, "raise": up} for row, id_, up in items]}
    )
    assert answer.status_code == 200, answer.text[:500]
    return [(one["state"], one["status"], one["reason"]) for one in answer.json()["outcomes"]]


def test_an_explicit_act_moves_a_status_up(site: Site, asking: Site) -> None:
    """Pain 22. Only by a row of ours, only for whom it is of, and of "unsubscribed" only after an answer by e-mail."""
    said = {}
    for before in ("transactional", "subscribed", "unsubscribed", "pending", "bounced", "complained"):
        id_, email = contact(asking, before)
        site.mails()
        said[before] = settle(site, (act(site, email), id_, True))[0][:2], len(site.mails())
    assert said == {
        "transactional": (("raised", "subscribed"), 0), "subscribed": (("kept", "subscribed"), 0),
        "unsubscribed": (("raised", "pending"), 1), "pending": (("raised", "pending"), 1),
        "bounced": (("kept", "bounced"), 0), "complained": (("kept", "complained"), 0),
    }  # fmt: skip


def test_what_moves_no_status(hpos: Site, asking: Site) -> None:
    id_, email = contact(hpos, "transactional")
    other, _ = contact(hpos, "transactional")
    row = act(hpos, email)
    assert settle(hpos, (row, other, True), (row, 0, True), (10**9, id_, True)) == [
        ("refused", "", "not_theirs"), ("refused", "", "no_contact"), ("refused", "", "no_row")
    ]  # fmt: skip
    assert settle(hpos, (row, id_, False)) == [("kept", "transactional", "")]
    assert rows(asking)[-1][0] == id_, "the row knows its contact now"
    assert settle(hpos, (act(hpos, email, channel="sms"), id_, True)) == [("kept", "transactional", "")]
    assert settle(hpos, (act(hpos, email, source="preferences"), id_, True)) == [("kept", "transactional", "")]
    # Withdrawn after the box was ticked, by whatever way.
    late = act(hpos, email, ago=60)
    hpos.php("FluentCrm\\App\\Models\\Subscriber::find( $in )->updateStatus( 'unsubscribed' );", id_)
    assert settle(hpos, (late, id_, True)) == [("kept", "unsubscribed", "withdrawn_later")]
    hpos.php("FluentCrmSidecar\\Privacy::erase( $in );", email)
    assert settle(hpos, (late, id_, True))[0][0] == "refused"
    assert hpos.signed("POST", "/consents", {"items": [{}] * 201}).status_code == 400
    assert hpos.signed("POST", "/consents", {"items": [1, {}]}).json()["outcomes"][0]["state"] == "refused"


def test_the_owner_may_want_a_confirmation(hpos: Site, asking: Site) -> None:
    asking.settings(basis="email", ask=["email"], confirm=True)
    id_, email = contact(hpos, "transactional")
    hpos.mails()
    assert settle(hpos, (act(hpos, email), id_, True)) == [("raised", "pending", "")]
    assert len(hpos.mails()) == 1


def test_export_and_erasure(site: Site, asking: Site) -> None:
    """Pain 25."""
    email = f"gone{secrets.token_hex(4)}@example.com"
    id_, _ = contact(site, email=email)
    act(site, email, channel="sms")
    act(site, "else@example.com", channel="sms")
    site.php("FluentCrm\\App\\Models\\Subscriber::find( $in )->updateStatus( 'unsubscribed' );", id_)
    said = site.php(
        "return call_user_func( apply_filters( 'wp_privacy_personal_data_exporters', array() )['fluentcrm-sidecar']['callback'], $in, 1 );",
        email,
    )
    words = [
        {one["name"]: one["value"] for one in group["data"]} for group in said["data"] if group["group_id"] == "fcsc-consents"
    ]  # fmt: skip
    assert [(one["channel"], one["state"], one["source"]) for one in words] == [
        ("sms", "given", "checkout"), ("email", "withdrawn", "fluentcrm")
    ]  # fmt: skip
    site.php("FluentCrmSidecar\\Privacy::erase( $in );", email)
    assert [row[3:6] for row in rows(asking)] == [("sms", "given", "checkout")]
    assert site.php("return FluentCrmSidecar\\Privacy::suppressed( $in );", email)
    # WooCommerce's own eraser takes the row of its order too.
    site.php("WC_Privacy_Erasers::remove_order_personal_data( wc_get_order( $in ) );", rows(site)[0][2])
    assert rows(site) == []
    site.outbox()
