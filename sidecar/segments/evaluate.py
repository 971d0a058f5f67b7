"""Whether one person is in a segment, condition by condition. Pure: structs in, structs out.

`sql.py` asks the same of everybody at once; both must agree (tests/segments/test_agree.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import tzinfo

import msgspec

from sidecar.segments import model
from sidecar.segments.catalogue import ACTS
from sidecar.segments.times import DAY, days_of_year, due, due_own, longest_run, passed
from sidecar.segments.traits import SEPARATOR, Value, fold, joined
from sidecar.values import dates


class Order(msgspec.Struct, frozen=True):
    """A counted order: when (Unix seconds UTC), and what of."""

    at: int
    products: frozenset[int] = frozenset()
    categories: frozenset[str] = frozenset()
    coupons: frozenset[str] = frozenset()


class Act(msgspec.Struct, frozen=True):
    """What a visitor did: view, cart or checkout; Unix seconds UTC."""

    at: int
    kind: str
    product: int = 0
    categories: frozenset[str] = frozenset()


class Held(msgspec.Struct, frozen=True):
    """A custom field or a column of the contact: as a text (several choices as a set is), and as a number and a moment where
    it is one."""

    value: str = ""
    number: float | None = None
    moment: int | None = None


class Subject(msgspec.Struct, kw_only=True):
    """All that rules can ask about one person. Texts are folded (`traits.fold`). `values`: by the names of their fields."""

    traits: Mapping[str, Value]
    values: Mapping[str, Held] = {}
    orders: tuple[Order, ...] = ()
    acts: tuple[Act, ...] = ()


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What the answer depends on besides the person: the time (Unix seconds), the shop's zone, every segment by its slug, and
    from which value on somebody is in the top percent of a field ({(field, percent): value}; missing: nobody is)."""

    now: int
    zone: tzinfo
    segments: Mapping[str, model.Segment]
    tops: Mapping[tuple[str, float], float]


class Finding(msgspec.Struct, kw_only=True):
    """A condition, whether it holds, and the value that says so (`of`: the findings below it)."""

    rule: model.Condition
    holds: bool
    value: Value = None
    of: list[Finding] = []


def segments(person: Subject, at: Moment) -> set[str]:
    """The segments that a person is in. Of a group that is the first one whose own rule holds: the others are not asked."""
    found: set[str] = set()
    placed: set[str] = set()
    for slug, segment in at.segments.items():
        group = segment.group
        if group is None:
            if member(segment.rule, person, at):
                found.add(slug)
        elif group.slug not in placed and member(segment.own, person, at):
            placed.add(group.slug)
            found.add(slug)
    return found


def member(rule: model.Condition, person: Subject, at: Moment) -> bool:
    """Whether the rule holds for a person: as `explain`, without telling why, and no further than the answer needs."""
    if isinstance(rule, model.All):
        return all(member(part, person, at) for part in rule.of)
    if isinstance(rule, model.Any):
        return any(member(part, person, at) for part in rule.of)
    if isinstance(rule, model.Nothing):
        return not any(member(part, person, at) for part in rule.of)
    if isinstance(rule, model.Member):
        return member(at.segments[rule.segment].rule, person, at)
    if isinstance(rule, model.Earlier):
        return _first(rule, person, at) is None
    if isinstance(rule, model.Count):
        return _enough(rule, _count(rule, person, at))
    if isinstance(rule, model.Reorder):
        return bool(_due_again(rule, person, at))
    return _holds(rule, _value(rule, person), person, at)


def explain(rule: model.Condition, person: Subject, at: Moment) -> Finding:
    """The same, value by value."""
    if isinstance(rule, model.Group):
        parts = [explain(part, person, at) for part in rule.of]
        some = [part.holds for part in parts]
        holds = (
            all(some) if isinstance(rule, model.All) else any(some) if isinstance(rule, model.Any) else not any(some)
        )
        return Finding(rule=rule, holds=holds, of=parts)
    if isinstance(rule, model.Member):
        below = explain(at.segments[rule.segment].rule, person, at)
        return Finding(rule=rule, holds=below.holds, of=[below])
    if isinstance(rule, model.Earlier):
        first = _first(rule, person, at)
        return Finding(rule=rule, holds=first is None, value=first)
    if isinstance(rule, model.Count):
        number = _count(rule, person, at)
        return Finding(rule=rule, holds=_enough(rule, number), value=number)
    if isinstance(rule, model.Reorder):
        things = _due_again(rule, person, at)
        return Finding(rule=rule, holds=bool(things), value=joined(things))
    value = _value(rule, person)
    return Finding(rule=rule, holds=_holds(rule, value, person, at), value=value)


def _first(rule: model.Earlier, person: Subject, at: Moment) -> str | None:
    return next((slug for slug in rule.segments if member(at.segments[slug].own, person, at)), None)


