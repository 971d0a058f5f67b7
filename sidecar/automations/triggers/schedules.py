"""Every day, week or month at a time of the shop's clock: everybody who passes the filter."""

from __future__ import annotations

from datetime import date, timedelta, tzinfo

from sidecar.automations import model
from sidecar.automations.enrolments import Entry
from sidecar.automations.triggers.days import moment_of
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source
from sidecar.values import dates

_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# No month is longer.
_LONGEST = 31


def find(ask: Ask) -> Found:
    """One page of people of the last time that is due. Of several that were missed only the last one is made up for."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnSchedule)
    # A clock that was ahead left a moment that has not come: nothing would be due until then.
    done = min(ask.cursor.get("run", ask.now), ask.now)
    due = last_before(trigger, ask.now, ask.zone)
    if due is None or due <= done or due < ask.since:
        return Found(cursor={"run": max(done, due or 0)})
    person = ask.cursor.get("person", 0) if ask.cursor.get("of") == due else 0
    rows = _people(ask, person)
    subject = f"run:{dates.local_minute(due, ask.zone).replace(' ', 'T')}"
    entries = [Entry(person_id=id_, subject=subject, at=due) for id_ in rows]
    if len(rows) >= ask.most:
        return Found(entries=entries, cursor={"run": done, "of": due, "person": rows[-1]}, more=True)
    return Found(entries=entries, cursor={"run": due})


def newest(ask: Ask) -> Cursor:
    """From the next time on."""
    return {"run": ask.now}


def _people(ask: Ask, after: int) -> list[int]:
    """Everybody, by pages: the filter is asked when they enter, as of all other triggers."""
    rows = ask.state.rows(
        "SELECT person_id FROM trait WHERE person_id > ? ORDER BY person_id LIMIT ?", (after, ask.most)
    )
    return [row[0] for row in rows]


def last_before(trigger: model.OnSchedule, now: int, zone: tzinfo) -> int | None:
    """The last time at or before `now` (Unix seconds) at which it is due."""
    today = date.fromisoformat(dates.local_day(now, zone))
    for back in range(_LONGEST + 1):
        day = today - timedelta(days=back)
        if _fits(trigger, day) and (moment := moment_of(day, trigger.at, zone)) <= now:
            return moment
    return None


def _fits(trigger: model.OnSchedule, day: date) -> bool:
    if trigger.every == "week":
        return _WEEK[day.weekday()] == trigger.on
    return trigger.every == "day" or str(day.day) == trigger.on


SOURCE = Source(find, newest, every=20)
