"""`[trigger]`, `[goal]` and `[[exit]]` of an automation's file."""

from __future__ import annotations

from typing import Any, cast

from sidecar.automations import model
from sidecar.automations.goods import Goods
from sidecar.automations.parse_base import DAYS, LONGEST_NAME, NAME, ORDER_PLACED, STATUSES, TOPICS, Reader
from sidecar.segments.model import Period
from sidecar.toml_file import did_you_mean
from sidecar.toml_lines import Path as Place

_PLACE: Place = ("trigger",)
# Topics that tell of a person. What visitors do has triggers of its own, and of products and carts nobody in particular is told.
_EVENTS = tuple(
    topic
    for topic in TOPICS
    if not topic.startswith(("product.", "stock.", "cart.", "checkout."))
    and topic not in ("person.erased", "customer.deleted", "contact.deleted")
)
_OWN = ("segment.entered", "segment.left", "cart.abandoned", "product.viewed", "day", "schedule", "stock.back", "reorder", "hand")  # fmt: skip
# Of which it can be said what must be in the order.
_OF_ORDERS = (ORDER_PLACED, "order.paid", "order.status")
_DAY_FIELDS = ("birthday", "membership_day", "first_order_day")


def read(reader: Reader, data: Any) -> model.Trigger:
    """The trigger; after a fault one that stands for it."""
    if data is None:
        reader.say(_PLACE, "there is no trigger", '[trigger] with on = "order.paid" or another')
        return model.ByHand()
    table = reader.table(data, _PLACE)
    known = (*_OWN, *_EVENTS)
    on = table.get("on")
    if not isinstance(on, str) or on not in known:
        message = f"there is no trigger {on!r}" if "on" in table else "is missing"
        reader.say((*_PLACE, "on"), message, did_you_mean(str(on), known) or f"{', '.join(_OWN)}, or an event as order.paid")  # fmt: skip
        return model.ByHand()
    return _BY_NAME.get(on, _event)(reader, table)


