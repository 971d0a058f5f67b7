"""Long work that was started from a page: one at a time, with its progress, paused and resumed.

The row is the truth; a queue only wakes a worker. A job that a dead process left as running is taken up again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import msgspec

from sidecar import clock, new_file
from sidecar.errors import Conflict, NotFound
from sidecar.state.database import State

Kind = Literal["sync", "undo", "retry", "segments", "backtest"]
OPEN = ("queued", "running", "paused")
_KEPT = 200
_COLUMNS = "id, kind, options, state, wish, step, done, total, step_from, step_at, created, started, updated, finished, result, error"  # fmt: skip


class Job(msgspec.Struct, kw_only=True):
    """One job. Times are Unix seconds UTC. `done` of `total` is about `step`, which began at `step_from` when it was
    `step_at`; `wish` is pause while one was asked for and the work has not come to a halt yet."""

    id: int
    kind: Kind
    options: dict[str, Any]
    state: str
    wish: str
    step: str
    done: int
    total: int
    step_from: int
    step_at: float
    created: int
    started: int | None
    updated: float
    finished: int | None
    result: dict[str, Any]
    error: str

    @property
    def open(self) -> bool:
        """Whether it is still to be worked on."""
        return self.state in OPEN

    @property
    def percent(self) -> int:
        """How far the present step is, 0 to 100."""
        return min(100, self.done * 100 // self.total) if self.total > 0 else 0

    @property
    def eta(self) -> int | None:
        """Seconds that the present step will still take at its pace so far; None while that cannot be told."""
        gone, spent = self.done - self.step_from, self.updated - self.step_at
        if self.state != "running" or gone <= 0 or spent < 1 or self.total <= 0:
            return None
        return max(0, round((self.total - self.done) * spent / gone))


def start(state: State, kind: Kind, options: dict[str, Any]) -> Job:
    """Queue a job. Raises Conflict while there is another that has not ended."""
    now = clock.now().timestamp()
    try:
        found = state.sql.execute(
            "INSERT INTO job (kind, options, created, updated) VALUES (?, ?, ?, ?)",
            (kind, msgspec.json.encode(options).decode(), int(now), now),
        )
    except sqlite3.IntegrityError as error:
        raise Conflict(
            "other work has been started and has not ended yet", hint="wait for its end, or cancel it on the sync page"
        ) from error
    return get(state, int(found.lastrowid or 0))


def get(state: State, id_: int) -> Job:
    """A job by its number. Raises NotFound."""
    rows = state.rows(f"SELECT {_COLUMNS} FROM job WHERE id = ?", (id_,))  # noqa: S608 - our own list of columns
    if not rows:
        raise NotFound(f"there is no job {id_}")
    return _job(rows[0])


def latest(state: State) -> Job | None:
    """The newest job, None when there never was one."""
    rows = state.rows(f"SELECT {_COLUMNS} FROM job ORDER BY id DESC LIMIT 1")  # noqa: S608 - our own list of columns
    return _job(rows[0]) if rows else None


def newest(state: State, kind: Kind) -> Job | None:
    """The newest job of a kind, None when there never was one (or only long ago)."""
    rows = state.rows(f"SELECT {_COLUMNS} FROM job WHERE kind = ? ORDER BY id DESC LIMIT 1", (kind,))  # noqa: S608 - our own list of columns
    return _job(rows[0]) if rows else None


def open_(state: State) -> Job | None:
    """The one that has not ended, if there is one."""
    found = latest(state)
    return found if found is not None and found.open else None


@contextmanager
def hands_on(state: State) -> Iterator[bool]:
    """Whether we are the one who works on jobs now. The kernel takes the lock away from a process that dies, so a job
    that is running while nobody holds it was left behind."""
    handle = new_file.lock_file(state.directory / "job.lock")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def claim(state: State, id_: int) -> Job | None:
    """Take a job that waits, or that a dead process has left, to work on it; None when it is no longer wanted.

    Call it under `hands_on`.
    """
    now = clock.now().timestamp()
    taken = state.sql.execute(
        "UPDATE job SET state = 'running', wish = '', started = COALESCE(started, ?), updated = ? WHERE id = ?"
        " AND state IN ('queued', 'running')",
        (int(now), now, id_),
    )
    return get(state, id_) if taken.rowcount == 1 else None


def progress(state: State, job: Job, step: str, done: int, total: int) -> str:
    """Write down how far a job is, and answer its wish. `job` follows along."""
    # Real seconds: the pace must not stand still with a clock that a test has fixed.
    now = time.time()
    if step != job.step or done < job.done or total != job.total:
        job.step, job.step_from, job.step_at = step, done, now
    job.done, job.total, job.updated = done, total, now
    state.sql.execute(
        "UPDATE job SET step = ?, done = ?, total = ?, step_from = ?, step_at = ?, updated = ? WHERE id = ?",
        (step, done, total, job.step_from, job.step_at, now, job.id),
    )
    row = state.sql.execute("SELECT wish FROM job WHERE id = ? AND state = 'running'", (job.id,)).fetchone()
    return str(row[0]) if row else "pause"


def end(
    state: State,
    id_: int,
    outcome: Literal["done", "failed", "paused", "queued"],
    *,
    result: dict[str, Any] | None = None,
    error: str = "",
) -> None:
    """A worker lets go of a job: for good, or paused, or queued for another time."""
    now = clock.now().timestamp()
    state.sql.execute(
        "UPDATE job SET state = ?, wish = '', finished = ?, updated = ?, result = ?, error = ? WHERE id = ? AND state = 'running'",
        (
            outcome, int(now) if outcome in ("done", "failed") else None, now,
            msgspec.json.encode(result or {}).decode(), error[:500], id_,
        ),
    )  # fmt: skip


def pause(state: State) -> Job:
    """Ask the open job to halt: at once when nobody works on it, else between two pages. Raises NotFound."""
    job = _open(state)
    state.sql.execute("UPDATE job SET state = 'paused' WHERE id = ? AND state = 'queued'", (job.id,))
    state.sql.execute("UPDATE job SET wish = 'pause' WHERE id = ? AND state = 'running'", (job.id,))
    return get(state, job.id)


def resume(state: State) -> Job:
    """Queue a paused job again, or take back the wish to pause. Raises NotFound."""
    job = _open(state)
    state.sql.execute("UPDATE job SET state = 'queued' WHERE id = ? AND state = 'paused'", (job.id,))
    state.sql.execute("UPDATE job SET wish = '' WHERE id = ? AND state = 'running'", (job.id,))
    return get(state, job.id)


def cancel(state: State) -> Job:
    """Give up a job that is paused or waits. What it did stays. Raises NotFound, Conflict while it is worked on."""
    job = _open(state)
    now = int(clock.now().timestamp())
    found = state.sql.execute(
        "UPDATE job SET state = 'cancelled', finished = ? WHERE id = ? AND state IN ('queued', 'paused')", (now, job.id)
    )
    if not found.rowcount:
        raise Conflict("the work is going on", hint="pause it first")
    return get(state, job.id)


def prune(state: State) -> int:
    """Forget jobs that are over and not among the newest 200. Returns how many went."""
    return state.sql.execute(
        "DELETE FROM job WHERE finished IS NOT NULL AND id NOT IN (SELECT id FROM job ORDER BY id DESC LIMIT ?)",
        (_KEPT,),
    ).rowcount


def waiting(state: State) -> Job | None:
    """The job that somebody should work on: it waits, or it is running (then somebody does, or it was left behind)."""
    job = open_(state)
    return job if job is not None and job.state != "paused" else None


def _open(state: State) -> Job:
    job = open_(state)
    if job is None:
        raise NotFound("nothing is at work", hint="start it first")
    return job


def _job(row: tuple[Any, ...]) -> Job:
    cells = dict(zip(Job.__struct_fields__, row, strict=True))
    cells["options"] = msgspec.json.decode(cells["options"])
    cells["result"] = msgspec.json.decode(cells["result"])
    return Job(**cells)
