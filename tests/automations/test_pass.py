"""Automations as a part of the running sidecar's passes: from the shop's order to a real mail server, by nobody's hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from automating import Keeper, copied
from bridging import NOW_MS, hint
from support import ShopDatabase

from sidecar import segments
from sidecar.automations import engine, switching, versions
from sidecar.automations.place import Place
from sidecar.automations.worked import Worked
from sidecar.config import Automations, Config, Segments
from sidecar.config_channels import Channels, Email, Sms
from sidecar.runtime import Runtime, build
from sidecar.sync import automations
from sidecar.sync.health import conditions
from sidecar.sync.link import Link, LinkState

SEGMENTS = (Path(segments.__file__).parent / "default.toml").read_text("utf-8")
THANKS = """
title = "Thanks"

[trigger]
on = "order.paid"

[[step]]
id = "thanks"
do = "send"
channels = ["email"]
purpose = "service"
title = "Thank you"
[step.text.en]
subject = "Order {{ order.number }}"
body = "{{ person.greeting }}, thank you."

[[step]]
id = "later"
do = "wait"
period = "2d"

[[step]]
id = "how"
do = "send"
channels = ["email"]
purpose = "service"
title = "How is it"
[step.text.en]
subject = "How is it?"
body = "Tell us."
"""


class Inbox:
    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        read = message_from_bytes(envelope.original_content, policy=default)
        self.taken.append((envelope.rcpt_tos[0], str(read["subject"])))
        return "250 OK"


class Running:
    """A shop whose sidecar passes again and again."""

    def __init__(self, shop: ShopDatabase, config: Config, inbox: Inbox) -> None:
        self.shop, self.config, self.inbox = shop, config, inbox
        self.keeper = Keeper(shop)
        self.before = self.keeper.next_id() - 1

    def paid(self, address: str) -> int:
        lines = ((1, 1, "Tea"),)
        order = self.keeper.order(address, at="2026-11-01 11:59:00", status="wc-processing", lines=lines)
        for topic in ("order.created", "order.paid"):
            hint(self.shop, topic, order)
        return order


@pytest.fixture
def running(known_shop: tuple[ShopDatabase, Config], tmp_path: Path) -> Iterator[Running]:
    shop, config = known_shop
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    folder = tmp_path / "automations"
    folder.mkdir()
    (folder / "thanks.toml").write_text(THANKS, "utf-8")
    email = Email(by="smtp", smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_from="shop@example.com")
    config = msgspec.structs.replace(
        copied(config, tmp_path / "state"), automations=Automations(dir=str(folder)), channels=Channels(email=email),
        segments=Segments(file=str(tmp_path / "segments.toml")),
    )  # fmt: skip
    (tmp_path / "segments.toml").write_text(SEGMENTS, "utf-8")
    made = Running(shop, config, inbox)
    yield made
    controller.stop()
    for table, column in (
        ("wc_orders", "id"),
        ("wc_order_addresses", "order_id"),
        ("posts", "ID"),
        ("postmeta", "post_id"),
    ):
        made.keeper.do(f"DELETE FROM wp_{table} WHERE {column} > %s", made.before)
    made.keeper.do("DELETE FROM wp_fcsc_outbox")
    made.keeper.connection.close()


def switched_on(sidecar: Runtime, name: str = "thanks") -> None:
    """As the owner does it, before anything happens. The plugin's own review mails and the like are not in the way."""
    state = sidecar.state
    row = versions.row(state, name)
    newest = state.rows("SELECT COALESCE(MAX(id), 0) FROM event")[0][0]
    state.sql.execute(
        "UPDATE automation SET running = 1, live_from = ?, cursors = ? WHERE id = ?",
        (NOW_MS // 1000 - 3600, msgspec.json.encode({"event": newest}).decode(), row.id),
    )


def test_an_order_is_thanked_for_within_one_pass_and_once(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with build(running.config) as sidecar:
        switched_on(sidecar)
        order = running.paid("new.buyer@example.net")
        report = sidecar.pass_()
        assert (report.entered, report.messages) == (1, 1)
        # A new buyer is a new contact, made in the same pass.
        assert running.inbox.taken == [("new.buyer@example.net", f"Order {order}")]
        assert sidecar.pass_(poll=True).messages == 0
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-03T12:30:00Z")
        assert sidecar.pass_().messages == 1
        assert running.inbox.taken[1:] == [("new.buyer@example.net", "How is it?")]
        state = sidecar.state
        assert state.rows("SELECT state, COUNT(*) FROM enrolment GROUP BY 1") == [("done", 1)]
        # The pass after an hour forgets what is old enough.
        monkeypatch.setenv("SIDECAR_NOW", "2028-11-03T12:30:00Z")
        sidecar.pass_()
        assert state.rows("SELECT COUNT(*) FROM message") == [(0,)]


def test_what_a_click_earned_is_counted_by_the_way(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with build(running.config) as sidecar:
        switched_on(sidecar)
        running.paid("g@example.net")
        sidecar.pass_()
        sidecar.state.sql.execute("UPDATE message SET clicked = ?", (NOW_MS // 1000 - 120,))
        running.paid("g@example.net")
        sidecar.pass_()
        for clock in ("_counted", "_looked"):
            monkeypatch.setattr(sidecar._passes._automations, clock, 0.0)
        sidecar.pass_()
        rows = sidecar.state.rows("SELECT how, COUNT(*) FROM credit GROUP BY 1")
        # Both orders of the buyer came within the days after the click; each is owed once.
        assert rows == [("click", 2)]
        kept = sidecar.automations.figures("thanks", fresh=900)
        assert (kept.orders, kept.sent, kept.best) == (2, 2, "thanks")
        assert kept.revenue == kept.recipients * kept.per_recipient == 200_000_000


def test_a_fault_in_automations_stops_no_order(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    with build(running.config) as sidecar:
        switched_on(sidecar)
        Path(running.config.segments.file).write_text("[[segment]]\nslug = 1\n", "utf-8")
        order = running.paid("b@example.net")
        report = sidecar.pass_()
        assert report.state == "done" and report.changed >= 1 and report.messages == 0
        trouble = automations.trouble(sidecar.state)
        assert trouble is not None and "segments have a fault" in trouble[1]
        assert sidecar.health().automations_error == trouble[1]
        Path(running.config.segments.file).write_text(SEGMENTS, "utf-8")
        assert sidecar.pass_().messages == 0, "not at once"
        monkeypatch.setattr(sidecar._passes._automations, "_not_before", 0.0)
        assert sidecar.pass_().messages == 1
        assert automations.trouble(sidecar.state) is None
        assert running.inbox.taken == [("b@example.net", f"Order {order}")]


def test_while_wordpress_does_not_answer_messages_wait(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """For longer than a moment: an update, a night. They are by FluentCRM, and nobody else's to send."""
    config = msgspec.structs.replace(running.config, channels=Channels())
    monkeypatch.setattr(Link, "ask", lambda self, home, **how: LinkState(mode="silent"))
    monkeypatch.setattr(Link, "paired", property(lambda self: True))
    with build(config) as sidecar:
        switched_on(sidecar)
        running.paid("k@example.net")
        for minute in ("12:00", "12:20"):
            monkeypatch.setenv("SIDECAR_NOW", f"2026-11-01T{minute}:00Z")
            sidecar.pass_()
            assert sidecar.state.rows("SELECT state, step, attempts FROM enrolment") == [("waiting", "thanks", 0)]
        assert sidecar.state.rows("SELECT * FROM step_done") == []
        monkeypatch.setattr(Link, "paired", property(lambda self: False))
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:40:00Z")
        sidecar.pass_()
        done = dict(sidecar.state.rows("SELECT step, reason FROM step_done"))
        assert done["thanks"] == "no_provider", "there is nobody to wait for"


def test_who_waits_for_the_plugin_or_a_gateway_is_told(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages wait for days: the owner must not find out by chance. Without an automation there is nothing to tell."""
    config = msgspec.structs.replace(running.config, channels=Channels(sms=Sms(gateway="/no/such/file.toml")))
    monkeypatch.setattr(
        Link, "state", lambda self: LinkState(mode="silent", seen=1, silent_since=NOW_MS // 1000 - 3600)
    )
    with build(config) as sidecar:
        versions.row(sidecar.state, "thanks")

        def told() -> dict[str, str]:
            return {one.name: one.sentence for one in conditions(sidecar.health(), config) if one.on}

        before = told()
        assert "channels_fault" not in before and "e-mails" not in before["bridge_silent"]
        switched_on(sidecar)
        assert "/no/such/file.toml" in told()["channels_fault"]
        assert "e-mails of automations wait" in told()["bridge_silent"]
    with build(running.config) as sidecar:
        assert not sidecar.health().emails_wait, "they go by SMTP"


def test_one_that_is_switched_off_meanwhile_is_no_fault(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only one, while a pass is at work."""
    with build(running.config) as sidecar:
        switched_on(sidecar)
        running.paid("h@example.net")
        run = engine.run

        def off(place: Place) -> Worked:
            switching.off(place.state, "thanks")
            return run(place)

        monkeypatch.setattr(engine, "run", off)
        sidecar.pass_()
        assert sidecar.state.get("automations.error") == ""


def test_what_is_wrong_is_told_no_more_when_all_are_off(running: Running) -> None:
    """Nobody looks again, so nothing else would ever take the alert back."""
    (Path(running.config.automations.dir) / "thanks.toml").write_text(
        THANKS.replace("{{ order.number }}", "{{ order.parcels[3].code }}"), "utf-8"
    )
    with build(running.config) as sidecar:
        switched_on(sidecar)
        running.paid("i@example.net")
        sidecar.pass_()
        Path(running.config.segments.file).write_text("[[segment]]\nslug = 1\n", "utf-8")
        running.paid("j@example.net")
        sidecar.pass_()
        health = sidecar.health()
        assert "thanks/thanks" in health.automations_fault and "segments" in health.automations_error
        switching.off(sidecar.state, "thanks")
        health = sidecar.health()
        assert (health.automations_fault, health.automations_error) == ("", "")


def test_a_broken_text_is_an_alert_until_it_is_mended(running: Running) -> None:
    file = Path(running.config.automations.dir) / "thanks.toml"
    file.write_text(THANKS.replace("{{ order.number }}", "{{ order.parcels[3].code }}"), "utf-8")
    with build(running.config) as sidecar:
        switched_on(sidecar)
        running.paid("c@example.net")
        sidecar.pass_()
        assert running.inbox.taken == []
        assert "thanks/thanks" in sidecar.health().automations_fault
        file.write_text(THANKS, "utf-8")
        running.paid("d@example.net")
        sidecar.pass_()
        assert len(running.inbox.taken) == 1 and sidecar.health().automations_fault == ""


def test_without_an_automation_a_pass_does_nothing_for_them(running: Running) -> None:
    with build(running.config) as sidecar:
        running.paid("e@example.net")
        report = sidecar.pass_()
        assert (report.entered, report.messages) == (0, 0)
        assert sidecar._passes._automations._shelf is None


def test_paused_and_on_hold_nothing_goes(running: Running) -> None:
    """Pains 5, 27: what happened meanwhile is still there afterwards."""
    with build(running.config) as sidecar:
        switched_on(sidecar)
        order = running.paid("f@example.net")
        sidecar.pause(10)
        assert sidecar.pass_().state == "paused" and running.inbox.taken == []
        sidecar.resume()
        sidecar.confirm_site()
        running.keeper.do(
            "UPDATE wp_options SET option_value = 'https://staging.example' WHERE option_name IN ('home', 'siteurl')"
        )
        try:
            assert sidecar.pass_().state == "held" and running.inbox.taken == []
        finally:
            for name in ("home", "siteurl"):
                running.keeper.do(
                    "UPDATE wp_options SET option_value = %s WHERE option_name = %s", "http://127.0.0.1:8080", name
                )
        assert sidecar.pass_().messages == 1
        assert running.inbox.taken == [("f@example.net", f"Order {order}")]


def test_who_takes_consent_back_before_anybody_tells_us_gets_nothing(running: Running) -> None:
    """The row is in the plugin's record; its hint stands behind thousands of others."""
    file = Path(running.config.automations.dir) / "thanks.toml"
    file.write_text(THANKS.replace('purpose = "service"', 'purpose = "marketing"', 1), "utf-8")
    with build(running.config) as sidecar:
        sidecar.pass_(poll=True)
        switched_on(sidecar)
        person, contact = sidecar.state.rows("SELECT id, contact_id FROM person WHERE contact_id IS NOT NULL LIMIT 1")[
            0
        ]
        running.keeper.do("UPDATE wp_fc_subscribers SET status = 'subscribed' WHERE id = %s", contact)
        running.paid(str(running.keeper.one("SELECT email FROM wp_fc_subscribers WHERE id = %s", contact)))
        running.keeper.do(
            "INSERT INTO wp_fcsc_consents (contact_id, user_id, order_id, created_gmt, channel, state, source, wording)"
            " VALUES (%s, 0, 0, UTC_TIMESTAMP(), 'email', 'withdrawn', 'preferences', '')", contact,
        )  # fmt: skip
        sidecar.pass_()
        assert sidecar.state.rows(
            "SELECT d.reason FROM step_done d JOIN enrolment e ON e.id = d.enrolment_id WHERE e.person_id = ? AND d.step = 'thanks'",
            (person,),
        ) == [("withdrawn",)]
        assert running.inbox.taken == []
        running.keeper.do("DELETE FROM wp_fcsc_consents")
