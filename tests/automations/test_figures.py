"""Figures against a naive count over the same rows; an order once; the interval against published values."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sidecar.automations import figures, versions
from sidecar.automations.figures import COMPARED_DAYS, Figures
from sidecar.automations.model import Automation, Coupon, OnCart, OnSegment, Send, Text, Wait
from sidecar.segments.model import Period
from sidecar.state.database import State

NOW, DAY = 1_795_000_000, 86_400
TEXTS = {"en": Text(subject="s", body="b")}
CART = Automation(
    name="one", title="One", trigger=OnCart(idle=Period(seconds=1800)),
    steps=(
        Send(id="first", title="First", channels=("email",), texts=TEXTS), Wait(id="later", period=Period(days=1, seconds=3600)),
        Coupon(id="gift", kind="percent", amount="5", expires=Period(days=3)), Send(id="second", channels=("email",), texts=TEXTS),
    ),
)  # fmt: skip
STATES = ("waiting", "done", "goal", "exit", "failed")
OUTCOMES = ("done", "skipped", "failed")
SENT = ("queued", "sent", "delivered", "failed", "bounced", "unsure")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(str(tmp_path)) as opened:
        yield opened


def world(state: State, chance: Random, people: int = 40) -> dict[str, list[Any]]:
    """Random rows of two automations, and the same as plain data."""
    rows: dict[str, list[Any]] = {"ways": [], "steps": [], "messages": [], "orders": [], "refunds": [], "credits": []}
    for number in range(1, people * 3):
        person, entered = chance.randrange(1, people), NOW - chance.randrange(0, 80 * DAY)
        rows["ways"].append((number, chance.choice((1, 1, 2)), person, f"order:{number}", chance.random() < 0.3, entered, chance.choice(STATES)))  # fmt: skip
    for way in rows["ways"]:
        for step in chance.sample(("first", "later", "gift", "second"), chance.randrange(5)):
            outcome = chance.choice(OUTCOMES)
            reason = {"done": "", "skipped": chance.choice(("cap", "bought")), "failed": "broken: it says so"}[outcome]
            rows["steps"].append((way[0], step, entered, outcome, reason))
            if step in ("first", "second") and not way[4]:
                marks = [entered if chance.random() < share else None for share in (0.8, 0.5, 0.3)]
                rows["messages"].append((len(rows["messages"]) + 1, way[0], way[1], step, way[2], chance.choice(SENT), *marks))  # fmt: skip
    for order in range(1, people * 2):
        rows["orders"].append((order, chance.randrange(1, people), NOW - chance.randrange(-30 * DAY, 90 * DAY), chance.randrange(1, 500) * 10_000))  # fmt: skip
        if chance.random() < 0.2:
            rows["refunds"].append((1000 + order, order, -5_000))
        if chance.random() < 0.3 and rows["messages"]:
            message = chance.choice(rows["messages"])
            rows["credits"].append((order, message[0], message[2], chance.choice(("click", "coupon"))))
    with state.transaction() as sql:
        sql.executemany(
            "INSERT INTO enrolment (id, automation_id, version_id, person_id, subject, held, entered, state, step)"
            " VALUES (?, ?, 1, ?, ?, ?, ?, ?, 'second')", rows["ways"],
        )  # fmt: skip
        sql.executemany("INSERT INTO step_done VALUES (?, ?, ?, ?, ?)", rows["steps"])
        sql.executemany(
            "INSERT INTO message (id, key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose, language,"
            " state, decided, delivered, opened, clicked) VALUES (?1, 'k' || ?1, ?2, ?3, 1, ?4, ?5, 'email', 'p', 'marketing', 'en', ?6, 1, ?7, ?8, ?9)",
            rows["messages"],
        )  # fmt: skip
        sql.executemany(
            "INSERT INTO shop_order (id, person_id, created, total, verdict, status, crc) VALUES (?, ?, ?, ?, 'candidate', '', 0)", rows["orders"]
        )  # fmt: skip
        sql.executemany("INSERT INTO counted_order VALUES (?, ?, ?)", [row[:3] for row in rows["orders"]])
        sql.executemany(
            "INSERT INTO shop_order (id, parent_id, total, verdict, status, crc) VALUES (?, ?, ?, 'refund', '', 0)", rows["refunds"]
        )  # fmt: skip
        sql.executemany(
            "INSERT INTO credit (order_id, message_id, enrolment_id, automation_id, person_id, at, how) VALUES (?, ?, 1, ?, 1, 1, ?)", rows["credits"]
        )  # fmt: skip
    return rows


def net(rows: dict[str, list[Any]], order: int) -> int:
    total = next(row[3] for row in rows["orders"] if row[0] == order)
    return int(total + sum(row[2] for row in rows["refunds"] if row[1] == order))


@pytest.mark.parametrize("seed", range(8))
def test_figures_are_those_of_a_naive_count(state: State, seed: int) -> None:
    rows = world(state, Random(seed))
    found = figures.count(state, 1, CART, NOW)
    mine = [way for way in rows["ways"] if way[1] == 1]
    for held, group in ((False, found.reached), (True, found.held)):
        ways = [way for way in mine if way[4] is held]
        states = Counter(way[6] for way in ways)
        assert (group.entered, group.waiting, group.goals, group.done, group.failed) == (
            len(ways), states["waiting"], states["goal"], states["done"], states["failed"],
        )  # fmt: skip
        spent: dict[int, set[int]] = {way[2]: set() for way in ways}
        for way in ways:
            spent[way[2]] |= {
                order for order, person, at, _ in rows["orders"]
                if person == way[2] and way[5] < at < way[5] + COMPARED_DAYS * DAY and way[3] != f"order:{order}"
            }  # fmt: skip
        assert (group.people, group.bought) == (len(spent), sum(bool(orders) for orders in spent.values()))
        assert group.spent == sum(net(rows, order) for orders in spent.values() for order in orders)
    inside = {way[0]: way for way in mine if not way[4]}
    for step in found.steps:
        done = [row for row in rows["steps"] if row[0] in inside and row[1] == step.step]
        assert step.done == sum(row[3] == "done" for row in done)
        assert step.skipped == Counter(row[4] for row in done if row[3] == "skipped")
        assert step.failed == Counter("broken" for row in done if row[3] == "failed")
        sent = [row for row in rows["messages"] if row[2] == 1 and row[3] == step.step]
        assert step.sent == sum(row[5] in ("queued", "sent", "delivered") for row in sent)
        assert (step.delivered, step.opened, step.clicked) == tuple(sum(row[n] is not None for row in sent) for n in (6, 7, 8))  # fmt: skip
        own = {row[0] for row in sent}
        credits_ = [row for row in rows["credits"] if row[1] in own]
        assert (step.orders, step.revenue) == (len(credits_), sum(net(rows, row[0]) for row in credits_))
    all_ = [row for row in rows["credits"] if row[2] == 1]
    assert (found.orders, found.revenue) == (len(all_), sum(net(rows, row[0]) for row in all_))
    assert found.orders == sum(step.orders for step in found.steps), "an order counts once"


def test_the_effect_on_what_people_spend(state: State) -> None:
    rows = world(state, Random(99), people=200)
    found = figures.count(state, 1, CART, NOW)
    groups = {}
    for held in (False, True):
        spent: dict[int, set[int]] = {}
        for way in rows["ways"]:
            if way[1] == 1 and way[4] is held:
                orders = spent.setdefault(way[2], set())
                orders |= {
                    order for order, person, at, _ in rows["orders"]
                    if person == way[2] and way[5] < at < way[5] + COMPARED_DAYS * DAY and way[3] != f"order:{order}"
                }  # fmt: skip
        groups[held] = [sum(net(rows, order) for order in orders) for orders in spent.values()]
    assert found.earned is not None
    difference = statistics.mean(groups[False]) - statistics.mean(groups[True])
    error = sum(statistics.variance(one) / len(one) for one in groups.values()) ** 0.5
    assert found.earned.difference == pytest.approx(difference)
    assert found.earned.high - found.earned.low == pytest.approx(2 * 1.959964 * error, rel=1e-6)


def test_revenue_of_forgotten_messages_is_none_of_those_who_are_remembered(state: State) -> None:
    """What an order was credited to is kept for longer than messages are."""
    with state.transaction() as sql:
        for id_ in (1, 2):
            sql.execute(
                "INSERT INTO message (id, key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose,"
                " language, state, decided) VALUES (?1, ?1, ?1, 1, 1, 'first', ?1, 'email', 'p', 'marketing', 'en', 'sent', 1)",
                (id_,),
            )
            sql.execute(
                "INSERT INTO shop_order (id, person_id, created, total, verdict, status, crc) VALUES (?1, ?1, 1, 10, 'candidate', '', 0)",
                (id_,),
            )
            sql.execute(
                "INSERT INTO credit (order_id, message_id, enrolment_id, automation_id, person_id, at, how) VALUES (?1, ?1, ?1, 1, ?1, 1, 'click')",
                (id_,),
            )
        assert figures.count(state, 1, CART, NOW).per_recipient == 10
        sql.execute("DELETE FROM message WHERE id = 1")
    found = figures.count(state, 1, CART, NOW)
    assert (found.orders, found.revenue, found.recipients, found.per_recipient) == (2, 20, 1, 10)


def test_nobody_held_back_means_no_effect_is_claimed(state: State) -> None:
    state.sql.execute(
        "INSERT INTO enrolment (automation_id, version_id, person_id, subject, entered, step, state) VALUES (1, 1, 1, '', 1, 'end', 'goal')"
    )
    found = figures.count(state, 1, CART, NOW)
    assert (found.lift, found.earned, found.goal_lift) == (None, None, None)
    assert (found.means, found.reached.goal_rate) == ("recovered", 1.0)


def test_what_the_steps_wait(state: State) -> None:
    found = figures.count(state, 1, CART, NOW)
    assert [step.delay for step in found.steps] == [0, 90_000, 90_000, 90_000]
    again = Automation(name="w", title="w", trigger=OnSegment(segment="x"), steps=CART.steps)
    assert figures.count(state, 1, again, NOW).means == "goal"


def test_kept_figures_are_answered_until_they_are_old_or_the_steps_are_others(state: State) -> None:
    row = versions.row(state, "one")

    def entered(now: int, fresh: int, automation: Automation = CART) -> int:
        found: Figures = figures.figures(state, row, automation, now, fresh)
        return found.reached.entered

    assert entered(NOW, 0) == 0
    assert figures.oldest(state, ["one", "two"]) == "one" and figures.oldest(state, []) == ""
    state.sql.execute(
        "INSERT INTO enrolment (automation_id, version_id, person_id, subject, entered, step) VALUES (?, 1, 1, '', 1, 'first')",
        (row.id,),
    )
    assert entered(NOW + 899, 900) == 0
    assert entered(NOW + 900, 900) == 1
    state.sql.execute("DELETE FROM enrolment")
    other = Automation(name="one", title="One", trigger=CART.trigger, steps=CART.steps[:2])
    assert entered(NOW + 901, 900, other) == 0
