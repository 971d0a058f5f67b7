"""An automation in words: what starts it, who may enter, each step, and where it leads. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo

import msgspec

from sidecar.automations.model import (
    END,
    AnyStep,
    Automation,
    Branch,
    ByHand,
    Coupon,
    Goal,
    Note,
    OnCart,
    OnDay,
    OnEvent,
    OnReorder,
    OnSchedule,
    OnSegment,
    OnStock,
    OnViews,
    Send,
    SetField,
    Split,
    Start,
    Stop,
    Tagged,
    Ticket,
    Trigger,
    Wait,
    WaitEvent,
    WaitMoment,
    Webhook,
)
from sidecar.segments import words
from sidecar.segments.model import Condition, Group, Period

_WEEK = {"mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday", "sat": "Saturday", "sun": "Sunday"}  # fmt: skip


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A step: its name, its kind, what it does, and the steps that may follow ('end' none)."""

    step: str
    kind: str
    says: str
    to: tuple[str, ...] = ()


def period(of: Period) -> str:
    """`2 days`, `7.5 hours`, `30 minutes`."""
    parts = [_many(of.days, "day")] if of.days else []
    if of.seconds:
        if of.seconds % 3600 == 0 or of.seconds > 7200:
            parts.append(_many(round(of.seconds / 3600, 1), "hour"))
        else:
            parts.append(_many(round(of.seconds / 60), "minute"))
    return " and ".join(parts) or "no time"


def _many(number: float, what: str) -> str:
    return f"{number:g} {what}{'' if number == 1 else 's'}"


def trigger(of: Trigger) -> str:
    """What starts it."""
    match of:
        case OnEvent():
            status = f" to {_either(of.to)}" if of.to else ""
            which = "the first time" if of.first else f"each {of.every}th time" if of.every else "each time"
            goods = {"": "", "shipped": ", with something to be sent", "downloadable": ", with something to download"}[
                of.goods
            ]
            return f"{which} {of.topic}{status} happens to somebody{goods}"
        case OnSegment():
            return f"when somebody {'comes into' if of.entered else 'leaves'} the segment {of.segment}"
        case OnCart():
            return f"when a cart was not touched for {period(of.idle)} and nothing was ordered"
        case OnViews():
            how = "on so many days in a row" if of.days else f"within {period(of.within)}"
            return f"when somebody looked at the same product {of.times} times {how} and has not bought it since"
        case OnDay():
            early = f", {_many(of.before, 'day')} before" if of.before else ""
            return f"on the {of.field.replace('_', ' ')} of somebody at {of.at}{early}"
        case OnSchedule():
            return f"every {of.every}{f' ({of.on})' if of.on else ''} at {of.at}, for everybody who passes the filter"
        case OnStock():
            return "when a product or a variation is in stock again, for those who wait for exactly it"
        case OnReorder():
            return f"when {of.due:g} of somebody's own interval for a product is over, until {of.overdue:g} of it"
        case ByHand():
            return "only by another automation"


def rule(of: Condition, zone: tzinfo) -> str:
    """A rule about people on one line."""
    if isinstance(of, Group):
        inside = "; ".join(rule(below, zone) for below in of.of)
        return f"{words.condition(of, zone)} ({inside})"
    return words.condition(of, zone)


def goal(of: Goal) -> str:
    """What counts as its success; '' nothing does."""
    if not of.topics:
        return ""
    which = (
        " of the order that it is about"
        if of.same_order
        else " with the product that it is about"
        if of.same_product
        else ""
    )
    return f"{_either(of.topics)}{which}"  # fmt: skip


def flow(of: Automation, zone: tzinfo) -> list[Line]:
    """Its steps, one after another."""
    return [
        Line(step=step.id, kind=str(type(step).__struct_config__.tag), says=says(step, zone), to=leads(of, step))
        for step in of.steps
    ]


def leads(of: Automation, step: AnyStep) -> tuple[str, ...]:
    """The steps that may follow it."""
    after = of.after(step)
    match step:
        case Stop():
            return (END,)
        case Branch() | WaitEvent():
            return tuple(dict.fromkeys((step.then or after, step.otherwise or after)))
        case WaitMoment():
            return tuple(dict.fromkeys((after, step.otherwise or after)))
        case Split():
            return tuple(step.ways)
        case _:
            return (after,)


def says(step: AnyStep, zone: tzinfo) -> str:
    """What a step does."""
    match step:
        case Wait():
            return _wait(step)
        case WaitMoment():
            when = f"{period(step.before)} before" if step.before != Period() else f"{period(step.after)} after"
            return f"wait until {when} the moment in {step.order_meta}"
        case WaitEvent():
            status = f" to {_either(step.to)}" if step.to else ""
            return f"wait for {step.topic}{status}, {period(step.at_most)} at most"
        case Branch():
            return f"if {rule(step.rule, zone)}: {step.then or 'go on'}, else {step.otherwise or 'go on'}"
        case Split():
            total = sum(step.ways.values()) or 1
            return "by chance: " + ", ".join(f"{round(100 * w / total)} % {way}" for way, w in step.ways.items())
        case Send():
            about = f" “{step.title}”" if step.title else ""
            only = f", only if {_list(word.replace('_', ' ') for word in step.still)}" if step.still else ""
            late = f", at most {period(step.late)} late" if step.late is not None else ""
            return f"send{about} ({step.purpose}) by {_either(step.channels)}{only}{late}"
        case Coupon():
            amount = f"{step.amount} %" if step.kind == "percent" else step.amount
            least = f", from {step.minimum} on" if step.minimum else ""
            return f"make a coupon of {amount}, good for {period(step.expires)}{least}"
        case Tagged():
            gives = [f"give {_list(step.add)}"] if step.add else []
            takes = [f"take {_list(step.remove)}"] if step.remove else []
            return f"tags: {', '.join(gives + takes)}"
        case SetField():
            return f"set the field {step.field}"
        case Webhook():
            return f"call {step.url.partition('?')[0]}"
        case Ticket():
            return f"open a ticket ({step.priority})"
        case Note():
            return "write a note on the contact"
        case Start():
            return f"start {step.automation}"
        case Stop():
            return "end"


def _wait(step: Wait) -> str:
    parts = [f"wait {period(step.period)}"] if step.period != Period() else ["wait"]
    if step.days:
        parts.append(f"for a {_either(_WEEK.get(day, day) for day in step.days)}")
    if step.at:
        parts.append(f"until {step.at}{' of their time' if step.zone == 'person' else ''}")
    return ", ".join(parts)


def _list(of: Iterable[str]) -> str:
    return ", ".join(of)


def _either(of: Iterable[str]) -> str:
    *first, last = of
    return f"{', '.join(first)} or {last}" if first else last
