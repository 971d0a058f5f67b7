"""Web Push from a subscription in the shop's database to a browser that reads the message, and back when it is gone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from automating import Keeper, copied
from bridging import NOW_MS, FakeBridge, bridge, hint
from outgoing import Browser
from pytest_httpserver import HTTPServer
from support import ShopDatabase
from syncing import execute
from werkzeug import Request, Response

from sidecar import http_client, segments
from sidecar.automations import browsers, versions
from sidecar.automations.channels import push
from sidecar.config import Automations, Config, Segments
from sidecar.config_channels import Channels
from sidecar.config_channels import Push as Section
from sidecar.errors import BridgeUnreachable
from sidecar.mysql.connection import Reader
from sidecar.people import consents
from sidecar.runtime import Runtime, build
from sidecar.state.database import State

SEGMENTS = (Path(segments.__file__).parent / "default.toml").read_text("utf-8")
NEWS = """
title = "News"

[trigger]
on = "order.paid"

[[step]]
id = "news"
do = "send"
channels = ["push"]
purpose = "marketing"
title = "News"
[step.text.en]
subject = "Order {{ order.number }}"
body = "Come again."
short = "Come again."
"""
AT = "2026-11-01 11:59:30"
VISITOR = "ab" * 16


class Place:
    """A shop, the plugin, a push service, and a browser that has subscribed there."""

    def __init__(self, shop: ShopDatabase, config: Config, fake: FakeBridge, server: HTTPServer) -> None:
        self.shop, self.config, self.fake, self.server = shop, config, fake, server
        self.keeper = Keeper(shop)
        self.before = self.keeper.next_id() - 1
        self.browser = Browser()
        self.status = 201
        self.heard: list[dict[str, Any]] = []
        server.expect_request("/push", method="POST").respond_with_handler(self._take)
        self.endpoint = server.url_for("/push")

    def _take(self, request: Request) -> Response:
        if self.status == 201:
            self.heard.append(json.loads(self.browser.read(request.get_data())))
        return Response(status=self.status)

    def subscribed(self, *, user: int = 0, order: int = 0, visitor: str = "", endpoint: str = "") -> int:
        """A row of the plugin."""
        where = endpoint or self.endpoint
        keys = json.loads(self.browser.subscription(where))["keys"]
        execute(
            self.shop,
            "INSERT INTO wp_fcsc_push (endpoint_hash, endpoint, p256dh, auth, user_id, order_id, visitor, created_gmt)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (hashlib.sha256(where.encode()).hexdigest(), where, keys["p256dh"], keys["auth"], user, order, visitor, AT),
        )
        return int(self.keeper.one("SELECT MAX(id) FROM wp_fcsc_push"))

    def said(self, order: int, state: str = "given") -> None:
        """The plugin's record of it, with its hint."""
        execute(
            self.shop,
            "INSERT INTO wp_fcsc_consents (order_id, channel, state, source, created_gmt) VALUES (%s, 'push', %s, 'push', %s)",
            (order, state, AT),
        )
        row = int(self.keeper.one("SELECT MAX(id) FROM wp_fcsc_consents"))
        hint(self.shop, "consent.changed", row, detail=f"push {state}")

    def paid(self, address: str, *, visitor: str = "") -> int:
        lines = ((1, 1, "Tea"),)
        order = self.keeper.order(address, at="2026-11-01 11:59:00", status="wc-processing", lines=lines)
        for topic in ("order.created", "order.paid"):
            hint(self.shop, topic, order, visitor=visitor)
        return order

    def rows(self) -> list[int]:
        return [row[0] for row in self.shop.rows("SELECT id FROM wp_fcsc_push ORDER BY id")]


