"""One thing that is wrong holds up neither others nor, for ever, itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from automating import HOUR, TEXT, Killed, World

from sidecar.automations import engine, enrolments, sending
from sidecar.automations.channels.model import Handed
from sidecar.automations.channels.registry import Channels
from sidecar.automations.doing import Doing
from sidecar.automations.effects import CouponWish
from sidecar.automations.enrolments import Entry
from sidecar.automations.model import Coupon, Send, Start
from sidecar.errors import AutomationError, NotFound, StoreUnavailable
from sidecar.segments.model import Period

MAIL = Send(id="mail", channels=("email",), texts=TEXT)
LEASE = enrolments.LEASE_MS // 1000


def again(world: World, times: int) -> None:
    for _ in range(times):
        world.work(LEASE + 2 * HOUR)


def test_few_are_unsure_after_a_death_where_nobody_can_be_asked(world: World) -> None:
    people = world.subscribed(20)
    spec = world.on(MAIL)
    for person in people:
        world.enter(spec, person)
    world.recorder.before = lambda batch: setattr(world.death, "at", world.death.passed + 2)
    with pytest.raises(Killed):
        world.work()
    world.recorder.before, world.death.at = None, None
    again(world, 2)
    states = [row[2] for row in world.messages()]
    assert len(states) == 20 and states.count("unsure") <= sending.FEW < 20
    assert len(world.recorder.sent) >= 20 - sending.FEW


def test_a_slow_channel_holds_up_a_pass_for_a_while_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left is due at once, and was no attempt."""
    monkeypatch.setattr(sending, "_LONGEST", -1)
    spec = world.on(MAIL)
    ids = [world.enter(spec, person) for person in world.subscribed(3)]
    engine.run(msgspec.structs.replace(world.place(), until=0.0))
    rows = [world.one(id_) for id_ in ids]
    assert [(one.state, one.due, one.attempts, one.claim) for one in rows] == [("waiting", world.now, 0, 0)] * 3
    monkeypatch.setattr(sending, "_LONGEST", 30)
    world.work()
    assert [world.one(id_).state for id_ in ids] == ["done"] * 3 and len(world.recorder.sent) == 3


@pytest.mark.parametrize(("wait", "spread"), [(0.5, 4), (900.0, 900)], ids=["a rate", "switched off"])
def test_a_provider_that_is_full_is_not_asked_for_everybody(world: World, wait: float, spread: int) -> None:
    """Who is left comes later, one after the other where it is a rate."""
    spec = world.on(MAIL)
    ids = [world.enter(spec, person) for person in world.subscribed(12)]
    world.recorder.answers = ["sent", "sent", *[Handed(key="", state="again", wait=wait)] * 3]
    world.work()
    assert world.recorder.calls == 1 and len(world.recorder.sent) == 2
    rows = [world.one(id_) for id_ in ids[2:]]
    assert {one.attempts for one in rows} == {0}
    assert max(one.due or 0 for one in rows) == world.now + spread
    for _ in range(5):
        world.work(spread)
    assert len(world.recorder.sent) == 12


@pytest.mark.parametrize("fault", [NotFound("no such automation"), AutomationError("a file with faults")])
def test_an_automation_that_cannot_be_started_stops_nobody(world: World, fault: Exception) -> None:
    def start(name: str, entry: Entry) -> str:
        raise fault

    world.start = start
    people = world.subscribed(2)
    first = world.enter(world.on(Start(id="go", automation="gone"), MAIL, name="a"), people[0])
    second = world.enter(world.on(MAIL, name="b"), people[1])
    world.work()
    assert world.steps(first) == [("go", "skipped", "off"), ("mail", "done", "")]
    assert world.steps(second) == [("mail", "done", "")]


def test_one_that_nobody_can_write_does_not_stop_the_others(world: World) -> None:
    people = world.subscribed(5)
    spec = world.on(MAIL)
    ids = [world.enter(spec, person) for person in people]
    messages = world.words.messages

    def broken(wanted: Sequence[Any]) -> Any:
        if any(item.person_id == people[2] for item, _, _ in wanted):
            raise RuntimeError("a fault of ours")
        return messages(wanted)

    world.words.messages = broken  # type: ignore[method-assign]
    world.work()
    assert {message.person_id for message in world.recorder.sent} == {*people} - {people[2]}
    assert [world.one(id_).state for id_ in ids] == ["done", "done", "waiting", "done", "done"]
    again(world, 12)
    one = world.one(ids[2])
    assert (one.state, one.reason) == ("failed", "RuntimeError")
    assert [row for row in world.messages() if row[2] not in ("sent", "queued")] == []


