"""What an automation does, in the language of who looks: its trigger, its steps, its goal, and how they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from typing import Any
from urllib.parse import urlsplit

from babel.units import format_unit
from flask_babel import get_locale, gettext

from sidecar.automations import flow, model
from sidecar.automations.overview import Line, StepLine
from sidecar.automations.reasons import REASONS
from sidecar.segments.model import Condition, Period
from sidecar.segments.words import Told, told
from sidecar.web.dashboard import words

# What a template says otherwise, what it asks for, and what it prints.
_OTHERWISE = re.compile(r"\{%-?\s*el(?:se|if)\b.*?\{%-?\s*endif\s*-?%\}", re.DOTALL)
_ASKS = re.compile(r"\{%.*?%\}", re.DOTALL)
_PRINTS = re.compile(r"\{\{.*?\}\}", re.DOTALL)


def _(text: str, **given: Any) -> str:
    return str(gettext(text, **given))


def period(of: Period) -> str:
    """`2 days`, `7 hours 30 minutes`."""
    hours, seconds = divmod(of.seconds, 3600)
    parts = [("duration-day", of.days), ("duration-hour", hours), ("duration-minute", seconds // 60)]
    said = [_unit(count, unit) for unit, count in parts if count]
    return " ".join(said) or _unit(0, "duration-minute")


def _unit(count: int, unit: str) -> str:
    locale = get_locale() or "en"
    said = format_unit(count, unit, locale=locale)
    # Babel has no long form of it in some languages (Persian), and writes the unit's code.
    return words.digits(format_unit(count, unit, length="short", locale=locale) if unit in said else said)


def rule(of: Condition, zone: tzinfo) -> str:
    """A rule in one line, as close to the file as can be (English: it is the file's language)."""
    return _flat(told(of, zone))


def _flat(one: Told) -> str:
    return f"{one.text}: {'; '.join(_flat(below) for below in one.of)}" if one.of else one.text


def _list(parts: Iterable[str]) -> str:
    """Things one after the other, as the language divides them."""
    return _(", ").join(parts)


def topic(name: str) -> str:
    """What happened."""
    return _("order placed") if name == "order.placed" else words.say("topic", name)


def trigger(of: model.Trigger) -> str:
    """What starts it."""
    if isinstance(of, model.OnEvent):
        return _event(of)
    if isinstance(of, model.OnSegment):
        if of.entered:
            return _("Comes into the segment %(name)s", name=of.segment)
        return _("Leaves the segment %(name)s", name=of.segment)
    if isinstance(of, model.OnCart):
        return _("A cart is left for %(time)s", time=period(of.idle))
    if isinstance(of, model.OnViews):
        if of.days:
            return _("The same product is looked at on %(number)s days in a row", number=words.number(of.times))
        return _(
            "The same product is looked at %(number)s times within %(time)s",
            number=words.number(of.times), time=period(of.within),
        )  # fmt: skip
    if isinstance(of, model.OnDay):
        day = {"birthday": _("Birthday"), "membership_day": _("Day of the account"), "first_order_day": _("Day of the first order")}  # fmt: skip
        said = _list([day.get(of.field, of.field), words.digits(of.at)])
        return said + (_(" (%(number)s days before)", number=words.number(of.before)) if of.before else "")
    if isinstance(of, model.OnSchedule):
        often = {"day": _("Every day"), "week": _("Every week"), "month": _("Every month")}[of.every]
        return _list(part for part in (often, words.say("weekday", of.on) if of.on else "", words.digits(of.at)) if part)  # fmt: skip
    if isinstance(of, model.OnStock):
        return _("What they wait for is in stock again")
    if isinstance(of, model.OnReorder):
        return _("A product is due by their own interval")
    return _("Only by another automation")


def _event(of: model.OnEvent) -> str:
    if of.first:
        return _("First paid order")
    if of.every:
        return _("Each %(number)sth paid order", number=words.number(of.every))
    goods = {"": "", "shipped": _(" (something is sent)"), "downloadable": _(" (something can be downloaded)")}[
        of.goods
    ]
    return topic(of.topic) + (f" → {statuses(of.to)}" if of.to else "") + goods


def statuses(of: Sequence[str]) -> str:
    """Statuses of orders or contacts."""
    from sidecar.web.dashboard.sentences import told as said

    return _list(said(one) if said(one) != one else words.say("contact", one) for one in of)


def channels(of: Sequence[str]) -> str:
    """The channels of a message."""
    return _list(words.say("channel", one) for one in of)


def step(of: model.AnyStep, zone: tzinfo) -> str:
    """What a step does."""
    return _SAID[type(of)](of, zone)


def _wait(of: model.Wait, _zone: tzinfo) -> str:
    parts = []
    if of.period != Period():
        parts.append(_("Wait %(time)s", time=period(of.period)))
    if of.at:
        parts.append(_("until %(clock)s", clock=words.digits(of.at)) if parts else _("Wait until %(clock)s", clock=words.digits(of.at)))  # fmt: skip
    if of.days:
        parts.append("/".join(words.say("weekday", day) for day in of.days))
    return _list(parts)


def _moment(of: model.WaitMoment, _zone: tzinfo) -> str:
    if of.before != Period():
        return _("Wait until %(time)s before %(key)s", time=period(of.before), key=of.order_meta)
    if of.after != Period():
        return _("Wait until %(time)s after %(key)s", time=period(of.after), key=of.order_meta)
    return _("Wait until %(key)s", key=of.order_meta)


def _awaits(of: model.WaitEvent, _zone: tzinfo) -> str:
    said = topic(of.topic) + (f" → {statuses(of.to)}" if of.to else "")
    return _("Wait for “%(what)s”, at most %(time)s", what=said, time=period(of.at_most))


def _branch(of: model.Branch, zone: tzinfo) -> str:
    return _("If %(rule)s", rule=rule(of.rule, zone))


def _send(of: model.Send, _zone: tzinfo) -> str:
    language = str(get_locale() or "en")[:2]
    own = of.texts.get(language) if language != "en" else None
    text = own or of.texts.get("en") or next(iter(of.texts.values()), model.Text())
    # The title is in the file's language, the subject in the reader's.
    said = (own.subject or own.short) if own else of.title or text.subject or text.short
    return _("Message: %(title)s", title=_plain(said) or of.id)


def _plain(text: str) -> str:
    """A template as a title: what it asks for is left open."""
    return " ".join(_PRINTS.sub("…", _ASKS.sub("", _OTHERWISE.sub("", text))).split())


def _coupon(of: model.Coupon, _zone: tzinfo) -> str:
    amount = words.digits(of.amount) + (" %" if of.kind == "percent" else "")
    said = _("Coupon: %(amount)s off, for %(time)s", amount=amount, time=period(of.expires))
    return said + (_(", free shipping") if of.free_shipping else "")


def _tag(of: model.Tagged, _zone: tzinfo) -> str:
    return _("Tags: %(tags)s", tags=_list([*(f"+{one}" for one in of.add), *(f"−{one}" for one in of.remove)]))


_SAID: dict[type[Any], Callable[[Any, tzinfo], str]] = {
    model.Wait: _wait,
    model.WaitMoment: _moment,
    model.WaitEvent: _awaits,
    model.Branch: _branch,
    model.Split: lambda of, zone: _("By chance, one of %(number)s ways", number=words.number(len(of.ways))),
    model.Send: _send,
    model.Coupon: _coupon,
    model.Tagged: _tag,
    model.SetField: lambda of, zone: _("Set the field %(field)s", field=of.field),
    model.Webhook: lambda of, zone: _("Tell %(host)s (webhook)", host=urlsplit(of.url).hostname or of.url),
    model.Ticket: lambda of, zone: _("Ticket: %(title)s", title=_plain(of.subject)),
    model.Note: lambda of, zone: _("Note on the contact: %(title)s", title=_plain(of.title)),
    model.Start: lambda of, zone: _("Begin the automation %(name)s", name=of.automation),
    model.Stop: lambda of, zone: _("End here"),
}


def why(arrow: flow.Arrow | flow.Path) -> str:
    """What stands at an arrow."""
    if arrow.why == "chance":
        return words.digits(str(arrow.weight))
    return {"yes": _("yes"), "no": _("no"), "came": _("it came"), "not_come": _("it did not come")}.get(arrow.why, "")


def means(code: str) -> str:
    """What reaching the goal is."""
    return {"recovered": _("Carts won back"), "came_back": _("Came back")}.get(code, _("Reached the goal"))


def box(of: model.Automation, zone: tzinfo) -> Callable[[str], str]:
    """What stands in the boxes of its drawing."""
    steps = {one.id: one for one in of.steps}

    def said(id_: str) -> str:
        if id_ in steps:
            return step(steps[id_], zone)
        return {
            flow.START: trigger(of.trigger),
            flow.GOAL: _("Goal, at any time: %(what)s", what=_list(topic(one) for one in of.goal.topics)),
            flow.EXIT: _("Ends early: %(what)s", what=exits(of, zone)),
        }.get(id_, _("The end"))

    return said


def exits(of: model.Automation, zone: tzinfo) -> str:
    """What ends it without success."""
    said = []
    for one in of.exits:
        topics = _list(topic(name) for name in one.topics) + (f" → {statuses(one.to)}" if one.to else "")
        said.append(rule(one.rule, zone) if one.rule is not None else topics)
    return "; ".join(said)


def counts(line: Line, steps: Sequence[StepLine]) -> Callable[[str], str]:
    """The figures below, by box."""
    by_id = {one.id: one for one in steps}

    def said(id_: str) -> str:
        if id_ == flow.START:
            return _("%(number)s entered", number=words.number(line.entered))
        if id_ == flow.GOAL:
            return _("%(number)s reached it", number=words.number(line.goal))
        one = by_id.get(id_)
        if one is None:
            return ""
        parts = [_("%(number)s here now", number=words.number(one.waiting))] if one.waiting else []
        if one.sent:
            parts.append(_("%(number)s sent", number=words.number(one.sent)))
        elif one.done:
            parts.append(_("%(number)s done", number=words.number(one.done)))
        if one.skipped:
            parts.append(_("%(number)s left out", number=words.number(one.skipped)))
        return " · ".join(parts)

    return said


def reason(code: str) -> str:
    """Why a step was left out or a way ended, as a sentence."""
    name, _colon, detail = code.partition(": ")
    sentence = REASONS.get(name)
    if sentence is None:
        return code
    return str(gettext(sentence)) + (f" ({detail})" if detail else "")


def of_file(text: str) -> str:
    """A title or a sentence of a ready-made automation in the language of who looks; an owner's as it is."""
    return str(gettext(text)) if text else ""
