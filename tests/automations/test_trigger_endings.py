"""Goals, exits and waits: what happens ends or wakes the right people's ways, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from triggering import HOUR, NOW, STEPS, Yard, alone

from sidecar.automations import enrolments, model, versions
from sidecar.automations.enrolments import Entry
from sidecar.segments.model import Period

PAID = model.Goal(topics=("order.paid",))
VISITOR = "ab" * 16


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = alone(tmp_path)
    made.person(1)
    made.person(2)
    yield made
    made.close()


def inside(yard: Yard, subject: str, person: int = 1, trigger: model.Trigger | None = None, **how: Any) -> None:
    """Somebody is in an automation about that, since now."""
    automation = yard.on(trigger or model.ByHand(), **how)
    row = versions.row(yard.state, automation.name)
    assert enrolments.enter(yard.state, row, automation, [Entry(person_id=person, subject=subject, at=yard.now)])
    yard.collect()
    yard.now += 60


def paid(yard: Yard, id_: int, person: int, **how: Any) -> None:
    yard.order(id_, person, **how)
    yard.event("order.paid", id_, person)


def test_a_purchase_is_the_goal_of_the_buyer_only(yard: Yard) -> None:
    inside(yard, "cart:4:9", goal=PAID)
    inside(yard, "cart:5:9", person=2, goal=PAID)
    paid(yard, 55, 1)
    assert yard.collect().goals == 1
    assert yard.states() == [("cart:4:9", "goal"), ("cart:5:9", "waiting")]
    assert yard.state.rows("SELECT reason, ended FROM enrolment WHERE state = 'goal'") == [("goal", yard.now)]


def test_an_exit_by_a_status_of_the_contact(yard: Yard) -> None:
    """Only by those that it names."""
    exits = (model.Exit(topics=("contact.status",), to=("unsubscribed",)),)
    inside(yard, "", exits=exits)
    yard.event("contact.status", 1001, 1, detail="pending>subscribed")
    assert yard.collect().exits == 0
    yard.event("contact.status", 1001, 1, detail="subscribed>unsubscribed")
    assert yard.collect().exits == 1


def test_a_purchase_under_another_address_in_the_same_browser(yard: Yard) -> None:
    """Pain 28: the cart was one person's, the order is another's."""
    inside(yard, "cart:4:9", goal=model.Goal(topics=("order.placed",)))
    yard.act("cart", 4, 1, visitor=VISITOR)
    yard.order(55, 2, verdict="unpaid", status="on-hold")
    number = yard.event("order.created", 55, 2)
    at = yard.state.rows("SELECT at FROM event WHERE object_id = 55")[0][0] // 1000
    yard.act("order", 55, 2, visitor=VISITOR, outbox=number, at=at)
    assert yard.collect().goals == 1


def test_orders_that_are_found_by_asking_are_goals(yard: Yard) -> None:
    inside(yard, "cart:4:9", goal=PAID)
    yard.order(55, 1)
    yard.event("order.found", 55, 1, found=True)
    assert yard.collect().goals == 1


def test_an_old_order_that_somebody_edits_or_imports_is_none(yard: Yard) -> None:
    inside(yard, "cart:4:9", goal=model.Goal(topics=("order.paid", "order.placed")))
    yard.order(55, 1, at=NOW - 100 * HOUR)
    yard.event("order.found", 55, 1, found=True)
    yard.event("order.created", 55, 1)
    yard.event("order.paid", 55, 1)
    assert yard.collect().goals == 0


@pytest.mark.parametrize("sent", [True, False], ids=["sent", "in the queue"])
def test_a_click_of_a_program_is_none(yard: Yard, sent: bool) -> None:
    """It tries the links of a mail as soon as it arrives: no goal, no exit, nothing that was waited for, and it starts nobody."""
    clicked = model.OnEvent(topic="message.clicked")
    inside(yard, "", goal=model.Goal(topics=("message.clicked",)))
    yard.on(clicked, name="started")
    yard.collect()
    yard.state.sql.execute(
        "INSERT INTO message (id, key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose, language,"
        " state, decided, sent) VALUES (7, 'k', 1, 1, 1, 's', 1, 'email', 'x', 'marketing', 'en', ?, ?, ?)",
        ("sent" if sent else "queued", (yard.now - (600 if sent else 0)) * 1000, yard.now if sent else None),
    )
    yard.now += 4
    yard.event("message.clicked", 7, 1)
    found = yard.collect()
    assert (found.goals, found.entered) == (0, 0)
    yard.now += 60
    yard.event("message.clicked", 7, 1)
    found = yard.collect()
    assert (found.goals, found.entered) == (1, 1)


def test_what_was_before_they_entered_is_no_goal(yard: Yard) -> None:
    inside(yard, "cart:4:9", goal=PAID)
    yard.order(55, 1, at=NOW - HOUR)
    yard.event("order.paid", 55, 1, at=NOW - 1)
    assert yard.collect().goals == 0


def test_the_order_of_the_trigger_is_not_the_next_purchase(yard: Yard) -> None:
    yard.on(
        model.OnEvent(topic="order.paid"), goal=PAID, exits=(model.Exit(topics=("order.refunded",), same_order=True),)
    )
    yard.now += 1
    paid(yard, 55, 1)
    yard.event("order.status", 55, 1, detail="processing>completed")
    counts = yard.collect()
    assert (counts.entered, counts.goals) == (1, 0)
    paid(yard, 56, 1)
    yard.collect()
    assert yard.states() == [("order:55", "goal"), ("order:56", "waiting")]


def test_a_payment_reminder_ends_with_the_payment_of_that_order(yard: Yard) -> None:
    """Also when the order is paid in the very second in which it was placed, and told of in one go."""
    trigger = model.OnEvent(topic="order.status", to=("pending", "failed"))
    yard.on(trigger, goal=model.Goal(topics=("order.paid",), same_order=True))
    yard.now += 1
    yard.order(54, 1, verdict="unpaid", status="pending")
    yard.event("order.created", 54, 1)
    yard.collect()
    yard.order(55, 1, verdict="unpaid", status="failed")
    yard.event("order.status", 55, 1, detail="pending>failed")
    paid(yard, 55, 1)
    yard.collect()
    assert yard.states() == [("order:54", "waiting"), ("order:55", "goal")]


def test_same_product(yard: Yard) -> None:
    inside(yard, "product:7:0:2026-11-01", goal=model.Goal(topics=("order.paid",), same_product=True))
    paid(yard, 55, 1, products=(8, 9))
    assert yard.collect().goals == 0
    paid(yard, 56, 1, products=(8, 7))
    assert yard.collect().goals == 1


def test_exits_by_status_of_the_same_order(yard: Yard) -> None:
    way = model.Exit(topics=("order.status",), to=("cancelled", "wc-refunded"), same_order=True)
    inside(yard, "order:55", exits=(way,))
    yard.order(55, 1)
    yard.order(56, 1)
    yard.event("order.status", 56, 1, detail="processing>cancelled")
    yard.event("order.status", 55, 1, detail="processing>completed")
    assert yard.collect().exits == 0
    yard.event("order.status", 55, 1, detail="completed>refunded")
    assert yard.collect().exits == 1


def test_a_cart_that_is_emptied_or_said_no_to(yard: Yard) -> None:
    """Pain 24: the one who says no is known by the cart, whoever is logged in."""
    way = (model.Exit(topics=("cart.emptied",)),)
    inside(yard, "cart:4:9", exits=way)
    inside(yard, "cart:5:9", person=2, exits=way)
    inside(yard, "cart:6:9", person=2, exits=way)
    yard.event("cart.emptied", 4, None)
    yard.event("cart.emptied", 6, 2)
    yard.collect()
    assert yard.states() == [("cart:4:9", "exit"), ("cart:5:9", "waiting"), ("cart:6:9", "exit")]
    yard.event("cart.email", 5, None)
    yard.collect()
    yard.event("cart.email", 5, None, detail="refused")
    assert yard.collect().exits == 1


def waits(topic: str, to: tuple[str, ...] = ()) -> tuple[model.AnyStep, ...]:
    return (model.WaitEvent(id="until", topic=topic, to=to, at_most=Period(days=3)), *STEPS)


def test_what_is_awaited_wakes(yard: Yard) -> None:
    inside(yard, "order:55", steps=waits("order.status", ("completed",)))
    yard.state.sql.execute("UPDATE enrolment SET awaits = 'order.status', due = ?", (NOW + 90 * HOUR,))
    yard.order(55, 1)
    yard.order(56, 1)
    yard.event("order.status", 56, 1, detail="processing>completed")
    yard.event("order.status", 55, 1, detail="pending>processing")
    assert yard.collect().woken == 0
    yard.event("order.status", 55, 1, detail="processing>completed")
    assert yard.collect().woken == 1
    assert yard.state.rows("SELECT awaits, due FROM enrolment") == [(enrolments.CAME, yard.now)]


def test_the_next_purchase_is_awaited(yard: Yard) -> None:
    inside(yard, "order:55", trigger=model.OnEvent(topic="order.paid"), steps=waits("order.paid"))
    yard.state.sql.execute("UPDATE enrolment SET awaits = 'order.paid', due = ?", (NOW + 90 * HOUR,))
    paid(yard, 55, 1)
    assert yard.collect().woken == 0
    paid(yard, 56, 1)
    assert yard.collect().woken == 1


def test_who_ends_is_ended_when_the_automation_is_off_too(yard: Yard) -> None:
    inside(yard, "cart:4:9", goal=PAID)
    yard.state.sql.execute("UPDATE automation SET running = 0")
    paid(yard, 55, 1)
    assert yard.collect().goals == 1


def test_the_version_that_they_started_with_says_what_the_goal_is(yard: Yard) -> None:
    inside(yard, "cart:4:9", goal=PAID)
    yard.on(model.ByHand(), goal=model.Goal(topics=("customer.login",)))
    yard.event("customer.login", 11, 1)
    assert yard.collect().goals == 0
    paid(yard, 55, 1)
    assert yard.collect().goals == 1


def test_a_backlog_is_followed_to_its_end(yard: Yard) -> None:
    inside(yard, "cart:4:9", goal=PAID)
    for number in range(1100):
        yard.event("customer.login", number, 2)
    paid(yard, 55, 1)
    assert yard.collect().goals == 1
