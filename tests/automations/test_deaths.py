"""`kill -9` at every point between two statements that write, and before and after everything that is done to the world."""

from __future__ import annotations

from pathlib import Path

import pytest
from automating import DAY, HOUR, NOW, TEXT, Killed, World, copied
from support import ShopDatabase

from sidecar.automations import enrolments
from sidecar.automations.channels.model import Handed
from sidecar.automations.channels.registry import Channels
from sidecar.automations.doing import Doing
from sidecar.automations.model import Coupon, Note, Send, Split, Tagged, Wait, Webhook
from sidecar.config import Config
from sidecar.segments.model import Period

STEPS = (
    Coupon(id="c", kind="percent", amount="10", expires=Period(days=7)),
    Send(id="first", channels=("email",), texts=TEXT),
    Tagged(id="t", add=("x",)),
    Wait(id="w", period=Period(days=2)),
    Split(id="s", ways={"second": 1}),
    Send(id="second", channels=("email",), texts=TEXT),
    Note(id="n", title="T", body="B"),
    Webhook(id="h", url="https://x.example/"),
)
LEASE = enrolments.LEASE_MS // 1000


def begun(known_shop: tuple[ShopDatabase, Config], folder: Path, knows: bool) -> tuple[World, list[int]]:
    world = World(known_shop[0], copied(known_shop[1], folder))
    world.recorder.knows = knows
    people = world.subscribed(2)
    spec = world.on(*STEPS)
    ids = [world.enter(spec, person) for person in people]
    world.death.passed = 0
    return world, ids


def lived(world: World) -> None:
    """Another process takes over, and goes on until nothing is left to do."""
    world.state.close()
    world.death.at = None
    world.state = world.opened()
    for _ in range(12):
        world.work(LEASE + DAY)
        if not world.state.rows("SELECT 1 FROM enrolment WHERE state = 'waiting'"):
            break


@pytest.mark.parametrize("knows", [True, False], ids=["channel knows keys", "channel knows nothing"])
def test_death_at_any_point(known_shop: tuple[ShopDatabase, Config], tmp_path: Path, knows: bool) -> None:
    world, _ = begun(known_shop, tmp_path / "whole", knows)
    world.work()
    world.work(2 * DAY)
    points = world.death.passed
    assert len(world.recorder.sent) == 4
    world.close()
    assert points > 60
    lost = 0
    for point in range(1, points + 1):
        world, ids = begun(known_shop, tmp_path / f"at{point}", knows)
        world.death.at = point
        with pytest.raises(Killed):
            world.work()
            world.work(2 * DAY)
        lived(world)
        where = f"death at point {point}"
        sent = [(message.person_id, message.container) for message in world.recorder.sent]
        assert len(sent) == len(set(sent)), where
        assert [world.one(id_).state for id_ in ids] == ["done", "done"], where
        assert {state for _, _, state, _ in world.messages()} <= {"sent", "queued", "unsure"}, where
        unsure = sum(state == "unsure" for _, _, state, _ in world.messages())
        if knows:
            assert len(sent) == 4 and unsure == 0, where
        # What nobody can tell of is not sent again; at most the two that were in the hands of that one call.
        assert unsure <= 2 and len(sent) + unsure >= 4, where
        lost += 4 - len(sent)
        for kind, count in (("coupons", 2), ("contacts", 2), ("notes", 2), ("hooks", 2)):
            assert len(world.recorder.done[kind]) == count, (where, kind)
        codes = world.state.rows("SELECT code FROM coupon WHERE coupon_id IS NOT NULL ORDER BY code")
        assert [row[0] for row in codes] == sorted(wish.code for wish in world.recorder.done["coupons"]), where
        world.close()
    assert (lost == 0) if knows else (0 < lost < points)


