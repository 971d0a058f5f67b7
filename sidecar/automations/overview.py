"""All automations in a line each, and one in figures by its steps: what lists and pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sidecar.automations import figures as reports
from sidecar.automations import troubles, versions
from sidecar.automations.figures import NET
from sidecar.automations.figures import Figures as Reports
from sidecar.automations.lift import Lift
from sidecar.automations.model import Automation
from sidecar.automations.versions import Row
from sidecar.errors import NotFound
from sidecar.state.database import State

if TYPE_CHECKING:
    from sidecar.automations.library import Library

_PAID = f"""
SELECT c.automation_id, COUNT(*), COALESCE(SUM({NET}), 0) FROM credit c JOIN shop_order o ON o.id = c.order_id GROUP BY 1
"""
_PAID_BY_STEP = f"""
SELECT COALESCE(m.step, ''), COUNT(*), COALESCE(SUM({NET}), 0) FROM credit c JOIN shop_order o ON o.id = c.order_id
LEFT JOIN message m ON m.id = c.message_id WHERE c.automation_id = ? GROUP BY 1
"""
# Up to so many who entered, what was earned is counted while the page waits.
_AT_ONCE = 15_000


class Line(msgspec.Struct, kw_only=True):
    """An automation in a line. People: `entered` (of whom `held` are only watched), `waiting` in it now, `goal` those whose way ended
    as a success. `revenue` in micros (refunds taken off), of `orders` that are credited to it. `lift`: of the share of people who
    bought, see `automations.figures`. `own`: the owner's file is in force. `fault`: what is
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


class Figures(msgspec.Struct, kw_only=True):
    """One automation in figures; `steps` as its file has them now (what former texts had is in the sums alone). `earned`: against those
    who were only watched, as it was last counted; None: not yet."""

    line: Line
    steps: list[StepLine]
    earned: Reports | None = None


def everything(state: State, library: Library) -> list[Line]:
    """Every automation in a line; those whose file has a fault, or is gone while they are on, come first."""
    known = versions.rows(state)
    found = _lines(state, library.all(), known)
    there = library.names()
    return [
        *(_gone(state, row) for row in known.values() if row.running and row.name not in there),
        *(_broken(state, library, name) for name in library.faults()),
        *(_told(state, library, one) for one in found),
    ]


def line(state: State, library: Library, name: str) -> Line:
    """How one stands, without its figures. Raises NotFound."""
    row = versions.named(state, name)
    if row is None and name not in library.names():
        raise NotFound(f"there is no automation {name}")
    if row is not None and name not in library.names():
        return _gone(state, row)
    if name in library.faults():
        return _broken(state, library, name)
    return _told(state, library, _line(library.get(name), row))


def one(state: State, library: Library, automation: Automation, now: int) -> Figures:
    """One of them in figures. `now`: Unix seconds."""
    found = _one(state, automation, versions.named(state, automation.name), now)
    _told(state, library, found.line)
    return found


def _told(state: State, library: Library, line: Line) -> Line:
    """With whose file it is, and what of its messages could not be sent."""
    line.own = library.own(line.name)
    wrong = (why for where, why in troubles.open_(state).items() if where.partition("/")[0] == line.name)
    line.fault = line.fault or next(wrong, "")
    return line


def _broken(state: State, library: Library, name: str) -> Line:
    row = versions.named(state, name)
    error = library.faults()[name]
    return Line(name=name, title=name, own=True, fault=error.message, running=row is not None and row.running)


def _gone(state: State, row: Row) -> Line:
    """Nobody enters it, but who is in it goes on until it is switched off."""
    people = state.rows("SELECT held, state, COUNT(*) FROM enrolment WHERE automation_id = ? GROUP BY 1, 2", (row.id,))
    line = Line(name=row.name, title=row.name, own=True, fault="its file is gone", running=row.running)
    _people(line, {(held, how): count for held, how, count in people})
    return line


