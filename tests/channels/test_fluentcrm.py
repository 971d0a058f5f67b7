"""E-mail by FluentCRM's queue, what its tables say later, and the other effects that the plugin has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from outgoing import message
from pytest_httpserver import HTTPServer

from sidecar.automations.channels.fluentcrm import FluentCrm
from sidecar.automations.channels.registry import Channels
from sidecar.automations.doing import Doing
from sidecar.automations.effects import ContactWish, CouponWish, HookWish, NoteWish
from sidecar.config import Config, Database, Shop
from sidecar.config_channels import Channels as Section
from sidecar.config_channels import Telegram, Webhook
from sidecar.crm.bridge_client import MOST_BYTES, MOST_ITEMS, ServerFailed
from sidecar.demo import schema
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.errors import BridgeRefused, BridgeUnreachable
from sidecar.mysql.connection import Reader
from sidecar.state.database import State

TEHRAN = ZoneInfo("Asia/Tehran")
names = count(1)


class Plugin:
    """The plugin as `docs/bridge.md` has it: each key once. `fails` is raised by the next calls, `poison` makes PHP fail."""

    paired = True

    def __init__(self) -> None:
        self.queued: dict[str, int] = {}
        self.calls: list[list[str]] = []
        self.fails: list[Exception] = []
        self.poison = ""
        self.says: dict[str, tuple[str, str]] = {}

    def _call(self, items: Sequence[Any]) -> None:
        keys = [item["key"] for item in items]
        assert len(items) <= MOST_ITEMS
        assert len(msgspec.json.encode(list(items))) <= MOST_BYTES + 1000
        self.calls.append(keys)
        if self.fails:
            raise self.fails.pop(0)
        if self.poison in keys:
            raise ServerFailed("WordPress failed (HTTP 500)")

    def messages(self, items: Sequence[Any]) -> list[Any]:
        self._call(items)
        done = []
        for item in items:
            state, reason = self.says.get(item["key"], ("queued", ""))
            if state == "queued" and item["key"] in self.queued:
                state = "known"
            elif state == "queued":
                self.queued[item["key"]] = len(self.queued) + 100
            done.append(
                SimpleNamespace(key=item["key"], state=state, email_id=self.queued.get(item["key"], 0), reason=reason)
            )
        return done

    def sent(self, keys: Sequence[str]) -> list[Any]:
        self._call([{"key": key} for key in keys])
        return [
            SimpleNamespace(key=key, state="known", email_id=self.queued[key], reason="")
            for key in keys
            if key in self.queued
        ]

    def _made(self, items: Sequence[Any]) -> list[Any]:
        self._call(items)
        return [
            SimpleNamespace(key=item["key"], state=state, id=7, code=item.get("code", ""), reason=reason)
            for item in items
            for state, reason in [self.says.get(item["key"], ("done", ""))]
        ]

    coupons = notes = automation_contacts = _made


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state") as opened:
        yield opened


def fluentcrm(plugin: Plugin) -> FluentCrm:
    return FluentCrm(plugin, None, TEHRAN)


# --- queueing --------------------------------------------------------------------------------------------


def test_each_key_is_queued_once() -> None:
    plugin = Plugin()
    plugin.says["key-00000002"] = ("refused", "status: unsubscribed")
    plugin.says["key-00000003"] = ("again", "out_of_time")
    us = fluentcrm(plugin)
    batch = [message(number) for number in range(1, 5)]
    found = us.send(batch)
    assert [(one.state, one.ref) for one in found] == [
        ("queued", "100"),
        ("refused", ""),
        ("again", ""),
        ("queued", "101"),
    ]
    assert [(one.state, one.ref) for one in us.send([batch[0]])] == [("queued", "100")]
    assert len(plugin.queued) == 2


def test_long_messages_go_in_several_calls() -> None:
    plugin = Plugin()
    found = fluentcrm(plugin).send([message(number, html="<p>" + "é" * 100_000) for number in range(30)])
    assert {one.state for one in found} == {"queued"}
    assert len(found) == 30
    assert 5 <= len(plugin.calls) <= 10
    assert len(fluentcrm(plugin).send([message(number) for number in range(450)])) == 450


@pytest.mark.parametrize("error", [BridgeUnreachable("no"), BridgeRefused("no")])
def test_a_plugin_that_does_not_answer(error: Exception) -> None:
    """What was asked may have been done; asking again with the same keys does it once."""
    plugin = Plugin()
    plugin.fails = [error]
    found = fluentcrm(plugin).send([message(number, html="x" * 500_000) for number in range(3)])
    assert [(one.state, one.down) for one in found] == [("again", True)] * 3
    assert len(plugin.calls) == 1


def test_one_message_that_php_cannot_bear_keeps_nobody_back() -> None:
    plugin = Plugin()
    plugin.poison = "key-00000037"
    found = fluentcrm(plugin).send([message(number) for number in range(64)])
    states = {one.key: one.state for one in found}
    assert states.pop(plugin.poison) == "again"
    assert set(states.values()) == {"queued"}
    assert len(states) == 63
    assert not any(one.down for one in found)


def test_when_php_fails_at_everything_it_is_not_asked_for_ever() -> None:
    plugin = Plugin()
    plugin.fails = [ServerFailed("no")] * 1000
    found = fluentcrm(plugin).send([message(number) for number in range(200)])
    assert {one.state for one in found} == {"again"}
    assert len(found) == 200
    assert any(one.down for one in found)
    assert len(plugin.calls) <= 25


# --- reports ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["3.1", "2.9"])
def tables(request: pytest.FixtureRequest, mariadb: PrivateMariaDB) -> Iterator[tuple[Any, Config, str]]:
    """FluentCRM's tables, as either version makes them."""
    name = f"channels_{next(names)}"
    mariadb.create_database(name)
    with closing(mariadb.connect(name, autocommit=True)) as connection:
        schema.create(connection, prefix="wp_", hpos_tables=False, fluentcrm=request.param)
        database = Database(unix_socket=mariadb.socket, user="root", name=name)
        yield connection, Config(shop=Shop(table_prefix="wp_", database=database)), request.param
    mariadb.drop_database(name)


