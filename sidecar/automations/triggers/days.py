"""Days of the year of people: birthdays, the day they joined, the day of their first order, by the shop's calendar."""

from __future__ import annotations

from calendar import isleap
from datetime import date, timedelta, tzinfo

from sidecar.automations import model
from sidecar.automations.enrolments import Entry
from sidecar.automations.triggers.registry import Ask, Cursor, Found, Source
from sidecar.segments.times import passed
from sidecar.values import dates

# What began on that day comes again a year later at the earliest.
_BEGAN = {"membership_day": "registered", "first_order_day": "first_order"}


def find(ask: Ask) -> Found:
    """One page of people of the first day that is due. Days that were missed come once, as long as they are not too late."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnDay)
    done = _done(ask, trigger)
    # Not later than the last one that is over: a clock that was ahead would have all days until then left out.
    day = min(date.fromordinal(ask.cursor["day"]), done) if "day" in ask.cursor else done
    while (moment := moment_of(day + timedelta(days=1), trigger.at, ask.zone)) <= ask.now:
        day += timedelta(days=1)
        if moment >= ask.row.live_from and not passed(moment, trigger.late, ask.now, ask.zone):
            return _page(ask, trigger, day, moment)
    return Found(cursor={"day": day.toordinal()})


def newest(ask: Ask) -> Cursor:
    """From the next time on at which it is due."""
    trigger = ask.automation.trigger
    assert isinstance(trigger, model.OnDay)
    return {"day": _done(ask, trigger).toordinal()}


def _done(ask: Ask, trigger: model.OnDay) -> date:
    """The last day whose time is over."""
    today = date.fromisoformat(dates.local_day(ask.now, ask.zone))
    return today if moment_of(today, trigger.at, ask.zone) <= ask.now else today - timedelta(days=1)


def _page(ask: Ask, trigger: model.OnDay, day: date, moment: int) -> Found:
    kept = day + timedelta(days=trigger.before)
    marks = days_kept(kept)
    began = f" AND {_BEGAN[trigger.field]} < ?" if trigger.field in _BEGAN else ""
    # Half a year back is before this year's day and after last year's, whatever the clock and 29 February did.
    after = ask.cursor.get("person", 0) if ask.cursor.get("of") == day.toordinal() else 0
    parameters: list[int | str] = [after, *marks]
    if began:
        parameters.append(moment - 180 * 86400)
    rows = ask.state.rows(
        f"SELECT person_id FROM trait WHERE person_id > ? AND {trigger.field} IN ({','.join('?' * len(marks))}){began}"
        " ORDER BY person_id LIMIT ?",
        [*parameters, ask.most],
    )
    entries = [Entry(person_id=row[0], subject=f"day:{kept.isoformat()}", at=moment) for row in rows]
    if len(rows) >= ask.most:
        done = day.toordinal()
        return Found(entries=entries, cursor={"day": done - 1, "of": done, "person": rows[-1][0]}, more=True)
    return Found(entries=entries, cursor={"day": day.toordinal()}, more=True)


def moment_of(day: date, at: str, zone: tzinfo) -> int:
    """When the shop's clock shows `at` ("HH:MM") on a day, in Unix seconds. A time that is skipped is as far after the jump; of
    one that comes twice it is the first."""
    found = dates.from_local(f"{day.isoformat()} {at}:00", zone)
    assert found is not None
    return found


def days_kept(day: date) -> list[str]:
    """The days of the year (MM-DD) that are kept on a date: 29 February on 1 March, where the year has none."""
    text = day.isoformat()[5:]
    return ["02-29", text] if text == "03-01" and not isleap(day.year) else [text]


SOURCE = Source(find, newest, every=20)