def _lines(state: State, automations: dict[str, Automation], known: dict[int, Row]) -> list[Line]:
    """Every automation that can be used, in the order given."""
    people: dict[int, dict[tuple[int, str], int]] = {}
    for id_, held, how, count in state.rows(
        "SELECT automation_id, held, state, COUNT(*) FROM enrolment GROUP BY automation_id, state, held"
    ):
        people.setdefault(id_, {})[held, how] = count
    sent = _sums(
        state,
        "SELECT automation_id, COUNT(*), COUNT(clicked) FROM message WHERE state IN ('queued', 'sent', 'delivered') GROUP BY 1",
    )
    paid = _sums(state, _PAID)
    ids = {row.name: row for row in known.values()}
    lifts = {id_: found.lift for id_, found in reports.all_kept(state).items()}
    found = []
    for name, automation in automations.items():
        row = ids.get(name)
        line = _line(automation, row)
        if row is not None:
            _people(line, people.get(row.id, {}))
            line.sent, line.clicked = sent.get(row.id, (0, 0))
            line.orders, line.revenue = paid.get(row.id, (0, 0))
            line.lift = lifts.get(row.id)
        found.append(line)
    return found


def _one(state: State, automation: Automation, row: Row | None, now: int) -> Figures:
    line = _line(automation, row)
    steps = {step.id: StepLine(id=step.id) for step in automation.steps}
    if row is None:
        return Figures(line=line, steps=list(steps.values()))
    counted = state.rows(
        "SELECT held, state, COUNT(*) FROM enrolment WHERE automation_id = ? GROUP BY state, held", (row.id,)
    )
    _people(line, {(held, how): count for held, how, count in counted})
    gone = StepLine(id="")
    for step, count in state.rows(
        "SELECT step, COUNT(*) FROM enrolment WHERE automation_id = ? AND state = 'waiting' GROUP BY step", (row.id,)
    ):
        steps.get(step, gone).waiting = count
    for step, outcome, reason, count in state.rows(
        "SELECT step, outcome, reason, SUM(number) FROM step_count WHERE automation_id = ? GROUP BY 1, 2, 3", (row.id,)
    ):
        _count(steps.get(step, gone), outcome, reason, count)
    for step, sent, delivered, opened, clicked in state.rows(
        "SELECT step, COUNT(*), COUNT(delivered), COUNT(opened), COUNT(clicked) FROM message WHERE automation_id = ?"
        " AND state IN ('queued', 'sent', 'delivered') GROUP BY step",
        (row.id,),
    ):
        of = steps.get(step, gone)
        of.sent, of.delivered, of.opened, of.clicked = sent, delivered, opened, clicked
        line.sent, line.clicked = line.sent + sent, line.clicked + clicked
    for step, orders, revenue in state.rows(_PAID_BY_STEP, (row.id,)):
        of = steps.get(step, gone)
        of.orders, of.revenue = orders, revenue
        line.orders, line.revenue = line.orders + orders, line.revenue + revenue
    earned = _earned(state, automation, row, line.entered, now)
    line.lift = earned.lift if earned is not None else None
    return Figures(line=line, steps=list(steps.values()), earned=earned)


def _count(of: StepLine, outcome: str, reason: str, count: int) -> None:
    if outcome == "done":
        of.done += count
        return
    of.skipped += count if outcome == "skipped" else 0
    of.failed += count if outcome == "failed" else 0
    if reason:
        of.reasons[reason] = of.reasons.get(reason, 0) + count


def _line(automation: Automation, row: Row | None) -> Line:
    line = Line(name=automation.name, title=automation.title, about=automation.about, group=automation.group)
    if row is not None:
        line.running, line.rollout, line.holdout = row.running, row.rollout, row.holdout
        line.live_from, line.fault = row.live_from, row.fault
    return line


def _people(line: Line, counts: dict[tuple[int, str], int]) -> None:
    line.entered, line.held = sum(counts.values()), sum(count for (held, _), count in counts.items() if held)
    line.waiting = counts.get((0, "waiting"), 0) + counts.get((1, "waiting"), 0)
    line.goal = counts.get((0, "goal"), 0) + counts.get((1, "goal"), 0)


def _earned(state: State, automation: Automation, row: Row, entered: int, now: int) -> Reports | None:
    """Counting takes a second for 100,000 ways: then what was counted last is good enough."""
    if entered <= _AT_ONCE:
        return reports.figures(state, row, automation, now, reports.FRESH)
    return reports.kept(state, row.id)


def _sums(state: State, query: str) -> dict[int, tuple[int, int]]:
    return {key: (first, second) for key, first, second in state.rows(query)}