@pytest.fixture
def crm(tables: tuple[Any, Config, str]) -> tuple[Any, Config, str]:
    """The tables, empty."""
    with tables[0].cursor() as cursor:
        for table in ("subscribers", "subscriber_meta", "campaign_emails", "campaign_url_metrics"):
            cursor.execute(f"DELETE FROM wp_fc_{table}")
    return tables


def put(connection: Any, table: str, **values: Any) -> int:
    with connection.cursor() as cursor:
        marks = ", ".join(["%s"] * len(values))
        cursor.execute(f"INSERT INTO wp_{table} (`{'`, `'.join(values)}`) VALUES ({marks})", tuple(values.values()))
        return int(cursor.lastrowid)


def test_what_fluentcrm_says_later(crm: tuple[Any, Config, str]) -> None:
    """Times are the shop's wall clock (Tehran, +03:30): 12:00 there is 08:30 UTC."""
    connection, config, version = crm
    new = version == "3.1"
    people = [
        put(connection, "fc_subscribers", email=f"p{number}@example.org", status=status, updated_at="2026-11-01 13:00:00")
        for number, status in enumerate(["subscribed"] * 6 + ["bounced", "bounced"])
    ]  # fmt: skip

    def mail(person: int, status: str = "sent", **values: Any) -> str:
        usual = {"campaign_id": 5, "subscriber_id": people[person], "email_address": "x", "status": status, "scheduled_at": "2026-11-01 12:00:00",
                 "updated_at": "2026-11-01 12:00:00", "is_open": 0}  # fmt: skip
        return str(put(connection, "fc_campaign_emails", **(usual | values)))

    def answered(person: int, type_: str, at: str, last: str = "2026-11-01 15:00:00") -> None:
        put(
            connection,
            "fc_campaign_url_metrics",
            campaign_id=5,
            subscriber_id=people[person],
            type=type_,
            created_at=at,
            updated_at=last,
        )

    waiting, failed, cancelled = mail(0, "scheduled"), mail(0, "failed"), mail(0, "cancelled")
    plain = mail(1)
    opened = mail(2, is_open=1, updated_at="2026-11-01 12:20:00" if new else "2026-11-01 12:00:00")
    if not new:
        answered(2, "open", "2026-11-01 12:20:00")
    clicked = mail(3, is_open=1, click_counter=2, updated_at="2026-11-01 14:00:00")
    answered(3, "click", "2026-11-01 11:00:00")  # in an earlier e-mail of the same step
    answered(3, "click", "2026-11-01 12:30:00")
    bounced = mail(6)
    before = mail(7, scheduled_at="2026-10-01 12:00:00")
    noise = mail(4)
    # Something on the way tries every link at once (pain 26); of one of them it was all, the other's reader came later.
    tried = mail(0, is_open=1, click_counter=1, updated_at="2026-11-01 12:00:02")
    answered(0, "click", "2026-11-01 12:00:02", "2026-11-01 12:00:02")
    read = mail(5, is_open=1, click_counter=2, updated_at="2026-11-01 12:00:02")
    answered(5, "click", "2026-11-01 12:00:02", "2026-11-01 13:30:00")
    refs = [waiting, failed, cancelled, plain, opened, clicked, bounced, before, tried, read, "999999", "no number"]
    with Reader(config) as reader:
        found = FluentCrm(None, reader, TEHRAN).reports(refs, 0)
    said: dict[str, dict[str, int]] = {}
    for one in found:
        said.setdefault(one.ref, {})[one.state] = one.at
    noon = 1_793_521_800  # 2026-11-01T08:30:00Z
    assert noise not in said
    assert waiting not in said
    assert said[failed] == {"failed": noon}
    assert said[cancelled] == {"failed": noon}
    assert said[plain] == {"sent": noon}
    assert said[opened] == {"sent": noon, "opened": noon + 1200}
    assert said[clicked]["clicked"] == noon + 1800
    assert said[clicked]["sent"] == noon
    assert "clicked" not in said[tried]
    assert said[read]["clicked"] == noon + 5400
    assert said[bounced] == {"sent": noon, "bounced": noon + 3600}
    assert said[before] == {"sent": noon - 31 * 86_400}
    assert "@" not in repr(found)


