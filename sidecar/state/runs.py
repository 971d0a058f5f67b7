"""Runs: what was asked, how it went, and the lock that lets only one at a time touch the CRM."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from sidecar import clock, new_file
from sidecar.errors import Conflict
from sidecar.state import bulk
from sidecar.state.database import State


class Run(msgspec.Struct, kw_only=True):
    """One run. Times are Unix seconds UTC; `state` is running, done, failed or interrupted."""

    id: int
    kind: str
    state: str
    started: int
    finished: int | None = None
    options: dict[str, Any] = {}
    counts: dict[str, Any] = {}
    error: str = ""


# Two locks of the kernel, which drops them when the process dies, however it dies. A run holds both, a live pass only
# the second: so a run can tell another run (give up) from a pass, which is over in a moment (wait for it).
PASS = "pass"  # noqa: S105 - a name, not a secret
_PATIENCE = 60.0
_PROBE = 0.2  # `running` holds the lock of runs for an instant; that is no other run


@contextmanager
def lock(state: State, name: str = "run") -> Iterator[None]:
    """Only one run or pass at a time.

    Raises Conflict when another run is at work; while a pass is, a run waits up to a minute, and a pass never does.
    """
    with ExitStack() as held:
        if name != PASS:
            held.enter_context(_locked(state, "run", _PROBE))
        held.enter_context(_locked(state, PASS, 0 if name == PASS else _PATIENCE))
        bulk.restore(state)
        yield


@contextmanager
def _locked(state: State, name: str, patience: float) -> Iterator[None]:
    handle = _opened(state, name)
    try:
        deadline = time.monotonic() + patience
        while not _taken(handle):
            if time.monotonic() >= deadline:
                raise Conflict(
                    "another run is at work on this shop", hint="`sidecar sync status` shows it; wait for it to end"
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _opened(state: State, name: str) -> int:
    return new_file.lock_file(state.directory / f"{name}.lock")


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def running(state: State) -> bool:
    """Whether a run (not a live pass) is at work now. A crash cannot leave this on."""
    handle = _opened(state, "run")
    try:
        return not _taken(handle)
    finally:
        os.close(handle)


def start(state: State, kind: str, options: dict[str, Any]) -> Run:
    """Begin a run; runs that a crash left behind as running are marked interrupted. Call it under `lock`."""
    now = int(clock.now().timestamp())
    with state.transaction() as sql:
        sql.execute("UPDATE run SET state = 'interrupted', finished = ? WHERE state = 'running'", (now,))
        # Numbers continue in the undo table of the shop's database even when the state is lost: use the time.
        newest = sql.execute("SELECT COALESCE(MAX(id), 0) FROM run").fetchone()[0]
        id_ = max(newest + 1, int(time.time()))
        sql.execute(
            "INSERT INTO run (id, kind, state, started, options) VALUES (?, ?, 'running', ?, ?)",
            (id_, kind, now, msgspec.json.encode(options).decode()),
        )
    return Run(id=id_, kind=kind, state="running", started=now, options=options)


def finish(state: State, run: Run, outcome: str, error: str = "") -> None:
    """End a run as done, failed or interrupted, with its counts."""
    run.state, run.finished, run.error = outcome, int(clock.now().timestamp()), error
    with state.transaction() as sql:
        sql.execute(
            "UPDATE run SET state = ?, finished = ?, counts = ?, error = ? WHERE id = ?",
            (outcome, run.finished, msgspec.json.encode(run.counts).decode(), error, run.id),
        )


def latest(state: State, limit: int = 20) -> list[Run]:
    """The newest runs first."""
    rows = state.rows(
        "SELECT id, kind, state, started, finished, options, counts, error FROM run ORDER BY id DESC LIMIT ?",
        (limit,),
    )
    return [
        Run(
            id=row[0], kind=row[1], state=row[2], started=row[3], finished=row[4],
            options=msgspec.json.decode(row[5]), counts=msgspec.json.decode(row[6]), error=row[7],
        )
        for row in rows
    ]  # fmt: skip


_LIVE = "live.run"
_KEPT_DAYS = 30
_KEPT_RUNS = 500


def prune(state: State, now: int) -> int:
    """Forget runs that went through, are older than a month and not among the newest 500: a reconciliation every few
    minutes would fill the state. The last good one of each kind stays. Returns how many went."""
    with state.transaction() as sql:
        gone = sql.execute(
            "DELETE FROM run WHERE state = 'done' AND finished < ?"
            " AND id NOT IN (SELECT id FROM run ORDER BY id DESC LIMIT ?)"
            " AND id NOT IN (SELECT MAX(id) FROM run WHERE state = 'done' GROUP BY kind)",
            (now - _KEPT_DAYS * 86_400, _KEPT_RUNS),
        )
    return int(gone.rowcount)


def live(state: State) -> Run:
    """The run that the live passes of a day belong to: what they replace can be undone like any other run's.

    It is never "running": each pass only adds to it. A new one begins at midnight UTC.
    """
    now = int(clock.now().timestamp())
    known = state.get(_LIVE)
    rows = state.rows("SELECT id, started, counts FROM run WHERE id = ?", (int(known or 0),))
    if rows and rows[0][1] // 86400 == now // 86400:
        return Run(id=rows[0][0], kind="live", state="done", started=rows[0][1], counts=msgspec.json.decode(rows[0][2]))
    with state.transaction() as sql:
        newest = sql.execute("SELECT COALESCE(MAX(id), 0) FROM run").fetchone()[0]
        id_ = max(newest + 1, int(time.time()))
        sql.execute(
            "INSERT INTO run (id, kind, state, started, finished) VALUES (?, 'live', 'done', ?, ?)", (id_, now, now)
        )
        state.set(_LIVE, str(id_))
    return Run(id=id_, kind="live", state="done", started=now)


def add_counts(state: State, run: Run, counts: dict[str, int]) -> None:
    """Add what a pass did to the run of the day."""
    now = int(clock.now().timestamp())
    run.counts = run.counts | {name: run.counts.get(name, 0) + number for name, number in counts.items()}
    with state.transaction() as sql:
        sql.execute(
            "UPDATE run SET finished = ?, counts = ? WHERE id = ?",
            (now, msgspec.json.encode(run.counts).decode(), run.id),
        )
