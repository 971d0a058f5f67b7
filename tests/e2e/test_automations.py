"""An owner's automations the whole way: switched on by the command line, entered by what shoppers do, sent by FluentCRM's own sender,
ended by an order, counted and explained; and nothing to those who left or bought a moment ago, nothing twice after `kill -9`.

Waiting is made short by moving times in the databases: a cart that was touched a minute ago, a step that is due now.
"""

from __future__ import annotations

import html
import json
import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from running import Live, eventually, preferences
from shopper import Shopper

pytestmark = pytest.mark.wordpress

SECONDS = 60.0  # carts are looked at every 20 s; a test machine may be busy
CROWD = 24

CART = """
title = "Short cart"
[trigger]
on = "cart.abandoned"
idle = "1m"
[[step]]
id = "gift"
do = "coupon"
kind = "percent"
amount = 10
offer = "gift"
expires = "1d"
prefix = "BACK"
[[step]]
id = "first"
do = "send"
title = "The first one"
channels = ["email"]
still = ["cart_open"]
[step.text.en]
subject = "Your cart waits, {{ person.first_name|default('friend') }}"
body = '''
{{ person.greeting }},

we kept your things.

{{ cart_table(cart) }}

{% if coupon %}{{ coupon_box(coupon) }}{% endif %}

{{ button("Back to my cart", cart.link) }}
'''
[[step]]
id = "hour"
do = "wait"
period = "1h"
[[step]]
id = "second"
do = "send"
channels = ["email"]
[step.text.en]
subject = "Last call for your cart"
body = "{{ cart.link }}"
[goal]
topics = ["order.placed"]
"""
THANKS = """
title = "Thanks"
[trigger]
on = "order.paid"
[[step]]
id = "settle"
do = "wait"
period = "1h"
[[step]]
id = "word"
do = "send"
channels = ["email"]
[step.text.en]
subject = "Thank you for {{ order.number }}"
body = "{{ person.greeting }}, thank you. {{ shop.name }}"
"""
SETTINGS = '[automations]\nquiet_from = "00:00"\nquiet_to = "00:00"\ncap_day = 0\ncap_week = 0\n'

# Who has bought before, and has said yes to e-mail.
PEOPLE = """
foreach ( $in['people'] as $email => $name ) {
	FluentCrm\\App\\Models\\Subscriber::create( array( 'email' => $email, 'first_name' => $name, 'status' => 'subscribed' ) );
	$order = wc_create_order( array( 'status' => 'pending' ) ); $order->add_product( wc_get_product( $in['product'] ), 1 );
	if ( method_exists( $order, 'set_date_created' ) ) { $order->set_date_created( time() - 7200 ); }
	$order->set_billing_email( $email ); $order->calculate_totals(); $order->save(); $order->update_status( 'completed' );
}
"""
BUY = """
foreach ( $in['people'] as $email ) {
	$order = wc_create_order( array( 'status' => 'pending' ) ); $order->add_product( wc_get_product( $in['product'] ), 1 );
	$order->set_billing_email( $email ); $order->calculate_totals(); $order->save(); $order->update_status( 'completed' );
}
"""
# The plugin's news of this request never arrive.
UNHEARD = "add_filter( 'query', function ( $sql ) { return preg_match( '/^\\s*INSERT.*fcsc_outbox/is', $sql ) ? 'SELECT 1' : $sql; } );"
# FluentCRM as an owner has set it up.
SENDER = """update_option( 'fluentcrm-global-settings', array( 'email_settings' => array( 'from_name' => 'Shop', 'from_email' => 'shop@example.com',
	'emails_per_second' => 100, 'email_footer' => 'Shop, 1 Elm St. <a href="##crm.unsubscribe_url##">Leave us</a>' ) ) );"""
# Messages are queued so slowly that a kill meets them in the middle.
SLOW = """<?php add_filter( 'query', function ( $sql ) {
	static $slept = false;
	if ( ! $slept && false !== strpos( $_SERVER['REQUEST_URI'] ?? '', 'messages' ) && preg_match( '/^\\s*INSERT\\b.*fc_campaign_emails/is', $sql ) ) { $slept = true; usleep( 1500000 ); }
	return $sql;
} );"""


