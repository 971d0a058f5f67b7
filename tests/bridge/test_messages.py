"""POST /messages and /sent against a real FluentCRM: queued once, rendered, sent, tracked, unsubscribed.

With FLUENTCRM_ROOT set to a folder with FluentCRM 2.9 the same tests ask that one.
"""

from __future__ import annotations

import html
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from shopper import Shopper
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

PAGE = (
    '<!doctype html><html lang="fa" dir="rtl"><head><title>x</title></head><body>\n<p>سلام آوا &amp; Zoë 🍵</p>\n'
    "<a href=\"{url}/product/tea/?a=1&amp;b=2\">Tea</a> <a href='{url}/?fcsc=p.7.1.m1.x'>choices</a>\n</body></html>"
)
MAKE = "return (int) FluentCrm\\App\\Models\\Subscriber::create( $in )->id;"


@pytest.fixture(autouse=True)
def paired(hpos: Site) -> None:
    hpos.pair()
    hpos.php(
        "update_option( 'fluentcrm-global-settings', array( 'email_settings' => array( 'from_name' => 'Shop', 'from_email' => 'shop@example.com',"
        " 'emails_per_second' => 100, 'email_footer' => 'Shop, 1 Elm St. <a href=\"##crm.unsubscribe_url##\">Leave us</a>' ) ) );"
        '$wpdb->query( "DELETE FROM {$wpdb->prefix}fc_campaign_emails" );'
    )
    hpos.mails()


def contact(site: Site, status: str = "subscribed", **more: Any) -> int:
    email = f"m{secrets.token_hex(5)}@example.com"
    id_: int = site.php(MAKE, {"email": email, "first_name": "Ava", "status": status} | more)
    return id_


def item(contact_id: int, **more: Any) -> dict[str, Any]:
    return {
        "key": secrets.token_hex(16), "contact_id": contact_id, "container": "cart-recovery/first", "title": "Cart recovery: first",
        "subject": "Your tea 🍵", "preheader": "", "html": "<p>Hello</p>", "purpose": "marketing",
    } | more  # fmt: skip


def queue(site: Site, *items: dict[str, Any]) -> list[dict[str, Any]]:
    answer = site.signed("POST", "/messages", {"items": list(items)})
    assert answer.status_code == 200, answer.text[:2000]
    outcomes: list[dict[str, Any]] = answer.json()["outcomes"]
    return outcomes


def known(site: Site, *keys: str) -> dict[str, int]:
    outcomes = site.signed("POST", "/sent", {"items": list(keys)}).json()["outcomes"]
    assert {one["state"] for one in outcomes} <= {"known"}
    return {one["key"]: one["id"] for one in outcomes}


def email(site: Site, id_: int, columns: str) -> tuple[Any, ...]:
    return site.rows(f"SELECT {columns} FROM wp_fc_campaign_emails WHERE id = %s", (id_,))[0]


def delivered(site: Site, count: int = 1) -> list[dict[str, Any]]:
    """The mails that FluentCRM's own sender hands to wp_mail, which we have only asked to work. Now and then 2.9 leaves it to
    its next minute: then that minute comes early."""
    mails: list[dict[str, Any]] = []
    for wait in (6, 14):
        until = time.monotonic() + wait
        while len(mails) < count and time.monotonic() < until:
            mails += site.mails()
            time.sleep(0.1)
        if len(mails) < count:
            site.php("do_action( 'fluentcrm_scheduled_every_minute_tasks' );")
    assert len(mails) == count, mails
    return mails


