"""Automations as the state knows them: whether they run, and each text of one that somebody started with.

A version is the JSON of a `model.Automation`; who started with it finishes it, whatever the file says by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import msgspec

from sidecar.automations.model import Automation
from sidecar.state.database import State

_COLUMNS = "id, name, running, live_from, rollout, holdout, fault"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `automation`. `live_from`: Unix seconds UTC; `rollout` and `holdout`: percent; `fault`: why it cannot run, ''."""

    id: int
    name: str
    running: bool = False
    live_from: int = 0
    rollout: int = 100
    holdout: int = 0
    fault: str = ""


def row(state: State, name: str) -> Row:
    """The row of an automation; made when there was none (then it is off)."""
    found = named(state, name)
    if found is None:
        state.sql.execute("INSERT OR IGNORE INTO automation (name) VALUES (?)", (name,))
        found = named(state, name)
    assert found is not None
    return found


def named(state: State, name: str) -> Row | None:
    """The row of an automation, if there ever was one of that name."""
    rows = state.rows(f"SELECT {_COLUMNS} FROM automation WHERE name = ?", (name,))
    return _row(rows[0]) if rows else None


def rows(state: State) -> dict[int, Row]:
    """All of them by id."""
    return {found[0]: _row(found) for found in state.rows(f"SELECT {_COLUMNS} FROM automation")}


def rename(state: State, name: str) -> None:
    """The automation of that name is gone: what it did stays on record under `NAME~number`, which none can be called, and another one
    of the name begins with nothing."""
    state.sql.execute("UPDATE automation SET name = name || '~' || id WHERE name = ?", (name,))


def before(state: State, automation: Automation) -> list[int]:
    """Texts of automations that are gone which had this one's name and its very steps: whoever had those has had these."""
    rows = state.rows(
        "SELECT v.id, v.spec FROM automation a JOIN automation_version v ON v.automation_id = a.id WHERE a.name GLOB ? || '~*'",
        (automation.name,),
    )
    return [id_ for id_, text in rows if _decoded(bytes(text)).steps == automation.steps]


def version(state: State, row_id: int, automation: Automation, now: int) -> int:
    """The id of this text of the automation; kept when it is new. `now`: Unix seconds."""
    spec = msgspec.json.encode(automation, order="deterministic")
    digest = hashlib.sha256(spec).hexdigest()[:32]
    wanted = (row_id, digest)
    select = "SELECT id FROM automation_version WHERE automation_id = ? AND digest = ?"
    found = state.rows(select, wanted)
    if not found:
        state.sql.execute(
            "INSERT OR IGNORE INTO automation_version (automation_id, digest, spec, first_used) VALUES (?, ?, ?, ?)",
            (*wanted, spec, now),
        )
        found = state.rows(select, wanted)
    return int(found[0][0])


def specs(state: State, ids: Collection[int]) -> dict[int, Automation]:
    """These versions by id; those that are not there are missing."""
    wanted = msgspec.json.encode(sorted(ids)).decode()
    rows = state.rows("SELECT id, spec FROM automation_version WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    return {id_: _decoded(bytes(text)) for id_, text in rows}


@lru_cache(maxsize=64)
def _decoded(text: bytes) -> Automation:
    return msgspec.json.decode(text, type=Automation)


def _row(cells: tuple[Any, ...]) -> Row:
    return Row(
        id=cells[0], name=cells[1], running=bool(cells[2]), live_from=cells[3], rollout=cells[4], holdout=cells[5],
        fault=cells[6],
    )  # fmt: skip
