"""The event monitor: what happened, to what, when, and what became of it. Ids only, with a limit in days and rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from sidecar.events import topics
from sidecar.events.outbox import Hint
from sidecar.state.database import State

Outcome = Literal["changed", "nothing", "left", "failed"]
OUTCOMES = {
    "changed": "contact changed",
    "nothing": "nothing to do",
    "left": "left out",
    "failed": "failed",
}
_DAY_MS = 86_400_000


class Done(msgspec.Struct, kw_only=True):
    """A hint with what became of it. `live`: FluentCRM's hooks fired. `label` is a product's title or ''."""

    hint: Hint
    outcome: Outcome
    reason: str = ""
    person_id: int | None = None
    label: str = ""
    live: bool = False


class Event(msgspec.Struct, kw_only=True, frozen=True):
    """One line of the monitor. Times are Unix milliseconds UTC. `contact_id` is the person's contact now, if any."""

    id: int
    at: int
    done_at: int
    topic: str
    family: str
    words: str
    object_id: int
    sub_id: int
    detail: str
    label: str
    outcome: str
    outcome_words: str
    reason: str
    live: bool
    contact_id: int | None


class Rates(msgspec.Struct, kw_only=True, frozen=True):
    """Events of the last hour, and failures among 1,000 events of the last day."""

    last_hour: int
    errors_per_1000: float


def record(state: State, done: Iterable[Done], now_ms: int) -> None:
    """Write events down. The same hint again (a pass that died before the row was deleted) takes its old place."""
    rows = [
        (
            one.hint.id or None, one.hint.created_ms, now_ms, one.hint.topic[:40], one.hint.object_id, one.hint.sub_id,
            one.hint.detail[:100], one.label[:190], one.person_id, one.outcome, one.reason[:100], one.live,
        )
        for one in done
    ]  # fmt: skip
    with state.transaction() as sql:
        sql.executemany(
            "INSERT OR REPLACE INTO event (outbox_id, at, done_at, topic, object_id, sub_id, detail, label, person_id,"
            " outcome, reason, live) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )


def page(
    state: State, *, type_: str = "", after: int = 0, limit: int = 50, person_ids: Sequence[int] | None = None
) -> list[Event]:
    """Events, the newest first. `type_` is a family or a topic; `after` the id of the last one of the page before."""
    where, parameters = ["(?1 = 0 OR e.id < ?1)"], [after, limit]
    if type_:
        names = topics.names_of(type_) or [type_]
        where.append(f"e.topic IN ({','.join(f'?{number}' for number in range(3, 3 + len(names)))})")
        parameters += names  # type: ignore[arg-type]  # ids and names in one list of parameters
    if person_ids is not None:
        where.append(f"e.person_id IN ({','.join(str(int(id_)) for id_ in person_ids) or 'NULL'})")
    rows = state.rows(
        "SELECT e.id, e.at, e.done_at, e.topic, e.object_id, e.sub_id, e.detail, e.label, e.outcome, e.reason, e.live,"
        f" p.contact_id FROM event e LEFT JOIN person p ON p.id = e.person_id WHERE {' AND '.join(where)}"
        " ORDER BY e.id DESC LIMIT ?2",
        parameters,
    )
    return [_event(*row) for row in rows]


def _event(
    id_: int, at: int, done_at: int, topic: str, object_id: int, sub_id: int, detail: str, label: str, outcome: str,
    reason: str, live: int, contact_id: int | None,
) -> Event:  # fmt: skip
    about = topics.of(topic)
    return Event(
        id=id_, at=at, done_at=done_at, topic=topic, family=about.family, words=about.words or topic,
        object_id=object_id, sub_id=sub_id, detail=detail, label=label, outcome=outcome,
        outcome_words=OUTCOMES.get(outcome, outcome), reason=reason, live=bool(live), contact_id=contact_id,
    )  # fmt: skip


def rates(state: State, now_ms: int) -> Rates:
    """How busy, and how well."""
    hour = state.rows("SELECT COUNT(*) FROM event WHERE done_at > ?", (now_ms - 3_600_000,))[0][0]
    everything, failed = state.rows(
        "SELECT COUNT(*), COALESCE(SUM(outcome = 'failed'), 0) FROM event WHERE done_at > ?", (now_ms - _DAY_MS,)
    )[0]
    return Rates(last_hour=hour, errors_per_1000=round(failed * 1000 / everything, 2) if everything else 0.0)


def prune(state: State, now_ms: int, days: int, rows: int) -> int:
    """Forget what is older than `days`, and what is above `rows`. Returns how many went."""
    with state.transaction() as sql:
        gone = sql.execute("DELETE FROM event WHERE done_at < ?", (now_ms - days * _DAY_MS,)).rowcount
        edge = sql.execute("SELECT id FROM event ORDER BY id DESC LIMIT 1 OFFSET ?", (rows,)).fetchone()
        if edge is not None:
            gone += sql.execute("DELETE FROM event WHERE id <= ?", edge).rowcount
    return int(gone)
