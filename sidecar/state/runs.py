"""Runs: what was asked, how it went, and the lock that lets only one at a time touch the CRM."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from sidecar import clock
from sidecar.errors import Conflict
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


@contextmanager
def lock(state: State) -> Iterator[None]:
    """Only one run at a time. The kernel drops the lock when the process dies, however it dies.

    Raises Conflict when another run holds it.
    """
    path = Path(state.directory) / "run.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                "another run is at work on this shop",
                hint="`sidecar sync status` shows it; wait for it to end",
            ) from error
        yield
    finally:
        os.close(handle)


def running(state: State) -> bool:
    """Whether a run holds the lock now (a crash cannot leave this on)."""
    try:
        with lock(state):
            return False
    except Conflict:
        return True


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