def test_rows_of_messages_follow(crm: tuple[Any, Config, str], state: State) -> None:
    connection, config, _ = crm
    person = put(connection, "fc_subscribers", email="a@example.org", status="subscribed")
    ref = put(connection, "fc_campaign_emails", campaign_id=5, subscriber_id=person, email_address="x", status="sent", is_open=0,
              click_counter=1, scheduled_at="2026-11-01 15:00:00", updated_at="2026-11-01 15:10:00")  # fmt: skip
    state.sql.execute(
        "INSERT INTO message (key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose, language, state,"
        " ref, decided, handed) VALUES ('k', 1, 1, 1, 's', 1, 'email', 'fluentcrm', 'marketing', 'en', 'queued', ?, 0, 1793534390000)",
        (str(ref),),
    )
    with Reader(config) as reader:
        us = Channels(config, state, None, reader, TEHRAN)
        assert us.reports() == 3
    sent = 1_793_532_600
    assert state.rows("SELECT state, sent, opened, clicked FROM message") == [("sent", sent, sent + 600, sent + 600)]


def test_where_people_chat(crm: tuple[Any, Config, str], state: State) -> None:
    connection, config, _ = crm
    for number, (contact, chat) in enumerate([(11, "4242"), (12, " "), (13, None), (14, " -100123 ")], 1):
        state.sql.execute(
            "INSERT INTO person (id, key, contact_id) VALUES (?, ?, ?)",
            (number, bytes([number]) * 16, contact),
        )
        if chat is not None:
            put(
                connection,
                "fc_subscriber_meta",
                subscriber_id=contact,
                created_by=0,
                object_type="custom_field",
                key="chat",
                value=chat,
            )
            put(
                connection,
                "fc_subscriber_meta",
                subscriber_id=contact,
                created_by=0,
                object_type="option",
                key="chat",
                value="1",
            )
            put(
                connection,
                "fc_subscriber_meta",
                subscriber_id=contact,
                created_by=0,
                object_type="custom_field",
                key="chat",
                value="2nd row",
            )
    config = msgspec.structs.replace(config, channels=Section(telegram=Telegram(token="t", chat_field="chat")))
    with Reader(config) as reader:
        us = Channels(config, state, None, reader, subscriptions=lambda people: {1: "{}"})
        assert us.addresses("telegram", [1, 2, 3, 4, 99]) == {1: "4242", 2: "2nd row", 4: "-100123"}
        assert us.addresses("telegram", []) == {}
        assert us.addresses("push", [1]) == {1: "{}"}
        assert us.addresses("email", [1]) == {}
    assert Channels(config, state, None).addresses("push", [1]) == {}