def test_queued_sent_opened_clicked_and_left(hpos: Site, shopper: Shopper) -> None:
    """From the sidecar's call to the person who unsubscribes with one click; the sender is asked to work and does."""
    id_ = contact(hpos)
    wish = item(id_, html=PAGE.format(url=hpos.url))
    began = time.monotonic()
    outcome = queue(hpos, wish)[0]
    took = time.monotonic() - began
    assert outcome == {"key": wish["key"], "state": "queued", "id": outcome["id"], "reason": "", "code": ""}
    assert took < 15  # the sender itself works up to 50 seconds
    mail = delivered(hpos)[0]
    row = outcome["id"]
    assert mail["subject"] == "Your tea 🍵"
    assert email(hpos, row, "status, subscriber_id, email_type") == ("sent", id_, "custom_email_campaign")
    text = mail["message"]
    assert 'dir="rtl"' in text and "سلام آوا &amp; Zoë 🍵" in text and text.count("<body") == 1
    assert "Shop, 1 Elm St." in text and text.index("Shop, 1 Elm St.") < text.index("</body>")
    assert "##" not in text and "{{" not in text
    headers = " ".join(mail["headers"])
    assert "From: Shop <shop@example.com>" in headers
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in headers
    assert f"{hpos.url}/?fcsc=p.7.1.m1.x" in text  # not through the counter: it must arrive as it is
    leave = re.search(r'href="([^"]*route=unsubscribe[^"]*)"', text)
    pixel = re.search(r'src="([^"]*route=open[^"]*)"', text)
    click = re.search(r'href="([^"]*ns_url=[^"]*)">Tea', text)
    assert leave and pixel and click
    hpos.outbox()
    shopper.http.get(html.unescape(pixel[1]), timeout=30)
    answer = shopper.http.get(html.unescape(click[1]), timeout=30, allow_redirects=False)
    assert answer.headers["Location"] == f"{hpos.url}/product/tea/?a=1&b=2"
    assert hpos.outbox() == [("email.opened", id_, row, ""), ("email.clicked", id_, row, "")]
    assert email(hpos, row, "is_open, click_counter") == (1, 1)
    assert shopper.http.get(html.unescape(leave[1]), timeout=30).status_code == 200
    assert hpos.rows("SELECT status FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [("subscribed",)]  # GET is a look
    one_click = re.search(r"List-Unsubscribe: <([^>]+)>", headers)
    assert one_click
    shopper.http.post(one_click[1], {"List-Unsubscribe": "One-Click"}, timeout=30)
    assert hpos.rows("SELECT status FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [("unsubscribed",)]
    assert queue(hpos, item(id_))[0]["reason"] == "status: unsubscribed"


def test_a_piece_of_html_gets_fluentcrms_template(hpos: Site) -> None:
    queue(hpos, item(contact(hpos), html="<p>Only a piece</p>", preheader="Look <inside> {{contact.email}}"))
    text = delivered(hpos)[0]["message"]
    assert text.count("</body>") == 1 and "Only a piece" in text and "Shop, 1 Elm St." in text
    assert "route=unsubscribe" in text and "route=open" in text
    assert "Look &lt;inside&gt; contact.email}}" in text


def test_service_messages_have_no_marketing_footer(hpos: Site) -> None:
    """And go to those who have only bought."""
    id_ = contact(hpos, "transactional")
    assert queue(hpos, item(id_))[0]["reason"] == "status: transactional"
    for body in (PAGE.format(url=hpos.url), "<p>On its way</p>"):
        assert queue(hpos, item(id_, purpose="service", html=body))[0]["state"] == "queued"
        mail = delivered(hpos)[0]
        assert "unsubscribe" not in mail["message"] and "Elm St." not in mail["message"]
        assert not [line for line in mail["headers"] if line.startswith("List-Unsubscribe")]


def test_a_footer_without_a_way_out_gets_one(hpos: Site) -> None:
    """Pain 26: whatever the owner has made of the footer."""
    name = f"footer/{secrets.token_hex(4)}"
    hpos.php("fluentcrm_update_option( 'global_email_style_config', array( 'disable_footer' => 'yes' ) );")
    queue(hpos, item(contact(hpos), html="<p>Piece</p>", container=name))
    hpos.php("fluentcrm_update_option( 'global_email_style_config', array() );")
    assert delivered(hpos)[0]["message"].count("route=unsubscribe") == 1
    hpos.php(
        "$all = get_option( 'fluentcrm-global-settings' ); $all['email_settings']['email_footer'] = 'Just us'; update_option( 'fluentcrm-global-settings', $all );"
    )
    for body in (PAGE.format(url=hpos.url), "<p>Piece</p>"):
        queue(hpos, item(contact(hpos), html=body))
        assert delivered(hpos)[0]["message"].count("route=unsubscribe") == 1


def test_smartcodes_in_a_shops_text_are_text(hpos: Site) -> None:
    queue(
        hpos, item(contact(hpos), html="<p>{{contact.email}} ##crm.manage_subscription_url## {{crm.business_name}}</p>")
    )
    text = html.unescape(delivered(hpos)[0]["message"]).replace("\u2060", "")
    assert "{{contact.email}} ##crm.manage_subscription_url## {{crm.business_name}}" in text


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"contact_id": 99999999}, "gone"), ({"contact_id": 0}, "gone"), ({"purpose": "spam"}, "purpose, subject, html or container"),
        ({"purpose": ["marketing"]}, "purpose, subject, html or container"), ({"subject": " \n"}, "purpose, subject, html or container"),
        ({"subject": "x" * 193}, "purpose, subject, html or container"), ({"html": ""}, "purpose, subject, html or container"),
        ({"html": {"a": 1}}, "purpose, subject, html or container"), ({"container": ""}, "purpose, subject, html or container"),
        ({"key": ""}, "key"), ({"key": "x" * 65}, "key"), ({"key": "a'b"}, "key"), ({"key": ["k"]}, "key"),
    ],
)  # fmt: skip
def test_refused(hpos: Site, changes: dict[str, Any], reason: str) -> None:
    wish = item(contact(hpos)) | changes
    outcome = queue(hpos, wish)[0]
    assert (outcome["state"], outcome["reason"]) == ("refused", reason)
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_campaign_emails") == [(0,)]
    assert hpos.rows("SELECT COUNT(*) FROM wp_fcsc_sent WHERE kind = 'message' AND object_id = 0") == [(0,)]


