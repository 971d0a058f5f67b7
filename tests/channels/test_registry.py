"""Which provider a channel has, how much each gets, what happens to one in trouble, and what becomes of messages later."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from outgoing import message
from pytest_httpserver import HTTPServer

from sidecar.automations.channels import gate as gates
from sidecar.automations.channels import reports
from sidecar.automations.channels import settings as setup
from sidecar.automations.channels.fluentcrm import FluentCrm
from sidecar.automations.channels.gate import Gate
from sidecar.automations.channels.model import Handed, Outgoing, Provider, Report
from sidecar.automations.channels.registry import Channels
from sidecar.automations.model import ChannelName
from sidecar.config import Config
from sidecar.config_channels import Channels as Section
from sidecar.config_channels import Email, Push, Sms, Telegram, WhatsApp
from sidecar.state.database import State

NOW = 1_793_534_400  # SIDECAR_NOW of the tests


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(tmp_path / "state") as opened:
        yield opened


@contextmanager
def clock_at(unix: float) -> Iterator[None]:
    before = os.environ.get("SIDECAR_NOW")
    os.environ["SIDECAR_NOW"] = datetime.fromtimestamp(unix, UTC).isoformat()
    try:
        yield
    finally:
        os.environ["SIDECAR_NOW"] = before or ""


# The state is emptied by the test itself before each example.
ONE_STATE = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

# --- the bucket ------------------------------------------------------------------------------------------

JUMPS = st.lists(
    st.tuples(
        st.one_of(
            st.floats(0, 3), st.floats(-86_400 * 400, 86_400 * 400), st.sampled_from([0.0, -3600.0, 3600.0, 0.05])
        ),
        st.integers(0, 60),
    ),
    max_size=40,
)


@given(steps=JUMPS, rate=st.sampled_from([0.1, 0.5, 1.0, 5.0, 30.0]))
@ONE_STATE
def test_a_jumping_clock_neither_gives_away_nor_blocks(
    state: State, steps: list[tuple[float, int]], rate: float
) -> None:
    most = max(1.0, 2 * rate)
    state.sql.execute("DELETE FROM provider")
    gate, at, given_out, passed = Gate(state), float(NOW), 0, 0.0
    for jump, want in steps:
        at += jump
        passed += max(0.0, jump)
        with clock_at(at):
            grant = gate.take("x", want, rate)
        given_out += grant.count
        assert grant.count <= min(want, most)
        assert given_out <= most + rate * passed + 1e-6
    # Whatever the clock has done: who waits as long as it says gets something.
    with clock_at(at):
        grant = gate.take("x", 1, rate)
    if not grant.count:
        assert 0 < grant.wait <= 1 / rate + 1e-6
        with clock_at(at + grant.wait + 1e-3):
            assert gate.take("x", 1, rate).count == 1


def test_two_workers_have_one_bucket(tmp_path: Path) -> None:
    with State(tmp_path / "state"):
        pass
    counts: list[int] = []

    def work() -> None:
        with State(tmp_path / "state") as own:
            gate = Gate(own)
            counts.extend(gate.take("x", 3, 10.0).count for _ in range(10))

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(counts) == 20  # two seconds' worth, and the clock stands still


def test_pauses_grow_end_with_success_and_outlive_no_clock_change(state: State) -> None:
    gate = Gate(state)
    assert [gate.failed("x") for _ in range(10)] == [10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800]
    assert gate.failed("x", 7.5) == 7.5
    assert gate.take("x", 1, 0).count == 0
    with clock_at(NOW + 9):
        assert gate.take("x", 1, 0).count == 1
    # The clock was a year ahead when it failed.
    with clock_at(NOW + 366 * 86_400):
        gate.failed("x")
    assert gate.take("x", 1, 0).count == 1
    gate.worked("x")
    assert gate.failed("x") == 10


# --- the registry ----------------------------------------------------------------------------------------


class Stub:
    """A provider that says what it is told to."""

    name = "stub"
    channel: ChannelName = "sms"
    most = 4
    tells = 0

    def __init__(self, *answers: dict[str, Any], knows_keys: bool = False) -> None:
        self.knows_keys = knows_keys
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        self.asked.append([one.key for one in batch])
        answer = self.answers.pop(0) if self.answers else {"state": "sent"}
        if "raises" in answer:
            raise RuntimeError("sara@example.org")
        return [Handed(key=one.key, **answer) for one in batch[: answer.pop("only", None)]]

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        return []


def channels(state: State, provider: Provider | None = None, per_second: float = 0.0, **sections: Any) -> Channels:
    made = Channels(Config(channels=Section(sms=Sms(per_second=per_second), **sections)), state, None)
    if provider is not None:
        made._providers["sms"] = provider
    return made


def batch(count: int) -> list[Outgoing]:
    return [message(number, channel="sms", to="+48601234567") for number in range(1, count + 1)]


def test_what_is_set_up(state: State, tmp_path: Path) -> None:
    assert Channels(Config(), state, None).available() == {}
    section = Section(
        email=Email(smtp_host="h", smtp_from="a@b.example"), sms=Sms(preset="twilio", secret="s"), telegram=Telegram(token="t", chat_field="f"),
        whatsapp=WhatsApp(token="t", phone_number_id="1"), push=Push(contact="a@b.example"),
    )  # fmt: skip
    found = Channels(Config(channels=section), state, None).available()
    assert {channel: provider.name for channel, provider in found.items()} == {
        "email": "smtp", "sms": "twilio", "telegram": "telegram", "whatsapp": "whatsapp", "push": "push",
    }  # fmt: skip
    half = Section(
        telegram=Telegram(token="t"),
        whatsapp=WhatsApp(token="t"),
        email=Email(smtp_host="h"),
    )
    assert Channels(Config(channels=half), state, None).available() == {}


def test_a_gateway_whose_description_has_a_fault_makes_messages_wait(state: State, tmp_path: Path) -> None:
    """The owner is at it: what is due meanwhile is not left out for good, and whoever has another channel gets it there."""
    file = tmp_path / "gateway.toml"
    file.write_text("name = 1\n", "utf-8")
    section = Section(sms=Sms(gateway=str(file), secret="s"))
    broken = Channels(Config(channels=section), state, None)
    assert broken.providers() == {"sms": setup.MUTE} and broken.off() == {"sms"}
    answers = broken.send(batch(2))
    assert [(one.state, one.wait) for one in answers] == [("again", 900.0)] * 2
    assert "does not describe a gateway" in setup.fault(section)
    text = (Path(setup.__file__).parent / "presets" / "smsapi.toml").read_text("utf-8")
    file.write_text(text.replace('name = "smsapi"', 'name = "my-own"'), "utf-8")
    mended = Channels(Config(channels=section), state, None)
    assert mended.off() == frozenset() and setup.fault(section) == ""
    # By the same name `sidecar channels` finds whether it is switched off.
    assert mended.providers() == setup.providers(section, answers=False) == {"sms": "my-own"}


@pytest.mark.parametrize(
    ("by", "paired", "wanted"),
    [
        ("auto", True, "fluentcrm"),
        ("auto", False, "smtp"),
        ("smtp", True, "smtp"),
        ("fluentcrm", True, "fluentcrm"),
        ("fluentcrm", False, None),
    ],
)
def test_who_sends_email(state: State, by: Any, paired: bool, wanted: str | None) -> None:
    class Plugin:
        def __init__(self) -> None:
            self.paired = paired

    plugin: Any = Plugin()
    config = Config(channels=Section(email=Email(by=by, smtp_host="h", smtp_from="a@b.example")))
    found = Channels(config, state, plugin).available().get("email")
    assert (found.name if found else None) == wanted


def test_who_knows_keys(state: State) -> None:
    us = channels(state, Stub(knows_keys=True))
    assert us.knows("fluentcrm"), "also while the plugin does not answer"
    assert us.knows("stub")
    assert not channels(state, Stub()).knows("stub")
    assert not us.knows("twilio")


def test_a_rate_lets_through_what_it_may(state: State) -> None:
    stub = Stub()
    us = channels(state, stub, per_second=3.0)
    found = us.send(batch(10))
    assert [one.state for one in found] == ["sent"] * 6 + ["again"] * 4
    assert 0 < found[-1].wait <= 1 / 3 + 0.001
    assert [len(part) for part in stub.asked] == [4, 2]
    assert [one.state for one in us.send(batch(1))] == ["again"]
    with clock_at(NOW + 1):
        assert [one.state for one in us.send(batch(4))] == ["sent"] * 3 + ["again"]


def test_every_message_gets_one_answer(state: State) -> None:
    mixed = [*batch(3), message(7), message(8, channel="push")]
    found = channels(state, Stub({"state": "sent", "only": 2})).send(mixed)
    assert sorted(one.key for one in found) == sorted(one.key for one in mixed)
    assert {one.key: one.state for one in found} == {
        "key-00000001": "sent", "key-00000002": "sent", "key-00000003": "unsure", "key-00000007": "again", "key-00000008": "again",
    }  # fmt: skip


@pytest.mark.parametrize(("knows", "state_"), [(False, "unsure"), (True, "again")])
def test_a_provider_that_fails_stops_nobody(
    state: State, caplog: pytest.LogCaptureFixture, knows: bool, state_: str
) -> None:
    stub = Stub({"raises": True}, knows_keys=knows)
    with caplog.at_level(logging.INFO):
        found = channels(state, stub).send(batch(6))
    assert [one.state for one in found] == [state_] * 4 + ["sent"] * 2
    assert "sara@" not in caplog.text + repr(found)
    assert any(record.getMessage() == "a provider failed" for record in caplog.records)


def test_what_is_broken_is_switched_off_until_the_owner_mends_it(state: State) -> None:
    stub = Stub({"state": "sent"}, {"state": "again", "fatal": True, "reason": "twilio says 20003"})
    us = channels(state, stub)
    found = us.send(batch(12))
    assert [one.state for one in found] == ["sent"] * 4 + ["again"] * 8
    assert all(one.wait > 0 for one in found[4:]), "no attempt of the message's own"
    assert us.off() == {"sms"}
    assert us.providers() == {"sms": "stub"}
    assert len(stub.asked) == 2
    assert [(one.name, one.disabled) for one in gates.standing(state)] == [("stub", "twilio says 20003")]
    with clock_at(NOW + 86_400):
        again = us.send(batch(2))
    assert [one.state for one in again] == ["again"] * 2
    assert again[0].wait > 0
    assert len(stub.asked) == 2
    us.gate.disable("stub", "something else")
    assert gates.standing(state)[0].disabled == "twilio says 20003"
    assert not us.enable("nobody")
    assert us.enable("stub")
    assert us.off() == set()
    assert [one.state for one in us.send(batch(2))] == ["sent"] * 2


def test_what_is_down_is_left_alone(state: State) -> None:
    stub = Stub({"state": "again", "down": True, "wait": 34.0}, {"state": "sent"}, {"state": "again", "down": True})
    us = channels(state, stub)
    found = us.send(batch(6))
    assert [(one.state, one.wait) for one in found] == [("again", 34.0)] * 6
    assert len(stub.asked) == 1
    with clock_at(NOW + 33):
        assert us.send(batch(1))[0].state == "again"
    assert len(stub.asked) == 1
    with clock_at(NOW + 35):
        assert us.send(batch(1))[0].state == "sent"
    assert [(one.failures, one.retry_at) for one in gates.standing(state)] == [(0, 0)]
    assert [one.wait for one in us.send(batch(5))] == [10.0] * 5


def test_the_owner_is_told(state: State, httpserver: HTTPServer) -> None:
    from sidecar import alerts
    from sidecar.config import Alerts
    from sidecar.sync.health import _provider

    heard: list[Any] = []
    httpserver.expect_request("/hook").respond_with_handler(
        lambda request: (heard.append(request.get_json()), _ok())[1]
    )
    config = Alerts(webhook_url=httpserver.url_for("/hook"))
    us = channels(state, Stub({"state": "again", "fatal": True, "reason": "twilio says 20003"}))
    us.send(batch(1))
    alerts.check(state, config, [_provider(one) for one in gates.standing(state)])
    us.enable("stub")
    us.send(batch(1))
    alerts.check(state, config, [_provider(one) for one in gates.standing(state)])
    assert [(one["alert"], one["state"]) for one in heard] == [("channel_stub", "on"), ("channel_stub", "over")]
    assert "stub is switched off: twilio says 20003; mend it, then `sidecar channels enable stub`" in heard[0]["text"]
    for _ in range(7):
        us.gate.failed("stub")
    assert [one.on for one in map(_provider, gates.standing(state))] == [True]


def _ok() -> Any:
    from werkzeug import Response

    return Response("ok")


def test_no_secret_is_shown(state: State) -> None:
    secret = "gEh31m"
    section = Section(
        email=Email(smtp_host="h", smtp_from="a@b.example", smtp_user="u", smtp_password=secret), sms=Sms(preset="twilio", secret=secret),
        telegram=Telegram(token=secret, chat_field="f"), whatsapp=WhatsApp(token=secret, phone_number_id="1"),
    )  # fmt: skip
    config = Config(channels=section)
    us = Channels(config, state, None)
    assert secret not in repr(config) + repr(section) + repr(us) + repr(us.available())
    assert "(hidden)" in repr(section.sms)
    assert "secret=''" in repr(Sms())
    assert msgspec.to_builtins(config)["channels"]["sms"]["secret"] == secret


# --- reports ---------------------------------------------------------------------------------------------


def row(state: State, ref: str, provider: str = "teller", /, **values: Any) -> int:
    usual = {
        "key": f"k-{provider}-{ref}", "enrolment_id": len(state.rows("SELECT 1 FROM message")) + 1, "automation_id": 1, "version_id": 1,
        "step": "a", "person_id": 1, "channel": "sms", "provider": provider, "purpose": "service", "language": "en", "state": "sent",
        "ref": ref, "decided": (NOW - 120) * 1000, "handed": (NOW - 120) * 1000,
    } | values  # fmt: skip
    marks = ", ".join("?" * len(usual))
    cursor = state.sql.execute(f"INSERT INTO message ({', '.join(usual)}) VALUES ({marks})", tuple(usual.values()))
    return cursor.lastrowid or 0


def stands(state: State, ref: str) -> tuple[Any, ...]:
    return state.rows("SELECT state, sent, delivered, opened, clicked, reason FROM message WHERE ref = ?", (ref,))[0]


STATES = ("sent", "delivered", "failed", "bounced", "opened", "clicked")


@given(
    st.lists(st.tuples(st.sampled_from(STATES), st.integers(NOW, NOW + 50)), max_size=12),
    st.sampled_from(["queued", "sent"]),
)
@ONE_STATE
def test_reports_in_any_order_never_take_anything_back(state: State, said: list[tuple[Any, int]], first: str) -> None:
    order = ["queued", "sent", "delivered"]
    state.sql.execute("DELETE FROM message")
    row(state, "1", state=first)
    before: str = first
    for what, at in said:
        reports.apply(state, "teller", [Report(ref="1", state=what, at=at, reason="x")])
        now = str(stands(state, "1")[0])
        if before in ("failed", "bounced"):
            assert now == before
        elif now in order:
            assert order.index(now) >= order.index(before)
        before = now
    _, sent, delivered, opened, clicked, _ = stands(state, "1")
    assert opened == min((at for what, at in said if what == "opened"), default=None)
    assert clicked == min((at for what, at in said if what == "clicked"), default=None)
    if delivered is not None:
        assert sent is not None
    changed = reports.apply(state, "teller", [Report(ref="1", state=what, at=at) for what, at in said])
    assert changed == 0, "what is known already changes nothing"


def test_reports_of_another_provider_change_nothing(state: State) -> None:
    row(state, "7")
    row(state, "8", state="handing")
    assert reports.apply(state, "other", [Report(ref="7", state="delivered", at=NOW)]) == 0
    assert reports.apply(state, "teller", [Report(ref="8", state="delivered", at=NOW)]) == 0
    assert stands(state, "7")[0] == "sent"


class Teller(Stub):
    name = "teller"
    tells = 10

    def __init__(self) -> None:
        super().__init__()
        self.questions: list[list[str]] = []

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        self.questions.append(list(refs))
        return [Report(ref=ref, state="delivered", at=NOW) for ref in refs if ref.startswith("d")]


def test_who_is_asked_for_what_and_how_often(state: State) -> None:
    teller = Teller()
    row(state, "d1")
    row(state, "s1")
    row(state, "old", handed=(NOW - 20 * 86_400) * 1000)
    row(state, "", key="without-a-ref")
    row(state, "failed", state="failed")
    row(state, "elsewhere", "smtp")
    row(state, "done", opened=NOW, clicked=NOW)
    assert reports.collect(state, {"teller": teller}) == 1
    assert [sorted(one) for one in teller.questions] == [["d1", "s1"]]
    assert stands(state, "d1")[:3] == ("delivered", NOW, NOW)
    teller.questions.clear()
    moments = []
    for minute in range(0, 24 * 60, 1):
        with clock_at(NOW + minute * 60):
            reports.collect(state, {"teller": teller})
        if teller.questions:
            moments.append(minute)
            assert teller.questions.pop() == ["s1"]
    assert moments[:4] == [1, 3, 6, 10]
    assert len(moments) < 25, "ever more rarely"
    with clock_at(NOW - 5):  # a clock that was ahead
        reports.collect(state, {"teller": teller})
    assert teller.questions == [["s1"]]


def test_asking_does_not_read_all_messages_that_there_ever_were(state: State) -> None:
    plan = state.rows(f"EXPLAIN QUERY PLAN {reports._DUE}", ("teller", 0, 1, 1, 1, 1, 1, 1, 1))
    assert any("message_asked (provider=? AND handed>? AND handed<?)" in str(step[3]) for step in plan), plan


def test_the_longest_unasked_first_and_not_all_at_once(state: State) -> None:
    teller = Teller()
    teller.tells = 3
    for number in range(7):
        row(state, f"s{number}")
    for _ in range(3):
        reports.collect(state, {"teller": teller})
    assert [len(one) for one in teller.questions] == [3, 3, 1]
    assert sorted(ref for one in teller.questions for ref in one) == [f"s{number}" for number in range(7)]


def test_a_provider_that_gives_no_reports_keeps_nobody_from_theirs(state: State) -> None:
    class Broken(Teller):
        def reports(self, refs: Sequence[str], since: int) -> list[Report]:
            raise OSError

    row(state, "d1")
    row(state, "d2", "broken")
    assert reports.collect(state, {"broken": Broken(), "teller": Teller()}) == 1


def test_the_registry_asks_those_that_tell(state: State) -> None:
    teller = Teller()
    us = channels(state, teller)
    row(state, "d1")
    assert us.reports() == 1
    with clock_at(NOW + 29):
        us.reports()
    assert len(teller.questions) == 1, "twice a minute at most"
    row(state, "s1")
    with clock_at(NOW + 30):
        us.reports()
    assert teller.questions[1:] == [["s1"]]
    assert isinstance(us._fluentcrm, FluentCrm)
    assert not us._fluentcrm.tells
