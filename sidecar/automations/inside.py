"""Who is in an automation, what became of each step, and which messages went, as others may see it: addresses masked, by pages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import msgspec

from sidecar.automations import versions
from sidecar.automations.model import Automation
from sidecar.automations.versions import Row
from sidecar.errors import NotFound
from sidecar.mysql.connection import Reader
from sidecar.segments import people
from sidecar.state.database import State

_FIRST = 2**62
_MESSAGES = (
    "SELECT m.id, a.name, m.enrolment_id, p.contact_id, m.step, m.channel, m.provider, m.purpose, m.language, m.state, m.reason,"
    " m.decided / 1000, m.sent, m.delivered, m.opened, m.clicked FROM message m JOIN automation a ON a.id = m.automation_id"
    " JOIN person p ON p.id = m.person_id"
)
STATES = ("waiting", "goal", "exit", "done", "failed")


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in an automation, or who was. `id` is the enrolment's, and for paging; `held`: only watched. Times are Unix seconds;
    `due` None: their way has ended, at `ended`, with `reason` (reasons.REASONS)."""

    id: int
    contact_id: int
    email: str
    subject: str
    held: bool
    entered: int
    state: str
    step: str
    due: int | None
    ended: int | None
    reason: str


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a step of somebody: done, skipped or failed, and why. `channel` and `message` (its state) of a message."""

    step: str
    at: int
    outcome: str
    reason: str
    channel: str = ""
    message: str = ""


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """The way of one person through it. `spec`: the text with which they started."""

    who: Inside
    steps: list[Taken]
    spec: Automation


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """A message. `id` is for paging; times are Unix seconds, None: not known to have happened."""

    id: int
    automation: str
    enrolment_id: int
    contact_id: int
    email: str
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


def page(state: State, reader: Reader, row: Row, after: int, limit: int, only: str = "") -> list[Inside]:
    """People of an automation, the last to enter first: those below `after` (0: from the first). `only`: in that state."""
    rows: list[tuple[Any, ...]] = []
    # The index knows the order of each state, not of all: a page of each is read instead of everybody.
    for how, held in product([only] if only else STATES, (0, 1)):
        rows += state.rows(
            "SELECT e.id, p.contact_id, e.subject, e.held, e.entered, e.state, e.step, e.due, e.ended, e.reason"
            " FROM enrolment e JOIN person p ON p.id = e.person_id"
            " WHERE e.automation_id = ? AND e.state = ? AND e.held = ? AND e.id < ? ORDER BY e.id DESC LIMIT ?",
            (row.id, how, held, after or _FIRST, limit),
        )
    return _people(reader, sorted(rows, reverse=True)[:limit])


def way(state: State, reader: Reader, row: Row, enrolment: int) -> Way:
    """What became of each step of one enrolment. Raises NotFound."""
    rows = state.rows(
        "SELECT e.id, p.contact_id, e.subject, e.held, e.entered, e.state, e.step, e.due, e.ended, e.reason"
        " FROM enrolment e JOIN person p ON p.id = e.person_id WHERE e.id = ? AND e.automation_id = ?",
        (enrolment, row.id),
    )
    version = state.rows("SELECT version_id FROM enrolment WHERE id = ?", (enrolment,))
    specs = versions.specs(state, [version[0][0]]) if version else {}
    if not rows or not specs:
        raise NotFound(f"nobody is in {row.name} under that number", hint="it may have been forgotten since")
    done = state.rows(
        "SELECT d.step, d.at, d.outcome, d.reason, COALESCE(m.channel, ''), COALESCE(m.state, '') FROM step_done d"
        " LEFT JOIN message m ON m.enrolment_id = d.enrolment_id AND m.step = d.step WHERE d.enrolment_id = ?"
        " ORDER BY d.at",
        (enrolment,),
    )
    steps = [
        Taken(step=step, at=at, outcome=outcome, reason=reason, channel=channel, message=message)
        for step, at, outcome, reason, channel, message in done
    ]
    # Steps of the same second stand as the file has them.
    (spec,) = specs.values()
    places = {step.id: place for place, step in enumerate(spec.steps)}
    steps.sort(key=lambda one: (one.at, places.get(one.step, 0)))
    return Way(who=_people(reader, rows)[0], steps=steps, spec=spec)


def log(state: State, reader: Reader, row: Row, after: int, limit: int, step: str = "") -> list[Logged]:
    """Messages of an automation, the last first, below `after`; with `step` those of one."""
    steps = [step] if step else _steps(state, row)
    rows: list[tuple[Any, ...]] = []
    for one in steps:
        rows += state.rows(
            f"{_MESSAGES} WHERE m.automation_id = ? AND m.step = ? AND m.id < ? ORDER BY m.id DESC LIMIT ?",
            (row.id, one, after or _FIRST, limit),
        )
    return _logged(reader, sorted(rows, reverse=True)[:limit])


def messages(state: State, reader: Reader, row: Row | None, person: int | None, after: int, limit: int) -> list[Logged]:
    """Messages of all automations or of one, the last first, below `after`; to one person, or (None) to everybody."""
    asked = [*(["m.automation_id = :automation"] if row else []), *(["m.person_id = :person"] if person else [])]
    return _logged(
        reader,
        state.rows(
            f"{_MESSAGES} WHERE {' AND '.join([*asked, 'm.id < :after'])} ORDER BY m.id DESC LIMIT :limit",
            {"automation": row.id if row else 0, "person": person, "after": after or _FIRST, "limit": limit},
        ),
    )


def _logged(reader: Reader, rows: Sequence[tuple[Any, ...]]) -> list[Logged]:
    names = ("id", "automation", "enrolment_id", "contact_id", *Logged.__struct_fields__[5:])
    masked = _masked(reader, [cells[3] for cells in rows])
    found = []
    for cells in rows:
        row = dict(zip(names, cells, strict=True)) | {"contact_id": cells[3] or 0, "email": masked.get(cells[3], "")}
        found.append(msgspec.convert(row, Logged))
    return found


def _steps(state: State, row: Row) -> list[str]:
    """The steps of which there are messages: from one to the next in the index, past the messages of each."""
    found: list[str] = []
    while True:
        below = state.rows(
            "SELECT MIN(step) FROM message WHERE automation_id = ? AND step > ?", (row.id, found[-1] if found else "")
        )[0][0]
        if below is None:
            return found
        found.append(below)


def _people(reader: Reader, rows: Sequence[tuple[Any, ...]]) -> list[Inside]:
    masked = _masked(reader, [contact for _, contact, *_ in rows])
    found = []
    for id_, contact, subject, held, entered, state, step, due, ended, reason in rows:
        row = {
            "id": id_, "contact_id": contact or 0, "email": masked.get(contact, ""), "subject": subject,
            "held": bool(held), "entered": entered, "state": state, "step": step, "due": due if state == "waiting" else None,
            "ended": ended, "reason": reason,
        }  # fmt: skip
        found.append(msgspec.convert(row, Inside))
    return found


def _masked(reader: Reader, contacts: Sequence[object]) -> dict[object, str]:
    there = sorted({contact for contact in contacts if isinstance(contact, int) and contact})
    return {one.contact_id: one.email for one in people.samples(reader, there)}
