"""What there is to tell about segments: sizes, shares, money, overlaps, history; and why one person is in or out."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sidecar.segments import evaluate, membership, subjects
from sidecar.segments.evaluate import Finding, Moment
from sidecar.segments.model import Condition, Segment
from sidecar.state.database import State

_SAMPLE = 5
_HISTORY = 60


class Overlap(msgspec.Struct, frozen=True, kw_only=True):
    """How many are in another segment too."""

    slug: str
    both: int


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A group of people in figures. `share` is of all contacts, 0 to 1; `ltv` and `aov` are averages in micros of the shop's
    currency (`aov` over those with an order, None without one); `contacts` a few of its contacts' ids."""

    size: int
    people: int
    share: float
    ltv: int
    aov: int | None
    contacts: list[int]
    overlaps: list[Overlap]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a person is in a segment or not, condition by condition. `since`: Unix seconds, None outside."""

    slug: str
    name: str
    holds: bool
    since: int | None
    finding: Finding


def sheet(state: State, rule: Condition, at: Moment) -> Sheet:
    """The people of whom a rule holds now; overlaps are with the segments as they were last refreshed."""
    ids = membership.matching(state, rule, at)
    encoded = (msgspec.json.encode(ids).decode(),)
    these = "person_id IN (SELECT value FROM json_each(?))"
    people = state.rows("SELECT COUNT(*) FROM trait")[0][0]
    ltv, aov = state.rows(f"SELECT AVG(ltv), AVG(aov) FROM trait WHERE {these}", encoded)[0]
    contacts = state.rows(
        f"SELECT contact_id FROM person WHERE id IN (SELECT person_id FROM trait WHERE {these}) AND contact_id IS NOT NULL"
        f" ORDER BY ltv DESC, id LIMIT {_SAMPLE}",
        encoded,
    )
    overlaps = state.rows(
        f"SELECT segment, COUNT(*) FROM membership WHERE {these} GROUP BY segment ORDER BY COUNT(*) DESC, segment",
        encoded,
    )
    return Sheet(
        size=len(ids),
        people=people,
        share=len(ids) / people if people else 0.0,
        ltv=round(ltv or 0),
        aov=None if aov is None else round(aov),
        contacts=[row[0] for row in contacts],
        overlaps=[Overlap(slug=slug, both=both) for slug, both in overlaps],
    )


def history(state: State, slug: str) -> list[tuple[str, int]]:
    """(day in the shop's time, size at its end) of days on which it changed, the oldest first; the last 60."""
    rows = state.rows(
        "SELECT day, size FROM segment_size WHERE segment = ? ORDER BY day DESC LIMIT ?", (slug, _HISTORY)
    )
    return [(day, size) for day, size in reversed(rows)]


def why(state: State, segments: Sequence[Segment], person_id: int, at: Moment) -> list[Why] | None:
    """Each segment for one person; None when they are no contact."""
    person = subjects.load(state, [person_id]).get(person_id)
    if person is None:
        return None
    since = dict(state.rows("SELECT segment, since FROM membership WHERE person_id = ?", (person_id,)))
    found = []
    for segment in segments:
        finding = evaluate.explain(segment.rule, person, at)
        found.append(
            Why(
                slug=segment.slug,
                name=segment.name,
                holds=finding.holds,
                since=since.get(segment.slug),
                finding=finding,
            )
        )
    return found