@pytest.fixture
def place(
    known_shop: tuple[ShopDatabase, Config], tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    shop, config = known_shop
    (tmp_path / "automations").mkdir()
    (tmp_path / "automations/news.toml").write_text(NEWS, "utf-8")
    (tmp_path / "segments.toml").write_text(SEGMENTS, "utf-8")
    config = msgspec.structs.replace(
        copied(config, tmp_path / "state"), automations=Automations(dir=str(tmp_path / "automations")),
        channels=Channels(push=Section(contact="owner@example.com")), segments=Segments(file=str(tmp_path / "segments.toml")),
    )  # fmt: skip
    asked = http_client.ask
    # The stand-in is on this machine, which a subscription must not lead to.
    monkeypatch.setattr(http_client, "ask", lambda *a, **k: asked(*a, **(k | {"reach": "any"})))
    with bridge(shop, config) as (fake, paired):
        made = Place(shop, paired, fake, httpserver)
        yield made
    for table, column in (
        ("wc_orders", "id"), ("wc_order_addresses", "order_id"), ("posts", "ID"), ("postmeta", "post_id"),
    ):  # fmt: skip
        made.keeper.do(f"DELETE FROM wp_{table} WHERE {column} > %s", made.before)
    for table in ("outbox", "push", "consents"):
        made.keeper.do(f"DELETE FROM wp_fcsc_{table}")
    made.keeper.do("DELETE FROM wp_options WHERE option_name = 'fcsc_push_key'")
    made.keeper.connection.close()


def switched_on(sidecar: Runtime) -> None:
    state = sidecar.state
    newest = state.rows("SELECT COALESCE(MAX(id), 0) FROM event")[0][0]
    state.sql.execute(
        "UPDATE automation SET running = 1, live_from = ?, cursors = ? WHERE id = ?",
        (NOW_MS // 1000 - 3600, msgspec.json.encode({"event": newest}).decode(), versions.row(state, "news").id),
    )


def test_from_the_click_to_the_notification(place: Place) -> None:
    with build(place.config) as sidecar:
        switched_on(sidecar)
        silent, order, no = (place.paid(f"push{n}@example.net") for n in range(3))
        for number in (silent, order, no):
            place.subscribed(order=number, endpoint=place.endpoint + ("" if number == order else f"?{number}"))
        place.said(order)
        place.said(no)
        place.said(no, "withdrawn")
        report = sidecar.pass_(poll=True)
        assert (report.entered, report.messages) == (3, 1)
        message = place.heard[0]
        assert (message["title"], message["body"]) == (f"Order {order}", "Come again.")
        assert len(place.heard) == 1, "who never said yes, or took it back, gets nothing"


def test_a_browser_that_is_gone_is_forgotten(place: Place) -> None:
    with build(place.config) as sidecar:
        switched_on(sidecar)
        order = place.paid("gone@example.net")
        row = place.subscribed(order=order)
        other = place.subscribed(order=order + 1_000_000, endpoint="https://push.example/other")
        place.said(order)
        place.status = 410
        assert place.rows() == [row, other]
        sidecar.pass_(poll=True)
        assert place.rows() == [other]
        state = sidecar.state.rows("SELECT state, reason FROM message WHERE channel = 'push'")
        assert state == [("failed", "the browser has unsubscribed")]


def test_a_plugin_that_does_not_hear_of_it_hears_of_it_again(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    from outgoing import message

    from sidecar.automations.channels.registry import Channels as Registry

    class Deaf:
        paired = True

        def push(self, items: Any) -> object:
            raise BridgeUnreachable("WordPress does not answer", hint="")

    place.status = 404
    with State(place.config.state.dir) as state:
        us = Registry(place.config, state, Deaf())  # type: ignore[arg-type]
        found = us.send([message(channel="push", to=place.browser.subscription(place.endpoint))])
    assert (found[0].state, found[0].gone) == ("refused", True)
    assert "did not hear of browsers that are gone" in caplog.text
    assert place.endpoint not in caplog.text


def test_the_plugin_gets_the_key_once(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with build(place.config) as sidecar:
        key = push.public_key(place.config.state.dir)
        sidecar.pass_(poll=True)
        assert place.fake.pushed == [{"key": key}]
        sidecar.pass_(poll=True)
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:06:00Z")
        sidecar.pass_(poll=True)
        assert place.fake.pushed == [{"key": key}], "it has it"
        place.keeper.do("UPDATE wp_options SET option_value = 'x' WHERE option_name = 'fcsc_push_key'")
        sidecar.pass_(poll=True)
        assert len(place.fake.pushed) == 1, "asked every five minutes"
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:12:00Z")
        sidecar.pass_(poll=True)
        assert place.fake.pushed == [{"key": key}] * 2


def test_a_damaged_key_stops_nothing(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    Path(place.config.state.dir, "vapid.pem").write_text("no", "ascii")
    with build(place.config) as sidecar:
        assert sidecar.pass_(poll=True).state == "done"
    assert place.fake.pushed == []
    assert "vapid.pem cannot be used" in caplog.text or "has not got the key" in caplog.text


def test_without_the_channel_nothing_is_asked(place: Place) -> None:
    with build(msgspec.structs.replace(place.config, channels=Channels())) as sidecar:
        sidecar.pass_(poll=True)
    assert place.fake.pushed == []
    assert not Path(place.config.state.dir, "vapid.pem").exists()


def test_a_stranger_is_recognised(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clicked first, bought later in the same browser: their word is of the moment of the click."""
    place.subscribed(visitor=VISITOR)
    with build(place.config) as sidecar:
        sidecar.pass_(poll=True)
        place.paid("stranger@example.net", visitor=VISITOR)
        sidecar.pass_()
        for _ in range(2):
            monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:06:00Z")
            sidecar.pass_(poll=True)
        state = sidecar.state
        person = state.rows("SELECT person_id FROM visitor WHERE visitor = ?", (VISITOR,))[0][0]
        said = [(channel, word.state, word.source, word.at) for channel, word in consents.history(state, person)]
        assert said == [("push", "given", "push", NOW_MS // 1000 - 30)]


def test_whose_a_browser_is(place: Place) -> None:
    """The order's buyer, else the account, else the visitor; the newest of several."""
    with State(place.config.state.dir) as state, Reader(place.config) as reader:
        (order, buyer), (_, other) = state.rows(
            "SELECT MIN(id), person_id FROM shop_order WHERE person_id IS NOT NULL GROUP BY person_id LIMIT 2"
        )
        user, owner = state.rows(
            "SELECT user_id, person_id FROM account WHERE person_id NOT IN (?, ?)", (buyer, other)
        )[0]
        state.sql.execute("INSERT INTO visitor VALUES (?, ?, 1)", (VISITOR, other))
        everybody = [buyer, other, owner]
        assert browsers.subscriptions(reader, state, everybody) == {}
        mine = place.subscribed(order=order, user=user, visitor=VISITOR, endpoint="https://push.example/1")
        theirs = place.subscribed(user=user, visitor=VISITOR, endpoint="https://push.example/2")
        place.subscribed(visitor=VISITOR, endpoint="https://push.example/3")
        newest = place.subscribed(visitor=VISITOR, endpoint="https://push.example/4")
        place.subscribed(visitor="cd" * 16, endpoint="https://push.example/5")
        place.subscribed(endpoint="https://push.example/6")
        found = {
            person: json.loads(text)["endpoint"]
            for person, text in browsers.subscriptions(reader, state, everybody).items()
        }
        assert found == {
            buyer: "https://push.example/1",
            owner: "https://push.example/2",
            other: "https://push.example/4",
        }
        assert browsers.subscriptions(reader, state, [owner]).keys() == {owner}
        assert browsers.numbers(reader, state, [buyer, owner]) == [mine, theirs]
        assert browsers.numbers(reader, state, [other])[-1] == newest
        assert browsers.subscriptions(reader, state, []) == {}
        text = browsers.subscriptions(reader, state, [buyer])[buyer]
        assert browsers.digest(text) == hashlib.sha256(b"https://push.example/1").hexdigest()


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"endpoint":1}', '{"endpoint":null}', "[" * 9000])
def test_what_has_no_digest(text: str) -> None:
    assert browsers.digest(text) == ""


def test_without_the_plugins_table(place: Place) -> None:
    execute(place.shop, "RENAME TABLE wp_fcsc_push TO wp_fcsc_away")
    try:
        with State(place.config.state.dir) as state, Reader(place.config) as reader:
            people = [row[0] for row in state.rows("SELECT id FROM person LIMIT 9")]
            assert browsers.subscriptions(reader, state, people) == {}
            assert browsers.recognised(reader, state) == 0
    finally:
        execute(place.shop, "RENAME TABLE wp_fcsc_away TO wp_fcsc_push")
