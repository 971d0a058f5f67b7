"""What time alone changes comes at the right second, in the shop's calendar, and a tick misses nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from crowd import DAY, NOWS, RULES, ZONES, Made, facts_of, fill, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.events import activity
from sidecar.people.model import LedgerOrder, OrderDoc
from sidecar.segments import categories, due, evaluate, file, membership, times
from sidecar.segments.model import Age, Coming, Count, Number, Period, Segment
from sidecar.state import database
from sidecar.state.database import State
from sidecar.state.migrations import MIGRATIONS
from sidecar.values import dates

SOFIA, TEHRAN = ZoneInfo("Europe/Sofia"), ZoneInfo("Asia/Tehran")


def _at(text: str, zone: tzinfo) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@given(
    st.integers(-2_000_000_000, 4_000_000_000),
    st.integers(-4000, 4000),
    st.sampled_from([*ZONES, ZoneInfo("Pacific/Apia")]),
)
@settings(max_examples=300, deadline=None)
def test_days_later_is_the_same_time_of_day(unix: int, days: int, zone: tzinfo) -> None:
    wall = datetime.fromtimestamp(unix, zone).replace(tzinfo=None) + timedelta(days=days)
    wanted = wall.replace(tzinfo=zone, fold=0)
    offset = wanted.utcoffset()
    assert offset is not None
    assert dates.days_later(unix, days, zone) == round(
        (wall - datetime(1970, 1, 1)).total_seconds() - offset.total_seconds()
    )


def _buyer(at: int) -> Made:
    order = LedgerOrder(0, "candidate", "completed", 10_000_000, 0, at, OrderDoc(lines=((1, 0, 1, "n"),)))
    return Made(orders=[order], acts=[], account=None, country="", birthday="1990-03-29")


@pytest.mark.parametrize(
    ("zone", "bought", "turns"),
    [
        # The clock goes back on 25 October 2026 in Sofia: 30 days of the calendar are 30 days and an hour.
        (SOFIA, "2026-10-01 12:00:00", "2026-10-31 12:00:00"),
        # It goes forward on 29 March 2026, and 03:30 is skipped: as far after the jump.
        (SOFIA, "2026-02-27 03:30:00", "2026-03-29 04:30:00"),
        (TEHRAN, "2026-10-01 12:00:00", "2026-10-31 12:00:00"),
        # Tehran had summer time until 2022: it ended at midnight of 21 September.
        (TEHRAN, "2022-09-01 00:30:00", "2022-10-01 00:30:00"),
    ],
)
def test_inactive_at_thirty_days_to_the_second(zone: ZoneInfo, bought: str, turns: str, tmp_path: Path) -> None:
    segments = [Segment(slug="inactive", name="I", rule=Age("last_order", True, Period(days=30)))]
    turn = _at(turns, zone)
    with State(tmp_path) as state:
        fill(state, [_buyer(_at(bought, zone))], zone)
        assert membership.tick(state, segments, turn - 10 * DAY, zone) == []
        assert due.next_after(state, segments, turn - 10 * DAY, zone) == turn
        assert membership.tick(state, segments, turn - 1, zone) == []
        (change,) = membership.tick(state, segments, turn, zone)
        assert (change.slug, change.size, change.entered, change.left) == ("inactive", 1, 1, 0)
        assert membership.tick(state, segments, turn, zone) == []
        assert state.rows("SELECT segment, entered, at FROM membership_event") == [("inactive", 1, turn)]
        assert due.next_after(state, segments, turn, zone) is None


def test_a_persons_own_interval_to_the_second(tmp_path: Path) -> None:
    """Two orders 20 days apart: late after one and a half times that; who has one order goes by the days."""
    zone, last = SOFIA, _at("2026-10-01 12:00:00", SOFIA)
    rule = Age("last_order", True, Period(days=60), 1.5)
    segments = [Segment(slug="late", name="L", rule=rule)]
    twice = _buyer(last - 20 * DAY)
    twice.orders.append(_buyer(last).orders[0])
    turn = last + 30 * DAY
    with State(tmp_path) as state:
        fill(state, [twice, _buyer(last)], zone)
        membership.tick(state, segments, last, zone)
        assert due.next_after(state, segments, last, zone) == turn
        assert membership.tick(state, segments, turn - 1, zone) == []
        assert [change.entered for change in membership.tick(state, segments, turn, zone)] == [1]
        assert _in(state) == {1}
        # The day on which the clock goes back lies between: an hour more than 60 times 24.
        assert due.next_after(state, segments, turn, zone) == last + 60 * DAY + 3600
        membership.tick(state, segments, last + 60 * DAY + 3600, zone)
        assert _in(state) == {1, 2}


def test_a_birthday_begins_at_the_shops_midnight(tmp_path: Path) -> None:
    """On the day on which the clock is changed, and in Tehran, whose midnight no other zone has."""
    for zone, day in ((SOFIA, "2026-03-29"), (TEHRAN, "2026-03-29")):
        segments = [Segment(slug="birthday", name="B", rule=Coming("birthday", 1))]
        start = _at(f"{day} 00:00:00", zone)
        with State(tmp_path / str(zone).replace("/", "-")) as state:
            fill(state, [_buyer(start - 100 * DAY)], zone)
            membership.refresh(state, segments, start - 3600, zone)
            assert due.next_after(state, segments, start - 3600, zone) == start
            assert membership.tick(state, segments, start - 1, zone) == []
            assert [change.entered for change in membership.tick(state, segments, start, zone)] == [1]
            end = due.next_after(state, segments, start, zone)
            assert end == start + (23 if zone is SOFIA else 24) * 3600
            assert [change.left for change in membership.tick(state, segments, end, zone)] == [1]


_STEPS = st.sampled_from([1, 59, 60, 3599, 3600, DAY - 1, DAY, 7 * DAY, 30 * DAY]) | st.integers(1, 40 * DAY)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_ticks_keep_memberships_right(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """After every tick they are what the naive evaluator says, whatever passed between two of them; and before the moment
    that `next_after` names nothing changes."""
    now, zone = data.draw(st.sampled_from(NOWS)), data.draw(st.sampled_from(ZONES))
    everybody = data.draw(st.lists(people(now), min_size=1, max_size=6))
    rules = data.draw(st.lists(RULES, min_size=1, max_size=6))
    segments = [Segment(slug="other", name="O", rule=Number("orders_count", 2, None))]
    segments += [Segment(slug=f"s{number}", name="S", rule=rule) for number, rule in enumerate(rules)]
    with State(tmp_path_factory.mktemp("state")) as state:
        subjects = fill(state, everybody, zone)

        def wanted(at: int) -> set[tuple[str, int]]:
            moment = membership.moment(state, segments, at, zone)
            return {
                (segment.slug, id_)
                for id_, person in subjects.items() for segment in segments
                if evaluate.member(segment.rule, person, moment)
            }  # fmt: skip

        membership.tick(state, segments, now, zone)
        start = now
        for _ in range(4):
            ahead = due.next_after(state, segments, now, zone)
            before = wanted(now)
            if ahead is None:
                assert wanted(now + 1000 * DAY) == before
                break
            assert ahead > now
            assert wanted(ahead - 1) == before
            now = data.draw(st.just(ahead) | _STEPS.map(lambda step, start=now: start + step))  # type: ignore[misc]
            membership.tick(state, segments, now, zone)
            assert set(state.rows("SELECT segment, person_id FROM membership")) == wanted(now)
        if now - start > 400 * DAY:
            return  # the first comings are forgotten by now
        told = state.rows("SELECT segment, person_id, SUM(entered * 2 - 1) FROM membership_event GROUP BY 1, 2")
        assert {(slug, id_) for slug, id_, sum_ in told if sum_} == set(
            state.rows("SELECT segment, person_id FROM membership")
        )
        assert {sum_ for _, _, sum_ in told} <= {0, 1}


def test_a_tick_sees_who_changed_and_who_was_overtaken(tmp_path: Path) -> None:
    zone, now = SOFIA, NOWS[3]
    segments = file.parse(
        '[[segment]]\nslug = "top"\nname = "T"\nrule = { field = "ltv", top_percent = 50 }\n', "segments.toml", zone
    )
    with State(tmp_path) as state:
        fill(state, [_buyer(now - DAY), _buyer(now - DAY), _buyer(now - 2 * DAY), _buyer(now - 3 * DAY)], zone)
        state.sql.execute("UPDATE person_doc SET facts = json_set(CAST(facts AS TEXT), '$.ltv', person_id * 1000000)")
        membership.tick(state, segments, now, zone)
        assert _in(state) == {3, 4}
        # The first one buys: they come in, and the third, who did nothing, goes.
        state.sql.execute(
            "INSERT OR REPLACE INTO person_doc SELECT person_id, json_set(CAST(facts AS TEXT), '$.ltv', 9000000), NULL"
            " FROM person_doc WHERE person_id = 1"
        )
        (change,) = membership.tick(state, segments, now + 60, zone)
        assert (change.entered, change.left, change.size) == (1, 1, 2)
        assert _in(state) == {1, 4}
        # Who is no contact any more is in nothing.
        state.sql.execute("UPDATE person SET verdict = 'left' WHERE id = 4")
        state.sql.execute("INSERT OR REPLACE INTO person_doc SELECT * FROM person_doc WHERE person_id = 4")
        membership.tick(state, segments, now + 120, zone)
        assert 4 not in _in(state)
        # And who is forgotten leaves no trace.
        state.sql.execute("DELETE FROM person WHERE id = 1")
        for table in ("trait", "counted_order", "reorder", "membership", "membership_event"):
            assert state.rows(f"SELECT 1 FROM {table} WHERE person_id = 1") == []


def _in(state: State) -> set[int]:
    return {row[0] for row in state.rows("SELECT person_id FROM membership")}


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("after", range(4))
def test_interrupted_anywhere_the_next_look_makes_up_for_it(
    full: bool, after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traits are right, the process dies before the memberships are: nobody is lost."""
    zone, now = SOFIA, NOWS[3]
    segments = [Segment(slug=f"s{least}", name="S", rule=Number("orders_count", least, None)) for least in range(1, 4)]
    with State(tmp_path) as state:
        fill(state, [_buyer(now - DAY) for _ in range(3)], zone)
        membership.tick(state, segments, now, zone)
        assert len(state.rows("SELECT 1 FROM membership")) == 3
        state.sql.execute(
            "INSERT OR REPLACE INTO person_doc SELECT person_id, json_set(CAST(facts AS TEXT), '$.orders_count', 3), NULL"
            " FROM person_doc"
        )
        left = iter(range(after))

        def dies(name: str) -> Any:
            real = getattr(membership, name)

            def call(*arguments: Any) -> Any:
                if next(left, None) is None:
                    raise KeyboardInterrupt
                return real(*arguments)

            return call

        with monkeypatch.context() as patch:
            for name in ("_write", "_looked") if full else ("_settle", "_looked"):
                patch.setattr(membership, name, dies(name))
            try:
                (membership.refresh if full else membership.tick)(state, segments, now + 60, zone)
            except KeyboardInterrupt:
                pass
            else:
                assert not full and after >= 2
        membership.tick(state, segments, now + 120, zone)
        assert len(state.rows("SELECT 1 FROM membership")) == 9
        assert len(state.rows("SELECT 1 FROM membership_event")) == 9


