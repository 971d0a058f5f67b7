"""What an automation did and what it earned: by step, and against those who were only watched.

Who is held back passes the same steps without getting anything, so what they do is what would have happened anyway. An order earns
at most one message (`crediting`); what it earned is what is left of it after refunds. Opens are counted and earn nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from sidecar.automations import lift as lifts
from sidecar.automations.lift import Lift, Mean, Share
from sidecar.automations.model import Automation, OnCart, OnSegment, Send, Wait
from sidecar.automations.versions import Row
from sidecar.state.database import State

# For so many days after entering, what somebody orders is compared between the reached and the held.
COMPARED_DAYS = 30
# Figures that are not older than this are good enough for a page, in seconds.
FRESH = 900
_WINDOW = COMPARED_DAYS * 86_400
NET = (
    "(o.total + COALESCE((SELECT SUM(r.total) FROM shop_order r WHERE r.parent_id = o.id AND r.verdict = 'refund'), 0))"
)
_WAYS = """
SELECT held, state, CASE WHEN state = 'waiting' THEN step ELSE '' END, CASE WHEN state IN ('exit', 'failed') THEN reason ELSE '' END,
 COUNT(*) FROM enrolment WHERE automation_id = ? GROUP BY 1, 2, 3, 4
"""
_STEPS = "SELECT step, outcome, reason, number FROM step_count WHERE automation_id = ? AND held = 0"
_MESSAGES = """
SELECT step, SUM(state IN ('queued', 'sent', 'delivered')), SUM(delivered IS NOT NULL), SUM(opened IS NOT NULL), SUM(clicked IS NOT NULL),
 SUM(state = 'bounced'), SUM(state = 'failed'), SUM(state = 'unsure')
FROM message WHERE automation_id = ? GROUP BY 1
"""
# Messages are forgotten after keep_days, and what orders were credited to is not: the last column is of those who are remembered.
_CREDITS = f"""
SELECT COALESCE(m.step, ''), c.how, COUNT(*), COALESCE(SUM({NET}), 0),
 COALESCE(SUM(IIF(EXISTS (SELECT 1 FROM message s WHERE s.enrolment_id = c.enrolment_id), {NET}, 0)), 0)
FROM credit c JOIN shop_order o ON o.id = c.order_id LEFT JOIN message m ON m.id = c.message_id
WHERE c.automation_id = ? GROUP BY 1, 2
"""
_COUPONS = "SELECT COUNT(*), SUM(order_id IS NOT NULL) FROM coupon WHERE automation_id = ? AND code <> '' AND coupon_id IS NOT NULL"
# Each person once, each of their orders once, however often they were inside; the order that they entered with is none.
_COMPARED = f"""
WITH person_order AS (
 SELECT DISTINCT e.held, e.person_id, c.order_id FROM enrolment e LEFT JOIN counted_order c ON c.person_id = e.person_id
  AND c.at > e.entered AND c.at < e.entered + {_WINDOW} AND e.subject <> 'order:' || c.order_id
 WHERE e.automation_id = ?),
spent AS (
 SELECT p.held, p.person_id, COUNT(p.order_id) AS orders, COALESCE(SUM({NET}), 0) AS net
 FROM person_order p LEFT JOIN shop_order o ON o.id = p.order_id GROUP BY 1, 2)
