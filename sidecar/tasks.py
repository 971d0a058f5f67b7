"""Background work: its names and when it is due. The bodies are one line; what they do stands in `runtime`.

The queue only wakes somebody up. What is to be done stands in tables (the outbox, `job`, what changed in the shop), so
a lost or repeated message loses and repeats nothing. Events have no schedule here: `serve.py` looks every second.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sidecar import memory, new_file
from sidecar.config import Config
from sidecar.errors import ConfigError
from sidecar.runtime import Runtime
from sidecar.state import jobs, nonces
from sidecar.state.jobs import Job
from sidecar.store import meta
from sidecar.sync import survey

if TYPE_CHECKING:
    from huey import Huey

log = logging.getLogger(__name__)

QUEUE_NAME = "fluentcrm-sidecar"


class Tasks:
    """The tasks of one shop. Set `stopping` and long ones come to a halt at the next page of work."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.stopping = threading.Event()
        self.huey = queue(runtime.config)
        task, every = self.huey.task, self.huey.periodic_task
        self._work = task(name="job")(self._work_body)
        self._explore = task(name="explore")(self._explore_body)
        every(_minutes(1), name="forgotten")(self.wake)
        every(_minutes(10), name="prune")(self._prune_body)

    # --- what pages ask for --------------------------------------------------------------------------------

    def start(self, kind: jobs.Kind, options: dict[str, Any]) -> Job:
        """Queue long work. Raises Conflict while other work has not ended."""
        job = jobs.start(self.runtime.state, kind, options)
        self._send(self._work, job.id)
        return job

    def resume(self) -> Job:
        """Let paused work go on. Raises NotFound."""
        job = jobs.resume(self.runtime.state)
        if job.state == "queued":
            self._send(self._work, job.id)
        return job

    def explore(self, kind: meta.Kind) -> bool:
        """Ask for a new survey; False when it was asked for already."""
        asked = survey.want(self.runtime.state, kind)
        if asked:
            self._send(self._explore, kind)
        return asked

    # --- what is done ----------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Wake a worker for what waits: at the start for what a dead process left, and later because the message about
        it may have been lost with a queue."""
        waiting = jobs.waiting(self.runtime.state)
        if waiting is not None:
            self._send(self._work, waiting.id)
        for kind in survey.wanted(self.runtime.state):
            self._send(self._explore, kind)

    def _send(self, task: Callable[[Any], object], what: Any) -> None:
        """Wake a worker. What it is to do is written down already: a Redis that is away keeps neither the service from
        starting nor a page from being answered, and `wake` says it again when it is back."""
        try:
            task(what)
        except Exception as error:  # noqa: BLE001 - whatever kind of queue it is
            log.warning("the queue does not answer: work waits until it does", extra={"error": type(error).__name__})

    def _work_body(self, job_id: int) -> None:
        if self.runtime.work(job_id, self.stopping.is_set) is not None:
            self._after_big_work()

    def _explore_body(self, kind: meta.Kind) -> None:
        if kind in survey.wanted(self.runtime.state):
            self.runtime.explore(kind)
            self._after_big_work()

    def _after_big_work(self) -> None:
        # The worker's connection has a cache of its own, up to 12 MiB.
        self.runtime.state.close()
        memory.give_back()

    def _prune_body(self) -> None:
        nonces.prune(self.runtime.state, _now())
        jobs.prune(self.runtime.state)


def queue(config: Config) -> Huey:
    """Where tasks wait: SQLite in the state directory, or Redis. Raises ConfigError for an address that is none."""
    url = config.queue.url
    if url:
        if not url.startswith(("redis://", "rediss://", "unix://")):
            raise ConfigError("[queue] url is no address of a Redis server", hint="such as redis://127.0.0.1:6379/0")
        try:
            from huey import RedisHuey

            # A blocking read of one second: an idle worker costs nothing, and a stop is noticed at once.
            return RedisHuey(QUEUE_NAME, url=url, results=False, read_timeout=1)
        except ImportError as error:
            raise ConfigError("[queue] url asks for Redis, and there is no Python module redis",
                              hint="install it: pip install 'fluentcrm-sidecar[redis]'") from error  # fmt: skip
    with _without_redis():
        from huey import SqliteHuey
    file = Path(config.state.dir) / "queue.sqlite3"
    new_file.directory(file.parent)
    # Before Huey makes it: for its owner only, and the owner's of the directory also when root is who comes first.
    os.close(new_file.lock_file(file))
    return SqliteHuey(QUEUE_NAME, filename=str(file), results=False, cache_mb=1, fsync=False)


@contextmanager
def _without_redis() -> Iterator[None]:
    """huey imports redis where it is installed: six MiB and 80 ms that a shop without Redis need not pay."""
    if "huey" in sys.modules or "redis" in sys.modules:
        yield
        return
    sys.modules["redis"] = None  # type: ignore[assignment]  # Python's own way to say: there is none
    try:
        yield
    finally:
        del sys.modules["redis"]


def _minutes(number: int) -> Any:
    from huey import crontab

    return crontab(minute=f"*/{number}")


def _now() -> float:
    import time

    return time.time()
