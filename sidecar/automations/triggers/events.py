"""Something happened: orders, accounts, reviews, contacts (`happenings`)."""

from __future__ import annotations

from sidecar.automations import goods, happenings, model
from sidecar.automations.about import about
from sidecar.automations.enrolments import Entry
from sidecar.automations.happenings import Happened
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source

_RANK = (
    "SELECT (SELECT COUNT(*) FROM counted_order b WHERE b.person_id = c.person_id AND (b.at, b.order_id) <= (c.at, c.order_id))"
    " FROM counted_order c WHERE c.order_id = ?"
)


def find(ask: Ask) -> Found:
    """Once for each order, account, review or contact."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnEvent)
    upto = happenings.last(ask.state)
    after = ask.cursor.get("event", upto)
    if after >= upto:
        return Found(cursor={"event": upto})
    rows = happenings.read(ask.state, after, upto, ask.most, [trigger.topic])
    entries = [
        Entry(person_id=one.person_id, subject=subject(one), at=min(one.moment, ask.now))
        for one in rows
        if one.person_id is not None and one.moment >= ask.since and one.means(trigger.topic, trigger.to)
        and _in_turn(ask, trigger, one)
    ]  # fmt: skip
    if trigger.goods:
        there = goods.holding(ask.state, ask.reader, {about(entry.subject).order for entry in entries}, trigger.goods)
        entries = [entry for entry in entries if about(entry.subject).order in there]
    more = len(rows) >= ask.most
    return Found(entries=entries, cursor={"event": rows[-1].id if more else upto}, more=more)


def newest(ask: Ask) -> Cursor:
    """Behind the newest event."""
    return {"event": happenings.last(ask.state)}


def _in_turn(ask: Ask, trigger: model.OnEvent, one: Happened) -> bool:
    """Whether it is the first counted order of the person, or each so-and-so-manyth, where that is wanted."""
    if not trigger.first and not trigger.every:
        return True
    rows = ask.state.rows(_RANK, (one.object_id,))
    if not rows:
        return False
    rank = int(rows[0][0])
    return rank == 1 if trigger.first else rank % trigger.every == 0


def subject(one: Happened) -> str:
    """What an event is about, told apart so that the same thing is entered once."""
    if one.family == "customer":
        return f"account:{one.object_id}"
    if one.topic == "review.posted":
        return f"product:{one.object_id}:0:review-{one.sub_id}"
    if one.family == "product":
        return f"product:{one.object_id}:{one.sub_id}"
    if one.family == "email":
        return f"email:{one.sub_id}"
    return f"{one.family}:{one.object_id}"


SOURCE = Source(find, newest)
