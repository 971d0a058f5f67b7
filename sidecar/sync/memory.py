"""What became of people, into the state: verdicts, facts, digests of what was written, dead letters, proofs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sidecar.crm.batch import Outcome
from sidecar.state import dead_letters
from sidecar.sync.look import NOT_OURS, Look
from sidecar.sync.session import Session

_encode = msgspec.json.Encoder().encode
_WHY = {
    "address_collides": "FluentCRM's accent-blind index takes this address for another contact's",
    NOT_OURS: "the shop erased this person; the contact was made by somebody else: delete it by hand",
    "mysql_1406": "a value is longer than its column",
}


def remember(session: Session, looks: Sequence[Look], outcomes: dict[int, Outcome], *, final: bool = False) -> int:
    """Write down what became of a page, in one transaction. Returns how many must be looked at again;
    with `final` there is no other time, and they have failed."""
    counts = session.counts
    people: list[tuple[Any, ...]] = []
    docs: list[tuple[int, bytes, bytes | None]] = []
    raced = 0
    with session.state.transaction() as sql:
        for look in looks:
            outcome = outcomes.get(look.row.id)
            if outcome is not None and outcome.state == "raced":
                raced += 1
                if not final:
                    continue
                look.verdict, look.reason, look.written = "failed", "address_collides", None
            contact_id = look.contact_id
            made = look.row.made
            if outcome is not None and outcome.state == "refused":
                look.verdict, look.reason, look.written = "failed", outcome.reason, None
            elif outcome is not None and outcome.state == "done" and look.created:
                contact_id, made = outcome.contact_id, True
                _count_created(session, look)
                if look.consent:
                    _prove(session, sql, look)
            elif look.recovered:
                made = True
                if look.consent:
                    _prove(session, sql, look)
            elif look.reason == "erased":
                contact_id, made = None, False
                counts.erased += 1
            _letters(session, look)
            counts.people += 1
            if look.verdict == "left":
                counts.left_out[look.reason] = counts.left_out.get(look.reason, 0) + 1
            elif look.verdict == "failed":
                counts.failed[look.reason] = counts.failed.get(look.reason, 0) + 1
            facts = look.facts
            people.append(
                (
                    contact_id,
                    made,
                    look.verdict,
                    look.reason,
                    facts.orders_count,
                    facts.ltv,
                    facts.last_order,
                    facts.customer_status,
                    look.row.id,
                )
            )
            written = _encode(look.written) if look.written is not None else look.row.written
            docs.append((look.row.id, _encode(facts), written))
        sql.executemany(
            "UPDATE person SET dirty = 0, contact_id = ?, made = ?, verdict = ?, reason = ?, orders_count = ?,"
            " ltv = ?, last_order = ?, status = ? WHERE id = ?",
            people,
        )
        sql.executemany("INSERT OR REPLACE INTO person_doc VALUES (?, ?, ?)", docs)
    return raced


def _count_created(session: Session, look: Look) -> None:
    counts, written = session.counts, look.written
    counts.created += 1
    if written is not None:
        counts.columns += len(written.c)
        counts.fields += len(written.f)
        counts.tags += len(written.t)
        counts.lists += len(written.l)


def _letters(session: Session, look: Look) -> None:
    if look.verdict != "failed" and not look.problems and not look.row.reason:
        return
    letters = [("value", look.ref, f"{target}: {reason}", "") for target, reason in look.problems]
    if look.verdict == "failed":
        letters.append(("person", look.ref, look.reason, _WHY.get(look.reason, "")))
    dead_letters.of_person(session.state, look.row.id, letters, session.run.id)
    if look.problems and look.verdict == "in":
        look.reason = "values"


def _prove(session: Session, sql: Any, look: Look) -> None:
    rule = next(rule for rule in session.config.consent.email if rule.source == look.consent)
    sql.execute(
        "INSERT INTO consent (person_id, channel, state, source, wording, at) VALUES (?, 'email', 'given', ?, ?, ?)",
        (look.row.id, look.consent, rule.wording, session.now),
    )
