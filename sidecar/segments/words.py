"""Conditions and values in words, as close to the file's own as can be."""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from sidecar.segments import model
from sidecar.segments.catalogue import get
from sidecar.segments.traits import Value, members
from sidecar.values import dates, money

_JOIN = {model.All: "all of", model.Any: "any of", model.Nothing: "none of"}


def condition(rule: model.Condition, zone: tzinfo) -> str:
    """One condition, without those below it."""
    if isinstance(rule, model.Group):
        return _JOIN[type(rule)]
    if isinstance(rule, model.Member):
        return f"in segment {rule.segment}"
    if isinstance(rule, model.Earlier):
        return f"and in none of {', '.join(rule.segments)}, which stand before it in its group"
    if isinstance(rule, model.Count):
        return _count(rule)
    if isinstance(rule, model.Reorder):
        thing = f"{rule.what} {rule.product or rule.category}" if rule.product or rule.category else f"a {rule.what}"
        return f"{thing} due for reorder: {rule.due:g} own intervals or more after its last order, less than {rule.overdue:g}"
    return f"{rule.field} {_asked(rule, zone)}"


def _asked(
    rule: model.OfField,
    zone: tzinfo,
) -> str:
    if isinstance(rule, model.Number):
        if rule.low == rule.high and rule.low is not None:
            return f"is {_amount(rule.field, rule.low)}"
        ends = []
        if rule.low is not None:
            ends.append(f"{'more than' if rule.above else 'at least'} {_amount(rule.field, rule.low)}")
        if rule.high is not None:
            ends.append(f"{'less than' if rule.below else 'at most'} {_amount(rule.field, rule.high)}")
        return ", ".join(ends) or "known"
    if isinstance(rule, model.Top):
        return f"in the top {rule.percent:g} %"
    if isinstance(rule, model.Age):
        word = "older than" if rule.older else "within"
        own = f"{rule.intervals:g} own intervals, otherwise " if rule.intervals else ""
        return f"{word} {own}{rule.period}"
    if isinstance(rule, model.Since):
        ends = [f"from {dates.local_text(rule.low, zone)}"] if rule.low is not None else []
        ends += [f"before {dates.local_text(rule.high, zone)}"] if rule.high is not None else []
        return ", ".join(ends) or "known"
    if isinstance(rule, model.Text):
        return f"{'not ' if rule.negated else ''}{' or '.join(rule.values)}"
    if isinstance(rule, model.Has):
        return {"any": "has", "all": "has all of", "none": "has none of"}[rule.how] + f" {', '.join(rule.values)}"
    if isinstance(rule, model.Flag):
        return "yes" if rule.value else "no"
    if isinstance(rule, model.Known):
        return "known" if rule.known else "not known"
    return f"within the next {rule.days} days"


def _amount(field: str, value: float) -> str:
    return money.fixed(round(value)) if get(field).kind == "money" else f"{value:g}"


def _count(rule: model.Count) -> str:
    of = f" of product {rule.product}" if rule.product else ""
    of += f" of category {rule.category}" if rule.category else ""
    of += f" with coupon {rule.coupon}" if rule.coupon else ""
    of += " of one product" if rule.same_product else ""
    of += " never bought" if rule.not_bought else ""
    ends = f"at least {rule.low}" if rule.low or rule.high is None else ""
    ends += f"{', ' if ends else ''}at most {rule.high}" if rule.high is not None else ""
    window = f" within {rule.within}" if rule.within else ""
    if rule.after:
        window += f" after {rule.after}{f' + {rule.later}' if rule.later != model.Period() else ''}"
    if rule.in_a_row:
        return f"{rule.what}{of}{window}, on days in a row: {ends}"
    return f"{rule.what}{of}{window}{', on different days' if rule.days else ''}: {ends}"


def value(rule: model.Condition, found: Value, zone: tzinfo) -> str:
    """The value that a condition looked at."""
    if found is None or found == "":
        return "nothing"
    if isinstance(rule, model.Group | model.Member | model.Earlier | model.Count):
        return str(found)
    if isinstance(rule, model.Reorder):
        return ", ".join(members(str(found)))
    kind = get(rule.field).kind
    if kind == "money":
        return money.fixed(int(found))
    if kind == "moment" or isinstance(rule, model.Age | model.Since):
        return dates.local_text(int(found), zone)
    if isinstance(found, str):
        return ", ".join(members(found))
    if kind == "flag":
        return "yes" if found else "no"
    return f"{found:.2f}" if isinstance(found, float) else str(found)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A condition in words, with those below it."""

    text: str
    of: list[Told] = []


def told(rule: model.Condition, zone: tzinfo) -> Told:
    """A whole rule in words."""
    below = rule.of if isinstance(rule, model.Group) else ()
    return Told(text=condition(rule, zone), of=[told(one, zone) for one in below])
