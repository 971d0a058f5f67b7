"""Automations in figures, as the pages and the API show them."""

from __future__ import annotations

from typing import Any

import msgspec

from sidecar.automations import lift, versions
from sidecar.automations.lift import Lift, Share
from sidecar.automations.model import Automation
from sidecar.automations.versions import Row
from sidecar.state.database import State

_SENT = "m.state IN ('queued', 'sent', 'delivered')"


class Line(msgspec.Struct, kw_only=True):
    """An automation in a line. People: `entered` (of whom `held` are only watched), `waiting` in it now, `goal` those whose way ended
    as a success. `revenue` in micros, of `orders` that are credited to it. `own`: the owner's file is in force. `fault`: what is
    wrong with its file or its messages, '' nothing."""

    name: str
    title: str = ""
    about: str = ""
    group: str = ""
    own: bool = False
    running: bool = False
    rollout: int = 100
    holdout: int = 0
    live_from: int = 0
    entered: int = 0
    held: int = 0
    waiting: int = 0
    goal: int = 0
    sent: int = 0
    clicked: int = 0
    orders: int = 0
    revenue: int = 0
    lift: Lift | None = None
    fault: str = ""


class StepLine(msgspec.Struct, kw_only=True):
    """A step in figures: how many are there now, for how many it was done, left out (by reason), or failed; of a message what became
    of it, and the orders that are credited to it."""

    id: str
    waiting: int = 0
    done: int = 0
    skipped: int = 0
    failed: int = 0
    reasons: dict[str, int] = {}
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    orders: int = 0
    revenue: int = 0


def lines(state: State, automations: dict[str, Automation], known: dict[int, Row]) -> list[Line]:
    """Every automation that can be used, in the order given."""
    ids = {row.name: row for row in known.values()}
    people: dict[int, dict[tuple[int, str], int]] = {}
    for id_, held, how, count in state.rows(
        "SELECT automation_id, held, state, COUNT(*) FROM enrolment GROUP BY automation_id, held, state"
    ):
        people.setdefault(id_, {})[held, how] = count
    sent = _grouped(state, f"SELECT m.automation_id, COUNT(*), COUNT(m.clicked) FROM message m WHERE {_SENT} GROUP BY 1")
    paid = _grouped(
        state,
        "SELECT c.automation_id, COUNT(*), SUM(COALESCE(o.total, 0)) FROM credit c JOIN shop_order o ON o.id = c.order_id"
        " GROUP BY 1",
    )
    found = []
    for name, automation in automations.items():
        row = ids.get(name)
        line = Line(name=name, title=automation.title, about=automation.about, group=automation.group)
        if row is not None:
            line.running, line.rollout, line.holdout = row.running, row.rollout, row.holdout
            line.live_from, line.fault = row.live_from, row.fault
            _people(line, people.get(row.id, {}))
            line.sent, line.clicked = sent.get(row.id, (0, 0))
            line.orders, line.revenue = paid.get(row.id, (0, 0))
        found.append(line)
    return found


def _people(line: Line, counts: dict[tuple[int, str], int]) -> None:
    line.entered, line.held = sum(counts.values()), sum(count for (held, _), count in counts.items() if held)
    line.waiting = counts.get((0, "waiting"), 0) + counts.get((1, "waiting"), 0)
    reached, held_back = counts.get((0, "goal"), 0), counts.get((1, "goal"), 0)
    line.goal = reached + held_back
    line.lift = lift.lift(
        Share(did=reached, people=line.entered - line.held), Share(did=held_back, people=line.held)
    )


def _grouped(state: State, query: str, *given: Any) -> dict[Any, tuple[int, int]]:
    return {key: (first, second) for key, first, second in state.rows(query, given)}


def steps(state: State, automation: Automation) -> list[StepLine]:
    """Its steps as its file has them now; those of former texts that are gone are left out."""
    row = versions.named(state, automation.name)
    found = {step.id: StepLine(id=step.id) for step in automation.steps}
    if row is None:
        return list(found.values())
    for step, count in state.rows(
        "SELECT step, COUNT(*) FROM enrolment WHERE automation_id = ? AND state = 'waiting' GROUP BY step", (row.id,)
    ):
        if step in found:
            found[step].waiting = count
    for step, outcome, reason, count in state.rows(
        "SELECT d.step, d.outcome, d.reason, COUNT(*) FROM enrolment e JOIN step_done d ON d.enrolment_id = e.id"
        " WHERE e.automation_id = ? GROUP BY 1, 2, 3",
        (row.id,),
    ):
        if step in found:
            line = found[step]
            setattr(line, outcome, getattr(line, outcome) + count)
            if reason and outcome != "done":
                line.reasons[reason] = line.reasons.get(reason, 0) + count
    for step, *counts in state.rows(
        "SELECT m.step, COUNT(*), COUNT(m.delivered), COUNT(m.opened), COUNT(m.clicked) FROM message m"
        f" WHERE m.automation_id = ? AND {_SENT} GROUP BY m.step",
        (row.id,),
    ):
        if step in found:
            line = found[step]
            line.sent, line.delivered, line.opened, line.clicked = counts
    for step, orders, revenue in state.rows(
        "SELECT m.step, COUNT(*), SUM(COALESCE(o.total, 0)) FROM credit c JOIN message m ON m.id = c.message_id"
        " JOIN shop_order o ON o.id = c.order_id WHERE c.automation_id = ? GROUP BY m.step",
        (row.id,),
    ):
        if step in found:
            found[step].orders, found[step].revenue = orders, revenue
    return list(found.values())
