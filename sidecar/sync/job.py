"""Working on a job of the state: a run of the main job, an undo, a retry, a refresh of segments or a backtest, with its progress."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from sidecar.errors import Conflict, OnHold, Paused, SidecarError
from sidecar.state import jobs, pause
from sidecar.state.database import State
from sidecar.state.jobs import Job
from sidecar.sync import retry
from sidecar.sync.engine import Report
from sidecar.sync.segments import Looked
from sidecar.sync.session import Choices, Progress
from sidecar.sync.undo import Undone

log = logging.getLogger(__name__)

_EVERY = 0.5  # seconds between two lines of progress: each is a write to the state
_WAIT = 1.0


class Shop(Protocol):
    """Who does the work: the runtime, with its guards."""

    @property
    def state(self) -> State:
        """The sidecar's own database."""

    def refresh_segments(self, *, full: bool = False, tagged: bool = True) -> Looked:
        """Bring segments and their tags up to date."""

    def sync(self, choices: Choices | None = None, progress: Progress | None = None) -> Report:
        """The main job."""

    @property
    def automations(self) -> Any:
        """The automations, to try one on the past."""

    def undo(self, run_id: int) -> Undone:
        """Take a run back."""


class Halted(BaseException):
    """Work comes to an orderly halt between two pages. No Exception, so that a run is marked interrupted, not failed."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def work(shop: Shop, id_: int, stopping: Callable[[], bool]) -> Job | None:
    """Work on a job until it is done, paused, or `stopping()`; then it waits to be taken up again.

    Answers the job as it is afterwards, None when somebody else has it. Raises nothing: an error is the job's.
    """
    with jobs.hands_on(shop.state) as ours:
        job = jobs.claim(shop.state, id_) if ours else None
        if job is None:
            return None
        _work(shop, job, stopping)
    return jobs.get(shop.state, id_)


def _work(shop: Shop, job: Job, stopping: Callable[[], bool]) -> None:
    state = shop.state
    log.info("job started", extra={"job": job.id, "kind": job.kind})
    try:
        jobs.end(state, job.id, "done", result=_do(shop, job, _Progress(state, job, stopping)))
    except Halted as halt:
        jobs.end(state, job.id, "paused" if halt.why == "pause" else "queued")
    except SidecarError as error:
        jobs.end(state, job.id, "failed", error=error.message)
    except Exception as error:
        log.exception("job failed", extra={"job": job.id})
        # Not the text: it may hold a customer's data, and the state holds none.
        jobs.end(state, job.id, "failed", error=f"unexpected: {type(error).__name__}")


def _do(shop: Shop, job: Job, progress: _Progress) -> dict[str, Any]:
    options = job.options
    letters = tuple(options.get("letters", ())) if job.kind == "retry" else None
    while True:
        try:
            if job.kind == "undo":
                undone = shop.undo(int(options["run"]))
                return {
                    "run": undone.run.id,
                    "removed": undone.removed,
                    "restored": undone.restored,
                    "kept": undone.kept,
                }
            if job.kind == "backtest":
                found = shop.automations.backtest(str(options["automation"]), int(options["days"]))
                result: dict[str, Any] = msgspec.to_builtins(found)
                return result
            if job.kind == "segments":
                looked = shop.refresh_segments()
                came, went = (sum(getattr(one, way) for one in looked.changes) for way in ("entered", "left"))
                return {"came": came, "went": went, "contacts": looked.contacts}
            if letters is not None:
                retry.mark(shop.state, letters)
                letters = None
            choices = Choices() if job.kind == "retry" else msgspec.convert(options, Choices)
            report = shop.sync(choices, progress)
            counts = report.counts
            return {
                "run": report.run.id, "mode": report.mode, "people": counts.people, "created": counts.created,
                "updated": counts.updated, "failed": sum(counts.failed.values()), "seconds": counts.seconds,
            }  # fmt: skip
        except (OnHold, Paused):
            raise
        except Conflict:
            # A pass over events, or a run from the command line: it will end.
            progress.waits()


class _Progress:
    """What a run reports goes to the job, at most twice a second; the job's wishes come back as Halted."""

    def __init__(self, state: State, job: Job, stopping: Callable[[], bool]) -> None:
        self._state = state
        self._job = job
        self._stopping = stopping
        self._last = 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        if self._stopping():
            raise Halted("stop")
        now = time.monotonic()
        if now - self._last < _EVERY and step == self._job.step and done < total:
            return
        self._last = now
        if pause.current(self._state) is not None:
            raise Halted("pause")
        if jobs.progress(self._state, self._job, step, done, total) == "pause":
            raise Halted("pause")

    def waits(self) -> None:
        """Somebody else holds the lock: wait a little, without deafness."""
        self("waiting", 0, 0)
        time.sleep(_WAIT)
