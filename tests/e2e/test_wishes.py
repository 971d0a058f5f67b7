"""What automations wish, from the sidecar's own client to the tables of the shop: signed, done once, and asked for again."""

from __future__ import annotations

import base64
import hmac
import secrets
import time

import pytest
from running import Live
from shopper import Shopper

from sidecar.crm.bridge_client import Bridge, MadeOutcome, MessageOutcome
from sidecar.state.pairing import Key, Pairing

pytestmark = pytest.mark.wordpress


@pytest.fixture
def bridge(live: Live) -> Bridge:
    key_id, secret = live.site.rows("SELECT key_id, secret FROM wp_fcsc_keys WHERE state = 'current'")[0]
    pairing = Pairing(
        endpoint="http://127.0.0.1:9", keys=(Key(key_id=key_id, secret=secret, state="current", since=0),)
    )
    return Bridge(live.site.url, lambda: pairing)


@pytest.fixture
def contact_id(live: Live) -> int:
    made: int = live.site.php(
        "return (int) FluentCrm\\App\\Models\\Subscriber::create( array( 'email' => $in, 'status' => 'subscribed' ) )->id;",
        f"w{secrets.token_hex(5)}@shop.example",
    )
    return made


def test_messages(live: Live, bridge: Bridge, contact_id: int) -> None:
    """Pain 31: asked for twice it is one; who has left gets none."""
    key = secrets.token_hex(16)
    wish = {
        "key": key, "contact_id": contact_id, "container": "welcome/first", "title": "Welcome: first", "subject": "Witaj 🍵", "preheader": "",
        "html": f'<html><body><p>سلام</p><a href="{live.site.url}/">Shop</a><a href="{live.site.url}/?fcsc=p.1.1..x">Choices</a></body></html>', "purpose": "marketing",
    }  # fmt: skip
    first, refused = bridge.messages([wish, wish | {"key": "other", "contact_id": 99999999}])
    assert first == MessageOutcome(key=key, state="queued", email_id=first.email_id)
    assert refused == MessageOutcome(key="other", state="refused", reason="gone")
    assert bridge.messages([wish]) == [MessageOutcome(key=key, state="known", email_id=first.email_id)]
    assert bridge.sent(["never", key]) == [MessageOutcome(key=key, state="known", email_id=first.email_id)]
    if not live.site.real:  # there FluentCRM has sent it by now
        subject, body, status, parsed = live.site.rows("SELECT email_subject, email_body, status, is_parsed FROM wp_fc_campaign_emails WHERE id = %s", (first.email_id,))[0]  # fmt: skip
        assert (subject, status, parsed) == ("Witaj 🍵", "scheduled", 1)
        assert f"&mid={first.email_id}&fch=" in body and f"{live.site.url}/?fcsc=p.1.1..x" in body
        assert body.index("{{crm_global_email_footer}}") < body.index("</body>")
        until = time.monotonic() + 10
        while not (live.site.content / "sender.log").exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert (live.site.content / "sender.log").exists()
    live.site.rows("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", (contact_id,))
    assert bridge.messages([wish | {"key": "later"}])[0].reason == "status: unsubscribed"


def test_coupons_notes_and_tags(live: Live, bridge: Bridge, contact_id: int) -> None:
    coupon = {
        "key": secrets.token_hex(16),
        "code": f"back-{secrets.token_hex(3)}",
        "kind": "percent",
        "amount": "10",
        "expires": int(time.time()) + 900,
    }
    made = bridge.coupons([coupon, coupon | {"key": secrets.token_hex(16)}, coupon | {"amount": "0"}, coupon])
    assert [one.state for one in made] == ["done", "done", "known", "known"]
    assert made[0] == MadeOutcome(key=coupon["key"], state="done", id=made[0].id, code=coupon["code"])
    assert made[1].code.startswith(f"{coupon['code']}-")
    note = {"key": secrets.token_hex(16), "contact_id": contact_id, "title": "Called", "body": "<b>", "ticket": False}
    assert [one.state for one in bridge.notes([note, note])] == ["done", "known"]
    assert live.site.rows(
        "SELECT title, description FROM wp_fc_subscriber_notes WHERE subscriber_id = %s", (contact_id,)
    ) == [("Called", "&lt;b&gt;")]
    change = {
        "key": secrets.token_hex(16),
        "contact_id": contact_id,
        "add": ["VIP", "2024"],
        "remove": ["New"],
        "fields": {"city": "Łódź"},
    }
    assert bridge.automation_contacts([change, change])[1] == MadeOutcome(
        key=change["key"], state="done", id=contact_id
    )
    titles = live.site.rows(
        "SELECT t.title FROM wp_fc_tags t JOIN wp_fc_subscriber_pivot p ON p.object_id = t.id AND p.object_type LIKE '%%Tag' WHERE p.subscriber_id = %s ORDER BY t.title",
        (contact_id,),
    )
    assert titles == [("2024",), ("VIP",)]
    assert live.site.rows("SELECT city FROM wp_fc_subscribers WHERE id = %s", (contact_id,)) == [("Łódź",)]


def test_a_link_is_followed(live: Live, shopper: Shopper) -> None:
    """The key that the sidecar reads from the database is the one that the plugin verifies with."""
    key = live.site.rows("SELECT option_value FROM wp_options WHERE option_name = 'fcsc_link_key'")[0][0]
    said = f"g.{live.site.ids['tea']}.{int(time.time()) + 60}.m9"
    mac = hmac.new(bytes.fromhex(key), f"fcsc-link\n{said}".encode(), "sha256").digest()
    good = f"{said}.{base64.urlsafe_b64encode(mac).decode()[:22]}"
    answer = shopper.get(f"/?fcsc={good}", allow_redirects=False)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "no-store, private")
    assert "/tea/" in answer.headers["Location"]
    wrong = shopper.get(f"/?fcsc={good[:-1]}", allow_redirects=False)
    assert wrong.status_code == 302 and "/tea/" not in wrong.headers["Location"]
