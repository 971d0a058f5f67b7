"""One person through an automation with the clock sped up: what is shown is what the engine would do, and nothing is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from automating import World
from commandline import Bench
from support import ShopDatabase

from sidecar.config import Config
from sidecar.state.database import State

TABLES = ("automation", "automation_version", "enrolment", "step_done", "message", "coupon")


@pytest.fixture
def bench(
    known_shop: tuple[ShopDatabase, Config], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-02T10:00:00Z")
    world.keeper.do("INSERT INTO wp_options (option_name, option_value) VALUES ('fcsc_link_key', %s)", "00" * 32)
    yield Bench(known_shop[0], tmp_path)
    world.keeper.do("DELETE FROM wp_options WHERE option_name = 'fcsc_link_key'")


def rows(state: State) -> dict[str, list[tuple[object, ...]]]:
    return {table: state.rows(f"SELECT * FROM {table}") for table in TABLES}


def test_welcome_with_its_coupon(bench: Bench, world: World) -> None:
    person = world.subscribed(1)[0]
    world.newcomer(person)
    world.segmented()
    before = rows(world.state)
    found = bench.json("automations", "simulate", "welcome", world.address(person))
    steps = {one["step"]: one for one in found["simulated"]["steps"]}
    assert found["simulated"]["assumed"] and "e-mail" in bench.run("automations", "simulate", "welcome", world.address(person)).stderr  # fmt: skip
    assert [world.at(steps[step]["at"]) for step in ("hello", "offer", "last")] == ["2026-11-02 10:15:00", "2026-11-06 09:00:00", "2026-11-12 09:00:00"]  # fmt: skip
    (code,) = set(re.findall(r"HELLO[A-Z0-9]{10}", steps["offer"]["message"]["text"]))
    assert code in steps["last"]["message"]["text"] and "10" in steps["offer"]["message"]["text"]
    assert found["simulated"]["end"] == "done"
    assert rows(world.state) == before, "nothing is kept"
    assert world.shop.rows("SELECT COUNT(*) FROM wp_posts WHERE post_type = 'shop_coupon' AND post_title = %s", (code,)) == [(0,)]  # fmt: skip


def test_a_purchase_on_the_way(bench: Bench, world: World) -> None:
    person = world.subscribed(1)[0]
    world.segmented()
    found = bench.json("automations", "simulate", "welcome", world.address(person), "--buy-after", "2d")["simulated"]
    assert [one["step"] for one in found["steps"] if one["message"]] == ["hello"]
    assert (found["end"], world.at(found["ended"])) == ("goal", "2026-11-04 10:00:00")
    order = world.keeper.order(world.address(person), at=world.at(world.now - 3600))
    told = bench.json("automations", "simulate", "milestone", world.address(person), "--about", f"order:{order}", "--buy-after", "2h")  # fmt: skip
    assert [one["sentence"] for one in told["simulated"]["steps"] if not one["step"]] == ["that does not end it"]
    assert told["simulated"]["end"] == "done"
    assert "write it like" in bench.run("automations", "simulate", "welcome", world.address(person), "--buy-after", "soon", code=2).stderr  # fmt: skip


def test_what_would_be_left_out_is_said(bench: Bench, world: World) -> None:
    person = world.subscribed(1)[0]
    world.segmented()
    world.contact(world.contact_of(person), status="unsubscribed")
    found = bench.run("automations", "simulate", "win-back-30", world.address(person)).output
    assert "left out: no consent to marketing by this channel" in found


def test_each_note_shows_its_own_text(bench: Bench, world: World) -> None:
    """A note and a ticket, one right after the other."""
    person = world.subscribed(1)[0]
    world.segmented()
    found = bench.json("automations", "simulate", "sudden-drop", world.address(person))["simulated"]
    notes = [one["note"] for one in found["steps"] if one["note"]]
    assert len(notes) == 2 and len(set(notes)) == 2


def test_what_is_inside_already_is_left_alone(bench: Bench, world: World) -> None:
    from sidecar.automations.model import Send, Wait
    from sidecar.segments.model import Period

    person = world.subscribed(1)[0]
    world.segmented()
    spec = world.on(Wait(id="w", period=Period(days=9)), Send(id="m", channels=("email",), texts={}), name="welcome")
    one = world.enter(spec, person, "account:1")
    world.work()
    before = world.one(one)
    bench.run("automations", "simulate", "welcome", world.address(person))
    assert world.one(one) == before
