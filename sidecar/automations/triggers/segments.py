"""Somebody came into a segment or left it, by what they or time did: never by an import (`membership_event.live`)."""

from __future__ import annotations

from sidecar.automations import model
from sidecar.automations.enrolments import Entry
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source

_ROWS = (
    "SELECT e.id, e.person_id, e.at, EXISTS (SELECT 1 FROM membership m WHERE m.segment = e.segment AND m.person_id = e.person_id)"
    " FROM membership_event e WHERE e.id > ? AND e.id <= ? AND e.segment = ? AND e.entered = ? AND e.live = 1 AND e.at >= ?"
    " ORDER BY e.id LIMIT ?"
)


def find(ask: Ask) -> Found:
    """Who came (or left), and has not left (or come back) since."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnSegment)
    upto = _last(ask)
    after = ask.cursor.get("membership", upto)
    if after >= upto:
        return Found(cursor={"membership": upto})
    rows = ask.state.rows(_ROWS, (after, upto, trigger.segment, trigger.entered, ask.since, ask.most))
    entries = [
        Entry(person_id=person, subject=f"segment:{trigger.segment}:{at}", at=at)
        for _, person, at, inside in rows
        if bool(inside) == trigger.entered
    ]
    more = len(rows) >= ask.most
    return Found(entries=entries, cursor={"membership": rows[-1][0] if more else upto}, more=more)


def newest(ask: Ask) -> Cursor:
    """Behind the newest coming or going."""
    return {"membership": _last(ask)}


def _last(ask: Ask) -> int:
    return int(ask.state.rows("SELECT COALESCE(MAX(id), 0) FROM membership_event")[0][0])


SOURCE = Source(find, newest)
