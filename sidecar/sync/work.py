"""What a pass does with a batch of hints, and what becomes of those that fail: each group of hints that belong together
stands alone, so that one that cannot be applied never stops the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

import msgspec

from sidecar import clock, logs
from sidecar.config import Config
from sidecar.errors import BridgeRefused, BridgeUnreachable, SidecarError, StoreUnavailable
from sidecar.events import monitor, topics
from sidecar.events.monitor import Done
from sidecar.events.outbox import Hint, Outbox, pause_ms
from sidecar.state import dead_letters
from sidecar.state.database import State
from sidecar.sync import concerned, live
from sidecar.sync.link import Link
from sidecar.sync.live import Applied, Way
from sidecar.sync.session import Session

log = logging.getLogger(__name__)

_WAIT_MS = 3_000
# A reconciliation is wanted before its time.
RECONCILE_NOW = "reconcile.now"
_RACED = "the contact changes each time it is written"


class PassReport(msgspec.Struct, kw_only=True):
    """What a pass did. `state`: done; busy (another is at work); paused; held (see `sidecar site show`); waiting for
    the first import, or for WordPress to answer. `events` are rows of the outbox that went; `changed`, `nothing`,
    `left` and `failed` what became of these and of what polling found; `later` were pushed back, `dead` given up;
    `rest` are rows that are due still; `moved` how many came into a segment or left one, `tagged` contacts whose tags
    followed; `entered` how many came into an automation, `steps` of automations that were done, `messages` handed over;
    `seconds` its length."""

    state: Literal["done", "busy", "paused", "held", "waiting"] = "done"
    events: int = 0
    changed: int = 0
    nothing: int = 0
    left: int = 0
    failed: int = 0
    later: int = 0
    dead: int = 0
    polled: int = 0
    reconciled: bool = False
    live: bool = False
    rest: int = 0
    moved: int = 0
    tagged: int = 0
    entered: int = 0
    steps: int = 0
    messages: int = 0
    seconds: float = 0.0


class Work:
    """Applies batches within one session; what it did is added to `report`."""

    def __init__(
        self, config: Config, state: State, link: Link, session: Session, outbox: Outbox, report: PassReport
    ) -> None:
        self._most = config.events.attempts
        self._state = state
        self._link = link
        self._session = session
        self._outbox = outbox
        self._report = report
        # Found by polling and half-written yet: there is no row for them to wait in.
        self.half: list[Hint] = []

    def apply(self, hints: Sequence[Hint], way: Way) -> None:
        """Apply hints and take their rows out of the queue. Raises StoreUnavailable only."""
        try:
            applied = live.apply(self._session, hints, way)
        except (BridgeUnreachable, BridgeRefused) as error:
            self._link.failed(error)
            if isinstance(error, BridgeRefused) or self._link.state().mode == "silent":
                self._report.live = False
                self.apply(hints, msgspec.structs.replace(way, live=None))
                return
            # For a moment only, perhaps: these changes should start automations, so they wait a little.
            self._outbox.push_back(hints, way.now_ms + _WAIT_MS, failed=False)
            self._report.later += len(hints)
        except StoreUnavailable:
            raise
        except Exception as error:  # one event must not stop the others, whatever is wrong with it
            log.exception("events could not be applied", extra={"events": len(hints)})
            groups = self._groups(hints)
            if len(groups) > 1:
                middle = len(groups) // 2
                for half in (groups[:middle], groups[middle:]):
                    self.apply([hint for group in half for hint in group], way)
            else:
                self._failed(hints, error)
        else:
            if way.live is not None and any(one.live for one in applied.done):
                self._link.answered()
            self._settle(applied)

    def _settle(self, applied: Applied) -> None:
        """First what is remembered, then the rows go: a pass that dies between does the same again."""
        for hint, due, failed in applied.later:
            if not hint.id and not failed:
                self.half.append(hint)
            if not failed:
                self._outbox.push_back([hint], due, failed=False)
                self._report.later += 1
        dead = self._later([hint for hint, _, failed in applied.later if failed], "raced", _RACED)
        if applied.reconcile:
            self._state.set(RECONCILE_NOW, "1")
        good = [_ref(one.hint) for one in applied.done if one.outcome != "failed"]
        dead_letters.resolve(self._state, "event", good)
        # What polling finds and nobody needs is no event.
        shown = [one for one in applied.done if one.hint.id or one.outcome in ("changed", "failed")]
        self._finish([*shown, *dead])
        for one in applied.done:
            self._report.events += bool(one.hint.id)
            setattr(self._report, one.outcome, getattr(self._report, one.outcome) + 1)

    def _failed(self, hints: Sequence[Hint], error: Exception) -> None:
        """One group that cannot be applied."""
        reason, detail = (error.code, error.message) if isinstance(error, SidecarError) else (type(error).__name__, "")
        self._finish(self._later(hints, reason, detail))

    def _later(self, hints: Sequence[Hint], reason: str, detail: str) -> list[Done]:
        """Later, later still, and at last a dead letter: these are returned."""
        now = _now_ms()
        dead: list[Done] = []
        for hint in hints:
            if not hint.id:
                # Found by polling: it has no row to wait in. The next polls and the reconciliation come to it again.
                self._report.failed += 1
            elif hint.attempts + 1 >= self._most:
                dead.append(Done(hint=hint, outcome="failed", reason=reason))
                words = logs.redact(f"{hint.topic}: {detail}" if detail else hint.topic)
                dead_letters.add(self._state, "event", _ref(hint), reason, words, run_id=self._session.run.id)
            else:
                self._outbox.push_back([hint], now + pause_ms(hint.attempts))
                self._report.later += 1
        self._report.dead += len(dead)
        self._report.failed += len(dead)
        return dead

    def _finish(self, done: Sequence[Done]) -> None:
        monitor.record(self._state, done, _now_ms())
        self._outbox.done([one.hint for one in done])

    def _groups(self, hints: Sequence[Hint]) -> list[list[Hint]]:
        """Hints that belong together: of one person, else of one thing."""
        found: dict[tuple[str, int], list[Hint]] = {}
        about = concerned.Concerned(self._state, hints)
        for hint in hints:
            people = about.people(hint)
            key = ("person", min(people)) if people else (topics.of(hint.topic).family, hint.object_id)
            found.setdefault(key, []).append(hint)
        return list(found.values())


def _ref(hint: Hint) -> str:
    """What the owner finds the thing by: `order:17`, `user:4`, `contact:9`, `product:3`."""
    family = topics.of(hint.topic).family
    return f"{'user' if family == 'customer' else family}:{hint.object_id}"


def _now_ms() -> int:
    return int(clock.now().timestamp() * 1000)
