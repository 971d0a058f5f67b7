"""People in automations: the only writer of `enrolment` and `step_done`, but for `pruning`, which forgets old ones.

A worker takes rows that are due with a claim (until when it has them, Unix ms); whoever finds a claim that is over takes the row.
Everything that a worker writes holds only while the claim is still its own, so two workers never both move a row.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Literal

import msgspec

from sidecar.automations import versions
from sidecar.automations.model import Automation
from sidecar.automations.versions import Row
from sidecar.state.database import State

# For so long a worker has what it took; it renews that before each thing that may take long.
LEASE_MS = 300_000
# In `awaits`: what was awaited has come.
CAME = "!"
End = Literal["done", "goal", "exit", "failed"]
_COLUMNS = (
    "id, automation_id, version_id, person_id, subject, held, entered, state, step, due, awaits, claim, attempts, ended,"
    " reason, data"
)


class Data(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What an enrolment carries along, without personal data. `planned`: when the step was first due, if it was put off since
    (Unix seconds, 0: it was not), `tried`: since when it has been tried in vain. `coupons`: {step: code}, the last one is what messages show; `expires` when that ends. `ways`:
    {step: where it led} of branches and splits. `prices`: {product or variation id: micros} when they entered. Sources may put what they know of the subject into `facts`."""

    planned: int = 0
    tried: int = 0
    coupons: dict[str, str] = {}
    expires: int = 0
    ways: dict[str, str] = {}
    prices: dict[str, str] = {}
    facts: dict[str, str] = {}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who enters. `subject` is what it is about (cart:12, order:55, product:7:9, day:2026-11-26 or ''); `at` Unix
    seconds UTC; `held`: only watched (holdout)."""

    person_id: int
    subject: str = ""
    at: int
    held: bool = False
    data: Data | None = None


class Enrolment(msgspec.Struct, kw_only=True):
    """A row. Times are Unix seconds UTC, `claim` is Unix ms."""

    id: int
    automation_id: int
    version_id: int
    person_id: int
    subject: str
    held: bool
    entered: int
    state: str
    step: str
    due: int | None
    awaits: str
    claim: int
    attempts: int
    ended: int | None
    reason: str
    data: Data


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a step: done | skipped | failed, and why."""

    step: str
    at: int
    outcome: Literal["done", "skipped", "failed"]
    reason: str = ""


# --- entering ------------------------------------------------------------------------------------------------


def enter(state: State, row: Row, automation: Automation, entries: Iterable[Entry]) -> int:
    """Enrol people in the present text of an automation, at its first step, which is due at once. Who has entered for that
    subject before (or twice in `entries`) is left as they are. Returns how many entered."""
    entries = list(entries)
    if not entries:
        return 0
    with state.transaction() as sql:
        version = versions.version(state, row.id, automation, max(entry.at for entry in entries))
        first = automation.steps[0].id
        entered = 0
        for entry in entries:
            entered += sql.execute(
                "INSERT INTO enrolment (automation_id, version_id, person_id, subject, held, entered, step, due, data)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    row.id, version, entry.person_id, entry.subject, entry.held, entry.at, first, entry.at,
                    _encoded(entry.data or Data()),
                ),
            ).rowcount  # fmt: skip
    return entered


# --- what comes from outside -----------------------------------------------------------------------------------


def wake_one(state: State, enrolment_id: int, topic: str, at: int) -> bool:
    """A topic came that this one awaits: it is due now (`at`: Unix seconds). Whether it waited for that."""
    return bool(
        state.sql.execute(
            "UPDATE enrolment SET awaits = ?, due = ? WHERE id = ? AND awaits = ? AND state = 'waiting'",
            (CAME, at, enrolment_id, topic),
        ).rowcount
    )


def end(state: State, enrolment_id: int, how: End, reason: str, at: int) -> bool:
    """End an enrolment that has not ended, whoever is at work on it: that one's next write finds it ended, and a message that is not
    being handed over yet is not. Whether it had not ended."""
    with state.transaction() as sql:
        ended = sql.execute(
            "UPDATE enrolment SET state = ?, ended = ?, reason = ?, due = NULL, awaits = '', claim = 0"
            " WHERE id = ? AND state = 'waiting'",
            (how, at, reason[:200], enrolment_id),
        ).rowcount
        if ended:
            _drop(sql, enrolment_id)
    return bool(ended)


def _drop(sql: sqlite3.Connection, enrolment_id: int) -> None:
    """With an enrolment its message ends that nobody has taken: one that was never offered leaves nothing."""
    mine = "enrolment_id = ? AND state = 'again'"
    sql.execute(f"DELETE FROM message WHERE {mine} AND reason = ''", (enrolment_id,))
    sql.execute(f"UPDATE message SET state = 'unsure' WHERE {mine}", (enrolment_id,))


def of_people(state: State, people: Collection[int]) -> list[Enrolment]:
    """The enrolments of these people that have not ended."""
    return _read(
        state,
        "person_id IN (SELECT value FROM json_each(?)) AND state = 'waiting'",
        (msgspec.json.encode(sorted(people)).decode(),),
    )


def get(state: State, enrolment_id: int) -> Enrolment | None:
    """One by its id."""
    return next(iter(_read(state, "id = ?", (enrolment_id,))), None)


