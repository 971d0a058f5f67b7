"""What became of people: told by whoever looked at them (`Memo`), written into the state by the run (`remember`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from sidecar.crm.batch import Outcome
from sidecar.people import consents
from sidecar.people.consents import EMAIL, Act, Word
from sidecar.state import dead_letters
from sidecar.sync.look import NOT_OURS, Look
from sidecar.sync.session import Session

_encode = msgspec.json.Encoder().encode
_WHY = {
    "address_collides": "FluentCRM's accent-blind index takes this address for another contact's",
    NOT_OURS: "the shop erased this person; the contact was made by somebody else: delete it by hand",
    "mysql_1406": "a value is longer than its column",
}


class Memo(msgspec.Struct, array_like=True):
    """What the state is to remember of one person.

    `state` is what became of the write ('' when nothing was to be written). `facts` (JSON) and `written`
    (`crm.written`) are as `person_doc` keeps them; `had_reason` is the reason that stood there before, `consent` the
    proof that a new contact came with, `sizes` how many columns, fields, tags and lists a new contact was made with.
    """

    person: int
    contact_id: int | None
    made: bool
    state: Literal["", "done", "raced", "refused"]
    verdict: str
    reason: str
    had_reason: str
    created: bool
    recovered: bool
    consent: str
    ref: str
    problems: list[tuple[str, str]]
    facts: bytes
    written: bytes | None
    orders_count: int
    ltv: int
    last_order: int | None
    status: str
    sizes: tuple[int, int, int, int]


def memos(looks: Iterable[Look], outcomes: dict[int, Outcome], *, final: bool) -> list[Memo]:
    """What became of a page. With `final`, a write that met another's has failed: there is no other time."""
    found = []
    for look in looks:
        outcome = outcomes.get(look.person)
        state = outcome.state if outcome is not None else ""
        contact_id, written = look.contact_id, look.written
        if outcome is not None and (state == "refused" or (state == "raced" and final)):
            look.verdict, look.reason, written = "failed", outcome.reason or "address_collides", None
        elif outcome is not None and state == "done" and look.created:
            contact_id = outcome.contact_id
        facts = look.facts
        found.append(
            Memo(
                look.person, contact_id, look.made, state, look.verdict, look.reason, look.had_reason, look.created,
                look.recovered, look.consent, look.ref, look.problems, _encode(facts),
                written if written is not None else look.had_written,
                facts.orders_count, facts.ltv, facts.last_order, facts.customer_status,
                look.sizes,
            )
        )  # fmt: skip
    return found


def remember(
    session: Session, found: Sequence[Memo], crcs: Sequence[tuple[int, int]] = (), *, final: bool = False
) -> int:
    """Write down what became of a page, in one transaction; `crcs`: (digest, user id) of its accounts.

    Returns how many must be looked at again; with `final` there is no other time, and they have failed.
    """
    counts = session.counts
    people: list[tuple[Any, ...]] = []
    docs: list[tuple[int, bytes, bytes | None]] = []
    raced = 0
    with session.state.transaction() as sql:
        sql.executemany("UPDATE account SET crc = ? WHERE user_id = ?", crcs)
        for memo in found:
            if memo.state == "raced":
                raced += 1
                if not final:
                    continue
            contact_id, made = memo.contact_id, memo.made
            if memo.state == "done" and memo.created:
                made = True
                counts.created += 1
                counts.columns += memo.sizes[0]
                counts.fields += memo.sizes[1]
                counts.tags += memo.sizes[2]
                counts.lists += memo.sizes[3]
            elif memo.recovered:
                made = True
            elif memo.reason == "erased":
                contact_id, made = None, False
                counts.erased += 1
            if memo.consent and made and not memo.made:
                _prove(session, memo)
            reason = _letters(session, memo)
            counts.people += 1
            if memo.verdict == "left":
                counts.left_out[memo.reason] = counts.left_out.get(memo.reason, 0) + 1
            elif memo.verdict == "failed":
                counts.failed[memo.reason] = counts.failed.get(memo.reason, 0) + 1
            people.append(
                (
                    contact_id, made, memo.verdict, reason, memo.orders_count, memo.ltv, memo.last_order, memo.status,
                    memo.person,
                )
            )  # fmt: skip
            docs.append((memo.person, memo.facts, memo.written))
        sql.executemany(
            "UPDATE person SET dirty = 0, contact_id = ?, made = ?, verdict = ?, reason = ?, orders_count = ?,"
            " ltv = ?, last_order = ?, status = ? WHERE id = ?",
            people,
        )
        sql.executemany("INSERT OR REPLACE INTO person_doc VALUES (?, ?, ?)", docs)
    return raced


def _letters(session: Session, memo: Memo) -> str:
    """File what is wrong with a person, take away what was. Returns the reason that the state keeps."""
    if memo.verdict != "failed" and not memo.problems and not memo.had_reason:
        return memo.reason
    letters = [("value", memo.ref, f"{target}: {reason}", "") for target, reason in memo.problems]
    if memo.verdict == "failed":
        letters.append(("person", memo.ref, memo.reason, _WHY.get(memo.reason, "")))
    dead_letters.of_person(session.state, memo.person, letters, session.run.id)
    return "values" if memo.problems and memo.verdict == "in" else memo.reason


def _prove(session: Session, memo: Memo) -> None:
    """The proof that a contact was subscribed with."""
    rule = next(rule for rule in session.config.consent.email if rule.source == memo.consent)
    word = Word(state="given", at=session.now, source=memo.consent, wording=rule.wording, evidence=memo.ref)
    consents.record(session.state, [Act(person_id=memo.person, channel=EMAIL, word=word)])