# --- the other effects -----------------------------------------------------------------------------------


def doing(state: State, plugin: Plugin | None, secret: str = "s") -> Doing:
    config = Config(channels=Section(webhook=Webhook(secret=secret)))
    return Doing(config, state, plugin, Channels(config, state, plugin))


def test_coupons_notes_and_contacts(state: State) -> None:
    plugin = Plugin()
    plugin.says = {"c2": ("refused", "wrong: amount"), "c3": ("again", "database")}
    us = doing(state, plugin)
    wishes = [
        CouponWish(key=f"c{n}", code=f"come-back-{n}", kind="percent", amount="10", expires=1) for n in range(1, 4)
    ]
    found = {one.key: (one.state, one.value, one.id, one.reason) for one in us.coupons(wishes)}
    assert found == {
        "c1": ("done", "come-back-1", 7, ""),
        "c2": ("refused", "", 0, "wrong: amount"),
        "c3": ("again", "", 0, "database"),
    }
    assert [one.state for one in us.notes([NoteWish(key="n1", contact_id=4, title="Call", body="…", ticket=True)])] == [
        "done"
    ]
    assert [
        one.state
        for one in us.contacts([ContactWish(key="t1", person_id=1, contact_id=4, add=("VIP",), fields={"a": "b"})])
    ] == ["done"]
    many = us.notes([NoteWish(key=f"n{n}", contact_id=4, title="Call", body="x" * 9000) for n in range(500)])
    assert {one.state for one in many} == {"done"}
    assert len(many) == 500


@pytest.mark.parametrize("error", [BridgeUnreachable("no"), BridgeRefused("no"), ServerFailed("no")])
def test_what_the_plugin_did_not_do_is_tried_again(state: State, error: Exception) -> None:
    plugin = Plugin()
    plugin.fails = [error]
    found = doing(state, plugin).notes(
        [NoteWish(key=f"n{n}", contact_id=4, title="t", body="x" * 9000) for n in range(150)]
    )
    assert [one.state for one in found] == ["again"] * 150
    assert {one.state for one in doing(state, None).notes([NoteWish(key="n", contact_id=4, title="t", body="")])} == {
        "again"
    }


def test_what_became_of_messages_that_were_cut_off(state: State) -> None:
    plugin = Plugin()
    plugin.queued = {"key-00000001": 55}
    us = doing(state, plugin)
    assert {key: (one.state, one.ref) for key, one in us.asked(["key-00000001", "key-00000002"]).items()} == {
        "key-00000001": ("queued", "55")
    }
    assert len(us.asked([f"k{n}" for n in range(450)])) == 0
    assert doing(state, None).asked(["key-00000001"]) == {}
    plugin.fails = [BridgeUnreachable("no")]
    with pytest.raises(BridgeUnreachable):
        us.asked(["key-00000001"])


def test_messages_and_webhooks(state: State, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/in").respond_with_data("")
    plugin = Plugin()
    us = doing(state, plugin)
    assert [one.state for one in us.send([message()])] == ["queued"]
    wishes = [HookWish(key="h1", url=httpserver.url_for("/in"), data={}), HookWish(key="h2", url="nowhere", data={})]
    first, second = us.hooks(wishes)
    assert (first.key, first.state, second.key) == ("h1", "done", "h2")
    assert second.state != "done"
