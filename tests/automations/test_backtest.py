"""Backtests against a naive count over the shop's own orders; nothing is written, nothing leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from automating import DAY, World
from commandline import Bench
from support import ShopDatabase

from sidecar.automations import backtest as replay
from sidecar.automations import library
from sidecar.automations.model import OnSchedule, Stop
from sidecar.config import Config
from sidecar.segments.model import Number

# Until a day at noon; quiet hours and hours of the day are in Warsaw.
NOW = "2026-11-02T10:00:00Z"


@pytest.fixture
def bench(
    known_shop: tuple[ShopDatabase, Config], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    monkeypatch.setenv("SIDECAR_NOW", NOW)
    world.segmented()
    world.subscribed(_people(world))
    yield Bench(known_shop[0], tmp_path)


def _people(world: World) -> int:
    return int(world.state.rows("SELECT COUNT(*) FROM person WHERE contact_id IS NOT NULL AND verdict = 'in'")[0][0])


def bought(world: World) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for person, at, order in world.state.rows("SELECT person_id, at, order_id FROM counted_order ORDER BY at"):
        found.setdefault(person, []).append((at, order))
    return found


def run(bench: Bench, name: str, days: int = 365) -> dict[str, Any]:
    found: dict[str, Any] = bench.json("automations", "backtest", name, "--days", str(days))["backtest"]
    return found


def test_win_back_by_the_orders_alone(bench: Bench, world: World) -> None:
    """Who had not bought for 30 days: each gap of 30 days, and each last order that is older, within the period; entered once in 180
    days; a purchase before the next Tuesday, Wednesday or Thursday at ten ends it."""
    found = run(bench, "win-back-30")
    since, times = world.now - 365 * DAY, 0
    people = set()
    for person, mine in bought(world).items():
        last = None
        for number, (at, _) in enumerate(mine):
            following = mine[number + 1][0] if number + 1 < len(mine) else world.now
            begins = at + 30 * DAY
            # Where the clock changes in between, 30 days of the calendar are an hour more or less: nobody here is that close.
            if since + 7200 < begins < min(following, world.now) - 7200 and (
                last is None or begins - last >= 180 * DAY
            ):
                last, times = begins, times + 1
                people.add(person)
    assert times > 20
    assert (found["entered"], found["people"]) == (times, len(people))
    step = found["steps"][0]
    assert step["sent"] == found["messages"] == sum(step["weeks"])
    assert found["messages"] + found["goals"] <= found["entered"]
    assert not step["left_out"]


def test_whoever_bought_anyway_is_counted(bench: Bench, world: World) -> None:
    found = run(bench, "order-placed", 365)
    # It goes by SMS and Telegram; nothing is set up, so nothing would have gone.
    assert found["messages"] == 0 and found["steps"][0]["left_out"] == {"no_provider": found["entered"]}
    found = run(bench, "thank-you", 365)
    assert found["entered"] > 20
    assert 0 < found["reached"] <= found["people"]
    assert 0 <= found["bought_anyway"] <= found["reached"]
    assert sum(step["sent"] for step in found["steps"]) == found["messages"]


def test_the_ceiling_of_a_made_up_shop(bench: Bench, world: World) -> None:
    """Milestone: the fifth order; a day later, at ten, the message. Of four buyers one buys again within five days after it."""
    people = world.subscribed(4)
    with world.state.transaction() as sql:
        sql.execute("DELETE FROM counted_order")
        sql.execute("DELETE FROM shop_order")
        sql.execute("DELETE FROM trait_stale")
        for number, person in enumerate(people):
            times = [world.now - (40 - 2 * n) * DAY for n in range(5)]
            if number == 0:
                times.append(times[-1] + 4 * DAY)
            for n, at in enumerate(times):
                order = 10_000 + number * 100 + n
                sql.execute("INSERT INTO counted_order VALUES (?, ?, ?)", (order, person, at))
                sql.execute(
                    "INSERT INTO shop_order (id, person_id, verdict, status, total, created, crc) VALUES (?, ?, 'candidate', 'completed', 1, ?, 0)",
                    (order, person, at),
                )
    world.contact(world.contact_of(people[3]), status="unsubscribed")
    answer = bench.json("automations", "backtest", "milestone", "--days", "90")
    found = answer["backtest"]
    assert (found["entered"], found["people"], found["messages"], found["reached"]) == (4, 4, 3, 3)
    assert found["steps"][0]["left_out"] == {"no_consent": 1}
    assert found["bought_anyway"] == 1 and answer["ceiling"] == pytest.approx(2 / 3)
    assert "At most 67 % of those reached can be won" in bench.run("automations", "backtest", "milestone").output


@pytest.mark.parametrize("most", [200_000, 25])
def test_a_schedule_for_everybody_fits_into_memory(world: World, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """The newest times only, where all of them would be too many."""
    monkeypatch.setattr(replay, "_MOST", most)
    world.segmented()
    world.subscribed(_people(world))
    rule = Number("orders_count", 1, None)
    spec = world.on(Stop(id="s"), trigger=OnSchedule(every="week", on="mon", at="09:00"), filter=rule)
    found = replay.backtest(world.place(), spec, 28)
    people = world.state.rows(
        "SELECT COUNT(*) FROM trait t JOIN person p ON p.id = t.person_id WHERE t.orders_count >= 1 AND p.verdict = 'in' AND p.contact_id > 0"
    )[0][0]
    times = 4 if most > 25 else 1
    assert found.entered == people * times > 25 and found.people == people
    assert any("only the last 1 of 4 times" in note for note in found.notes) is (times == 1)


def test_every_ready_made_one_can_be_tried_and_writes_nothing(bench: Bench, world: World) -> None:
    names = ("automation", "enrolment", "message", "coupon", "membership", "event")
    before = {name: world.state.rows(f"SELECT * FROM {name}") for name in names}
    for name in library.ready():
        found = run(bench, name)
        assert found["entered"] >= found["people"] >= 0
    assert "no history to try it on" in bench.run("automations", "backtest", "back-in-stock").output
    assert "only since the plugin is there" in bench.run("automations", "backtest", "cart-recovery").output
    assert {name: world.state.rows(f"SELECT * FROM {name}") for name in names} == before
    assert bench.run("automations", "backtest", "nothing", code=1).exit_code == 1
