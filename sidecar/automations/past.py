"""When an automation would have started, and for whom, by what the state remembers: orders, acts, segments, days.

Each trigger answers with entries, the oldest first, and with sentences about what its history does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from sidecar.automations import goods, model
from sidecar.automations.about import about
from sidecar.automations.enrolments import Entry
from sidecar.automations.place import Place
from sidecar.automations.triggers.days import days_kept, moment_of
from sidecar.automations.triggers.schedules import last_before
from sidecar.people.model import OrderDoc
from sidecar.segments import evaluate, subjects
from sidecar.segments.evaluate import Moment, Order
from sidecar.segments.model import Age, Condition, Count, Number, Period, walk
from sidecar.segments.times import due, longest_run, passed
from sidecar.values import dates

_DAY = 86_400
_document = msgspec.json.Decoder(OrderDoc).decode
# Of a rule that asks nothing else it can be said when it came true: by the orders alone.
_OF_ORDERS = frozenset({"last_order", "first_order", "orders_count"})
_PLACED = frozenset({"order.placed", "order.created", "order.paid", "order.found"})
_CORE = frozenset({"processing", "completed"})


class History(msgspec.Struct, kw_only=True):
    """Who would have entered in the period. `runs`: when, where all of them would have at the same times. `notes`: what that stands
    on."""

    entries: list[Entry] = []
    runs: list[int] = []
    notes: list[str] = []


def history(place: Place, automation: model.Automation, since: int) -> History:
    """Everybody whom the trigger would have found since then (Unix seconds)."""
    trigger = automation.trigger
    read: Callable[[Place, Any, int], History] = _READERS[type(trigger)]
    found = read(place, trigger, since)
    found.entries.sort(key=lambda entry: (entry.at, entry.person_id))
    return found


def orders(state: Any, people: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """{person: (when, order) of what they bought, the first first}. Times are Unix seconds."""
    found: dict[int, list[tuple[int, int]]] = {}
    wanted = msgspec.json.encode(sorted(people)).decode()
    for person, at, order in state.rows(
        "SELECT person_id, at, order_id FROM counted_order WHERE person_id IN (SELECT value FROM json_each(?)) ORDER BY at, order_id",
        (wanted,),
    ):
        found.setdefault(person, []).append((at, order))
    return found


# --- triggers --------------------------------------------------------------------------------------------------


def _event(place: Place, trigger: model.OnEvent, since: int) -> History:
    topic = trigger.topic
    if topic in _PLACED:
        return _orders(place, trigger, since, "verdict = 'candidate'")
    if topic == "order.status":
        note = "An order counts by the status that it has now, from when it was made: on its way it was in others."
        wanted = set(trigger.to)
        if wanted & _CORE:
            return _orders(place, trigger, since, "verdict = 'candidate'", note)
        names = ",".join("'" + status.replace("'", "''") + "'" for status in sorted(wanted))
        return _orders(place, trigger, since, f"status IN ({names}) AND verdict <> 'refund'", note)
    if topic == "customer.created":
        rows = place.state.rows(
            "SELECT person_id, registered FROM trait WHERE registered BETWEEN ? AND ?", (since, place.now)
        )
        return History(entries=[Entry(person_id=person, subject=f"account:{person}", at=at) for person, at in rows])
    rows = place.state.rows(
        "SELECT person_id, at / 1000, object_id FROM event WHERE topic = ? AND person_id IS NOT NULL AND at >= ?",
        (topic, since * 1000),
    )
    entries = [Entry(person_id=person, subject=f"{topic}:{id_}", at=at) for person, at, id_ in rows]
    return History(entries=entries, notes=[_since_plugin(place, "event", f"{topic} is known")])


def _orders(place: Place, trigger: model.OnEvent, since: int, which: str, note: str = "") -> History:
    ranks: dict[int, int] = {}
    if trigger.first or trigger.every:
        counts: dict[int, int] = {}
        for person, order in place.state.rows("SELECT person_id, order_id FROM counted_order ORDER BY at, order_id"):
            counts[person] = ranks[order] = counts.get(person, 0) + 1
    rows = place.state.rows(
        f"SELECT person_id, id, created FROM shop_order WHERE person_id IS NOT NULL AND created BETWEEN ? AND ? AND {which}",
        (since, place.now),
    )
    entries = [
        Entry(person_id=person, subject=f"order:{id_}", at=at)
        for person, id_, at in rows
        if (not trigger.first or ranks.get(id_) == 1)
        and (not trigger.every or (id_ in ranks and ranks[id_] % trigger.every == 0))
    ]
    if trigger.goods:
        there = goods.holding(place.state, place.reader, {id_ for _, id_, _ in rows}, trigger.goods)
        entries = [entry for entry in entries if about(entry.subject).order in there]
    return History(entries=entries, notes=[note] if note else [])


def _segment(place: Place, trigger: model.OnSegment, since: int) -> History:
    segment = place.at.segments.get(trigger.segment)
    if segment is not None and trigger.entered and _by_orders(segment.rule, place.at):
        return History(entries=_came_true(place, segment.rule, trigger.segment, since))
    rows = place.state.rows(
        "SELECT person_id, at FROM membership_event WHERE segment = ? AND entered = ? AND at >= ?",
        (trigger.segment, trigger.entered, since),
    )
    entries = [Entry(person_id=person, subject=f"segment:{trigger.segment}:{at}", at=at) for person, at in rows]
    first = place.state.rows("SELECT MIN(at) FROM membership_event")[0][0]
    when = dates.local_day(first, place.zone) if first else "now"
    return History(
        entries=entries,
        notes=[f"Who came into {trigger.segment} is known since {when}, with those whom the first look found in it."],
    )


def _by_orders(rule: Condition, at: Moment) -> bool:
    """Whether a rule asks for nothing but when and how often people ordered."""
    return all(
        getattr(part, "of", None) is not None
        or (isinstance(part, Age) and part.field in _OF_ORDERS and not part.intervals)
        or (isinstance(part, Number) and part.field in _OF_ORDERS)
        or (isinstance(part, Count) and part.what == "orders" and not (part.product or part.category or part.coupon or part.after))
        for part in walk(rule)
    )  # fmt: skip


def _came_true(place: Place, rule: Condition, slug: str, since: int) -> list[Entry]:
    """By each order and each span that the rule names: was it so a second after the span was over, and not before?"""
    spans = {part.period for part in walk(rule) if isinstance(part, Age)}
    spans |= {part.within for part in walk(rule) if isinstance(part, Count) and part.within is not None}
    bought = orders(place.state, [row[0] for row in place.state.rows("SELECT DISTINCT person_id FROM counted_order")])
    known = subjects.load(place.state, list(bought))
    found = []
    for person, mine in bought.items():
        if person not in known:
            continue
        moments = {due(at, span, place.zone) for at, _ in mine for span in spans if span != Period()}
        moments |= {at for at, _ in mine}
        for moment in sorted(moments):
            if not since <= moment <= place.now:
                continue
            if _holds(place, rule, known[person], mine, moment + 1) and not _holds(
                place, rule, known[person], mine, moment - 1
            ):
                found.append(Entry(person_id=person, subject=f"segment:{slug}:{moment}", at=moment))
    return found


def _holds(
    place: Place, rule: Condition, person: evaluate.Subject, mine: Sequence[tuple[int, int]], moment: int
) -> bool:
    """Whether a rule about orders held of somebody then."""
    until = [at for at, _ in mine if at <= moment]
    traits = dict(person.traits) | {
        "orders_count": len(until), "first_order": until[0] if until else None, "last_order": until[-1] if until else None,
    }  # fmt: skip
    then = msgspec.structs.replace(person, traits=traits, orders=tuple(Order(at) for at in until))
    return evaluate.member(rule, then, msgspec.structs.replace(place.at, now=moment))


def _cart(place: Place, trigger: model.OnCart, since: int) -> History:
    idle = trigger.idle.days * _DAY + trigger.idle.seconds
    rows = place.state.rows(
        "SELECT a.person_id, MAX(a.at) / 1000, a.object_id FROM activity a WHERE a.kind IN ('cart', 'checkout') AND a.person_id IS NOT NULL"
        " AND a.at >= ? GROUP BY a.person_id, a.object_id, a.at / 86400000",
        (since * 1000,),
    )
    bought = orders(place.state, {row[0] for row in rows})
    entries = [
        Entry(person_id=person, subject=f"cart:{cart}:{at}", at=at + idle)
        for person, at, cart in rows
        if at + idle <= place.now and not any(at - 7 * _DAY < when <= at + idle for when, _ in bought.get(person, ()))
    ]
    return History(
        entries=entries, notes=[_since_plugin(place, "activity", "carts are known"), "A cart of a day counts once."]
    )


def _views(place: Place, trigger: model.OnViews, since: int) -> History:
    rows = place.state.rows(
        "SELECT person_id, object_id, at / 1000 FROM activity WHERE kind = 'view' AND person_id IS NOT NULL AND at >= ? ORDER BY at",
        ((since - trigger.within.days * _DAY - trigger.within.seconds) * 1000,),
    )
    seen: dict[tuple[int, int], list[int]] = {}
    entries: dict[tuple[int, str], Entry] = {}
    for person, product, at in rows:
        mine = seen.setdefault((person, product), [])
        mine.append(at)
        mine[:] = [when for when in mine if not passed(when, trigger.within, at, place.zone)]
        days = [dates.local_day(when, place.zone) for when in mine]
        enough = longest_run(days) >= trigger.times if trigger.days else len(mine) >= trigger.times
        if enough and at >= since:
            subject = f"product:{product}:0:{days[-1]}"
            entries.setdefault((person, subject), Entry(person_id=person, subject=subject, at=at))
    notes = [_since_plugin(place, "activity", "views are known"), "Who had bought the product by then is not left out."]
    return History(entries=list(entries.values()), notes=notes)


def _day(place: Place, trigger: model.OnDay, since: int) -> History:
    entries = []
    day = date.fromisoformat(dates.local_day(since, place.zone))
    while (moment := moment_of(day, trigger.at, place.zone)) <= place.now:
        marks = days_kept(day + timedelta(days=trigger.before))
        if moment >= since:
            rows = place.state.rows(
                f"SELECT person_id FROM trait WHERE {trigger.field} IN ({','.join('?' * len(marks))})", marks
            )
            entries += [Entry(person_id=row[0], subject=f"day:{day}", at=moment) for row in rows]
        day += timedelta(days=1)
    known = place.state.rows(f"SELECT COUNT(*) FROM trait WHERE {trigger.field} <> ''")[0][0]
    return History(entries=entries, notes=[f"The {trigger.field.replace('_', ' ')} of {known} people is known."])


def _schedule(place: Place, trigger: model.OnSchedule, since: int) -> History:
    people = [row[0] for row in place.state.rows("SELECT person_id FROM trait ORDER BY person_id")]
    runs, moment = [], last_before(trigger, place.now, place.zone)
    while moment is not None and moment >= since:
        runs.append(moment)
        moment = last_before(trigger, moment - 1, place.zone)
    return History(entries=[Entry(person_id=person, at=since) for person in people] if runs else [], runs=runs[::-1])


def _reorder(place: Place, trigger: model.OnReorder, since: int) -> History:
    """By the interval that was known at each order: of those up to it."""
    bought: dict[tuple[int, int], list[int]] = {}
    for person, at, doc in place.state.rows(
        "SELECT c.person_id, c.at, o.doc FROM counted_order c JOIN shop_order o ON o.id = c.order_id WHERE o.doc IS NOT NULL ORDER BY c.at"
    ):
        for product in {line[0] for line in _document(doc).lines if line[0]}:
            bought.setdefault((person, product), []).append(at)
    entries = []
    for (person, product), times in bought.items():
        for number in range(1, len(times)):
            interval = (times[number] - times[0]) / number
            at = round(times[number] + trigger.due * interval)
            following = times[number + 1] if number + 1 < len(times) else place.now + 1
            if interval >= _DAY and since <= at <= place.now and at < following:
                entries.append(Entry(person_id=person, subject=f"product:{product}:0:{times[number]}", at=at))
    return History(entries=entries)


def _stock(place: Place, trigger: model.OnStock, since: int) -> History:
    return History(
        notes=["Nobody remembers when products were out of stock and who waited: there is no history to try it on."]
    )


def _hand(place: Place, trigger: model.ByHand, since: int) -> History:
    return History(notes=["Nothing starts it by itself: there is no history to try it on."])


def _since_plugin(place: Place, table: str, what: str) -> str:
    first = place.state.rows(f"SELECT MIN(at) / 1000 FROM {table}")[0][0]
    if first is None:
        return f"Nothing of it is remembered: {what} only since the plugin is there."
    return f"{what[0].upper()}{what[1:]} since {dates.local_day(first, place.zone)}: of before there is no history."


_READERS: Mapping[type, Callable[[Place, Any, int], History]] = {
    model.OnEvent: _event, model.OnSegment: _segment, model.OnCart: _cart, model.OnViews: _views, model.OnDay: _day,
    model.OnSchedule: _schedule, model.OnReorder: _reorder, model.OnStock: _stock, model.ByHand: _hand,
}  # fmt: skip