def test_acts_that_are_forgotten_no_longer_count(tmp_path: Path) -> None:
    """And a category that a product got, or lost, counts for those who had looked at it."""
    zone, now = SOFIA, NOWS[3]
    segments = [
        Segment(slug="ever", name="E", rule=Count("views", 2)),
        Segment(slug="gifts", name="G", rule=Count("views", 1, category="Gifts")),
    ]
    person = Made(
        orders=[], acts=[(now - DAY, "view", 1), (now - 9 * DAY, "view", 1)], account=None, country="", birthday=""
    )
    with State(tmp_path) as state:
        fill(state, [person], zone)
        membership.tick(state, segments, now, zone)
        assert state.rows("SELECT segment FROM membership") == [("ever",)]
        with state.transaction() as sql:
            categories.keep(sql, {1: ("GIFTS",), 2: ("Tea",)})
        (change,) = membership.tick(state, segments, now + 1, zone)
        assert (change.slug, change.entered) == ("gifts", 1)
        assert activity.prune(state, now * 1000, 5, 1000) == 1
        (change,) = membership.tick(state, segments, now + 2, zone)
        assert (change.slug, change.left) == ("ever", 1)


def test_in_another_zone_days_are_made_anew(tmp_path: Path) -> None:
    """Bought at 22:30 UTC: on the next day by the clock of Sofia."""
    at = int(datetime(2025, 11, 23, 22, 30, tzinfo=UTC).timestamp())
    segments = [Segment(slug="day", name="D", rule=Coming("first_order_day", 1))]
    now = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp())
    with State(tmp_path) as state:
        fill(state, [_buyer(at)], UTC)
        membership.tick(state, segments, now, UTC)
        assert _in(state) == set()
        membership.tick(state, segments, now + 60, SOFIA)
        assert _in(state) == {1}


