"""Switching automations on and off, and for how many people they are.

On means: from now on. What happened before never starts anybody, also when it is switched on again after a while.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from sidecar.automations import enrolments, sources, troubles, versions
from sidecar.automations import preflight as before
from sidecar.automations.model import Automation
from sidecar.automations.place import Place
from sidecar.automations.preflight import Finding
from sidecar.automations.triggers.registry import source
from sidecar.automations.versions import Row
from sidecar.errors import Conflict, UsageError
from sidecar.state.database import State

_INSIDE = "SELECT id FROM enrolment WHERE automation_id = ? AND state = 'waiting' LIMIT ?"
_AT_ONCE = 1000  # in a transaction: a pass that wants to write must not wait long


def on(
    place: Place,
    automation: Automation,
    *,
    rollout: int | None = None,
    holdout: int | None = None,
    anyway: bool = False,
    running: Collection[Automation] = (),
) -> list[Finding]:
    """Switch it on for `rollout` percent of people, of whom `holdout` percent are only watched; or, while it is on, change these
    shares. None leaves a share as it is (at first everybody, and nobody is only watched). `running`: the others that are on. Answers
    what there is to know. Raises Conflict, with who else sends the same, unless `anyway`; UsageError."""
    row = versions.named(place.state, automation.name) or Row(id=0, name=automation.name)
    rollout = row.rollout if rollout is None else rollout
    holdout = row.holdout if holdout is None else holdout
    _percent("rollout", rollout, 1, 100)
    _percent("holdout", holdout, 0, 50)
    findings = before.preflight(place, automation, running)
    row = versions.row(place.state, automation.name)
    overlaps = [finding for finding in findings if finding.level == "overlap"]
    if overlaps and not anyway and not row.running:
        raise Conflict(
            f"{automation.name} was not switched on: somebody else sends the same",
            hint="leave it to them, switch that off there, or say --anyway",
            details=[f"{finding.sentence}: {finding.hint}" for finding in overlaps],
        )
    if row.running:
        share(place.state, row, rollout, holdout)
        return findings
    fresh = msgspec.structs.replace(row, live_from=place.now)
    newest = source(automation.trigger).newest(sources.asked(place, fresh, automation, {}))
    with place.state.transaction() as sql:
        sql.execute(
            "UPDATE automation SET running = 1, live_from = ?, rollout = ?, holdout = ?, cursors = ?, fault = '' WHERE id = ?",
            (place.now, rollout, holdout, msgspec.json.encode(newest).decode(), row.id),
        )
        troubles.forget(place.state, automation.name)
    return findings


def share(state: State, row: Row, rollout: int, holdout: int) -> None:
    """For how many people it is from now on. Raising it keeps those who were among the fewer."""
    _percent("rollout", rollout, 1, 100)
    _percent("holdout", holdout, 0, 50)
    state.sql.execute("UPDATE automation SET rollout = ?, holdout = ? WHERE id = ?", (rollout, holdout, row.id))


def off(state: State, name: str) -> bool:
    """Nobody enters it, and who is in it stands still until it is on again. Whether it was on."""
    return bool(state.sql.execute("UPDATE automation SET running = 0 WHERE name = ? AND running = 1", (name,)).rowcount)


def empty(state: State, name: str, at: int) -> int:
    """Everybody who is in it leaves it (`at`: Unix seconds): it was removed, or is another one of that name. How many."""
    row, left = versions.named(state, name), 0
    while row is not None and (ids := state.rows(_INSIDE, (row.id, _AT_ONCE))):
        with state.transaction():
            left += sum(enrolments.end(state, id_, "exit", reason="removed", at=at) for (id_,) in ids)
    return left


def retire(state: State, name: str, at: int) -> None:
    """It was removed, or its file was, and the name is for another one: that begins with nobody in it and no figures."""
    off(state, name)
    empty(state, name, at)
    versions.rename(state, name)


def _percent(what: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise UsageError(f"{what} is {value}: it must be from {low} to {high} percent")
