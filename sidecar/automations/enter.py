"""Who of those whom a trigger found may enter, and their entering: in one transaction with how far the trigger has read.

A crash in between leaves both as they were, and the same people are found again; who has entered for a subject is not entered twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import tzinfo

import msgspec

from sidecar.automations import enrolments, versions
from sidecar.automations.enrolments import Entry
from sidecar.automations.model import Automation
from sidecar.automations.triggers.registry import Ask, Found
from sidecar.segments import contacts, membership, table
from sidecar.segments import sql as rules
from sidecar.segments.model import Condition, Period, Segment
from sidecar.segments.times import due
from sidecar.state.database import State

# Why somebody whom another automation sends does not enter, beside the names of `guards.REASONS`.
REASONS = {
    "not_in_share": "they are not in the share of people that it is for",
    "filtered": "its filter does not hold of them",
}
_CONTACTS = (
    "SELECT id FROM person WHERE id IN (SELECT value FROM json_each(?)) AND verdict = 'in' AND contact_id IS NOT NULL"
    " AND key NOT IN (SELECT key FROM suppressed)"
)
_LAST = (
    "SELECT person_id, MAX(entered) FROM enrolment WHERE person_id IN (SELECT value FROM json_each(?))"
    " AND (automation_id = ? OR version_id IN (SELECT value FROM json_each(?))) GROUP BY person_id"
)


def enter(ask: Ask, found: Found) -> int:
    """Enrol who may, and keep the cursor. Returns how many entered."""
    entries = admitted(ask, found.entries)
    if not entries and found.cursor == ask.cursor:
        return 0
    with ask.state.transaction() as sql:
        entered = enrolments.enter(ask.state, ask.row, ask.automation, _in_turn(ask, entries)) if entries else 0
        sql.execute(
            "UPDATE automation SET cursors = ? WHERE id = ?", (msgspec.json.encode(found.cursor).decode(), ask.row.id)
        )
    return entered


def start(ask: Ask, entry: Entry) -> str:
    """Enrol somebody by another automation: '' done, else why not (of `REASONS` or `guards.REASONS`)."""
    if not ask.row.running:
        return "off"
    if not within(ask.row.name, entry.person_id, ask.row.rollout):
        return "not_in_share"
    if not _contacts(ask, {entry.person_id}):
        return "no_contact"
    if not admitted(ask, [entry]):
        return "filtered"
    with ask.state.transaction():
        entries = _in_turn(ask, [entry])
        entered = enrolments.enter(ask.state, ask.row, ask.automation, entries) if entries else 0
    return "" if entered else "entered_before"


# --- who may ---------------------------------------------------------------------------------------------------


def admitted(ask: Ask, entries: Sequence[Entry]) -> list[Entry]:
    """Those who are contacts, are in the share of people that it is for, and pass the filter, the earliest first."""
    people = {entry.person_id for entry in entries if within(ask.row.name, entry.person_id, ask.row.rollout)}
    if people:
        people = _contacts(ask, people)
    if people and ask.automation.filter is not None:
        people = holding(ask, ask.automation.filter, people)
    return sorted(
        (entry for entry in entries if entry.person_id in people), key=lambda entry: (entry.at, entry.person_id)
    )


def latest(state: State, row: int, automation: Automation, people: Collection[int]) -> dict[int, int]:
    """{person: when they last entered it}, or one that was removed and had its name and its very steps: nobody gets the same again
    because the owner made it anew."""
    return dict(state.rows(_LAST, (_list(people), row, _list(versions.before(state, automation)))))


def _contacts(ask: Ask, people: Collection[int]) -> set[int]:
    return {row[0] for row in ask.state.rows(_CONTACTS, (_list(people),))}


def _in_turn(ask: Ask, entries: Sequence[Entry]) -> list[Entry]:
    """Those who were not in it for long enough (`again`), each marked as held or not. Call it in the transaction."""
    again = ask.automation.again
    last: dict[int, int] = {}
    if again != Period():
        last = latest(ask.state, ask.row.id, ask.automation, {entry.person_id for entry in entries})
    found = []
    for entry in entries:
        before = last.get(entry.person_id)
        if again != Period() and before is not None and (again is None or due(before, again, ask.zone) > entry.at):
            continue
        last[entry.person_id] = entry.at
        held = entry.held or within(ask.row.name, entry.person_id, ask.row.holdout, "holdout")
        found.append(msgspec.structs.replace(entry, held=held))
    return found


def holding(ask: Ask, rule: Condition, people: Collection[int]) -> set[int]:
    """Those of whom a rule holds now. What it asks of FluentCRM is read for them anew."""
    state = ask.state
    fresh(state, ask.zone)
    alone = Segment(slug="filter", name="filter", rule=rule)
    ids = [
        row[0]
        for row in state.rows(
            "SELECT contact_id FROM person WHERE id IN (SELECT value FROM json_each(?)) AND contact_id IS NOT NULL",
            (_list(people),),
        )
    ]
    contacts.refresh(state, ask.reader, [alone], ask.zone, ids)
    at = membership.moment(state, list(ask.at.segments.values()), ask.now, ask.zone)
    at = msgspec.structs.replace(at, tops=membership.tops(state, at, rule))
    rules.register(state.sql, ask.zone)
    where, parameters = rules.condition(rule, at)
    rows = state.rows(
        f"SELECT t.person_id FROM trait t WHERE t.person_id IN (SELECT value FROM json_each(?)) AND ({where})",
        [_list(people), *parameters],
    )
    return {row[0] for row in rows}


def fresh(state: State, zone: tzinfo) -> None:
    """Bring up to date what rules and counts of orders go by, where the look at the segments has not done so."""
    if state.rows("SELECT 1 FROM trait_stale WHERE traits = 0 LIMIT 1"):
        table.refresh(state, zone)


def within(automation: str, person_id: int, percent: int, salt: str = "rollout") -> bool:
    """Whether somebody is among so many percent of people. Always the same answer; who is among 10 is among 20, too."""
    if percent >= 100:
        return True
    digest = hashlib.blake2b(f"{salt}:{automation}:{person_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % 10_000 < percent * 100


def _list(values: Collection[int]) -> str:
    return msgspec.json.encode(sorted(values)).decode()
