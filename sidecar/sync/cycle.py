"""One bounded pass: the bridge's hints, a poll, and a reconciliation when it is due. The service calls it every second
or so, `sidecar tick` from cron; two at once are no harm: one works, the other says that it is busy.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from sidecar import clock, logs
from sidecar.config import Config
from sidecar.errors import BridgeRefused, BridgeUnreachable, Conflict, OnHold, SidecarError
from sidecar.events import activity, monitor
from sidecar.events.outbox import Hint, Outbox
from sidecar.mapping.compiled import Mapping
from sidecar.mysql.connection import Reader
from sidecar.state import pause, runs
from sidecar.state.database import State
from sidecar.sync import automations, consents, engine, poll, site
from sidecar.sync.automations import Automations
from sidecar.sync.link import Link, LinkState, listed
from sidecar.sync.live import Way
from sidecar.sync.segments import Groups
from sidecar.sync.session import Choices, Session
from sidecar.sync.tagging import Place
from sidecar.sync.warm import Warm
from sidecar.sync.work import RECONCILE_NOW, PassReport, Work

_BATCH = 300
_LAST, _ERROR = "pass.last", "pass.error"
_POLLED, _RECONCILED, _TOOK = "poll.last", "reconcile.last", "reconcile.took"
_PRUNED = "events.pruned"
# What tags of segments and automations may each take of a pass, in seconds, even if there is no time left.
_SEGMENTS = 2.0
# Without hints the whole shop is compared as often as half a percent of one core allows.
_SHARE = 200
_COUNTED = ("people", "created", "updated", "unchanged", "moved", "erased", "columns", "fields", "tags", "lists")


class Passes:
    """The passes of one process: keeps a warm session and the client of the bridge between them."""

    def __init__(self, config: Config, state: State, mapping: Callable[[], Mapping]) -> None:
        self._config = config
        self._state = state
        self._mapping = mapping
        self._mutex = threading.Lock()
        self._warm = Warm(config, state, mapping)
        self._reader: Reader | None = None
        self.link = Link(config, state)
        self._groups = Groups(config, state)
        self._automations = Automations(config, state, self._groups)

    def close(self) -> None:
        """Close all connections; a later pass opens them again."""
        self._warm.drop()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def run(self, seconds: float, *, poll_now: bool = False, reconcile_now: bool = False) -> PassReport:
        """A pass of about so many seconds at most (a reconciliation that is due is not cut off).

        Raises StoreUnavailable and the like; what was not done stays in the queue.
        """
        if not self._mutex.acquire(blocking=False):
            return PassReport(state="busy")
        started = time.monotonic()
        try:
            report = self._pass(started + seconds, poll_now, reconcile_now)
            report.seconds = round(time.monotonic() - started, 3)
            self._went_well(report)
            return report
        except BaseException as error:
            self._warm.drop()
            if isinstance(error, Exception):
                message = error.message if isinstance(error, SidecarError) else type(error).__name__
                self._state.set(_ERROR, logs.redact(message)[:300])
            raise
        finally:
            self._mutex.release()

    # --- one pass --------------------------------------------------------------------------------------

    def _pass(self, deadline: float, poll_now: bool, reconcile_now: bool) -> PassReport:
        report = PassReport()
        if pause.current(self._state) is not None:
            report.state = "paused"
            return report
        if not self._state.rows("SELECT 1 FROM run WHERE kind = 'sync' AND state = 'done' LIMIT 1"):
            report.state = "waiting"
            return report
        while True:
            polling = poll_now or self._due(_POLLED, self._config.events.poll_seconds)
            hints = self._peek()
            if not hints and not polling:
                break
            try:
                with runs.lock(self._state, runs.PASS):
                    went_on = self._work(report, polling)
            except Conflict:
                report.state = "busy"
                return report
            poll_now = False
            if not went_on or time.monotonic() >= deadline:
                break
        if report.state == "done" and (reconcile_now or self._reconcile_due()):
            self._reconcile(report)
        if report.state == "done":
            self._segments(report, max(deadline, time.monotonic() + _SEGMENTS))
        if report.state == "done":
            self._automations.work(self._warm, self.link, report, max(deadline, time.monotonic() + _SEGMENTS))
        return report

    def _segments(self, report: PassReport, until: float) -> None:
        """What is wrong there stops neither this pass nor the next ones."""
        try:
            if self._groups.due():
                with suppress(Conflict), runs.lock(self._state, runs.PASS):
                    self._look(report, until)
        except Exception as error:  # noqa: BLE001 - told by `failed`; orders must not wait for a fault in segments
            self._warm.drop()
            self._groups.failed(error)

    def _look(self, report: PassReport, until: float) -> None:
        """Memberships and tags that follow from what happened, and from time. Under the lock."""
        session = self._warm.session()
        if site.look(session.reader, self._state).held:
            report.state = "held"
            return
        link = self.link.ask(session.info.home, listed=listed(session.info.plugins))
        way, fresh = self._way(session, link), self._config.events.live_hours * 3600
        place: Place | None = Place(
            reader=session.reader, connect=way.connect, quiet=way.quiet, live=way.live, failed=self._failed,
            wall=session.wall(), now=session.now, live_since=session.now - fresh, until=until,
            taken=frozenset(session.mapping.custom),
        )  # fmt: skip
        if link.mode == "waiting":
            place = None  # for a moment only: what is live should start automations, so the tags wait
        looked = self._groups.look(session.reader, session.info.zone, place, fresh=fresh)
        report.moved, report.tagged = looked.moved, looked.contacts

    def _failed(self, error: BridgeUnreachable | BridgeRefused) -> bool:
        self.link.failed(error)
        return isinstance(error, BridgeRefused) or self.link.state().mode == "silent"

    def _peek(self) -> list[Hint]:
        """The hints that are due, without the lock: most passes find none and are done."""
        if self._reader is None:
            self._reader = Reader(self._config)
        return Outbox(self._reader, self._warm.connection).due(_now_ms(), 1)

    def _work(self, report: PassReport, polling: bool) -> bool:
        """One batch, under the lock. Whether there may be more to do."""
        session = self._warm.session()
        if site.look(session.reader, self._state).held:
            report.state = "held"
            return False
        link = self.link.ask(session.info.home, listed=listed(session.info.plugins))
        if link.mode == "waiting":
            report.state = "waiting"
            return False
        now = _now_ms()
        outbox = Outbox(session.reader, self._warm.connection)
        hints = outbox.due(now, _BATCH)
        way = self._way(session, link)
        report.live = way.live is not None
        work = Work(self._config, self._state, self.link, session, outbox, report)
        if hints:
            self.link.heard(max(hint.created_ms for hint in hints))
            work.apply(hints, way)
        if polling:
            found = poll.changed(session, now)
            report.polled += len(found.hints)
            for start in range(0, len(found.hints), _BATCH):
                work.apply(found.hints[start : start + _BATCH], way)
            poll.keep(session, found, work.half)
            consents.find(session)
            self._state.set(_POLLED, str(_now()))
        if way.live is not None and report.live:
            try:
                consents.tell(session, self.link.bridge(session.info.home))
            except (BridgeUnreachable, BridgeRefused) as error:
                self.link.failed(error)
        if self._state.get("storage") != session.info.storage:
            self._state.set(RECONCILE_NOW, "1")
        counts = {name: getattr(session.counts, name) for name in _COUNTED}
        report.rest = max(0, outbox.standing(now).due) if len(hints) >= _BATCH else 0
        if any(counts.values()):
            runs.add_counts(self._state, session.run, counts)
        return len(hints) >= _BATCH

    def _way(self, session: Session, link: LinkState) -> Way:
        writer = None
        if link.mode == "live":
            from sidecar.crm.writer_bridge import BridgeWriter

            writer = BridgeWriter(
                self.link.bridge(session.info.home), self._warm.connection, session.reader.tables.prefix, session.run.id
            )
        return Way(
            quiet=self._warm.writer(), live=writer, live_from=self.link.live_from() if writer else 0,
            live_hours=self._config.events.live_hours, now_ms=_now_ms(), connect=self._warm.connection,
            erased_again=self._warm.erased_again,
        )  # fmt: skip

    # --- what is due -----------------------------------------------------------------------------------

    def _hinted(self) -> bool:
        """Whether the plugin tells of changes: it is active as the shop's options say, or WordPress answers for it."""
        session = self._warm.known
        return session is None or listed(session.info.plugins) or self.link.state().mode == "live"

    def _reconcile_due(self) -> bool:
        if self._state.get(RECONCILE_NOW):
            return True
        regular = self._config.service.reconcile_minutes * 60
        if self._hinted() and self.link.state().mode != "silent":
            return self._due(_RECONCILED, regular)
        took = float(self._state.get(_TOOK) or 0)
        return self._due(_RECONCILED, min(regular, max(60, int(took * _SHARE))))

    def _due(self, key: str, seconds: int) -> bool:
        last = int(self._state.get(key) or 0)
        if key == _RECONCILED:
            # A run that somebody else started has compared everything too.
            rows = self._state.rows("SELECT MAX(started) FROM run WHERE kind = 'sync' AND state = 'done'")
            last = max(last, rows[0][0] or 0)
        return not 0 <= _now() - last < seconds

    def _reconcile(self, report: PassReport) -> None:
        """The main job's run of changes: what no hint and no poll has told."""
        started = time.monotonic()
        try:
            engine.sync(self._config, self._state, self._mapping(), Choices())
        except OnHold:
            report.state = "held"
            return
        except Conflict:
            return
        except Exception:
            # Not again with the next pass: a second later it would fail as well.
            self._state.set(_RECONCILED, str(_now()))
            self._state.set(RECONCILE_NOW, "")
            raise
        with self._state.transaction():
            self._state.set(_RECONCILED, str(_now()))
            self._state.set(RECONCILE_NOW, "")
            self._state.set(_TOOK, f"{time.monotonic() - started:.3f}")
        report.reconciled = True
        # Products, options and rules are read anew by the next batch.
        self._warm.drop()

    def _went_well(self, report: PassReport) -> None:
        """A pass that came to its end; written down at most every ten seconds when there was nothing to do."""
        if report.state in ("busy", "paused"):
            return
        now = _now()
        if (
            report.events
            or report.reconciled
            or report.moved
            or report.steps
            or not 0 <= now - int(self._state.get(_LAST) or 0) < 10
        ):
            with self._state.transaction():
                self._state.set(_LAST, str(now))
                self._state.set(_ERROR, "")
        if self._due(_PRUNED, 3600):
            events = self._config.events
            monitor.prune(self._state, now * 1000, events.keep_days, events.keep_rows)
            activity.prune(self._state, now * 1000, events.activity_days, events.activity_rows)
            runs.prune(self._state, now)
            automations.prune(self._state, now, self._config.automations.keep_days)
            self._state.set(_PRUNED, str(now))


def _now() -> int:
    return int(clock.now().timestamp())


def _now_ms() -> int:
    return int(clock.now().timestamp() * 1000)
