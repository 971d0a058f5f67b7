"""Days of the year and schedules, by the shop's calendar in zones that make trouble: against a calendar walked hour by hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from triggering import DAY, HOUR, Yard, alone, unix

from sidecar.automations import model
from sidecar.automations.triggers.days import days_kept, moment_of
from sidecar.automations.triggers.schedules import last_before
from sidecar.segments.model import Number, Period

ZONES: list[tzinfo] = [ZoneInfo(name) for name in ("Asia/Tehran", "Europe/Sofia", "Australia/Lord_Howe")]
TEHRAN, SOFIA = ZONES[0], ZONES[1]


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    made = alone(tmp_path, TEHRAN, unix("2026-11-01 00:00"))
    yield made
    made.close()


def days(yard: Yard) -> list[str]:
    return [subject for _, subject in yard.inside()]


def test_a_birthday_at_nine_by_the_shops_clock(yard: Yard) -> None:
    yard.person(1, birthday="1990-11-05")
    yard.person(2, birthday="1990-11-06")
    yard.on(model.OnDay(field="birthday"))
    # 09:00 in Tehran is 05:30 UTC.
    assert yard.collect(unix("2026-11-05 05:29")).entered == 0
    assert yard.collect(unix("2026-11-05 05:30")).entered == 1
    assert yard.collect(unix("2026-11-05 05:31")).entered == 0
    assert yard.inside() == [(1, "day:2026-11-05")]
    assert yard.state.rows("SELECT due FROM enrolment") == [(unix("2026-11-05 05:30"),)]
    assert yard.collect(unix("2027-11-05 05:30")).entered == 1


def test_some_days_before(yard: Yard) -> None:
    yard.person(1, birthday="1990-11-05")
    yard.on(model.OnDay(field="birthday", before=3))
    yard.collect(unix("2026-11-02 06:00"))
    assert yard.inside() == [(1, "day:2026-11-05")]


def test_missed_days_come_once_unless_they_are_too_late(yard: Yard) -> None:
    """Pain 42."""
    for person, day in ((1, "02"), (2, "03"), (3, "04"), (4, "05")):
        yard.person(person, birthday=f"1990-11-{day}")
    yard.on(model.OnDay(field="birthday", late=Period(days=2)))
    assert yard.collect(unix("2026-11-05 06:00")).entered == 2
    assert yard.inside() == [(3, "day:2026-11-04"), (4, "day:2026-11-05")]
    assert yard.collect(unix("2026-11-05 07:00")).entered == 0


def test_a_clock_that_was_ahead_for_a_while_leaves_no_day_out(yard: Yard) -> None:
    yard.person(1, birthday="1990-11-05")
    yard.on(model.OnDay(field="birthday"))
    yard.on(model.OnSchedule(every="week", on="thu"), name="weekly")
    yard.collect(unix("2027-11-02 12:00"))
    yard.collect(unix("2026-11-02 12:00"))
    yard.collect(unix("2026-11-05 06:00"))
    assert yard.inside() == [(1, "day:2026-11-05")]
    assert yard.inside("weekly")[-1] == (1, "run:2026-11-05T09:00")


def test_what_was_due_before_it_was_on_stays_out(yard: Yard) -> None:
    yard.person(1, birthday="1990-11-01")
    yard.now = unix("2026-11-01 06:00")
    yard.on(model.OnDay(field="birthday", late=Period(days=7)))
    assert yard.collect(unix("2026-11-01 08:00")).entered == 0


@pytest.mark.parametrize(
    ("year", "wanted"),
    [
        (2027, [(1, "day:2027-03-01"), (2, "day:2027-03-01")]),
        (2028, [(1, "day:2028-02-29"), (2, "day:2028-03-01")]),
    ],
)
def test_29_february(yard: Yard, year: int, wanted: list[tuple[int, str]]) -> None:
    yard.person(1, birthday="1992-02-29")
    yard.person(2, birthday="1992-03-01")
    yard.now = unix(f"{year}-02-01 00:00")
    yard.on(model.OnDay(field="birthday"))
    for hours in range(0, 32 * 24, 6):
        yard.collect(unix(f"{year}-02-01 00:00") + hours * HOUR)
    assert yard.inside() == wanted


def test_an_anniversary_is_a_year_later(yard: Yard) -> None:
    yard.person(1, user=11, registered=unix("2026-11-05 01:00"))
    yard.person(2, user=12, registered=unix("2024-11-04 22:00"))  # the 5th in Tehran
    yard.on(model.OnDay(field="membership_day"))
    yard.collect(unix("2026-11-05 06:00"))
    assert yard.inside() == [(2, "day:2026-11-05")]
    yard.collect(unix("2027-11-05 06:00"))
    assert yard.inside()[1:] == [(1, "day:2027-11-05"), (2, "day:2027-11-05")]


def test_many_come_by_pages(yard: Yard) -> None:
    for person in range(1, 1202):
        yard.person(person, birthday="1990-11-05")
    yard.on(model.OnDay(field="birthday"))
    assert yard.collect(unix("2026-11-05 06:00")).entered == 1201


def test_a_schedule_takes_all_who_fit_and_makes_up_for_the_last_time_only(yard: Yard) -> None:
    for person in range(1, 6):
        yard.person(person, orders_count=person)
    yard.on(model.OnSchedule(every="week", on="tue", at="10:00"), filter=Number("orders_count", 4, None))
    assert yard.collect(unix("2026-11-03 06:29")).entered == 0
    assert yard.collect(unix("2026-11-03 06:30")).entered == 2
    assert yard.collect(unix("2026-11-03 06:31")).entered == 0
    assert yard.inside() == [(4, "run:2026-11-03T10:00"), (5, "run:2026-11-03T10:00")]
    # Two weeks away: the run before last is over, the last one is made up for within a day.
    assert yard.collect(unix("2026-11-18 06:00")).entered == 2
    assert yard.collect(unix("2026-11-26 00:00")).entered == 0, "more than a day late"


def test_a_schedule_of_many_goes_on_where_it_was(yard: Yard) -> None:
    for person in range(1, 1101):
        yard.person(person)
    yard.on(model.OnSchedule(every="month", on="5"))
    assert yard.collect(unix("2026-11-05 06:00")).entered == 1100


# --- against a calendar --------------------------------------------------------------------------------------

MOMENTS = st.integers(unix("2024-01-01 00:00"), unix("2028-12-31 00:00"))
CLOCKS = st.sampled_from(["00:00", "01:30", "02:00", "02:15", "02:30", "03:00", "09:00", "23:45"])


def wall(moment: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(moment, zone).replace(tzinfo=None)


@settings(max_examples=300, deadline=None)
@given(MOMENTS, CLOCKS, st.sampled_from(ZONES))
def test_the_moment_is_the_first_that_the_clock_shows(near: int, at: str, zone: tzinfo) -> None:
    """Walked quarter by quarter over the day; a time that is skipped is as far after the jump."""
    day = datetime.fromtimestamp(near, zone).date()
    found = moment_of(day, at, zone)
    wanted = datetime.fromisoformat(f"{day} {at}")
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 15 * HOUR
    shown = [moment for moment in range(start, start + 2 * DAY, 900) if wall(moment, zone) == wanted]
    if shown:
        assert found == shown[0]
    else:
        jump = next(m for m in range(start, start + 2 * DAY, 900) if wall(m, zone) > wanted)
        before = wall(jump - 900, zone) + timedelta(minutes=15)
        assert found == jump + int((wanted - before).total_seconds())


@settings(max_examples=150, deadline=None)
@given(MOMENTS, CLOCKS, st.sampled_from(ZONES), st.data())
def test_the_last_time_of_a_schedule(now: int, at: str, zone: tzinfo, data: st.DataObject) -> None:
    every = data.draw(st.sampled_from(["day", "week", "month"]))
    on = {
        "day": "",
        "week": data.draw(st.sampled_from(["mon", "thu", "sun"])),
        "month": data.draw(st.sampled_from(["1", "15", "28"])),
    }[every]
    trigger = model.OnSchedule(every=every, on=on, at=at)
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    today = date.fromordinal(wall(now, zone).toordinal())
    fitting = [
        moment_of(day, at, zone)
        for day in (today + timedelta(days=by) for by in range(-40, 3))
        if every == "day" or (names[day.weekday()] == on if every == "week" else day.day == int(on))
    ]
    assert last_before(trigger, now, zone) == max(moment for moment in fitting if moment <= now)


@settings(max_examples=25, deadline=None)
@given(
    MOMENTS,
    st.lists(st.integers(60, 30 * HOUR), min_size=3, max_size=30),
    st.sampled_from(ZONES),
    st.sampled_from(["02:15", "09:00"]),
    st.sampled_from([0, 2]),
)
def test_each_day_comes_once_whenever_one_looks(
    tmp_path_factory: pytest.TempPathFactory, start: int, pauses: list[int], zone: tzinfo, at: str, before: int
) -> None:
    """The oracle takes each day of the calendar by itself: it is due once, at the first look within a day after its time."""
    yard = alone(tmp_path_factory.mktemp("state"), zone, start)
    try:
        first = wall(start, zone).date()
        for person in range(1, 60):
            born = first + timedelta(days=person - 5)
            yard.person(person, birthday=f"1992-{born.isoformat()[5:]}")
        yard.on(model.OnDay(field="birthday", at=at, before=before))
        looks, now = [], start
        for pause in pauses:
            now += pause
            looks.append(now)
            yard.collect(now)
        wanted = set()
        for by in range(-5, 60):
            kept = first + timedelta(days=by)
            moment = moment_of(kept - timedelta(days=before), at, zone)
            seen = next((look for look in looks if look >= moment), None)
            if moment >= start and seen is not None and wall(seen, zone) < wall(moment, zone) + timedelta(days=1):
                wanted |= {
                    (person, f"day:{kept}")
                    for person in range(1, 60)
                    if _kept(first + timedelta(days=person - 5), kept)
                }
        found = yard.inside()
        assert len(found) == len(set(found))
        assert set(found) == wanted
    finally:
        yard.close()


def _kept(born: date, day: date) -> bool:
    return born.isoformat()[5:] in days_kept(day)