@dataclass(frozen=True)
class Owner:
    """The shop with its automations on."""

    live: Live

    # -- the sidecar's state

    def state(self, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
        path = self.live.sidecar.folder / "state" / "state.sqlite3"
        with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
            return connection.execute(sql, arguments).fetchall()

    def ways(self, name: str, email: str) -> list[dict[str, Any]]:
        """What `why` tells of somebody."""
        ways: list[dict[str, Any]] = self.live.sidecar.run("automations", "why", name, email)["ways"]
        return ways

    def inside(self, name: str, *emails: str, step: str = "") -> list[int]:
        """The enrolments of these people in an automation; with a step: who wait for it."""
        marks = ", ".join(["%s"] * len(emails))
        contacts = self.live.site.rows(f"SELECT id FROM wp_fc_subscribers WHERE email IN ({marks})", emails)
        rows = self.state(
            "SELECT e.id FROM enrolment e JOIN person p ON p.id = e.person_id JOIN automation a ON a.id = e.automation_id"
            " WHERE a.name = ?1 AND p.contact_id IN (SELECT value FROM json_each(?2)) AND (?3 = '' OR (e.step = ?3 AND e.state = 'waiting'))",
            name, json.dumps([row[0] for row in contacts]), step,
        )  # fmt: skip
        return [row[0] for row in rows]

    def waiting(self, name: str, step: str, *emails: str) -> list[int]:
        """The enrolments of these people, once all of them wait for that step."""
        found: list[int] = []

        def look() -> bool:
            found[:] = self.inside(name, *emails, step=step)
            return len(found) == len(emails)

        eventually(look, SECONDS, f"{len(emails)} wait for {step}")
        return found

    def hurry(self, ids: list[int]) -> None:
        """The clock goes on: who waits of these is due."""
        self.state(
            "UPDATE enrolment SET due = ? WHERE state = 'waiting' AND id IN (SELECT value FROM json_each(?))",
            int(time.time()), json.dumps(ids),
        )  # fmt: skip

    def handing(self) -> int:
        """Messages that may be out or not at this moment."""
        return int(self.state("SELECT COUNT(*) FROM message WHERE state = 'handing'")[0][0])

    def over(self, ids: list[int]) -> bool:
        """Nobody of these waits any more."""
        return self.state("SELECT COUNT(*) FROM enrolment WHERE state = 'waiting' AND id IN (SELECT value FROM json_each(?))", json.dumps(ids)) == [(0,)]  # fmt: skip

    # -- mail

    def mails(self, email: str) -> list[dict[str, Any]]:
        """What FluentCRM's sender has handed to WordPress for an address, without the shop's own e-mails."""
        path = self.live.site.content / "mail.log"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [
            mail
            for mail in map(json.loads, lines)
            if email in str(mail["to"]) and re.match("Your cart|Last call|Thank you for \\d", mail["subject"])
        ]

    def minute(self) -> None:
        """FluentCRM's own minute."""
        self.live.site.php("do_action( 'fluentcrm_scheduled_every_minute_tasks' );")

    def queued(self, email: str) -> list[str]:
        """The subjects of FluentCRM's queue for an address that were not taken back."""
        rows = self.live.site.rows("SELECT email_subject FROM wp_fc_campaign_emails WHERE email_address = %s AND status <> 'cancelled'", (email,))  # fmt: skip
        return [str(row[0]) for row in rows]

    def mailed(self, email: str, subject: str) -> dict[str, Any]:
        """The only mail with that subject, once it has come."""

        def look() -> list[dict[str, Any]]:
            return [mail for mail in self.mails(email) if mail["subject"].startswith(subject)]

        try:
            found = eventually(look, SECONDS)
        except AssertionError:
            self.minute()
            found = eventually(look, 20, f"a mail: {self.queued(email)} {self.live.sidecar.log[-1500:]}")
        assert len(found) == 1
        mail: dict[str, Any] = found[0]
        return mail

    # -- carts

    def leave(self, shopper: Shopper, email: str) -> int:
        """Two red shirts in a cart, the address typed at the checkout, and away. The cart's number."""
        shopper.post("/?wc-ajax=add_to_cart", {"product_id": self.live.site.ids["red"], "quantity": 2})
        shopper.beacon({"checkout": 1, "email": email})
        rows = self.live.site.rows("SELECT id FROM wp_fcsc_carts WHERE email = %s", (email,))
        assert len(rows) == 1
        return int(rows[0][0])

    def idle(self, cart: int) -> None:
        """It was left a minute ago, but for two seconds."""
        self.live.site.rows(
            "UPDATE wp_fcsc_carts SET created_gmt = UTC_TIMESTAMP() - INTERVAL 58 SECOND, updated_gmt = UTC_TIMESTAMP() - INTERVAL 58 SECOND"
            " WHERE id = %s",
            (cart,),
        )

    def looked(self, moment: float) -> None:
        """Until carts that became idle before that moment have been looked at."""
        eventually(
            lambda: json.loads(self.state("SELECT cursors FROM automation WHERE name = 'short-cart'")[0][0])["updated"] > moment - 60,
            SECONDS,
            "the carts are looked at",
        )  # fmt: skip


@pytest.fixture(scope="module")
def automated(whole: Live) -> Iterator[Owner]:
    """People who bought before, then the owner's two automations in their directory, switched on by the command line."""
    sidecar, site, owner = whole.sidecar, whole.site, Owner(whole)
    people = {f"{name.lower()}@auto.example": name for name in ("Ava", "Pia", "Max", "Leo", "Lea")}
    people |= {f"crowd{number}@auto.example": f"Crowd {number}" for number in range(CROWD)}
    sidecar.serve()
    if site.real:
        site.php(SENDER)
    site.settings(basis="email")
    site.php(PEOPLE, {"product": site.ids["tea"], "people": people})
    sidecar.quiet(60)
    sidecar.stop()
    before = sidecar.config.read_text("utf-8")
    # Nothing is learnt by asking the shop while tests last: only what the plugin tells, and what is asked before each message.
    seldom = before.replace("[events]\npoll_seconds = 5\n", "[events]\npoll_seconds = 600\n")
    assert seldom != before
    sidecar.config.write_text(seldom + SETTINGS, "utf-8")
    folder = sidecar.folder / "automations"
    folder.mkdir()
    (folder / "short-cart.toml").write_text(CART, "utf-8")
    (folder / "short-thanks.toml").write_text(THANKS, "utf-8")
    try:
        for name in ("short-cart", "short-thanks"):
            assert sidecar.run("automations", "on", name)["on"] == name
        # It was switched on ten minutes ago: carts are made older than they are.
        since = int(time.time()) - 600
        owner.state("UPDATE automation SET live_from = ?, cursors = ? WHERE name = 'short-cart'", since, json.dumps({"updated": since}))  # fmt: skip
        sidecar.serve()
        yield owner
    finally:
        sidecar.serve()
        for name in ("short-cart", "short-thanks"):
            sidecar.run("automations", "off", name)
        sidecar.stop()
        sidecar.config.write_text(before, "utf-8")
        site.settings()


@pytest.fixture
def owner(automated: Owner, live: Live) -> Owner:
    """The same, running, with nothing to do."""
    return automated


def test_who_bought_before_gets_nothing(owner: Owner) -> None:
    """Pain 5: an import, and all that was before."""
    for name in ("short-cart", "short-thanks"):
        assert owner.state("SELECT COUNT(*) FROM enrolment e JOIN automation a ON a.id = e.automation_id WHERE a.name = ?", name) == [(0,)]  # fmt: skip


def link(page: str, label: str) -> str:
    found = re.search(rf'<a[^>]*href="([^"]+)"[^>]*>\s*{label}', page)
    assert found, page
    return html.unescape(found[1])


def test_a_cart_from_the_beacon_to_the_credit(owner: Owner, shopper: Shopper) -> None:
    """Pains 16, 30, 43: the whole way of a cart that is left."""
    site, sidecar, email = owner.live.site, owner.live.sidecar, "ava@auto.example"
    if not site.real:
        pytest.skip("carts are WooCommerce's own")
    owner.idle(owner.leave(shopper, email))
    mail = owner.mailed(email, "Your cart waits")
    # FluentCRM sends within the call that hands it over: here the mail is there before the sidecar knows that it was taken.
    owner.waiting("short-cart", "second", email)
    text = mail["message"]
    assert mail["subject"] == "Your cart waits, Ava"
    assert "Hello Ava" in text and "we kept your things" in text and "Shirt" in text and "Red" in text
    assert text.count("route=unsubscribe") == 1 and text.count("Leave us") == 1
    assert len([line for line in mail["headers"] if line.startswith("List-Unsubscribe:")]) == 1
    code = owner.state("SELECT c.code FROM coupon c JOIN automation a ON a.id = c.automation_id WHERE a.name = 'short-cart'")[0][0]  # fmt: skip
    assert code.upper() in text.upper()
    # On another device: nothing of the first browser is there.
    with Shopper(site) as other:
        back = other.http.get(link(text, "Back to my cart"), timeout=60)
        assert back.status_code == 200 and email not in back.url
        said = other.get("/wp-json/wc/store/v1/cart").json()
        assert {line["id"]: line["quantity"] for line in said["items"]} == {site.ids["red"]: 2}
        assert [one["code"] for one in said["coupons"]] == [code.lower()]
        order = int(other.classic_checkout(email)["order_id"])
    owner.live.sidecar.quiet(60)
    way = eventually(lambda: next((one for one in owner.ways("short-cart", email) if one["state"] != "waiting"), None), SECONDS)  # fmt: skip
    assert (way["state"], way["held"], way["sentence"]) == ("goal", False, "ended: what it is for has happened")
    assert [(one["step"], one["outcome"]) for one in way["steps"]] == [("gift", "done"), ("first", "done"), ("hour", "done")]  # fmt: skip
    owner.hurry(owner.inside("short-cart", email))
    assert len(way["messages"]) == 1
    assert sidecar.run("automations", "why", "short-cart", email)["verdict"] == "They got 1 message of it."
    # The order is the message's, by its coupon, once.
    figures = sidecar.run("automations", "stats", "short-cart")["figures"]
    total = float(site.php("return (float) wc_get_order( $in )->get_total();", order))
    assert (figures["orders"], figures["by_coupon"], figures["coupons_used"], figures["best"]) == (1, 1, 1, "first")
    assert figures["revenue"] == round(total * 1_000_000)
    assert (figures["reached"]["goals"], figures["recipients"]) == (1, 1)
    time.sleep(3)
    owner.minute()
    assert [one["subject"] for one in owner.mails(email) if "cart" in one["subject"]] == ["Your cart waits, Ava"]


def test_a_purchase_a_second_before(owner: Owner) -> None:
    """Pain 28: elsewhere, and before anything of it was heard."""
    site = owner.live.site
    if not site.real:
        pytest.skip("carts are WooCommerce's own")
    pia, max_ = "pia@auto.example", "max@auto.example"
    with Shopper(site) as one, Shopper(site) as two:
        cart, other = owner.leave(one, pia), owner.leave(two, max_)
        owner.idle(cart)
        owner.mailed(pia, "Your cart waits")
        ids = owner.waiting("short-cart", "second", pia)
        # One buys before the second message, one before the first; what the plugin tells of it is lost.
        owner.idle(other)
        site.php(UNHEARD + BUY, {"product": site.ids["tea"], "people": [pia, max_]})
        owner.hurry(ids)
    owner.looked(time.time())
    owner.live.sidecar.quiet(60)
    eventually(lambda: owner.ways("short-cart", pia)[0]["state"] in ("goal", "exit"), SECONDS)
    time.sleep(2)
    owner.minute()
    assert [mail["subject"] for mail in owner.mails(pia) if "cart" in mail["subject"]] == ["Your cart waits, Pia"]
    assert [mail["subject"] for mail in owner.mails(max_) if "cart" in mail["subject"]] == []
    entered = owner.ways("short-cart", max_)[0]  # for all that the sidecar knew
    assert (entered["state"], entered["messages"]) == ("goal", [])


def test_who_leaves_between_queueing_and_due(owner: Owner) -> None:
    """Pain 22: while they wait in the automation, and while the message waits in FluentCRM's queue."""
    site, leo, lea = owner.live.site, "leo@auto.example", "lea@auto.example"
    site.php(BUY, {"product": site.ids["tea"], "people": [leo, lea]})
    ids = owner.waiting("short-thanks", "word", leo, lea)
    leave(owner, leo)
    site.php("update_option( 'fluentcrm_is_sending_emails', time() );")  # busy
    owner.hurry(ids)
    subject = eventually(lambda: owner.queued(lea), SECONDS)[0]
    assert subject.startswith("Thank you for ")
    left = owner.ways("short-thanks", leo)[0]
    assert (left["state"], left["messages"], left["steps"][-1]["outcome"]) == ("done", [], "skipped")
    assert left["steps"][-1]["reason"] in ("no_consent", "withdrawn")
    leave(owner, lea)
    site.php("update_option( 'fluentcrm_is_sending_emails', '' );")
    if site.real:
        owner.minute()
        time.sleep(2)
        owner.minute()
        assert owner.queued(lea) == []  # FluentCRM has cancelled it
    assert (owner.mails(leo), owner.mails(lea), owner.queued(leo)) == ([], [], [])


def leave(owner: Owner, email: str) -> None:
    """By the page of preferences, as the link of any message leads there."""
    site = owner.live.site
    with Shopper(site) as browser:
        form = {"fcsc": preferences(site, email), "save": "1", "shown[]": ["email"]}
        assert browser.post("/", form).status_code == 200
    assert site.rows("SELECT status FROM wp_fc_subscribers WHERE email = %s", (email,)) == [("unsubscribed",)]


def test_killed_while_messages_are_handed_over(owner: Owner) -> None:
    """Pains 31, 47: `kill -9` before the plugin has taken them, while it does, and when it has; everybody has one message in the end."""
    site, sidecar, people = (
        owner.live.site,
        owner.live.sidecar,
        [f"crowd{number}@auto.example" for number in range(CROWD)],
    )
    slow = site.content / "extra" / "slow.php"
    site.php(BUY, {"product": site.ids["tea"], "people": people})
    ids = owner.waiting("short-thanks", "word", *people)
    slow.write_text(SLOW, "utf-8")
    try:
        for number, pause in enumerate((0.0, 0.8, 1.6)):
            killed(owner, ids[number::3], pause)
    finally:
        slow.unlink()
        sidecar.serve()
    states = owner.state("SELECT state, COUNT(*) FROM message WHERE enrolment_id IN (SELECT value FROM json_each(?)) GROUP BY 1", json.dumps(ids))  # fmt: skip
    assert {state for state, _ in states} <= {"queued", "sent"} and sum(number for _, number in states) == CROWD, states
    assert Counter(email for email in people for _ in owner.queued(email)) == dict.fromkeys(people, 1)
    if site.real:
        until = time.monotonic() + SECONDS
        while sum(len(owner.mails(email)) for email in people) < CROWD and time.monotonic() < until:
            owner.minute()
            time.sleep(1)
        time.sleep(2)
        assert {email: len(owner.mails(email)) for email in people} == dict.fromkeys(people, 1)


def killed(owner: Owner, ids: list[int], pause: float) -> None:
    """The sidecar dies so long after it has begun to hand these over, and comes back."""
    sidecar = owner.live.sidecar
    owner.hurry(ids)
    eventually(lambda: owner.handing() == len(ids), SECONDS, "messages are handed over")
    time.sleep(pause)
    assert sidecar.process is not None
    sidecar.process.kill()
    sidecar.process.wait()
    sidecar.process = None
    assert pause > 1 or owner.handing() == len(ids)  # the last one may have been too late
    # A dead one's claims are over after five minutes.
    owner.state("UPDATE enrolment SET claim = 1 WHERE claim > 0")
    sidecar.serve()
    eventually(lambda: owner.over(ids), SECONDS, "all have theirs")
