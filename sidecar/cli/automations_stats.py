"""`sidecar automations stats`: what one did and earned."""

from __future__ import annotations

import click

from sidecar import runtime
from sidecar.automations.figures import Figures, StepFigures
from sidecar.automations.lift import Lift
from sidecar.cli.context import Context, pass_run
from sidecar.values import money

_MEANS = {"recovered": "recovered", "came_back": "came back", "goal": "reached the goal"}


@click.command()
@click.argument("name")
@pass_run
def stats(run: Context, name: str) -> None:
    """What an automation did, step by step, and what it earned: against those who are held back, with the interval in which the
    effect is with 95 % confidence. An order is credited to one message at most: to the coupon that was used in it, else to the last click
    within [automations] credit_days. Opens earn nothing."""
    with runtime.build(run.config) as shop:
        desk = shop.automations
        found, currency = desk.figures(name), desk.info.currency
        days = run.config.automations.credit_days
    run.output.result({"figures": found, "currency": currency, "credit_days": days})
    reached, held = found.reached, found.held
    run.output.table(
        [
            ("entered", reached.entered, held.entered),
            ("inside now", reached.waiting, held.waiting),
            (_MEANS[found.means], _share(reached.goal_rate, reached.goals), _share(held.goal_rate, held.goals)),
            ("people", reached.people, held.people),
            (f"of whom bought within {found.compared_days} days", _share(_rate(reached.bought, reached.people), reached.bought), _share(_rate(held.bought, held.people), held.bought)),
        ],
        ["", "reached", "held back"],
    )  # fmt: skip
    run.output.say()
    run.output.say(f"Effect: {_effect(found.lift)}")
    if found.earned is not None and found.earned.enough:
        low, high = (money.fixed(round(value)) for value in (found.earned.low, found.earned.high))
        run.output.say(f"A person spent {money.fixed(round(found.earned.difference))} {currency} more (between {low} and {high}).")  # fmt: skip
    run.output.say()
    run.output.table([_line(step) for step in found.steps], ["step", "waits", "done", "left out", "sent", "delivered", "opened", "clicked", "orders", "revenue"])  # fmt: skip
    run.output.say()
    run.output.say(f"{found.sent} messages to {found.recipients} people; {found.orders} orders, {money.fixed(found.revenue)} {currency} ({money.fixed(found.per_recipient)} a person reached).")  # fmt: skip
    run.output.say(
        f"Credited: one message an order, by coupon ({found.by_coupon}) or the last click within {days} days."
    )
    if found.coupons:
        run.output.say(f"{found.coupons_used} of {found.coupons} coupons were used.")
    if found.best:
        run.output.say(f"Most orders come by: {found.best}{_after(found)}.")


def _line(step: StepFigures) -> tuple[object, ...]:
    left = sum(step.skipped.values()) + sum(step.failed.values())
    most = max({**step.skipped, **step.failed}.items(), key=lambda one: one[1], default=("", 0))[0]
    cells = (step.sent, step.delivered, step.opened, step.clicked, step.orders, money.fixed(step.revenue))
    return (
        step.step, step.waiting, step.done, f"{left} ({most.replace('_', ' ')})" if left else "0",
        *(cells if step.kind == "send" else ("",) * 6),
    )  # fmt: skip


def _after(found: Figures) -> str:
    step = next(step for step in found.steps if step.step == found.best)
    hours = step.delay / 3600
    return f", {hours / 24:.0f} days after the beginning" if hours >= 48 else f", {hours:g} hours after the beginning"


def _rate(did: int, of: int) -> float | None:
    return did / of if of else None


def _share(rate: float | None, number: int) -> str:
    return "-" if rate is None else f"{number} ({rate * 100:.1f} %)"


def _effect(lift: Lift | None) -> str:
    if lift is None:
        return "nobody is held back, so nobody can tell: `sidecar automations on NAME --holdout 10`"
    between = f"{lift.difference * 100:+.1f} points more people bought (between {lift.low * 100:+.1f} and {lift.high * 100:+.1f})"
    if not lift.enough:
        return f"too few people yet to tell; so far {between}"
    return between if lift.proven else f"not proven: {between}"
