"""The SQL over everybody and the Python for one person say the same, of random rules and random people."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from crowd import COUPONS, NOWS, RULES, ZONES, Made, ages, fields_of, fill, people
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.segments import evaluate, file, membership, scores, table
from sidecar.segments.model import (
    Number,
    Segment,
    Since,
)  # fmt: skip
from sidecar.state.database import State


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_both_evaluators_agree(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    now, zone = data.draw(st.sampled_from(NOWS)), data.draw(st.sampled_from(ZONES))
    everybody: list[Made] = data.draw(st.lists(people(now), min_size=1, max_size=8))
    rules = data.draw(st.lists(RULES, min_size=1, max_size=8))
    sinces = data.draw(st.lists(st.builds(Since, fields_of("moment"), _moments(now), _moments(now)), max_size=2))
    segments = [Segment(slug="other", name="Other", rule=Number("orders_count", 1, None))]
    segments += [Segment(slug=f"s{number}", name="S", rule=rule) for number, rule in enumerate([*rules, *sinces])]
    with State(tmp_path_factory.mktemp("state")) as state:
        subjects = fill(state, everybody, zone)
        table.refresh(state, zone)
        scores.refresh(state, now, zone, always=True)
        assert table.stale(state) == sorted(subjects)
        at = membership.moment(state, segments, now, zone)
        for segment in segments:
            found = set(membership.matching(state, segment.rule, at))
            wanted = {id_ for id_, person in subjects.items() if evaluate.member(segment.rule, person, at)}
            assert found == wanted, segment.rule


def _moments(now: int) -> st.SearchStrategy[int | None]:
    return st.none() | ages().map(lambda age: now - age)


def test_the_built_in_segments_agree(tmp_path: Path) -> None:
    """A fixed crowd, so that each of them has somebody and leaves somebody out."""
    zone = ZoneInfo("Europe/Sofia")
    now = NOWS[3]
    segments = file.load(None, zone)
    everybody = _crowd(now)
    with State(tmp_path) as state:
        subjects = fill(state, everybody, zone)
        changes = {change.slug: change for change in membership.refresh(state, segments, now, zone)}
        assert table.stale(state) == []
        at = membership.moment(state, segments, now, zone)
        for segment in segments:
            wanted = {id_ for id_, person in subjects.items() if evaluate.member(segment.rule, person, at)}
            rows = state.rows("SELECT person_id FROM membership WHERE segment = ?", (segment.slug,))
            assert {row[0] for row in rows} == wanted
            assert changes[segment.slug].size == len(wanted)
            assert 0 < len(wanted) < len(subjects), segment.slug


def _crowd(now: int) -> list[Made]:
    import random

    from crowd import DAY, Contact, OrderDoc, Touch

    from sidecar.people.model import LedgerOrder
    from sidecar.store.model import Account

    pick = random.Random(4)
    crowd = []
    for number in range(400):
        orders = [
            LedgerOrder(
                0, "candidate", "completed", pick.randrange(1, 400) * 1_000_000, 0, now - pick.randrange(0, 500) * DAY - 5,
                OrderDoc(
                    lines=((pick.randrange(1, 6), 0, 1, "n"),), coupons=tuple(pick.sample(COUPONS, pick.randrange(3))),
                    payment="cod", touch=Touch(source="google"), b2b=number % 40 == 0,
                ),
            )
            for _ in range(pick.choice([0, 1, 1, 2, 3, 4, 6]))
        ]  # fmt: skip
        acts = [
            (
                now - pick.randrange(0, 9 * DAY),
                pick.choice(["view", "view", "view", "cart", "checkout"]),
                pick.randrange(1, 3),
            )
            for _ in range(pick.choice([0, 0, 5, 9]))
        ]
        meta = {"locale": "bg_BG"}
        registered = now - pick.choice([pick.randrange(0, 40) * DAY, 365 * DAY, pick.randrange(0, 900) * DAY])
        account = Account(id=number, email="", registered=registered, display_name="", crc=0, meta=meta)
        month = pick.choice(["1990-11-25", "1970-12-10", "1988-06-01", ""])
        crowd.append(
            Made(orders=orders, acts=acts, account=account if number % 3 else None, country="BG", birthday=month)
        )
    for number, made in enumerate(crowd[:300]):
        sent = number % 9
        made.contact = Contact(
            traits={
                "status": "subscribed", "consent": 1, "emails_sent": sent, "engagement": number % 60 if sent > 2 else None,
                "first_email": now - (number % 90) * DAY if sent else None,
                "last_open": now - (number % 70) * DAY if sent > 4 else None,
                "last_click": now - (number % 80) * DAY if sent > 6 else None,
            }
        )  # fmt: skip
    crowd[0].orders = [
        LedgerOrder(0, "candidate", "completed", 5_000_000, 0, now - 365 * DAY, OrderDoc(lines=((1, 0, 1, "n"),)))
    ]
    return crowd