@pytest.mark.parametrize("answer", [None, "again"], ids=["cut off", "no answer"])
def test_what_the_plugin_has_forgotten_is_not_sent_again(world: World, answer: str | None) -> None:
    """It remembers keys for 30 days; the sidecar was away for longer."""
    world.recorder.knows = True
    id_ = world.enter(world.on(MAIL), world.subscribed(1)[0])
    if answer:
        # FluentCRM has it; the answer that says so was lost.
        world.recorder.before = lambda batch: world.recorder.sent.extend(batch)
        world.recorder.answers = [Handed(key="", state="again", reason="the plugin does not answer")]
        world.work()
    else:
        world.recorder.before = lambda batch: setattr(world.death, "at", world.death.passed + 2)
        with pytest.raises(Killed):
            world.work()
    world.recorder.before, world.death.at = None, None
    assert len(world.recorder.sent) == 1
    world.recorder.sent.clear()
    world.work(40 * 86_400)
    assert world.recorder.sent == [] and world.one(id_).state == "done"
    assert [row[2] for row in world.messages()] == ["unsure"]


@pytest.mark.parametrize(("provider", "sent"), [("smsapi", 0), ("fluentcrm", 1)])
def test_a_gateway_forgets_keys_sooner(world: World, provider: str, sent: int) -> None:
    """SMSAPI looks for the same idx in the messages of a day: after two nobody can be sure."""
    world.recorder.knows = True
    world.ways.there["email"] = provider
    world.enter(world.on(MAIL), world.subscribed(1)[0])
    world.recorder.before = lambda batch: setattr(world.death, "at", world.death.passed + 1)
    with pytest.raises(Killed):
        world.work()
    world.recorder.before, world.death.at = None, None
    world.work(2 * 86_400)
    assert len(world.recorder.sent) == sent
    assert [row[2] for row in world.messages()] == ["sent" if sent else "unsure"]


def test_what_the_plugin_makes_waits_for_it_too(world: World) -> None:
    """Coupons of a shop whose WordPress is silent for days are made when it is back, and that was no attempt."""
    wish = CouponWish(key="k", code="c", kind="percent", amount="5", expires=1)
    for paired, wait in ((True, 60), (False, 0)):
        doing = Doing(world.config, world.state, None, Channels(world.config, world.state, None, paired=paired))
        assert [(one.state, one.wait) for one in doing.coupons([wish])] == [("again", wait)]


@pytest.mark.parametrize("wait", [0.0, 900.0], ids=["not now", "switched off"])
def test_what_was_long_due_is_tried_as_often_as_anything_else(world: World, wait: float) -> None:
    """An automation that was off for more than a week is made up for; the first no is not the last word."""
    id_ = world.enter(world.on(MAIL), world.subscribed(1)[0], at=world.now - 8 * 86_400)
    world.recorder.answers = [Handed(key="", state="again", wait=wait)]
    world.work()
    assert world.one(id_).state == "waiting"
    world.work(HOUR)
    assert world.one(id_).state == "done" and len(world.recorder.sent) == 1


def test_what_was_claimed_when_the_shop_went_away_is_let_go(world: World) -> None:
    id_ = world.enter(world.on(MAIL), world.subscribed(1)[0])
    messages = world.words.messages

    def away(wanted: Sequence[Any]) -> Any:
        raise StoreUnavailable("the database went away")

    world.words.messages = away  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        world.work()
    world.words.messages = messages  # type: ignore[method-assign]
    world.work(1)
    assert world.one(id_).state == "done"


def test_no_message_is_left_open_however_it_ends(world: World) -> None:
    """It was to be tried again; then the enrolment is at its end by a fault."""
    people = world.subscribed(2)
    spec = world.on(MAIL)
    ids = [world.enter(spec, person) for person in people]
    world.recorder.answers = [Handed(key="", state="again"), Handed(key="", state="again")]
    world.work()
    assert [row[2] for row in world.messages()] == ["again", "again"]
    enrolments.end(world.state, ids[0], "exit", "told", world.now)
    world.state.sql.execute("DELETE FROM automation_version")
    again(world, 2)
    assert [world.one(id_).state for id_ in ids] == ["exit", "failed"]
    assert [row[2] for row in world.messages() if row[2] in ("again", "handing")] == []


def test_a_coupon_is_made_once_behind_a_fault(world: World) -> None:
    id_ = world.enter(
        world.on(Coupon(id="c", kind="percent", amount="5", expires=Period(days=3)), MAIL), world.subscribed(1)[0]
    )
    messages, calls = world.words.messages, []

    def broken(wanted: Sequence[Any]) -> Any:
        calls.append(wanted)
        if len(calls) == 1:
            raise RuntimeError("a fault of ours")
        return messages(wanted)

    world.words.messages = broken  # type: ignore[method-assign]
    world.work()
    again(world, 2)
    assert world.one(id_).state == "done" and len(world.recorder.done["coupons"]) == 1
    assert [message.text for message in world.recorder.sent] == [f"email {world.one(id_).data.coupons['c']}"]


def test_a_channel_that_is_switched_off_is_passed_over_where_another_leads_to_them(world: World) -> None:
    both, only = world.subscribed(2)
    world.said(both, "sms", "given")
    spec = world.on(msgspec.structs.replace(MAIL, channels=("email", "sms")))
    for person in (both, only):
        world.enter(spec, person)
    world.ways.broken = {"email"}
    world.work()
    assert {message.person_id: message.channel for message in world.recorder.sent} == {both: "sms", only: "email"}
