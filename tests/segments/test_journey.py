"""The journey: every contact is at exactly one stage, moves by events and by time, and how long they stay is known."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from crowd import DAY, NOWS, ZONES, Made, buyer, facts_of, fill, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.insights.journey import Spread, spread
from sidecar.segments import due, dwell, file, membership
from sidecar.state.database import State
from sidecar.store.model import Account

BUILT_IN = file.load(None, UTC)
STAGES = [segment for segment in BUILT_IN if segment.group is not None and segment.group.slug == "journey"]
SLUGS = [segment.slug for segment in STAGES]


def test_the_stages_in_their_order() -> None:
    assert [
        f"stage-{name}" for name in ("awareness", "consideration", "purchase", "activation", "retention", "loyalty")
    ] == SLUGS


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_everybody_is_at_exactly_one_stage(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """And in one RFM segment, who has bought; after any time has passed."""
    now, zone = data.draw(st.sampled_from(NOWS)), data.draw(st.sampled_from(ZONES))
    everybody: list[Made] = data.draw(st.lists(people(now), min_size=1, max_size=8))
    buyers = sum(facts_of(made).orders_count > 0 for made in everybody)
    with State(tmp_path_factory.mktemp("state")) as state:
        fill(state, everybody, zone)
        for _ in range(3):
            membership.tick(state, BUILT_IN, now, zone)
            rows = state.rows("SELECT person_id FROM membership WHERE segment LIKE 'stage-%' ORDER BY 1")
            assert rows == [(id_,) for id_ in range(1, len(everybody) + 1)]
            assert len(state.rows("SELECT DISTINCT person_id FROM membership WHERE segment LIKE 'rfm-%'")) == buyers
            assert len(state.rows("SELECT person_id FROM membership WHERE segment LIKE 'rfm-%'")) == buyers
            now += data.draw(st.sampled_from([1, 3600, DAY, 14 * DAY, 30 * DAY, 180 * DAY]) | st.integers(1, 90 * DAY))


def _lead(now: int) -> Made:
    account = Account(id=1, email="", registered=now - 900 * DAY, display_name="", crc=0, meta={})
    return Made(orders=[], acts=[], account=account, country="", birthday="")


@pytest.mark.parametrize(
    ("stage", "ages", "acts"),
    [
        ("awareness", [], []),
        ("awareness", [], [(1, "view"), (2, "view")]),
        ("awareness", [], [(31, "cart")]),
        ("consideration", [], [(1, "view"), (2, "view"), (3, "view")]),
        ("consideration", [], [(29, "cart")]),
        ("consideration", [], [(29, "checkout")]),
        ("purchase", [1], []),
        # What they looked at before they bought, and right afterwards, is no return.
        ("purchase", [13], [(14, "view"), (13.5, "cart"), (12.9, "view")]),
        ("activation", [13], [(12, "view")]),
        ("activation", [200], [(29, "cart")]),
        ("retention", [14], []),
        ("retention", [200], [(31, "view")]),
        ("retention", [10, 20], []),
        ("loyalty", [1, 20, 300, 400], []),
        ("retention", [181, 200, 300, 400], [(1, "cart")]),
    ],
)
def test_who_is_where(stage: str, ages: list[float], acts: list[tuple[float, str]], tmp_path: Path) -> None:
    now, zone = NOWS[3], ZoneInfo("Asia/Tehran")
    done = tuple((now - round(age * DAY), kind, 2) for age, kind in acts)
    one = (
        buyer(*(now - round(age * DAY) for age in ages), acts=done)
        if ages
        else msgspec.structs.replace(_lead(now), acts=list(done))
    )
    # Somebody spends more, so that nobody is in the top 10 % by being the only one.
    with State(tmp_path) as state:
        fill(state, [one, *(buyer(now - 500 * DAY, total=1000) for _ in range(3))], zone)
        membership.tick(state, BUILT_IN, now, zone)
        rows = state.rows("SELECT segment FROM membership WHERE person_id = 1 AND segment LIKE 'stage-%'")
        assert rows == [(f"stage-{stage}",)]


def test_a_life_with_the_shop(tmp_path: Path) -> None:
    """Stages change at the second at which something happens, or time alone makes the difference; and stays are counted."""
    zone, start = ZoneInfo("Asia/Tehran"), NOWS[3]
    with State(tmp_path) as state:
        fill(state, [_lead(start), *(buyer(start - 500 * DAY, total=1000) for _ in range(3))], zone)

        def look(at: int) -> str:
            membership.tick(state, BUILT_IN, at, zone)
            return str(
                state.rows("SELECT segment FROM membership WHERE person_id = 1 AND segment LIKE 'stage-%'")[0][0]
            )

        def act(at: int, kind: str) -> None:
            state.sql.execute(
                "INSERT INTO activity (outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail)"
                " VALUES (?, ?, ?, '', 1, 2, 0, '')",
                (at, at * 1000, kind),
            )

        def buy(*times: int) -> None:
            made = buyer(*times)
            with state.transaction() as sql:
                for at in times:
                    sql.execute(
                        "INSERT OR REPLACE INTO shop_order (id, person_id, verdict, status, total, created, crc, doc)"
                        " VALUES (?, 1, 'candidate', 'completed', 10000000, ?, 0, NULL)",
                        (at, at),
                    )
                sql.execute(
                    "INSERT OR REPLACE INTO person_doc VALUES (1, ?, NULL)", (msgspec.json.encode(facts_of(made)),)
                )

        def when_time_alone(after: int, stage: str) -> int:
            """The moment at which time alone changes the stage, and not a second before."""
            here, at = look(after), after
            while look(at) == here:
                ahead = due.next_after(state, BUILT_IN, at, zone)
                assert ahead is not None and look(ahead - 1) == here
                at = ahead
            assert look(at) == stage
            return at

        assert look(start) == "stage-awareness"
        act(start + DAY, "cart")
        assert look(start + DAY) == "stage-consideration"
        lost = when_time_alone(start + DAY, "stage-awareness")
        assert lost == start + 31 * DAY
        act(lost + DAY, "checkout")
        buy(bought := lost + DAY + 60)
        assert look(bought) == "stage-purchase"
        assert when_time_alone(bought, "stage-retention") == bought + 14 * DAY
        act(bought + 20 * DAY, "view")
        assert look(bought + 20 * DAY) == "stage-activation"
        again = bought + 25 * DAY
        buy(bought, again)
        assert look(again) == "stage-retention"
        buy(bought, again, again + DAY, again + 2 * DAY)
        assert look(again + 2 * DAY) == "stage-loyalty"
        gone = when_time_alone(again + 2 * DAY, "stage-retention")
        assert gone == again + 2 * DAY + 180 * DAY

        stays = dwell.stays(state, STAGES, 1, gone + 5 * DAY)
        assert [(one.slug.removeprefix("stage-"), one.days, one.until is None) for one in stays] == [
            ("awareness", 1, False), ("consideration", 30, False), ("awareness", 1, False), ("purchase", 14, False),
            ("retention", 6, False), ("activation", 5, False), ("retention", 2, False), ("loyalty", 180, False),
            ("retention", 5, True),
        ]  # fmt: skip
        assert [one.since for one in stays[1:]] == [one.until for one in stays[:-1]]
        figures = {one.slug.removeprefix("stage-"): one for one in dwell.stages(state, STAGES, gone + 5 * DAY)}
        assert list(figures) == [slug.removeprefix("stage-") for slug in SLUGS]
        assert {name: one.people for name, one in figures.items() if one.people} == {"retention": 4}
        assert figures["retention"].finished == Spread(number=2, median=4.0, mean=4.0)
        assert figures["loyalty"].finished == Spread(number=1, median=180.0, mean=180.0)
        assert figures["retention"].share == 1 and figures["loyalty"].lasting == Spread()


def test_dwell_times_by_hand(tmp_path: Path) -> None:
    """Of the events themselves: a second stay counts for itself, one without a known beginning not at all."""
    now = NOWS[3]
    days = lambda number: now - number * DAY  # noqa: E731
    with State(tmp_path) as state:
        events = [
            (1, "a", 1, 100), (1, "a", 0, 90), (1, "b", 1, 90), (1, "b", 0, 85), (1, "a", 1, 85), (1, "a", 0, 45), (1, "b", 1, 45),
            (2, "a", 1, 20), (2, "a", 0, 18), (2, "b", 1, 18),
            (3, "a", 0, 300), (3, "b", 1, 300),  # when they came is forgotten
            (4, "other", 1, 50), (4, "other", 0, 10),
        ]  # fmt: skip
        for person, slug, entered, age in events:
            state.sql.execute(
                "INSERT INTO membership_event (segment, person_id, entered, at) VALUES (?, ?, ?, ?)",
                (slug, person, entered, days(age)),
            )
        for person, slug, age in ((1, "b", 45), (2, "b", 18), (3, "b", 300), (5, "a", 1)):
            state.sql.execute("INSERT INTO membership VALUES (?, ?, ?)", (slug, person, days(age)))
        pair = [msgspec.structs.replace(STAGES[0], slug=slug, name=slug.upper()) for slug in "abc"]
        a, b, c = dwell.stages(state, pair, now)
        assert (a.people, b.people, c.people) == (1, 3, 0)
        assert (a.share, b.share, c.share) == (0.25, 0.75, 0)
        assert a.finished == Spread(number=3, median=10.0, mean=17.33)  # 10, 40 and 2 days
        assert b.finished == Spread(number=1, median=5.0, mean=5.0)
        assert b.lasting == Spread(number=3, median=45.0, mean=121.0)
        assert c.finished == c.lasting == Spread()
        assert [(one.name, one.days) for one in dwell.stays(state, pair, 1, now)] == [
            ("A", 10),
            ("B", 5),
            ("A", 40),
            ("B", 45),
        ]
        assert dwell.stages(state, [], now) == []


@given(st.lists(st.integers(0, 10**8), min_size=1))
def test_the_median_has_as_many_below_as_above(seconds: list[int]) -> None:
    found = spread(seconds)
    assert found.number == len(seconds) and found.median is not None and found.mean is not None
    middle = found.median * DAY
    assert sum(one < middle - 500 for one in seconds) * 2 <= len(seconds)
    assert sum(one > middle + 500 for one in seconds) * 2 <= len(seconds)
    assert min(seconds) - 500 <= found.mean * DAY <= max(seconds) + 500