def _event(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    topic = data["on"]
    keys = ("on", "to") if topic in STATUSES else ("on", "first", "every") if topic == "order.paid" else ("on",)
    if topic in _OF_ORDERS:
        keys = (*keys, "goods")
    reader.only(data, _PLACE, keys)
    every = reader.whole(data, "every", _PLACE, 0, 2, 1000) if "every" in keys else 0
    first = reader.flag(data, "first", _PLACE, False) if "first" in keys else False
    if every and first:
        reader.say((*_PLACE, "every"), "first and every together", "one of them")
    goods = (
        reader.choice(data, "goods", _PLACE, ("shipped", "downloadable")) if "goods" in data and "goods" in keys else ""
    )
    to = reader.to(data, _PLACE) if "to" in keys else ()
    return model.OnEvent(topic=topic, to=to, first=first, every=every, goods=cast("Goods", goods))


def _segment(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on", "segment"))
    slug = reader.text(data, "segment", _PLACE)
    if slug and slug not in reader.slugs:
        reader.say((*_PLACE, "segment"), f"there is no segment {slug!r}", did_you_mean(slug, reader.slugs))
    return model.OnSegment(segment=slug, entered=data["on"] == "segment.entered")


def _cart(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on", "idle"))
    return model.OnCart(idle=reader.period(data, "idle", _PLACE, Period(seconds=1800)))


def _views(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on", "times", "within", "days"))
    if "times" not in data:
        reader.say((*_PLACE, "times"), "is missing", "how many views")
    return model.OnViews(
        times=reader.whole(data, "times", _PLACE, 2, 1, 100),
        within=reader.period(data, "within", _PLACE),
        days=reader.flag(data, "days", _PLACE, False),
    )


def _day(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on", "field", "at", "before", "late"))
    return model.OnDay(
        field=reader.choice(data, "field", _PLACE, _DAY_FIELDS),
        at=reader.clock(data, "at", _PLACE, "09:00"),
        before=reader.whole(data, "before", _PLACE, 0, 0, 60),
        late=reader.period(data, "late", _PLACE, Period(days=1)),
    )


def _schedule(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on", "every", "day", "at"))
    every = reader.choice(data, "every", _PLACE, ("day", "week", "month"))
    days = {"week": DAYS, "month": tuple(str(day) for day in range(1, 29))}.get(every, ())
    said = str(data["day"]) if "day" in data else ""
    if (days or said) and said not in days:
        reader.say((*_PLACE, "day"), f"{said!r} is no day of a {every}" if said else "is missing", ", ".join(days) or "it goes with week or month")  # fmt: skip
    at = reader.clock(data, "at", _PLACE, "09:00")
    return model.OnSchedule(every=every, on=said, at=at)  # type: ignore[arg-type]


def _stock(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on",))
    return model.OnStock()


def _reorder(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on", "due", "overdue"))
    due, overdue = reader.number(data, "due", _PLACE, 1.0), reader.number(data, "overdue", _PLACE, 2.0)
    if not 0 < due < overdue <= 100:
        reader.say((*_PLACE, "due"), "due must be above 0, and overdue above that, at most 100")
    return model.OnReorder(due=due, overdue=overdue)


def _hand(reader: Reader, data: dict[str, Any]) -> model.Trigger:
    reader.only(data, _PLACE, ("on",))
    return model.ByHand()


_BY_NAME = {
    "segment.entered": _segment, "segment.left": _segment, "cart.abandoned": _cart, "product.viewed": _views, "day": _day,
    "schedule": _schedule, "stock.back": _stock, "reorder": _reorder, "hand": _hand,
}  # fmt: skip


# --- what it is about ----------------------------------------------------------------------------------------


def about_order(trigger: model.Trigger) -> bool:
    """Whether those who enter do so with an order (by hand: they may)."""
    if isinstance(trigger, model.OnEvent):
        return trigger.topic.startswith("order.") or trigger.topic == "coupon.used"
    return isinstance(trigger, model.ByHand)


def about_products(trigger: model.Trigger) -> bool:
    """Whether products are what they enter with: an order's, a cart's, one that was viewed."""
    of_their_own = isinstance(trigger, model.OnCart | model.OnViews | model.OnStock | model.OnReorder)
    review = isinstance(trigger, model.OnEvent) and trigger.topic == "review.posted"
    return of_their_own or review or about_order(trigger)


# --- goal and exits ------------------------------------------------------------------------------------------


def goal(reader: Reader, data: Any, trigger: model.Trigger) -> model.Goal:
    """`[goal]`."""
    place: Place = ("goal",)
    if data is None:
        return model.Goal()
    table = reader.table(data, place)
    reader.only(table, place, ("topics", "same_order", "same_product"))
    found = model.Goal(
        topics=reader.topics(table, place),
        same_order=reader.flag(table, "same_order", place, False),
        same_product=reader.flag(table, "same_product", place, False),
    )
    if not table.get("topics"):
        reader.say((*place, "topics"), "what is the goal?", f'topics = ["{ORDER_PLACED}"]')
    _fits(reader, table, place, trigger)
    return found


def exits(reader: Reader, rows: list[dict[str, Any]], trigger: model.Trigger) -> tuple[model.Exit, ...]:
    """`[[exit]]`."""
    found = []
    for number, row in enumerate(rows):
        place: Place = ("exit", number)
        reader.only(row, place, ("topics", "to", "rule", "same_order"))
        one = model.Exit(
            topics=reader.topics(row, place),
            to=reader.to(row, place),
            rule=reader.rule(row, "rule", place),
            same_order=reader.flag(row, "same_order", place, False),
        )
        if bool(row.get("topics")) == ("rule" in row):
            reader.say(place, "either topics or a rule is wanted", "write two [[exit]] for both")
        if one.to and not set(one.topics) & set(STATUSES):
            reader.say((*place, "to"), f"goes with {' and '.join(STATUSES)} alone", 'topics = ["order.status"]')
        _fits(reader, row, place, trigger)
        found.append(one)
    return tuple(found)


def _fits(reader: Reader, row: dict[str, Any], place: Place, trigger: model.Trigger) -> None:
    if row.get("same_order") is True and not about_order(trigger):
        reader.say((*place, "same_order"), "the trigger is about no order")
    if row.get("same_product") is True and not about_products(trigger):
        reader.say((*place, "same_product"), "the trigger is about no product")


def name(text: str) -> bool:
    """Whether it may be an automation's or a step's name."""
    return len(text) <= LONGEST_NAME and NAME.fullmatch(text) is not None
