"""Test sends, to a real mail server and by the plugin's queue; nothing of them is counted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from automating import World
from commandline import Bench
from support import ShopDatabase

from sidecar.automations.channels.registry import Channels
from sidecar.automations.trial import trial
from sidecar.config import Config
from sidecar.errors import ConfigError

TABLES = ("enrolment", "message", "coupon", "step_done", "automation")


class Inbox:
    def __init__(self) -> None:
        self.mails: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, port
    controller.stop()


@pytest.fixture
def bench(
    known_shop: tuple[ShopDatabase, Config], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inbox: tuple[Inbox, int],
) -> Iterator[Bench]:  # fmt: skip
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-02T10:00:00Z")
    more = f'[channels.email]\nsmtp_host = "127.0.0.1"\nsmtp_port = {inbox[1]}\nsmtp_security = "none"\nsmtp_from = "shop@example.org"\n'
    world.keeper.do("INSERT INTO wp_options (option_name, option_value) VALUES ('fcsc_link_key', %s)", "00" * 32)
    yield Bench(known_shop[0], tmp_path, more)
    world.keeper.do("DELETE FROM wp_options WHERE option_name = 'fcsc_link_key'")


def test_each_message_comes_marked_and_is_not_counted(bench: Bench, world: World, inbox: tuple[Inbox, int]) -> None:
    before = {table: world.state.rows(f"SELECT * FROM {table}") for table in TABLES}
    found = bench.json("automations", "test", "cart-recovery", "--to", "owner@example.org", "--language", "fa")[
        "messages"
    ]
    assert [one["state"] for one in found] == ["sent"] * 4
    assert [to for to, _ in inbox[0].mails] == [["owner@example.org"]] * 4
    subjects = [mail["subject"] for _, mail in inbox[0].mails]
    assert all(subject.startswith("[TEST] ") for subject in subjects) and len(set(subjects)) == 4
    html = inbox[0].mails[2][1].get_body(("html",)).get_content()
    assert 'dir="rtl"' in html and "gift-k7m2p9" in html
    assert {table: world.state.rows(f"SELECT * FROM {table}") for table in TABLES} == before


def test_a_contact_gets_it_with_their_own_data(bench: Bench, world: World, inbox: tuple[Inbox, int]) -> None:
    person = world.subscribed(1)[0]
    world.contact(world.contact_of(person), first_name="Zenobia")
    bench.run("automations", "test", "thank-you", "--to", world.address(person))
    text = "".join(mail.get_body(("plain",)).get_content() for _, mail in inbox[0].mails)
    assert "Zenobia" in text


def test_where_it_cannot_go(bench: Bench, world: World) -> None:
    assert bench.run("automations", "test", "welcome", "--to", "nobody", code=2).exit_code == 2
    (bench.file.parent / "other.toml").write_text(bench.file.read_text("utf-8").partition("[channels")[0], "utf-8")
    (bench.file.parent / "other.toml").chmod(0o600)
    found = bench.run("--config", str(bench.file.parent / "other.toml"), "automations", "test", "welcome", "--to", "me@example.org", code=3)  # fmt: skip
    assert "no e-mail can be sent" in found.stderr


def test_through_fluentcrm_to_contacts_only(world: World) -> None:
    """The plugin's queue takes contacts; what it is given is the inside of a page, in a container of its own."""
    taken: list[dict[str, Any]] = []

    def messages(items: list[dict[str, Any]]) -> list[Any]:
        taken.extend(items)
        return [SimpleNamespace(key=item["key"], state="queued", email_id=5, reason="") for item in items]

    plugin: Any = SimpleNamespace(paired=True, messages=messages)
    channels = Channels(world.config, world.state, plugin, world.reader, world.info.zone)
    place = msgspec.structs.replace(world.place(), reach=channels)
    from sidecar.automations import file, library
    from sidecar.segments import file as segments_file

    spec = file.parse(library.ready_text("welcome"), "welcome.toml", world.info.zone, segments_file.load(None, world.info.zone))  # fmt: skip
    with pytest.raises(ConfigError, match="contacts only"):
        trial(place, spec, "owner@example.org")
    person = world.subscribed(1)[0]
    found = trial(place, spec, world.address(person), "en")
    assert [one.state for one in found] == ["queued"] * 3
    assert {item["container"] for item in taken} == {"test/welcome/hello", "test/welcome/offer", "test/welcome/last"}
    assert all(item["subject"].startswith("[TEST] ") and "<html" not in item["html"] for item in taken)