SELECT held, COUNT(*), SUM(orders > 0), SUM(net), SUM(1.0 * net * net) FROM spent GROUP BY 1
"""


class StepFigures(msgspec.Struct, kw_only=True):
    """Of those who were not held back. `delay`: seconds of waiting before it, as the file has it now. `skipped` and `failed` by
    reason. `orders` and `revenue` (micros of the shop's currency, refunds taken off) are credited to its message."""

    step: str
    kind: str
    title: str = ""
    delay: int = 0
    waiting: int = 0
    done: int = 0
    skipped: dict[str, int] = {}
    failed: dict[str, int] = {}
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    clicked: int = 0
    bounced: int = 0
    refused: int = 0
    unsure: int = 0
    orders: int = 0
    revenue: int = 0


class Group(msgspec.Struct, kw_only=True):
    """Ways, and people, of the reached or of the held. `bought`: people who ordered within COMPARED_DAYS after entering; `spent`:
    for how much (micros)."""

    entered: int = 0
    waiting: int = 0
    goals: int = 0
    done: int = 0
    exits: dict[str, int] = {}
    failed: int = 0
    people: int = 0
    bought: int = 0
    spent: int = 0

    @property
    def goal_rate(self) -> float | None:
        """Of the ways that are over."""
        return Share(did=self.goals, people=self.entered - self.waiting).rate


class Figures(msgspec.Struct, kw_only=True):
    """`at`: Unix seconds of the count. `means`: what reaching the goal is here: recovered carts, people who came back, or the goal. `lift`: of the share of
    people who bought; `earned`: of what a person spent (micros). `best`: the step that most orders are credited to. `other`: orders and
    revenue credited to the automation, but to none of its present steps."""

    name: str
    at: int
    means: str = "goal"
    reached: Group
    held: Group
    steps: list[StepFigures] = []
    sent: int = 0
    orders: int = 0
    by_coupon: int = 0
    revenue: int = 0
    recipients: int = 0
    per_recipient: int = 0
    coupons: int = 0
    coupons_used: int = 0
    best: str = ""
    lift: Lift | None = None
    earned: Lift | None = None
    goal_lift: Lift | None = None
    compared_days: int = COMPARED_DAYS


_decode = msgspec.json.Decoder(Figures).decode


def figures(state: State, row: Row, automation: Automation, now: int, fresh: int = 0) -> Figures:
    """The figures of an automation; those that were kept are answered when they are not older than `fresh` seconds and of the
    same steps."""
    kept = state.rows("SELECT at, doc FROM automation_figures WHERE automation_id = ?", (row.id,))
    if kept and 0 <= now - kept[0][0] < fresh:
        found = _decode(kept[0][1])
        if [step.step for step in found.steps] == [step.id for step in automation.steps]:
            return found
    found = count(state, row.id, automation, now)
    state.sql.execute(
        "INSERT OR REPLACE INTO automation_figures (automation_id, at, doc) VALUES (?, ?, ?)",
        (row.id, now, msgspec.json.encode(found)),
    )
    return found


def kept(state: State, automation_id: int) -> Figures | None:
    """Those that were counted last, however old; None: never."""
    return all_kept(state, automation_id).get(automation_id)


def all_kept(state: State, automation_id: int = 0) -> dict[int, Figures]:
    """Those of all automations, or of one, by the automation's id."""
    rows = state.rows(
        "SELECT automation_id, doc FROM automation_figures WHERE ? IN (0, automation_id)", (automation_id,)
    )
    return {id_: _decode(doc) for id_, doc in rows}


def count(state: State, automation_id: int, automation: Automation, now: int) -> Figures:
    """Count them now."""
    found = Figures(
        name=automation.name, at=now, means=_means(automation), reached=Group(), held=Group(), steps=_steps(automation)
    )
    _ways(state, automation_id, found)
    _passed(state, automation_id, found)
    _messages(state, automation_id, found)
    _credited(state, automation_id, found)
    _compared(state, automation_id, found)
    return found


def _means(automation: Automation) -> str:
    if isinstance(automation.trigger, OnCart):
        return "recovered"
    if isinstance(automation.trigger, OnSegment) and "order.placed" in automation.goal.topics:
        return "came_back"
    return "goal"


def _steps(automation: Automation) -> list[StepFigures]:
    found, delay = [], 0
    for step in automation.steps:
        if isinstance(step, Wait):
            delay += step.period.days * 86_400 + step.period.seconds
        kind = type(step).__struct_config__.tag
        title = step.title if isinstance(step, Send) else ""
        found.append(StepFigures(step=step.id, kind=str(kind), title=title, delay=delay))
    return found


def _ways(state: State, automation_id: int, found: Figures) -> None:
    steps = {step.step: step for step in found.steps}
    for held, how, step, reason, number in state.rows(_WAYS, (automation_id,)):
        group = found.held if held else found.reached
        group.entered += number
        if how == "waiting":
            group.waiting += number
            if not held and step in steps:
                steps[step].waiting += number
        elif how == "goal":
            group.goals += number
        elif how == "exit":
            group.exits[reason] = group.exits.get(reason, 0) + number
        elif how == "failed":
            group.failed += number
        else:
            group.done += number


def _passed(state: State, automation_id: int, found: Figures) -> None:
    steps = {step.step: step for step in found.steps}
    for id_, outcome, reason, number in state.rows(_STEPS, (automation_id,)):
        step = steps.get(id_)
        if step is None:
            continue
        if outcome == "done":
            step.done += number
            continue
        reasons = step.skipped if outcome == "skipped" else step.failed
        reasons[reason] = reasons.get(reason, 0) + number


def _messages(state: State, automation_id: int, found: Figures) -> None:
    steps = {step.step: step for step in found.steps}
    for id_, sent, delivered, opened, clicked, bounced, refused, unsure in state.rows(_MESSAGES, (automation_id,)):
        found.sent += sent
        step = steps.get(id_)
        if step is not None:
            step.sent, step.delivered, step.opened, step.clicked = sent, delivered, opened, clicked
            step.bounced, step.refused, step.unsure = bounced, refused, unsure
    found.recipients = state.rows(
        "SELECT COUNT(DISTINCT person_id) FROM message WHERE automation_id = ? AND state IN ('queued', 'sent', 'delivered')",
        (automation_id,),
    )[0][0]


def _credited(state: State, automation_id: int, found: Figures) -> None:
    steps = {step.step: step for step in found.steps}
    remembered = 0
    for id_, how, orders, revenue, known in state.rows(_CREDITS, (automation_id,)):
        found.orders += orders
        found.revenue += revenue
        remembered += known
        found.by_coupon += orders if how == "coupon" else 0
        if id_ in steps:
            steps[id_].orders += orders
            steps[id_].revenue += revenue
    if found.recipients:
        found.per_recipient = round(remembered / found.recipients)
    best = max(found.steps, key=lambda step: (step.orders, step.revenue), default=None)
    found.best = best.step if best is not None and best.orders else ""
    made, used = state.rows(_COUPONS, (automation_id,))[0]
    found.coupons, found.coupons_used = made, used or 0


def _compared(state: State, automation_id: int, found: Figures) -> None:
    groups = {False: Mean(people=0, total=0, squares=0), True: Mean(people=0, total=0, squares=0)}
    for held, people, bought, spent, squares in state.rows(_COMPARED, (automation_id,)):
        group = found.held if held else found.reached
        group.people, group.bought, group.spent = people, bought, spent
        groups[bool(held)] = Mean(people=people, total=spent, squares=squares)
    found.lift = lifts.lift(_bought(found.reached), _bought(found.held))
    found.earned = lifts.earned(groups[False], groups[True])
    found.goal_lift = lifts.lift(_goals(found.reached), _goals(found.held))


def _bought(group: Group) -> Share:
    return Share(did=group.bought, people=group.people)


def _goals(group: Group) -> Share:
    return Share(did=group.goals, people=group.entered - group.waiting)


def oldest(state: State, names: Iterable[str]) -> str:
    """Of these automations the one whose figures are the oldest; '' of none."""
    rows = state.rows(
        "SELECT a.name FROM automation a LEFT JOIN automation_figures f ON f.automation_id = a.id"
        " WHERE a.name IN (SELECT value FROM json_each(?)) ORDER BY COALESCE(f.at, 0), a.id LIMIT 1",
        (msgspec.json.encode(sorted(names)).decode(),),
    )
    return str(rows[0][0]) if rows else ""
