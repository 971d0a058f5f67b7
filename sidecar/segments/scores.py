"""RFM scores of everybody: the borders between them, and who has another score once those have moved."""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from sidecar.insights import rfm
from sidecar.insights.rfm import NEVER, Borders, Scores
from sidecar.state.database import State
from sidecar.values import dates

# "day|borders": the day by the shop's clock on which they were drawn.
_KEY = "segments.rfm"
_OF = {
    "recency_score": f"COALESCE(last_order, {NEVER})",
    "frequency_score": "orders_count",
    "monetary_score": "ltv",
}

FIELDS = frozenset(_OF)


def kept(state: State) -> Scores:
    """The borders as they were last drawn."""
    found = state.get(_KEY).partition("|")[2]
    return msgspec.json.decode(found, type=Scores) if found else Scores()


class _Bought(msgspec.Struct):
    """Of a person's facts what scores go by."""

    orders_count: int = 0
    ltv: int = 0
    last_order: int | None = None


def foresee(state: State) -> None:
    """Draw the borders from the facts of everybody before there are traits, so that each row is written once only."""
    read = msgspec.json.Decoder(_Bought).decode
    facts = state.sql.execute(
        "SELECT d.facts FROM person_doc d JOIN person p ON p.id = d.person_id WHERE p.verdict = 'in'"
    )
    bought = [one for one in (read(row[0]) for row in facts) if one.orders_count > 0]
    lasts = sorted(NEVER if one.last_order is None else one.last_order for one in bought)
    drawn = Scores(
        *map(rfm.borders, (lasts, sorted(one.orders_count for one in bought), sorted(one.ltv for one in bought)))
    )
    state.set(_KEY, f"|{msgspec.json.encode(drawn).decode()}")


def refresh(state: State, now: int, zone: tzinfo, *, always: bool) -> None:
    """Draw the borders anew, once a day of the shop's or (`always`) in any case, and move whose score is another one now:
    they are `stale`. Call it when traits are up to date."""
    day = dates.local_day(now, zone)
    before, _, text = state.get(_KEY).partition("|")
    if before == day and not always:
        return
    drawn = _draw(state)
    encoded = msgspec.json.encode(drawn).decode()
    with state.transaction() as sql:
        if encoded != text:
            scored = {
                column: _score(value, of)
                for (column, value), of in zip(_OF.items(), msgspec.structs.astuple(drawn), strict=True)
            }
            other = " OR ".join(f"{column} IS NOT {score}" for column, score in scored.items())
            sql.execute(
                "INSERT INTO trait_stale (person_id, traits)"
                " SELECT person_id, 1 FROM trait WHERE orders_count > 0"
                f" AND person_id NOT IN (SELECT person_id FROM trait_stale) AND ({other})"
            )
            moved = ", ".join(f"{column} = {score}" for column, score in scored.items())
            sql.execute(f"UPDATE trait SET {moved} WHERE orders_count > 0 AND ({other})")
        state.set(_KEY, f"{day}|{encoded}")


def _draw(state: State) -> Scores:
    """Each query goes along an index, or makes few groups: nothing is sorted."""
    often = state.rows("SELECT orders_count, COUNT(*) FROM trait WHERE orders_count > 0 GROUP BY orders_count")
    counts = [value for value, people in sorted(often) for _ in range(people)]
    lasts = [
        row[0] for row in state.rows("SELECT last_order FROM trait WHERE last_order IS NOT NULL ORDER BY last_order")
    ]
    spent = [row[0] for row in state.rows("SELECT ltv FROM trait WHERE orders_count > 0 ORDER BY ltv")]
    # A buyer whose order has no time was never recent.
    lasts = [NEVER] * (len(counts) - len(lasts)) + lasts
    return Scores(*map(rfm.borders, (lasts, counts, spent)))


def _score(value: str, of: Borders) -> str:
    """A score in SQL, as `rfm.score`."""
    return " + ".join(["1", *(f"({value} > {border})" for border in of)]) if of else "NULL"
