"""`sidecar automations` on a shop that was synced."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from automating import World
from commandline import Bench
from support import ShopDatabase

from sidecar.automations import library, pruning
from sidecar.automations.library import ready_text
from sidecar.automations.model import Send
from sidecar.config import Config
from sidecar.segments import file as segments_file

NOW = "2026-11-02T10:00:00Z"


@pytest.fixture
def bench(
    known_shop: tuple[ShopDatabase, Config], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    """`world` works in the same state, and its owner in the same shop."""
    monkeypatch.setenv("SIDECAR_NOW", NOW)
    made = Bench(known_shop[0], tmp_path)
    assert made.state_dir == Path(world.config.state.dir)
    yield made


def test_from_the_list_to_the_figures(bench: Bench, world: World) -> None:
    listed = {one["name"]: one for one in bench.json("automations", "list")["automations"]}
    assert sorted(listed) == list(library.ready())
    assert not any(one["on"] or one["own"] or one["fault"] for one in listed.values())
    assert "all automations: no problem." in bench.run("automations", "check").output
    shown = bench.run("automations", "show", "thank-you").output
    assert "starts   each time order.paid happens to somebody" in shown
    assert "wait 4 hours, until 10:00 of their time" in shown
    assert "off; ready-made, not changed" in shown
    said = bench.run("automations", "on", "thank-you", "--rollout", "20", "--holdout", "10").output
    assert "thank-you is on (20 %, 10 % held back)." in said
    assert (
        "thank-you is on (50 %, 10 % held back)."
        in bench.run("automations", "on", "thank-you", "--rollout", "50").output
    )
    row = {one["name"]: one for one in bench.json("automations", "list")["automations"]}["thank-you"]
    assert (row["on"], row["rollout"], row["holdout"]) == (True, 50, 10)
    figures = bench.json("automations", "stats", "thank-you")["figures"]
    assert figures["reached"]["entered"] == figures["orders"] == 0
    assert "nobody is held back" in bench.run("automations", "stats", "thank-you").output
    assert bench.json("automations", "off", "thank-you")["was_on"]
    assert not bench.json("automations", "off", "thank-you")["was_on"]


def test_each_can_be_shown(bench: Bench) -> None:
    for name in library.ready():
        flow = bench.json("automations", "show", name)["flow"]
        known = {line["step"] for line in flow} | {"end"}
        assert all(line["says"] and set(line["to"]) <= known for line in flow)


def test_wrong_names_and_shares(bench: Bench) -> None:
    for command in ("show", "on", "off", "stats", "reset", "people"):
        assert "there is no" in bench.json("automations", command, "nothing", code=None)["error"]["message"]
    assert bench.run("automations", "on", "welcome", "--rollout", "0", code=2).exit_code == 2
    assert bench.run("automations", "on", "welcome", "--holdout", "60", code=2).exit_code == 2
    error = bench.json("automations", "why", "welcome", "nobody@example.org", code=1)["error"]
    assert "nobody@example.org" not in error["message"]


def test_what_somebody_else_sends_is_left_to_them(bench: Bench, world: World) -> None:
    plugins = world.keeper.one("SELECT option_value FROM wp_options WHERE option_name = 'active_plugins'")
    name = "automatewoo/automatewoo.php"
    more = plugins.removesuffix("}") + f'i:99;s:{len(name)}:"{name}";}}'
    count = int(plugins.split(":")[1])
    world.keeper.do(
        "UPDATE wp_options SET option_value = %s WHERE option_name = 'active_plugins'",
        more.replace(f"a:{count}:", f"a:{count + 1}:", 1),
    )
    try:
        error = bench.json("automations", "on", "cart-recovery", code=1)["error"]
        assert "AutomateWoo" in error["details"][0]
        assert "AutomateWoo" in bench.run("automations", "show", "cart-recovery").output
        assert bench.json("automations", "on", "cart-recovery", "--anyway")["findings"]
    finally:
        world.keeper.do("UPDATE wp_options SET option_value = %s WHERE option_name = 'active_plugins'", plugins)


def test_a_file_of_ones_own(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "automations"
    own.mkdir(exist_ok=True)
    (tmp_path / "state" / "automations").mkdir(exist_ok=True)
    mine = next(path for path in (own, tmp_path / "state" / "automations"))
    wrong = mine / "welcome.toml"
    wrong.write_text(ready_text("welcome").replace('do = "coupon"', 'do = "cupon"'), encoding="utf-8")
    found = bench.run("automations", "check", str(wrong), code=3)
    assert "did you mean coupon" in found.stderr
    for place in (own, tmp_path / "state" / "automations"):
        shutil.copy(wrong, place / "welcome.toml") if place != mine else None
    listed = {one["name"]: one for one in bench.json("automations", "list")["automations"]}
    assert listed["welcome"]["own"] and "problem" in listed["welcome"]["fault"]
    assert not listed["birthday"]["fault"]
    assert bench.run("automations", "check", code=3).exit_code == 3
    bench.run("automations", "on", "welcome", code=3)
    bench.run("automations", "on", "birthday")


def entered(world: World, name: str, person: int, **how: Any) -> int:
    spec = library.Library(world.config, world.info.zone, segments_file.load(None, world.info.zone)).get(name)
    world.on(*spec.steps, name=name, trigger=spec.trigger, goal=spec.goal, exits=spec.exits, again=spec.again)
    return world.enter(spec, person, **how)


def test_a_message_before_anybody_gets_it(bench: Bench, world: World) -> None:
    person, _ = world.subscribed(2)
    address = world.address(person)
    # Without the plugin nobody could take their consent back: that is said.
    said = bench.json("automations", "preview", "thank-you")["messages"]
    assert "unsubscribe_link" in said["first"]["problems"][0]
    world.keeper.do("INSERT INTO wp_options (option_name, option_value) VALUES ('fcsc_link_key', %s)", "ab" * 32)
    example = bench.json("automations", "preview", "thank-you")["messages"]
    assert list(example) == [
        step.id
        for step in library.Library(world.config, world.info.zone, segments_file.load(None, world.info.zone))
        .get("thank-you")
        .steps
        if isinstance(step, Send)
    ]
    assert [one["problems"] for one in example.values() if one["problems"]] == []
    assert all(one["subject"] and one["html"] for one in example.values())
    first = next(iter(example))
    real = bench.json("automations", "preview", "welcome", "--person", address, "--language", "fa")["messages"]
    assert all('dir="rtl"' in one["html"] for one in real.values())
    assert "<table" in bench.run("automations", "preview", "thank-you", first, "--html").output
    bench.run("automations", "preview", "thank-you", "nothing", code=1)
    bench.run("automations", "preview", "thank-you", "--person", "nobody@example.org", code=1)
    assert world.messages() == []
    world.keeper.do("DELETE FROM wp_options WHERE option_name = 'fcsc_link_key'")


def test_why_somebody_got_it_or_not(bench: Bench, world: World) -> None:
    person, other = world.subscribed(2)
    address = world.address(person)
    never = bench.json("automations", "why", "thank-you", address)
    assert never["verdict"] == "They were never in it. It is off."
    order = world.keeper.order(address, at=world.at(world.now - 3600), status="wc-processing")
    entered(world, "thank-you", person, subject=f"order:{order}", at=world.now - 3600)
    for _ in range(3):
        world.work(25 * 3600)
    found = bench.run("automations", "why", "thank-you", address).output
    assert f"entered 2026-11-02 10:00 order:{order}" in found
    assert "They got 1 message of it." in found or "They got 2 messages of it." in found
    assert bench.json("automations", "messages", "--person", address)["messages"][0]["automation"] == "thank-you"
    assert bench.json("automations", "messages", "--person", world.address(other))["messages"] == []
    inside = bench.json("automations", "people", "thank-you")["people"]
    assert [one["contact_id"] for one in inside] == [world.contact_of(person)]
    assert address not in bench.run("automations", "people", "thank-you").output


def test_what_is_forgotten_is_not_told_as_nothing(bench: Bench, world: World) -> None:
    person = world.subscribed(1)[0]
    world.newcomer(person)
    world.segmented()
    entered(world, "welcome", person, subject="account:1", at=world.now - 3600)
    for _ in range(20):
        world.work(25 * 3600)
    assert "They got 2 messages of it." in bench.run("automations", "why", "welcome", world.address(person)).output
    pruning.prune(world.state, world.now + 86_400, 0)
    told = bench.run("automations", "why", "welcome", world.address(person)).output
    assert "They were in it too long ago: what they got then is forgotten." in told and "got nothing" not in told


def test_what_starts_it_may_be_an_order_that_is_made_so(bench: Bench, world: World) -> None:
    """An order that is processing from its first moment: nothing but its being made is told."""
    person = world.subscribed(1)[0]
    world.state.sql.execute(
        "INSERT INTO shop_order (id, person_id, verdict, status, total, created, crc) VALUES (990001, ?, 'candidate', 'processing', 1, ?, 0)",
        (person, world.now - 60),
    )
    world.state.sql.execute(
        "INSERT INTO event (outbox_id, at, done_at, topic, object_id, sub_id, detail, label, person_id, outcome, reason, live)"
        " VALUES (1, ?, 0, 'order.created', 990001, 0, '', '', ?, 'changed', '', 1)",
        ((world.now - 50) * 1000, person),
    )
    said = {}
    for name in ("order-placed", "order-delivered"):
        checks = bench.json("automations", "why", name, world.address(person))["checks"]
        said[name] = next(one["sentence"] for one in checks if one["id"] == "trigger")
    assert said["order-placed"].startswith("What starts it happened last at 2026-11-02 10:59")
    assert said["order-delivered"] == "What starts it has not happened to them."


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("status", "no consent to marketing by this channel"),
        ("holdout", "only watched, to measure what the automation earns"),
        ("suppressed", "asked to be erased"),
    ],
)
def test_what_kept_a_message_back_is_said(bench: Bench, world: World, what: str, says: str) -> None:
    person = world.subscribed(1)[0]
    address = world.address(person)
    if what == "status":
        world.contact(world.contact_of(person), status="unsubscribed")
    if what == "suppressed":
        key = world.state.rows("SELECT key FROM person WHERE id = ?", (person,))[0][0]
        world.state.sql.execute("INSERT INTO suppressed (key, at) VALUES (?, 1)", (key,))
    entered(world, "win-back-30", person, subject="segment:x:1", held=what == "holdout")
    for _ in range(3):
        world.work(25 * 3600)
    assert world.recorder.sent == []
    found = bench.json("automations", "why", "win-back-30", address)
    assert "got nothing" in found["verdict"] and says in found["verdict"]
