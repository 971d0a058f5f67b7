"""A second process that looks at people and writes, while the run's own process keeps the state.

Python computes on one core at a time; a first import has work for two. The helper is forked at the start of a run,
while the run is small and has no threads, connections in use or rows in memory, and waits. It gets pages of people
and gives back what became of them, through a pair of pipes; it never touches the state. When either process dies
the other one's pipe ends: the helper leaves after the batch it is writing, and until then it holds the run's lock,
so that the next run does not meet it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import msgspec

from sidecar.errors import SidecarError
from sidecar.sync.desk import DEPTH, Desk, Result, Task
from sidecar.sync.selection import Raw
from sidecar.sync.session import Counts, Session

_LEAVE_SECONDS = 60


class Round(msgspec.Struct, tag=True):
    """Pages follow, then None."""

    again: bool
    final: bool


class End(msgspec.Struct, tag=True):
    """No more rounds: say what was counted, and leave."""


class Tally(msgspec.Struct, tag=True):
    """What the helper counted besides the memos."""

    counts: Counts
    rows: int
    queries: int
    longest: float


class Fault(msgspec.Struct, tag=True):
    """The helper failed: the error, pickled, else its words."""

    pickled: bytes
    words: str


_Request = Task | Round | Raw | End | None
_Answer = Result | Tally | Fault | None
_encode = msgspec.msgpack.Encoder().encode


class HelperFailed(SidecarError):
    """The helper process ended without a word: killed, or out of memory."""


def wanted(session: Session, mode: str) -> bool:
    """Whether this run is worth a second process, and may have one: everybody is looked at, there are two cores, no
    speed limit (which one process must keep), and no other thread whose locks a fork would copy."""
    choices = session.choices
    everybody = mode == "full" and not choices.dry_run and not choices.only
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    limited = session.config.sync.limit_rate or session.config.sync.max_load
    alone = threading.active_count() == 1
    return everybody and session.config.sync.processes > 1 and cores > 1 and not limited and alone


class Helper:
    """The run's side. `work` is the desk's, from afar."""

    def __init__(self, session: Session) -> None:
        self._session = session
        # Pages on their way. The desk keeps as many as it reads ahead and as it has writers before it gives the first
        # result; with fewer than that both sides would wait for ever, with many memory would not stay flat.
        self._ahead = DEPTH + session.config.sync.writers + 1
        context = multiprocessing.get_context("fork")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(session, theirs, self._pipe), daemon=True)
        self._process.start()
        theirs.close()

    def desk(self, task: Task) -> Helper:
        """Tell the helper what it needs to know before the first page."""
        self._send(task)
        return self

    def work(self, pages: Iterable[Raw], *, again: bool, final: bool) -> Generator[Result, None, None]:
        """See `Desk.work`."""
        self._send(Round(again, final))
        waiting = 0
        for raw in pages:
            self._send(raw)
            waiting += 1
            if waiting >= self._ahead:
                waiting -= 1
                yield self._result()
        self._send(None)
        while waiting:
            waiting -= 1
            yield self._result()

    def close(self) -> None:
        """Let the helper go; what it counted is added to the run's counts when all went well."""
        with contextlib.suppress(HelperFailed):
            self._send(End())
            tally = self._receive()
            if isinstance(tally, Tally):
                _add(self._session, tally)
        self.leave()

    def leave(self) -> None:
        """Close the pipe, so that the helper ends after the batch it is writing, and wait for that."""
        self._pipe.close()
        self._process.join(_LEAVE_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _send(self, message: Any) -> None:
        try:
            self._pipe.send_bytes(_packed(message))
        except OSError as error:
            raise self._dead() from error

    def _receive(self) -> Any:
        try:
            answer = _answer(self._pipe.recv_bytes())
        except (EOFError, OSError) as error:
            raise self._dead() from error
        if isinstance(answer, Fault):
            _raise(answer)
        return answer

    def _result(self) -> Result:
        answer = self._receive()
        assert isinstance(answer, Result)
        return answer

    def _dead(self) -> HelperFailed:
        self._process.join(1)
        return HelperFailed(
            f"the process that looks at people ended (exit code {self._process.exitcode})",
            hint="run it again: the sync goes on where it was; [sync] processes = 1 does without that process",
        )


# Pages and results are plain arrays; everything else carries its name. One byte before them tells which.
def _packed(message: Any) -> bytes:
    if isinstance(message, Raw):
        return b"P" + _encode(message)
    if isinstance(message, Result):
        return b"R" + _encode(message)
    if isinstance(message, Task):
        return b"T" + _encode(message)
    return b"-" + _encode(message)


_DECODERS: dict[bytes, Callable[[memoryview], Any]] = {
    b"P": msgspec.msgpack.Decoder(Raw).decode,
    b"R": msgspec.msgpack.Decoder(Result).decode,
    b"T": msgspec.msgpack.Decoder(Task).decode,
}
_other: Callable[[memoryview], Any] = msgspec.msgpack.Decoder(Round | End | Tally | Fault | None).decode


def _answer(data: bytes) -> Any:
    kind, body = data[:1], memoryview(data)[1:]
    return _DECODERS.get(kind, _other)(body)


def _raise(fault: Fault) -> NoReturn:
    try:
        error = pickle.loads(fault.pickled)  # noqa: S301 - from our own child
    except Exception:  # noqa: BLE001 - an error that cannot be carried over is told in words
        error = None
    if isinstance(error, BaseException):
        raise error
    raise HelperFailed(f"the process that looks at people failed: {fault.words}")


def _add(session: Session, tally: Tally) -> None:
    counts = session.counts
    for name in Counts.__struct_fields__:
        mine, theirs = getattr(counts, name), getattr(tally.counts, name)
        if isinstance(mine, int | float):
            setattr(counts, name, mine + theirs)
    session.reader.throttle.rows += tally.rows
    session.reader.queries += tally.queries
    session.reader.longest = max(session.reader.longest, tally.longest)


def _main(session: Session, pipe: Connection, theirs: Connection) -> NoReturn:
    """The helper's life. Ctrl-C is the run's to answer: it closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    theirs.close()
    code = 1
    try:
        _serve(session.apart(), pipe)
        code = 0
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    except BaseException as error:  # noqa: BLE001 - it is told to the run, which raises it
        with contextlib.suppress(OSError):
            pipe.send_bytes(_packed(_fault(error)))
    finally:
        # No clean-up of what was inherited: connections and files are the parent's.
        os._exit(code)


def _fault(error: BaseException) -> Fault:
    words = f"{type(error).__name__}"
    try:
        return Fault(pickle.dumps(error), words)
    except Exception:  # noqa: BLE001 - whatever an error drags along
        return Fault(b"", words)


def _serve(session: Session, pipe: Connection) -> None:
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                inbox.put(_answer(pipe.recv_bytes()))
        except (EOFError, OSError) as error:
            inbox.put(error)

    threading.Thread(target=listen, name="inbox", daemon=True).start()

    def take() -> Any:
        message = inbox.get()
        if isinstance(message, Exception):
            raise EOFError
        return message

    task = take()
    if isinstance(task, End):
        pipe.send_bytes(_packed(_tally(session)))
        return
    assert isinstance(task, Task)
    desk = Desk(session, task)
    while isinstance(message := take(), Round):
        for result in desk.work(iter(take, None), again=message.again, final=message.final):
            pipe.send_bytes(_packed(result))
    desk.close()
    pipe.send_bytes(_packed(_tally(session)))


def _tally(session: Session) -> Tally:
    reader = session.reader
    return Tally(session.counts, reader.throttle.rows, reader.queries, reader.longest)