def test_an_older_state_is_filled_when_it_is_opened(tmp_path: Path) -> None:
    """Who was known before there were segments is looked at, too."""
    now = NOWS[3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", MIGRATIONS[:5])
        with State(tmp_path) as state, state.transaction() as sql:
            facts = msgspec.json.encode(facts_of(_buyer(now - DAY)))
            sql.execute("INSERT INTO person (id, key, verdict) VALUES (1, x'00', 'in')")
            sql.execute("INSERT INTO person_doc VALUES (1, ?, NULL)", (facts,))
    with State(tmp_path) as state:
        membership.tick(state, [Segment(slug="one", name="O", rule=Number("orders_count", 1, 1))], now, UTC)
        assert _in(state) == {1}


def test_other_rules_are_looked_at_as_a_whole(tmp_path: Path) -> None:
    zone, now = UTC, NOWS[3]
    rule = '[[segment]]\nslug = "a"\nname = "A"\nrule = {{ field = "orders_count", at_least = {} }}\n'
    with State(tmp_path) as state:
        fill(state, [_buyer(now - DAY)], zone)
        membership.tick(state, file.parse(rule.format(2), "s.toml", zone), now, zone)
        assert _in(state) == set()
        (change,) = membership.tick(state, file.parse(rule.format(1), "s.toml", zone), now + 1, zone)
        assert change.entered == 1
        # A segment that is gone from the file is left by everybody.
        other = rule.replace('"a"', '"b"').format(1)
        changes = membership.tick(state, file.parse(other, "s.toml", zone), now + 2, zone)
        assert {(change.slug, change.entered, change.left) for change in changes} == {("a", 0, 1), ("b", 1, 0)}
        assert state.rows("SELECT segment FROM membership") == [("b",)]


@pytest.mark.parametrize(
    ("days", "run"),
    [
        ([], 0), (["2026-03-01"], 1), (["2026-03-01", "2026-03-03", "2026-03-05"], 1),
        (["2026-03-03", "2026-02-27", "2026-03-01", "2026-02-28", "2026-03-01"], 3),
        (["2027-01-01", "2026-12-31", "2026-12-28", "2026-12-29"], 2), (["2028-02-28", "2028-03-01"], 1),
    ],
)  # fmt: skip
def test_the_longest_run_of_days(days: list[str], run: int) -> None:
    assert times.longest_run(days) == run


def test_days_in_a_row_are_those_of_the_shop(tmp_path: Path) -> None:
    """Looked at late in the evening and early in the morning: three days in Sofia, two in UTC; a fourth day begins it anew."""
    rule = Count("views", 3, within=Period(days=7), same_product=True, in_a_row=True)
    segments = [Segment(slug="row", name="R", rule=rule)]

    def person(*acts: tuple[str, int]) -> Made:
        seen = [(_at(text, SOFIA), "view", product) for text, product in acts]
        return Made(orders=[], acts=seen, account=None, country="", birthday="")

    everybody = [
        person(("2026-11-20 23:30:00", 1), ("2026-11-21 12:00:00", 1), ("2026-11-22 00:30:00", 1)),
        person(("2026-11-20 23:30:00", 1), ("2026-11-21 12:00:00", 2), ("2026-11-22 00:30:00", 1)),
        person(("2026-11-19 12:00:00", 1), ("2026-11-20 12:00:00", 1), ("2026-11-22 12:00:00", 1)),
    ]
    with State(tmp_path) as state:
        fill(state, everybody, SOFIA)
        membership.tick(state, segments, _at("2026-11-23 12:00:00", SOFIA), SOFIA)
        assert _in(state) == {1}
        membership.tick(state, segments, _at("2026-11-23 12:01:00", ZoneInfo("UTC")), UTC)
        assert _in(state) == set()
        membership.tick(state, segments, _at("2026-11-23 13:00:00", SOFIA), SOFIA)
        # The first of the three days leaves the window.
        ahead = due.next_after(state, segments, _at("2026-11-27 12:00:00", SOFIA), SOFIA)
        assert ahead == _at("2026-11-27 23:30:00", SOFIA)
        (change,) = membership.tick(state, segments, ahead, SOFIA)
        assert (change.left, change.size) == (1, 0)
