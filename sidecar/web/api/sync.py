"""`/api/v1/sync`: the main job, started from afar, paused, resumed, and taken back."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sidecar.state import jobs
from sidecar.state.jobs import Job
from sidecar.state.runs import Run
from sidecar.web.context import runtime, tasks
from sidecar.web.routes import Noun

noun = Noun("sync")

Months = Literal[0, 1, 3, 6, 12]
What = Literal["all", "customers", "guests"]


class JobView(msgspec.Struct, kw_only=True):
    """A job as others see it. `percent` and `eta` (seconds) are about its present step."""

    id: int
    kind: str
    state: str
    step: str
    done: int
    total: int
    percent: int
    eta: int | None
    pausing: bool
    created: int
    started: int | None
    finished: int | None
    result: dict[str, str | int | float]
    error: str


class SyncView(msgspec.Struct, kw_only=True):
    """The newest job, if there ever was one; the newest runs; and {run: things} that can be taken back."""

    job: JobView | None
    runs: list[Run]
    undo: dict[int, int]


class Start(msgspec.Struct, forbid_unknown_fields=True):
    """`months` 0 is everybody, null what the last run had; `full` looks at everybody again."""

    months: Months | None = None
    what: What = "all"
    full: bool = False


class Undo(msgspec.Struct, forbid_unknown_fields=True):
    """Which run."""

    run: Annotated[int, Meta(ge=1, le=2**53)]


def view(job: Job | None) -> JobView | None:
    """A job without what it is made of."""
    if job is None:
        return None
    return JobView(
        id=job.id, kind=job.kind, state=job.state, step=job.step, done=job.done, total=job.total, percent=job.percent,
        eta=job.eta, pausing=job.wish == "pause", created=job.created, started=job.started, finished=job.finished,
        result=job.result, error=job.error,
    )  # fmt: skip


@noun.get_("", may="see", answers=SyncView)
def sync() -> SyncView:
    """What is at work, the newest runs, and what can be taken back."""
    shop = runtime()
    return SyncView(job=view(jobs.latest(shop.state)), runs=shop.runs(20), undo=shop.undo_runs())


@noun.post_("/start", may="sync", body=Start, answers=JobView)
def start(body: Start) -> JobView | None:
    """Start the main job. 409 while other work has not ended."""
    return view(tasks().start("sync", options(body)))


@noun.post_("/pause", may="sync", answers=JobView)
def pause() -> JobView | None:
    """Let the work halt at the next page. 404 when nothing is at work."""
    return view(jobs.pause(runtime().state))


@noun.post_("/resume", may="sync", answers=JobView)
def resume() -> JobView | None:
    """Let paused work go on. 404 when nothing is paused."""
    return view(tasks().resume())


@noun.post_("/cancel", may="sync", answers=JobView)
def cancel() -> JobView | None:
    """Give up paused work; what it did stays. 409 while it goes on."""
    return view(jobs.cancel(runtime().state))


@noun.post_("/undo", may="undo", body=Undo, answers=JobView)
def undo(body: Undo) -> JobView | None:
    """Take a run back. 404 when there is nothing to take back of it."""
    runtime().undoable(body.run)
    return view(tasks().start("undo", {"run": body.run}))


def options(body: Start) -> dict[str, object]:
    """What `Choices` are made of."""
    return {
        "since_months": body.months,
        "only": [] if body.what == "all" else [body.what],
        "full": body.full,
    }
