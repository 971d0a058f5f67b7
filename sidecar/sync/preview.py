"""What other rules would make of real people: the sync's own look at them, with nothing written anywhere."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.crm.batch import Batch
from sidecar.crm.terms import DryTerms
from sidecar.crm.written import digest
from sidecar.mapping.compiled import Mapping
from sidecar.state.database import State
from sidecar.state.runs import Run
from sidecar.sync.loading import load
from sidecar.sync.look import Looker
from sidecar.sync.selection import Selection
from sidecar.sync.session import Choices, Session
from sidecar.values import email as emails
from sidecar.values.masking import mask_text

MOST = 20
# What a shop's own words are, not a person's: shown as it is.
_INNOCENT = ("woo_", "tag", "list", "contact_type", "source", "country")


class Change(msgspec.Struct, kw_only=True):
    """One value: what FluentCRM has now and what it would have then."""

    target: str
    old: str
    new: str


class Preview(msgspec.Struct, kw_only=True):
    """One person under the rules. `contact_id` 0: a new contact; `who` is the address, masked unless asked otherwise.
    `verdict` is in, left or failed; `problems` are values that do not fit: (target, reason)."""

    contact_id: int
    who: str
    verdict: str
    reason: str
    changes: list[Change]
    problems: list[tuple[str, str]]


def preview(
    config: Config, state: State, mapping: Mapping, *, contacts: Sequence[int] = (), count: int = 5, show: bool = False
) -> list[Preview]:
    """These contacts, else `count` people of different kinds, as a sync with `mapping` would treat them."""
    people = _people(state, contacts[:MOST], max(1, min(count, MOST)))
    if not people:
        return []
    run = Run(id=0, kind="preview", state="running", started=int(clock.now().timestamp()))
    session = Session(config, state, mapping, Choices(dry_run=True), run, lambda step, done, total: None)
    try:
        rows = Selection(session).of(people)
        page = load(session, session.reader, rows, crm_empty=False)
        vip = state.get("vip.from")
        looker = Looker(
            session, int(vip) if vip else None, *(DryTerms(session.reader, kind) for kind in ("tag", "list"))
        )
        found = []
        for person in page.people:
            seen = len(looker.differences)
            look = looker.look(person, page, Batch())
            changes = looker.differences[-1].changes if len(looker.differences) > seen else []
            contact = page.contacts.by_id.get(person.row.contact_id or 0)
            address = person.identity or (contact.email if contact else "")
            found.append(
                Preview(
                    contact_id=look.contact_id or 0,
                    who=address if show else emails.mask(address),
                    verdict=look.verdict,
                    reason=look.reason,
                    changes=[
                        Change(target=target, old=_told(target, old, show), new=_told(target, new, show))
                        for target, old, new in changes
                    ],
                    problems=look.problems,
                )
            )
        return found
    finally:
        session.close()


def _told(target: str, value: str, show: bool) -> str:
    if show or not value or target.startswith(_INNOCENT):
        return value
    return emails.mask(value) if target == "email" else mask_text(value)


def _people(state: State, contacts: Sequence[int], count: int) -> list[int]:
    if contacts:
        ids = msgspec.json.encode([int(id_) for id_ in contacts]).decode()
        rows = state.rows(
            "SELECT id FROM person WHERE contact_id IN (SELECT value FROM json_each(?)) ORDER BY id", (ids,)
        )
        return [row[0] for row in rows]
    found: list[int] = []
    kinds = [
        "verdict = 'in' AND status = 'vip'", "verdict = 'in' AND status = 'returning'", "verdict = 'in' AND status = 'new'",
        "verdict = 'in' AND status = 'lead'", "verdict = 'in' AND user_id IS NULL", "verdict = 'in'", "id > 0",
    ]  # fmt: skip
    # The newest of each kind in turn, and not the same ones for two days in a row when there are many.
    turn = digest(clock.now().date().isoformat()) % 7
    for kind in kinds * count:
        rows = state.rows(
            f"SELECT id FROM person WHERE {kind} AND id NOT IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own words
            " ORDER BY id DESC LIMIT 1 OFFSET ?",
            (msgspec.json.encode(found).decode(), turn),
        ) or state.rows(
            f"SELECT id FROM person WHERE {kind} AND id NOT IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 1",  # noqa: S608
            (msgspec.json.encode(found).decode(),),
        )
        found += [row[0] for row in rows]
        if len(found) >= count:
            break
    return found[:count]
