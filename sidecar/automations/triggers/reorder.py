"""A product that somebody buys again and again is due by their own interval for it."""

from __future__ import annotations

from sidecar.automations import model
from sidecar.automations.enrolments import Entry
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source
from sidecar.segments.sql import due_own


def find(ask: Ask) -> Found:
    """Whose time came since the last look. What an import brings is due only when its own time comes, later."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnReorder)
    after = max(ask.cursor.get("upto", ask.now), ask.since - 1)
    due, overdue = due_own("last_order", trigger.due), due_own("last_order", trigger.overdue)
    person, product = (ask.cursor.get(name, 0) for name in ("person", "product"))
    rows = ask.state.rows(
        f"SELECT person_id, product, last_order, {due} FROM reorder WHERE product > 0 AND {due} > ? AND {due} <= ?"
        f" AND {overdue} > ? AND (person_id, product) > (?, ?) ORDER BY person_id, product LIMIT ?",
        (after, ask.cursor.get("until", ask.now), ask.now, person, product, ask.most),
    )
    entries = [
        Entry(person_id=id_, subject=f"product:{ware}:0:{last}", at=at) for id_, ware, last, at in rows
    ]  # fmt: skip
    if len(rows) >= ask.most:
        place = {
            "upto": after,
            "until": ask.cursor.get("until", ask.now),
            "person": rows[-1][0],
            "product": rows[-1][1],
        }
        return Found(entries=entries, cursor=place, more=True)
    return Found(entries=entries, cursor={"upto": ask.cursor.get("until", ask.now)}, more="until" in ask.cursor)


def newest(ask: Ask) -> Cursor:
    """From now on."""
    return {"upto": ask.now}


SOURCE = Source(find, newest, every=300)