def _enough(rule: model.Count, number: int) -> bool:
    return rule.low <= number and (rule.high is None or number <= rule.high)


def _value(rule: model.OfField, person: Subject) -> Value:
    if rule.field in person.traits:
        return person.traits[rule.field]
    held = person.values.get(rule.field) or Held()
    if isinstance(rule, model.Number | model.Top):
        return held.number
    return held.moment if isinstance(rule, model.Age | model.Since) else held.value


def _holds(
    rule: model.OfField,
    value: Value,
    person: Subject,
    at: Moment,
) -> bool:
    if isinstance(rule, model.Known):
        return (value not in (None, "")) == rule.known
    if isinstance(rule, model.Text):
        return any(fold(one) == value for one in rule.values) != rule.negated
    if isinstance(rule, model.Has):
        # A custom field with one choice holds a text, and is a set of one.
        members = f"{SEPARATOR}{value}{SEPARATOR}"
        found = [f"{SEPARATOR}{fold(one)}{SEPARATOR}" in members for one in rule.values]
        return any(found) if rule.how == "any" else all(found) if rule.how == "all" else not any(found)
    if isinstance(rule, model.Coming):
        return value in days_of_year(at.now, rule.days, at.zone)
    if not isinstance(value, int | float):
        return False
    if isinstance(rule, model.Number):
        enough = rule.low is None or value > rule.low or (value == rule.low and not rule.above)
        return enough and (rule.high is None or value < rule.high or (value == rule.high and not rule.below))
    if isinstance(rule, model.Top):
        least = at.tops.get((rule.field, rule.percent))
        return least is not None and bool(person.traits["orders_count"]) and value >= least
    if isinstance(rule, model.Flag):
        return bool(value) == rule.value
    if isinstance(rule, model.Since):
        return (rule.low is None or value >= rule.low) and (rule.high is None or value < rule.high)
    return _old(rule, int(value), person, at) == rule.older


def _old(rule: model.Age, moment: int, person: Subject, at: Moment) -> bool:
    interval = person.traits["interval_days"]
    if rule.intervals and isinstance(interval, int | float):
        return due_own(moment, interval, rule.intervals) <= at.now
    return passed(moment, rule.period, at.now, at.zone)


def _count(rule: model.Count, person: Subject, at: Moment) -> int:
    category, coupon = fold(rule.category), fold(rule.coupon)
    bought = str(person.traits["products"])
    found: list[tuple[int, int]] = []
    start = -math.inf
    if rule.after:
        begins = person.traits[rule.after]
        if not isinstance(begins, int):
            return 0
        start = due(begins, rule.later, at.zone)
    if rule.what == "orders":
        found = [
            (order.at, 0) for order in person.orders
            if (not rule.product or rule.product in order.products)
            and (not category or category in order.categories)
            and (not coupon or coupon in order.coupons)
        ]  # fmt: skip
    else:
        found = [
            (act.at, act.product) for act in person.acts
            if act.kind == ACTS[rule.what]
            and (not rule.product or rule.product == act.product)
            and (not category or category in act.categories)
            and not (rule.not_bought and f"{SEPARATOR}{act.product}{SEPARATOR}" in bought)
        ]  # fmt: skip
    found = [
        (moment, product) for moment, product in found
        if moment >= start and not (rule.within is not None and passed(moment, rule.within, at.now, at.zone))
    ]  # fmt: skip
    if not rule.same_product and not rule.days and not rule.in_a_row:
        return len(found)
    groups: dict[int, list[int]] = {}
    for moment, product in found:
        groups.setdefault(product if rule.same_product else 0, []).append(moment)
    return max((_times(group, rule, at) for group in groups.values()), default=0)


def _due_again(rule: model.Reorder, person: Subject, at: Moment) -> list[int | str]:
    """The products (ids) or categories (folded) that are due."""
    only: int | str = rule.product if rule.what == "product" else fold(rule.category)
    moments: dict[int | str, list[int]] = {}
    for order in person.orders:
        for thing in order.products if rule.what == "product" else order.categories:
            if thing == only or not only:
                moments.setdefault(thing, []).append(order.at)
    found = []
    for thing, times in moments.items():
        last, span, gaps = max(times), max(times) - min(times), len(times) - 1
        if thing and gaps and span >= DAY * gaps:
            interval = span / gaps / DAY
            if due_own(last, interval, rule.due) <= at.now < due_own(last, interval, rule.overdue):
                found.append(thing)
    return found


def _times(moments: list[int], rule: model.Count, at: Moment) -> int:
    if not rule.days and not rule.in_a_row:
        return len(moments)
    days = {dates.local_day(moment, at.zone) for moment in moments}
    return longest_run(days) if rule.in_a_row else len(days)
