"""`sidecar serve`: one process with everything. waitress answers, huey's threads work, one thread follows the shop.

SIGTERM and SIGINT stop it within STOP_SECONDS: no new request, long work halts between two pages and is taken up at the
next start. What does not halt in time is cut off, as by `kill -9`: every part is made to survive that.
"""

from __future__ import annotations

import fcntl
import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sidecar import memory, new_file
from sidecar.config import Config
from sidecar.errors import ConfigError, Conflict, SidecarError
from sidecar.runtime import Runtime, build
from sidecar.signing import MAX_BODY
from sidecar.tasks import Tasks
from sidecar.web.app import create_app

log = logging.getLogger(__name__)

STOP_SECONDS = 4.0
PASS_SECONDS = 2.0  # the pass ends soon after, so that a stop need not wait for it
WORKERS = 2
_HEALTH_EVERY = 10.0
_SLOWEST_RETRY = 60.0
# A signal that comes just before the wait for connections begins does not end it: Python would act on it only afterwards.
_WAKE = 1.0
_REST = 30.0  # memory is given back after work, at most so often


def serve(config: Config, listening: Callable[[], None] = lambda: None) -> int:
    """Run until a signal comes; `listening` is called when it can be reached. Returns the exit code. Raises Conflict when
    another one serves this state directory, ConfigError when the address cannot be used."""
    memory.one_heap()
    with build(config) as runtime, _alone(runtime):
        service = Service(runtime)
        listening()
        return service.run()


class Service:
    """The parts of the process, started and stopped together."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.stop = threading.Event()
        self.tasks = Tasks(runtime)
        self.consumer = _consumer(self.tasks)
        self.server = _server(runtime, self.tasks)
        self.follower = threading.Thread(target=self._follow, name="follower", daemon=True)

    def run(self) -> int:
        """Start, answer until a signal comes, stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        self.tasks.wake()
        self.consumer.start()
        self.follower.start()
        # What is loaded now stays for good: the collector need not look at it again, nor split its pages.
        memory.give_back()
        gc.freeze()
        log.info("serving", extra={"at": self.runtime.config.service.endpoint})
        self._answer()
        return self._end()

    def _on_signal(self, number: int, frame: object) -> None:
        self.stop.set()
        self.tasks.stopping.set()
        self.server.pull_trigger()  # wakes the loop that waits for connections

    def _answer(self) -> None:
        from waitress import wasyncore

        sockets, checked = self.server._map, time.monotonic()
        while not self.stop.is_set():
            wasyncore.loop(timeout=_WAKE, use_poll=True, map=sockets, count=1)
            if time.monotonic() - checked > _HEALTH_EVERY:
                checked = time.monotonic()
                self.consumer.check_worker_health()

    def _follow(self) -> None:
        """Look at what the shop tells, again and again; after an error less often, up to once a minute."""
        pause = wait = self.runtime.config.service.poll_seconds
        rested = 0.0
        memory.used.set()
        while not self.stop.wait(wait):
            try:
                report = self.runtime.pass_(PASS_SECONDS)
                wait = pause
                if report.reconciled or report.events or report.polled or report.moved or report.tagged or report.steps:
                    memory.used.set()
                elif memory.used.is_set() and time.monotonic() - rested > _REST:
                    memory.used.clear()
                    rested = time.monotonic()
                    # What it was done with is not needed now: the pages of the state, and what Python and malloc keep.
                    self.runtime.state.shrink()
                    memory.give_back()
            except Conflict:
                wait = max(pause, 1.0)  # a run is at work, and it sees the same changes
            except SidecarError as error:
                log.warning("pass failed: %s", error.message, extra={"code": error.code})
                wait = min(_SLOWEST_RETRY, max(wait, 1.0) * 2)
            except Exception:
                log.exception("pass failed")
                wait = min(_SLOWEST_RETRY, max(wait, 1.0) * 2)

    def _end(self) -> int:
        started = time.monotonic()

        def left() -> float:
            return max(0.1, STOP_SECONDS - (time.monotonic() - started))

        self.server.task_dispatcher.shutdown(cancel_pending=True, timeout=min(1.5, left()))
        self.server.close()
        self.consumer.stop()
        for thread in [self.follower, *(one for _, one in self.consumer.worker_threads)]:
            thread.join(left())
        late = [thread.name for thread in threading.enumerate() if thread.name in _names(self) and thread.is_alive()]
        if late:
            # Interpreter shutdown would wait for the threads that write; they are safe to cut off.
            log.warning(
                "stopped with work cut off: it is taken up at the next start", extra={"threads": ",".join(late)}
            )
            logging.shutdown()
            os._exit(0)
        log.info("stopped", extra={"seconds": round(time.monotonic() - started, 2)})
        return 0


def _names(service: Service) -> set[str]:
    return {service.follower.name, *(one.name for _, one in service.consumer.worker_threads)}


def _consumer(tasks: Tasks) -> Any:
    from huey.consumer import Consumer

    class Embedded(Consumer):  # type: ignore[misc]  # huey has no types
        """huey's consumer as threads of ours: the signals are ours."""

        def _set_signal_handlers(self) -> None:
            """Nothing: else SIGTERM would stop huey and leave waitress running."""

    # huey tells every poll at debug and every task at info; its errors are enough.
    logging.getLogger("huey").setLevel(logging.WARNING)
    for part in ("Worker", "Scheduler"):
        logging.getLogger(f"huey.consumer.{part}").addFilter(_Seldom())
    return Embedded(tasks.huey, workers=WORKERS, initial_delay=0.25, backoff=1.4, max_delay=2.0, scheduler_interval=10)


class _Seldom(logging.Filter):
    """A queue that is away fails each look of each worker, with a long trace: once a minute is enough to know it by."""

    def __init__(self) -> None:
        super().__init__()
        self._next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is told."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _SLOWEST_RETRY
        return True


def _server(runtime: Runtime, tasks: Tasks) -> Any:
    import waitress

    service = runtime.config.service
    where: dict[str, Any]
    try:
        if service.unix_socket:
            # Anybody may connect, as to a port of loopback: who has no secret gets no further.
            where = {"unix_socket": service.unix_socket, "unix_socket_perms": "666"}
        else:
            family = socket.AF_INET6 if ":" in service.host else socket.AF_INET
            where = {"sockets": [socket.create_server((service.host, service.port), family=family, backlog=128)]}
        return waitress.create_server(
            create_app(runtime, tasks), threads=service.threads, ident="", max_request_body_size=MAX_BODY,
            max_request_header_size=16384, channel_timeout=30, connection_limit=100, expose_tracebacks=False,
            clear_untrusted_proxy_headers=True, **where,
        )  # fmt: skip
    except OSError as error:
        raise ConfigError(
            # Of a path that is too long for a socket there are words only, and no number.
            f"cannot listen on {service.endpoint}: {error.strerror or error}",
            hint="is another program there? [service] port or unix_socket (a path of at most 107 characters) says where",
        ) from error


@contextmanager
def _alone(runtime: Runtime) -> Iterator[None]:
    """One service for a state directory; the kernel drops the lock with the process."""
    # The state makes the directory, or says why it cannot be used.
    handle = new_file.lock_file(runtime.state.directory / "serve.lock")
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                "another `sidecar serve` runs on this state directory",
                hint="`systemctl status fluentcrm-sidecar` may show it",
            ) from error
        yield
    finally:
        os.close(handle)
