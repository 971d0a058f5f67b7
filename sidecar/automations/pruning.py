"""Forgetting what is over for long: enrolments with their steps and messages, and coupons."""

from __future__ import annotations

from datetime import UTC

import msgspec

from sidecar.automations import versions
from sidecar.automations.model import Automation
from sidecar.segments.model import Period
from sidecar.segments.times import due
from sidecar.state.database import State

_MANY = 500


def prune(state: State, now: int, days: int, most: int = _MANY) -> int:
    """Forget enrolments that ended more than so many days ago, at most so many, with their steps and messages, and coupons that were
    over by then. Where nobody may enter again yet a bare row stays (`ended` NULL), so that nobody does. `now`: Unix seconds.
    Returns how many rows went."""
    before = now - days * 86_400
    with state.transaction() as sql:
        rows = sql.execute(
            "SELECT id, version_id, entered FROM enrolment WHERE ended < ? ORDER BY ended LIMIT ?", (before, most)
        ).fetchall()
        known = versions.specs(state, {row[1] for row in rows})
        closed = {id_ for id_, version, entered in rows if _closed(known.get(version), entered, now)}
        gone = msgspec.json.encode([row[0] for row in rows if row[0] not in closed]).decode()
        bare = msgspec.json.encode(sorted(closed)).decode()
        for table in ("step_done", "message"):
            sql.execute(
                f"DELETE FROM {table} WHERE enrolment_id IN (SELECT value FROM json_each(?1)"
                " UNION ALL SELECT value FROM json_each(?2))",
                (gone, bare),
            )
        sql.execute("DELETE FROM enrolment WHERE id IN (SELECT value FROM json_each(?))", (gone,))
        sql.execute(
            "UPDATE enrolment SET ended = NULL, data = NULL, reason = '' WHERE id IN (SELECT value FROM json_each(?))",
            (bare,),
        )
        coupons = sql.execute(
            "DELETE FROM coupon WHERE id IN (SELECT c.id FROM coupon c WHERE c.made < ?1 AND c.expires < ?1"
            " AND NOT EXISTS (SELECT 1 FROM enrolment e WHERE e.id = c.enrolment_id AND e.data IS NOT NULL) LIMIT ?2)",
            (before, most),
        ).rowcount
    return len(rows) + coupons


def _closed(spec: Automation | None, entered: int, now: int) -> bool:
    """Whether the same person may not enter again yet."""
    if spec is None or spec.again == Period():
        return False
    return spec.again is None or due(entered, spec.again, UTC) > now
