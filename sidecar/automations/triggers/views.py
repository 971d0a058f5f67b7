"""Somebody looks at the same product again and again, or on several days in a row, and has not bought it since."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.automations import happenings, model
from sidecar.automations.enrolments import Entry
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source
from sidecar.segments.times import longest_run, passed
from sidecar.values import dates

# Of whom anything became known: an act of theirs, or that they are the one who did what a visitor did before.
_ACTED = "SELECT id, person_id FROM activity WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
# Who typed their address since: what was done in that browser before is theirs. (The line itself names nobody yet.)
_LINKED = "SELECT person_id FROM visitor WHERE at >= (SELECT MIN(at) FROM event WHERE id > ? AND id <= ? AND topic = 'cart.email')"
_VIEWS = "SELECT object_id, at / 1000 FROM activity INDEXED BY activity_person WHERE person_id = ? AND kind = 'view' AND at >= ? ORDER BY at"
_BOUGHT = (
    "SELECT 1 FROM shop_order o, json_each(CAST(o.doc AS TEXT), '$[0]') l WHERE o.person_id = ? AND o.created >= ?"
    " AND o.verdict IN ('candidate', 'unpaid', 'custom_status') AND json_extract(l.value, '$[0]') = ? LIMIT 1"
)


def find(ask: Ask) -> Found:
    """Once a day and product, at the view that makes it enough."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnViews)
    upto = newest(ask)
    after = {**upto, **ask.cursor}
    rows = ask.state.rows(_ACTED, (after["activity"], upto["activity"], ask.most * 4))
    people = {person for _, person in rows if person is not None}
    more = len(rows) >= ask.most * 4
    people |= {row[0] for row in ask.state.rows(_LINKED, (after["event"], upto["event"]))}
    entries = [entry for person in sorted(people) for entry in _of(ask, trigger, person)]
    return Found(entries=entries, cursor={**upto, "activity": rows[-1][0]} if more else upto, more=more)


def newest(ask: Ask) -> Cursor:
    """Behind the newest act."""
    last = ask.state.rows("SELECT COALESCE(MAX(id), 0) FROM activity")[0][0]
    return {"activity": last, "event": happenings.last(ask.state)}


def _of(ask: Ask, trigger: model.OnViews, person: int) -> list[Entry]:
    # Two days more than the calendar can make of it.
    start = ask.now - trigger.within.days * 86400 - trigger.within.seconds - 2 * 86400
    views: dict[int, list[int]] = {}
    for product, at in ask.state.rows(_VIEWS, (person, start * 1000)):
        if at <= ask.now and not passed(at, trigger.within, ask.now, ask.zone):
            views.setdefault(product, []).append(at)
    return [
        Entry(person_id=person, subject=f"product:{product}:0:{dates.local_day(times[-1], ask.zone)}", at=times[-1])
        for product, times in views.items()
        if times[-1] >= ask.since and _enough(ask, trigger, times) and not _bought(ask, person, product, times[0])
    ]


def _enough(ask: Ask, trigger: model.OnViews, times: Iterable[int]) -> bool:
    moments = list(times)
    if not trigger.days:
        return len(moments) >= trigger.times
    return longest_run([dates.local_day(at, ask.zone) for at in moments]) >= trigger.times


def _bought(ask: Ask, person: int, product: int, since: int) -> bool:
    return bool(ask.state.rows(_BOUGHT, (person, since, product)))


SOURCE = Source(find, newest)