@pytest.mark.parametrize("status", ["pending", "unsubscribed", "bounced", "complained", "spammed"])
@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_nobody_who_may_not_be_written_to(hpos: Site, status: str, purpose: str) -> None:
    outcome = queue(hpos, item(contact(hpos, status), purpose=purpose))[0]
    assert (outcome["state"], outcome["reason"]) == ("refused", f"status: {status}")


def test_an_erased_person_gets_nothing(hpos: Site) -> None:
    """Pain 25: also where an import has made the contact again."""
    address = f"e{secrets.token_hex(4)}@example.com"
    hpos.php("FluentCrmSidecar\\Privacy::erase( $in );", address)
    outcome = queue(hpos, item(contact(hpos, email=address), purpose="service"))[0]
    assert (outcome["state"], outcome["reason"]) == ("refused", "suppressed")
    hpos.rows("DELETE FROM wp_fcsc_suppressed")


def test_the_same_key_is_one_message(hpos: Site) -> None:
    """Pain 31: asked again, in one call twice, and by four at once."""
    wish = item(contact(hpos))
    first, second = queue(hpos, wish, wish)
    assert (first["state"], second["state"]) == ("queued", "known")
    assert first["id"] == second["id"]
    with ThreadPoolExecutor(4) as pool:
        again = [one[0] for one in pool.map(lambda _: queue(hpos, wish), range(4))]
    assert {(one["state"], one["id"]) for one in again} == {("known", first["id"])}
    fresh = item(contact(hpos))
    with ThreadPoolExecutor(4) as pool:
        states = sorted(one[0]["state"] for one in pool.map(lambda _: queue(hpos, fresh), range(4)))
    assert states == ["known", "known", "known", "queued"]
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_campaign_emails") == [(2,)]
    assert known(hpos, wish["key"], "never-asked", fresh["key"]).keys() == {wish["key"], fresh["key"]}
    assert known(hpos, wish["key"])[wish["key"]] == first["id"]
    assert known(hpos) == {}
    delivered(hpos, 2)


def test_known_also_when_the_person_has_left_since(hpos: Site) -> None:
    wish = item(contact(hpos))
    assert queue(hpos, wish)[0]["state"] == "queued"
    delivered(hpos)
    hpos.rows("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", (wish["contact_id"],))
    assert queue(hpos, wish)[0]["state"] == "known"


@pytest.mark.parametrize(
    "moment",
    [
        "INSERT IGNORE INTO `wp_fcsc_sent`",
        "INSERT INTO `wp_fc_campaign_emails`",
        "email_body",
        "ON DUPLICATE KEY",
        "COMMIT",
    ],
)
def test_killed_in_between(hpos: Site, moment: str) -> None:
    """Pain 31: `kill -9` before, at and after each statement that matters: the key and the message are there together, or neither."""
    queue(hpos, item(contact(hpos)))  # the campaign is there
    delivered(hpos)
    hpos.rows("DELETE FROM wp_fc_campaign_emails")
    wish = item(contact(hpos), html=f'<a href="{hpos.url}/shop/?n={secrets.token_hex(4)}">Shop</a>')
    code = (
        "$GLOBALS['dead'] = $in[1]; add_filter( 'query', function ( $sql ) { if ( false !== stripos( $sql, $GLOBALS['dead'] ) ) { posix_kill( getmypid(), 9 ); } return $sql; } );"
        "return FluentCrmSidecar\\Messages::queue( array( $in[0] ) );"
    )
    with pytest.raises(AssertionError, match="PHP said"):
        hpos.php(code, [wish, moment])
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_campaign_emails") == [(0,)]
    assert known(hpos, wish["key"]) == {}
    assert queue(hpos, wish)[0]["state"] == "queued"
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_campaign_emails") == [(1,)]
    delivered(hpos)


