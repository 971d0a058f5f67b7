"""How long people stay in the segments of a group, and through which of them one person went.

From who is in them (`membership`) and who came and went (`membership_event`, kept for 400 days). A stay whose beginning is no
longer known is left out; those who were there at the first look count from that look on.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sidecar.insights.journey import DAY, Spread, spread
from sidecar.segments.model import Segment
from sidecar.state.database import State

_STAYS = """
SELECT segment, person_id, entered, at, LAG(at) OVER w AS begun, LAG(entered) OVER w AS was FROM membership_event
WHERE segment IN (SELECT value FROM json_each(?)){} WINDOW w AS (PARTITION BY segment, person_id ORDER BY at, id)
"""


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A segment of a group in figures. `share` is of all who are in the group, 0 to 1; `finished` are the stays that are over,
    `lasting` those that are not, up to now."""

    slug: str
    name: str
    people: int
    share: float
    finished: Spread
    lasting: Spread


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """One person in one segment: from when until when (Unix seconds UTC; None: still), in days."""

    slug: str
    name: str
    since: int
    until: int | None
    days: float


def stages(state: State, segments: Sequence[Segment], now: int) -> list[Stage]:
    """The segments of a group in their order, as of the last refresh."""
    slugs = (msgspec.json.encode([segment.slug for segment in segments]).decode(),)
    lasting: dict[str, list[int]] = {segment.slug: [] for segment in segments}
    finished: dict[str, list[int]] = {segment.slug: [] for segment in segments}
    for slug, since in state.sql.execute(
        "SELECT segment, since FROM membership WHERE segment IN (SELECT value FROM json_each(?))", slugs
    ):
        lasting[slug].append(max(0, now - since))
    for slug, seconds in state.sql.execute(
        f"SELECT segment, at - begun FROM ({_STAYS.format('')}) WHERE entered = 0 AND was = 1", slugs
    ):
        finished[slug].append(seconds)
    everybody = sum(map(len, lasting.values()))
    return [
        Stage(
            slug=segment.slug,
            name=segment.name,
            people=len(lasting[segment.slug]),
            share=len(lasting[segment.slug]) / everybody if everybody else 0.0,
            finished=spread(finished[segment.slug]),
            lasting=spread(lasting[segment.slug]),
        )
        for segment in segments
    ]


def stays(state: State, segments: Sequence[Segment], person_id: int, now: int) -> list[Stay]:
    """Through which segments of a group a person went, the oldest first."""
    names = {segment.slug: segment.name for segment in segments}
    slugs = msgspec.json.encode(list(names)).decode()
    found = state.rows(
        f"SELECT segment, begun, at FROM ({_STAYS.format(' AND person_id = ?')}) WHERE entered = 0 AND was = 1",
        (slugs, person_id),
    )
    found += state.rows(
        "SELECT segment, since, NULL FROM membership WHERE person_id = ? AND segment IN (SELECT value FROM json_each(?))",
        (person_id, slugs),
    )
    return [
        Stay(
            slug=slug,
            name=names[slug],
            since=since,
            until=until,
            days=round(max(0, (now if until is None else until) - since) / DAY, 2),
        )
        for slug, since, until in sorted(found, key=lambda row: (row[1], row[2] is None, row[2]))
    ]
