"""What the sidecar itself keeps of one person, for who asks (GDPR art. 15): the state only, no name and no address in it.

What WordPress, WooCommerce, FluentCRM and the plugin keep is exported by WordPress' own tool.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sidecar.events import activity, refusals
from sidecar.events.activity import Act
from sidecar.people import consents
from sidecar.state.database import State
from sidecar.sync.contact import ConsentWord
from sidecar.sync.privacy import identity_of

_MOST_ACTS = 10_000


class StepDone(msgspec.Struct, kw_only=True, frozen=True):
    """A step of an automation. `at` is Unix seconds UTC."""

    step: str
    at: int
    outcome: str
    reason: str


class Enrolled(msgspec.Struct, kw_only=True, frozen=True):
    """The person in an automation. Times are Unix seconds UTC; `held`: only watched, nothing is sent."""

    automation: str
    subject: str
    held: bool
    entered: int
    state: str
    ended: int | None
    reason: str
    steps: list[StepDone]


class Sent(msgspec.Struct, kw_only=True, frozen=True):
    """One message, without its text, which is not kept. Times are Unix seconds UTC."""

    automation: str
    step: str
    channel: str
    provider: str
    purpose: str
    language: str
    state: str
    reason: str
    decided: int
    sent: int | None
    delivered: int | None
    opened: int | None
    clicked: int | None


class Kept(msgspec.Struct, kw_only=True):
    """All of it. `person_id` is None for nobody whom the state knows; `facts` are counted from `orders` (their numbers);
    `consents` newest first; `suppressed`: they asked to be erased; `cart_refusals`: when they said no to reminders."""

    person_id: int | None
    suppressed: bool
    user_id: int | None = None
    contact_id: int | None = None
    facts: dict[str, Any] = {}
    orders: list[int] = []
    segments: list[str] = []
    consents: list[ConsentWord] = []
    cart_refusals: list[int] = []
    enrolments: list[Enrolled] = []
    messages: list[Sent] = []
    acts: list[Act] = []


def of_person(state: State, address: str) -> Kept:
    """What is kept of the person with this address, or with it as an earlier one. Raises UsageError."""
    key = state.key(identity_of(address))
    suppressed = bool(state.rows("SELECT 1 FROM suppressed WHERE key = ?", (key,)))
    people = state.rows(
        "SELECT id, user_id, contact_id, key FROM person"
        " WHERE key = ?1 OR id = (SELECT person_id FROM alias WHERE key = ?1)",
        (key,),
    )
    if not people:
        return Kept(person_id=None, suppressed=suppressed, cart_refusals=list(refusals.since(state, [key]).values()))
    id_, user_id, contact_id, own = people[0]

    def column(sql: str) -> list[Any]:
        return [row[0] for row in state.rows(sql, (id_,))]

    facts = column("SELECT facts FROM person_doc WHERE person_id = ?")
    return Kept(
        person_id=id_, suppressed=suppressed, user_id=user_id, contact_id=contact_id,
        facts=msgspec.json.decode(facts[0]) if facts else {},
        orders=column("SELECT id FROM shop_order WHERE person_id = ? ORDER BY id"),
        segments=column("SELECT segment FROM membership WHERE person_id = ? ORDER BY segment"),
        consents=[
            ConsentWord(channel=channel, state=word.state, source=word.source, wording=word.wording, at=word.at)
            for channel, word in consents.history(state, id_)
        ],
        cart_refusals=list(refusals.since(state, {own, key}).values()),
        enrolments=_enrolments(state, id_), messages=_messages(state, id_),
        acts=activity.of_person(state, id_, _MOST_ACTS),
    )  # fmt: skip


def _enrolments(state: State, person_id: int) -> list[Enrolled]:
    steps: dict[int, list[StepDone]] = {}
    for enrolment, step, at, outcome, reason in state.rows(
        "SELECT s.enrolment_id, s.step, s.at, s.outcome, s.reason FROM step_done s"
        " JOIN enrolment e ON e.id = s.enrolment_id WHERE e.person_id = ? ORDER BY s.at",
        (person_id,),
    ):
        steps.setdefault(enrolment, []).append(StepDone(step=step, at=at, outcome=outcome, reason=reason))
    rows = state.rows(
        "SELECT e.id, COALESCE(a.name, ''), e.subject, e.held, e.entered, e.state, e.ended, e.reason FROM enrolment e"
        " LEFT JOIN automation a ON a.id = e.automation_id WHERE e.person_id = ? ORDER BY e.entered, e.id",
        (person_id,),
    )
    return [
        Enrolled(
            automation=row[1], subject=row[2], held=bool(row[3]), entered=row[4], state=row[5], ended=row[6],
            reason=row[7], steps=steps.get(row[0], []),
        )
        for row in rows
    ]  # fmt: skip


def _messages(state: State, person_id: int) -> list[Sent]:
    rows = state.rows(
        "SELECT COALESCE(a.name, '') AS automation, m.step, m.channel, m.provider, m.purpose, m.language, m.state,"
        " m.reason, m.decided / 1000, m.sent, m.delivered, m.opened, m.clicked FROM message m"
        " LEFT JOIN automation a ON a.id = m.automation_id WHERE m.person_id = ? ORDER BY m.decided, m.id",
        (person_id,),
    )
    return [Sent(**dict(zip(Sent.__struct_fields__, row, strict=True))) for row in rows]