# --- what a worker does ----------------------------------------------------------------------------------------


def due(state: State, now: int, automations: Collection[int]) -> bool:
    """Whether there is work for somebody: a row that is due, of these automations, and not in the hands of a worker."""
    return bool(
        state.rows(
            "SELECT 1 FROM enrolment INDEXED BY enrolment_due WHERE state = 'waiting' AND due <= ? AND (claim <= ? OR claim > ?)"
            " AND automation_id IN (SELECT value FROM json_each(?)) LIMIT 1",
            (now, now * 1000, now * 1000 + LEASE_MS, msgspec.json.encode(sorted(automations)).decode()),
        )
    )


def claim(state: State, now: int, now_ms: int, automations: Collection[int], most: int) -> list[Enrolment]:
    """Take up to `most` rows that are due, the longest due first, of these automations: they are ours until `now_ms` + LEASE_MS.
    A claim that reaches further than that was made before the clock was set back: it is over."""
    until = now_ms + LEASE_MS
    with state.transaction() as sql:
        rows = sql.execute(
            f"SELECT {_COLUMNS} FROM enrolment INDEXED BY enrolment_due"
            " WHERE state = 'waiting' AND due <= ? AND (claim <= ? OR claim > ?)"
            " AND automation_id IN (SELECT value FROM json_each(?)) ORDER BY due LIMIT ?",
            (now, now_ms, until, msgspec.json.encode(sorted(automations)).decode(), most),
        ).fetchall()
        sql.execute(
            "UPDATE enrolment SET claim = ? WHERE id IN (SELECT value FROM json_each(?))",
            (until, msgspec.json.encode([row[0] for row in rows]).decode()),
        )
    found = [_enrolment(row) for row in rows]
    for one in found:
        one.claim = until
    return found


def renew(sql: sqlite3.Connection, claimed: Sequence[Enrolment], now_ms: int) -> list[Enrolment]:
    """Have these for LEASE_MS from now on. Answers those that are still ours; the others ended, or somebody else has them.
    Call it in the transaction that writes what stands on it."""
    until = now_ms + LEASE_MS
    ours = []
    for one in claimed:
        if sql.execute(
            "UPDATE enrolment SET claim = ? WHERE id = ? AND state = 'waiting' AND claim = ?",
            (until, one.id, one.claim),
        ).rowcount:
            one.claim = until
            ours.append(one)
    return ours


def write(sql: sqlite3.Connection, one: Enrolment, done: Sequence[Done], *, keep: bool = False) -> bool:
    """Where an enrolment of ours stands now, and (unless `keep`) let go of it. False, with nothing written, when it is not ours any
    more."""
    changed = sql.execute(
        "UPDATE enrolment SET state = ?, step = ?, due = ?, awaits = ?, attempts = ?, ended = ?, reason = ?, data = ?,"
        " claim = ? WHERE id = ? AND state = 'waiting' AND claim = ?",
        (
            one.state, one.step, one.due, one.awaits, one.attempts, one.ended, one.reason[:200], _encoded(one.data),
            one.claim if keep else 0, one.id, one.claim,
        ),
    ).rowcount  # fmt: skip
    if changed:
        record(sql, one.id, done)
        if one.state != "waiting":
            _drop(sql, one.id)
    return bool(changed)


def ours(state: State, claimed: Sequence[Enrolment]) -> list[Enrolment]:
    """Those of them that are still ours, as they stand in the state."""
    claims = {one.id: one.claim for one in claimed}
    where = "id IN (SELECT value FROM json_each(?)) AND state = 'waiting' AND claim <> 0"
    rows = _read(state, where, (msgspec.json.encode(sorted(claims)).decode(),))
    return [one for one in rows if one.claim == claims[one.id]]


def release(state: State, claimed: Sequence[Enrolment]) -> None:
    """Let go of what is still ours, as it was: a worker could not begin with it."""
    with state.transaction() as sql:
        sql.executemany(
            "UPDATE enrolment SET claim = 0 WHERE id = ? AND claim = ?", [(one.id, one.claim) for one in claimed]
        )


def record(sql: sqlite3.Connection, enrolment_id: int, done: Sequence[Done]) -> None:
    """What became of steps; the first word on a step stays."""
    sql.executemany(
        "INSERT OR IGNORE INTO step_done (enrolment_id, step, at, outcome, reason) VALUES (?, ?, ?, ?, ?)",
        [(enrolment_id, one.step, one.at, one.outcome, one.reason[:200]) for one in done],
    )


# --- rows ------------------------------------------------------------------------------------------------------


def _read(state: State, where: str, parameters: tuple[Any, ...]) -> list[Enrolment]:
    return [_enrolment(row) for row in state.rows(f"SELECT {_COLUMNS} FROM enrolment WHERE {where}", parameters)]


def _enrolment(row: tuple[Any, ...]) -> Enrolment:
    cells = dict(zip(Enrolment.__struct_fields__, row, strict=True))
    cells["held"] = bool(cells["held"])
    cells["data"] = _decode(cells["data"]) if cells["data"] else Data()
    return Enrolment(**cells)


_decode = msgspec.json.Decoder(Data).decode


def _encoded(data: Data) -> bytes | None:
    text = msgspec.json.encode(data)
    return None if text == b"{}" else text