def test_a_listener_that_throws_leaves_nothing(hpos: Site) -> None:
    extra = hpos.content / "extra" / "thrower.php"
    extra.write_text(
        "<?php add_filter( 'fluent_crm/track_click', function ( $on ) { throw new Exception( 'secret@example.com' ); } );",
        "utf-8",
    )
    wish = item(contact(hpos), html=f'<a href="{hpos.url}/">x</a>')
    try:
        outcome = queue(hpos, wish)[0]
    finally:
        extra.unlink()
    assert outcome["state"] == "again"
    assert outcome["reason"].startswith("failed: Exception at thrower.php:")
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_campaign_emails") == [(0,)]
    assert queue(hpos, wish)[0]["state"] == "queued"
    delivered(hpos)


def test_one_campaign_a_step_that_the_owner_may_rename_or_delete(hpos: Site) -> None:
    name = f"welcome/{secrets.token_hex(4)}"
    ids = [
        one["id"] for one in queue(hpos, *[item(contact(hpos), container=name, title="Welcome: 1") for _ in range(3)])
    ]
    boxes = {email(hpos, id_, "campaign_id")[0] for id_ in ids}
    assert len(boxes) == 1
    box = boxes.pop()
    assert hpos.rows("SELECT type, status, title FROM wp_fc_campaigns WHERE id = %s", (box,)) == [("custom_email_campaign", "published", "Welcome: 1")]  # fmt: skip
    hpos.rows("UPDATE wp_fc_campaigns SET title = 'Mine' WHERE id = %s", (box,))
    again = queue(hpos, item(contact(hpos), container=name))[0]["id"]
    assert email(hpos, again, "campaign_id") == (box,)
    other = queue(hpos, item(contact(hpos), container=name, purpose="service"))[0]["id"]
    assert email(hpos, other, "campaign_id") != (box,)
    delivered(hpos, 5)
    hpos.rows("DELETE FROM wp_fc_campaigns WHERE id = %s", (box,))
    anew = queue(hpos, item(contact(hpos), container=name))[0]
    assert anew["state"] == "queued"
    assert email(hpos, anew["id"], "campaign_id") != (box,)
    delivered(hpos)


def test_two_hundred_at_once(hpos: Site) -> None:
    """A full batch is queued well within the time of one call."""
    id_ = contact(hpos)
    hpos.rows("UPDATE wp_fc_campaign_emails SET status = 'sent'")
    items = [item(id_, html=f'<p>Hi</p><a href="{hpos.url}/product/tea/">Tea</a>') for _ in range(200)]
    hpos.php("update_option( 'fluentcrm_is_sending_emails', time() );")  # busy
    began = time.monotonic()
    outcomes = queue(hpos, *items)
    took = time.monotonic() - began
    assert {one["state"] for one in outcomes} == {"queued"}
    assert took < 10, took
    hpos.rows("UPDATE wp_fc_campaign_emails SET status = 'cancelled' WHERE status IN ('scheduled', 'pending')")
    hpos.php("update_option( 'fluentcrm_is_sending_emails', '' );")
    time.sleep(0.5)
    hpos.mails()


def test_without_fluentcrm_or_the_table(hpos: Site) -> None:
    wish = item(contact(hpos))
    plugins = hpos.php("return get_option( 'active_plugins' );")
    hpos.php("update_option( 'active_plugins', $in );", [name for name in plugins if "fluent-crm" not in name])
    try:
        assert (queue(hpos, wish)[0]["state"], queue(hpos, wish)[0]["reason"]) == ("again", "no campaign")
    finally:
        hpos.php("update_option( 'active_plugins', $in );", plugins)
    hpos.rows("RENAME TABLE wp_fcsc_sent TO wp_fcsc_sent_away")
    try:
        outcome = queue(hpos, wish)[0]
        assert outcome["state"] == "again"
        assert hpos.rows("SELECT COUNT(*) FROM wp_fc_campaign_emails") == [(0,)]
    finally:
        hpos.rows("RENAME TABLE wp_fcsc_sent_away TO wp_fcsc_sent")


def test_old_keys_go_and_campaigns_stay_known(hpos: Site) -> None:
    queue(hpos, item(contact(hpos)))
    delivered(hpos)
    hpos.rows("UPDATE wp_fcsc_sent SET created_gmt = UTC_TIMESTAMP() - INTERVAL 31 DAY")
    hpos.php("FluentCrmSidecar\\Tables::cleanup();")
    assert {kind for (kind,) in hpos.rows("SELECT kind FROM wp_fcsc_sent")} == {"box"}