def test_nobody_is_asked_again_for_what_ended_meanwhile(
    known_shop: tuple[ShopDatabase, Config], tmp_path: Path
) -> None:
    """The process died while it handed over, and before anybody came to it again the person bought."""
    for knows, state in ((True, "queued"), (False, "unsure")):
        world, ids = begun(known_shop, tmp_path / state, knows)
        world.recorder.before = lambda batch, world=world: setattr(
            world.death, "at", world.death.passed + 2 * len(batch)
        )  # type: ignore[misc]
        with pytest.raises(Killed):
            world.work()
        world.recorder.before, world.death.at = None, None
        for id_ in ids:
            enrolments.end(world.state, id_, "goal", "order.paid order:1", NOW)
        world.work(LEASE + HOUR)
        assert [row[2] for row in world.messages()] == [state, state]
        assert len(world.recorder.sent) == 2
        world.close()


def test_what_ended_while_the_plugin_is_silent_is_asked_later(
    known_shop: tuple[ShopDatabase, Config], tmp_path: Path
) -> None:
    """FluentCRM has it; that it is silent for a night is no reason never to know."""
    world, ids = begun(known_shop, tmp_path / "s", True)
    world.recorder.before = lambda batch: setattr(world.death, "at", world.death.passed + 2 * len(batch))
    with pytest.raises(Killed):
        world.work()
    world.recorder.before, world.death.at = None, None
    for id_ in ids:
        enrolments.end(world.state, id_, "goal", "order.paid order:1", NOW)
    world.state.sql.execute("UPDATE message SET provider = 'fluentcrm'")
    asked, paired = world.recorder.asked, [True]

    def silent(keys: list[str]) -> dict[str, Handed]:
        channels = Channels(world.config, world.state, None, paired=paired[0])
        return Doing(world.config, world.state, None, channels).asked(keys)

    world.recorder.asked = silent  # type: ignore[assignment,method-assign]
    world.work(LEASE + HOUR)
    assert [row[2] for row in world.messages()] == ["handing", "handing"]
    world.recorder.asked = asked  # type: ignore[method-assign]
    world.work(HOUR)
    assert [row[2] for row in world.messages()] == ["queued", "queued"]
    # When it is gone for good, or has forgotten, nobody will ever tell.
    world.recorder.asked = silent  # type: ignore[assignment,method-assign]
    for there, later in ((False, HOUR), (True, 40 * 24 * HOUR)):
        paired[0] = there
        world.state.sql.execute("UPDATE message SET state = 'handing', decided = ?", (world.now * 1000,))
        world.work(LEASE + later)
        assert [row[2] for row in world.messages()] == ["unsure", "unsure"]
    world.close()


def test_a_channel_that_cannot_be_asked_is_asked_later(known_shop: tuple[ShopDatabase, Config], tmp_path: Path) -> None:
    world, ids = begun(known_shop, tmp_path / "s", True)
    world.recorder.before = lambda batch: setattr(world.death, "at", world.death.passed + 1)
    with pytest.raises(Killed):
        world.work()
    world.recorder.before, world.death.at = None, None
    asked = world.recorder.asked

    def down(keys: object) -> dict[str, object]:
        raise OSError

    world.recorder.asked = down  # type: ignore[assignment,method-assign]
    world.work(LEASE + 1)
    assert world.recorder.sent == [] and [world.one(id_).state for id_ in ids] == ["waiting"] * 2
    world.recorder.asked = asked  # type: ignore[method-assign]
    world.work(60)
    assert len(world.recorder.sent) == 2, "it never came there"
    world.close()


def test_what_may_be_with_one_provider_is_given_to_no_other(
    known_shop: tuple[ShopDatabase, Config], tmp_path: Path
) -> None:
    """FluentCRM's queue did not answer (it may have it), and then the plugin is gone and SMTP takes its place."""
    world, _ = begun(known_shop, tmp_path / "s", True)
    world.recorder.answers = ["again", "again"]
    world.work()
    world.ways.there = {"email": "smtp"}
    world.work(60)
    assert world.recorder.sent == []
    world.ways.there = {"email": "mail"}
    world.work(2 * HOUR)
    assert len(world.recorder.sent) == 2
    assert {row[2] for row in world.messages()} == {"sent"}
    world.close()
