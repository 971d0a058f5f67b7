"""A batch of claimed enrolments: each walks on until it rests, round by round; what they want done in a round is done together."""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from collections.abc import Iterable, Sequence

from sidecar.automations import decisions, enrolments, guards, handing, loading, lost, versions
from sidecar.automations.acting import Acting
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.guards import Shop, Verdict
from sidecar.automations.handing import Message
from sidecar.automations.model import AnyStep, Branch, Coupon, Send, Split, Stop, Wait, WaitEvent, WaitMoment
from sidecar.automations.place import Place
from sidecar.automations.sending import Sending
from sidecar.automations.steps import waits, ways
from sidecar.automations.steps.moves import Do, Go, Move, Over, Rest, Walk, onward
from sidecar.automations.worked import Worked

log = logging.getLogger(__name__)

# What was read to decide by is read anew for a later round when it is older than so many seconds.
_STALE = 0.5
# Seconds after the first time that something did not work, the second …; after the last of them it is given up.
PAUSES = (30, 120, 600, 1800, *[3600] * 6, *[4 * 3600] * 10)
_FAULTS = 5
# What could not be done for so many seconds is given up. It may have been due for longer: its automation was off.
_LONGEST = 7 * 86_400


class Batch:
    """Raises what keeps the facts from being read (StoreUnavailable); then nothing was done."""

    def __init__(self, place: Place, claimed: Sequence[Enrolment], worked: Worked) -> None:
        self.place, self.worked = place, worked
        self.rows = versions.rows(place.state)
        self._specs = versions.specs(place.state, {one.version_id for one in claimed})
        self.walks: dict[int, Walk] = {}
        for one in claimed:
            if one.version_id in self._specs:
                self.walks[one.id] = self._walk(one)
            else:
                give_up(place, one, "no_version", worked)
        self._resting: list[Walk] = []
        self._left: list[tuple[Message, str, bool]] = []
        self._read()
        self._messages = handing.of(place.state, claimed)

    def _walk(self, one: Enrolment) -> Walk:
        spec = self._specs[one.version_id]
        # The first wait counts from the moment of entering; later ones from when what came before them was done.
        entering = one.step == spec.steps[0].id and not one.attempts and not one.data.planned
        return Walk(
            one=one, spec=spec, planned=one.data.planned or one.due or self.place.now,
            base=one.entered if entering else self.place.now,
        )  # fmt: skip

    def _read(self) -> None:
        """What decisions go by, as it is now."""
        config = self.place.config.automations
        self.place.at = loading.with_tops(self.place, self._specs.values())
        self.shop = Shop(
            at=self.place.at, paid=self.place.info.paid_statuses, cap_day=config.cap_day, cap_week=config.cap_week,
            quiet_from=config.quiet_from, quiet_to=config.quiet_to,
        )  # fmt: skip
        known = loading.load(self.place, [walk.one for walk in self.walks.values()], self._specs)
        for id_, walk in self.walks.items():
            walk.known = known[id_]
            if not walk.one.data.prices:
                walk.one.data.prices = {
                    str(ware.id): str(ware.price) for ware in walk.known.wares.values() if ware.price is not None
                }
        self.providers, self._off = dict(self.place.reach.providers()), self.place.reach.off()
        self._read_at = time.monotonic()

    # --- rounds --------------------------------------------------------------------------------------------

    def work(self) -> None:
        """Until all of them rest, have ended, or are somebody else's."""
        sending, acting = Sending(self), Acting(self)
        sending.resume(self._messages)
        self._flush()
        while self.walks:
            if time.monotonic() - self._read_at > _STALE:
                self.place.tick()
                self._read()
            wanted = self._round()
            sending.send([(walk, move) for walk, move in wanted if isinstance(move.step, Send)])
            acting.act([(walk, move.step) for walk, move in wanted if not isinstance(move.step, Send)])
            self._flush()

    def _round(self) -> list[tuple[Walk, Do]]:
        """Everybody goes on as far as nothing needs to be done. One message a person at a time: the next one is decided on when
        it is known whether the last one went."""
        wanted: list[tuple[Walk, Do]] = []
        written_to: set[int] = set()
        for walk in list(self.walks.values()):
            try:
                move = self._advance(walk, written_to)
            except Exception as error:
                log.exception("an enrolment could not go on", extra={"enrolment": walk.one.id})
                self.fault(walk, type(error).__name__)
                continue
            if isinstance(move, Do):
                wanted.append((walk, move))
            elif move is not None:
                self.stop(walk, move)
        return wanted

    def _advance(self, walk: Walk, written_to: set[int]) -> Do | Over | Rest | None:
        now = self.place.now
        while True:
            step = walk.step
            if step is None:
                return Over(how="done")
            ended = guards.ended(walk.one, walk.spec, walk.known, self.shop)
            if ended is not None:
                return Over(how="goal" if ended.kind == "goal" else "exit", reason=ended.reason)
            if isinstance(step, Send) and walk.one.person_id in written_to:
                return None
            late = guards.too_late(step, walk.planned, now, self.shop)
            move = self._move(walk, step) if late is None else skipped(walk, step, late.reason)
            if isinstance(move, Go):
                self.go(walk, move)
                continue
            if isinstance(move, Do) and isinstance(step, Send):
                written_to.add(walk.one.person_id)
            return move

    def _move(self, walk: Walk, step: AnyStep) -> Move:
        now, zone = self.place.now, self.place.zone
        if isinstance(step, Wait):
            return waits.wait(step, walk, now, zone)
        if isinstance(step, WaitMoment):
            return waits.wait_moment(step, walk, now, zone)
        if isinstance(step, WaitEvent):
            return waits.wait_event(step, walk, now, zone)
        if isinstance(step, Branch):
            return ways.branch(step, walk, self.shop.at)
        if isinstance(step, Split):
            return ways.split(step, walk)
        if isinstance(step, Stop):
            return Over(how="done")
        if isinstance(step, Send):
            found = decisions.message(
                step, walk.one, walk.known, self.providers, self._off, walk.planned, now, self.shop
            )
            return self._objected(walk, step, found) if isinstance(found, Verdict) else Do(step=step, channel=found)
        if isinstance(step, Coupon):
            objection = decisions.coupon(step, walk.one, walk.spec, walk.known, self.providers)
        else:
            objection = guards.holdout(walk.one)
        return Do(step=step) if objection is None else self._objected(walk, step, objection)

    def _objected(self, walk: Walk, step: AnyStep, verdict: Verdict) -> Go | Rest:
        if verdict.kind != "wait":
            return skipped(walk, step, verdict.reason)
        self.worked.postponed += 1
        # Quiet hours belong to the plan: a step is not late because of them.
        planned = verdict.until if verdict.reason == "quiet_hours" else walk.planned
        return Rest(at=step.id, due=verdict.until, planned=planned)

    def ones(self) -> list[Enrolment]:
        """Those that are not at rest in the state yet."""
        return [walk.one for walk in (*self.walks.values(), *self._resting)]

    # --- what becomes of walks -------------------------------------------------------------------------------

    def go(self, walk: Walk, move: Go) -> None:
        """On to the next step."""
        self._let_go(walk, move.reason if move.outcome == "failed" else "")
        walk.go(move, self.place.now)

    def stop(self, walk: Walk, move: Over | Rest) -> None:
        """It rests, or ends; written at the end of the round."""
        if isinstance(move, Over):
            self._let_go(walk, "")
            walk.over(move, self.place.now)
            self.worked.ended += 1
        else:
            walk.rest(move, self.place.now)
        self._resting.append(walk)
        self.walks.pop(walk.one.id, None)

    def _let_go(self, walk: Walk, failed: str) -> None:
        """A message that nobody has taken goes with its step; one that failed is kept, with the reason."""
        if walk.message is not None:
            self._left.append((walk.message, failed, lost.maybe(self.place, walk.message)))

    def again(self, walk: Walk, step: AnyStep, wait: float = 0.0) -> None:
        """It did not work this time; `wait`: the other side says when it may. At last it is given up."""
        now = self.place.now
        walk.one.attempts += not wait
        walk.one.data.tried = walk.one.data.tried or now
        if walk.one.attempts > len(PAUSES) or now - walk.one.data.tried > _LONGEST:
            self.go(walk, Go(to=onward(walk, step), outcome="failed", reason="gave_up"))
            return
        self.worked.postponed += 1
        pause = max(1, math.ceil(wait)) if wait else PAUSES[walk.one.attempts - 1]
        self.stop(walk, Rest(at=step.id, due=now + pause, planned=walk.planned))

    def fault(self, walk: Walk, reason: str) -> None:
        """Something is wrong with it, or with the sidecar."""
        walk.one.attempts += 1
        if walk.one.attempts > _FAULTS:
            self.stop(walk, Over(how="failed", reason=reason))
        else:
            self.worked.postponed += 1
            due = self.place.now + PAUSES[walk.one.attempts - 1]
            self.stop(walk, Rest(at=walk.one.step, due=due, awaits=walk.one.awaits, planned=walk.planned))

    def ours(self, sql: sqlite3.Connection, now_ms: int) -> None:
        """Have all of them for longer; who is not ours any more is let alone. In a transaction."""
        there = {one.id for one in enrolments.renew(sql, [walk.one for walk in self.walks.values()], now_ms)}
        for id_ in self.walks.keys() - there:
            del self.walks[id_]

    def progress(self, sql: sqlite3.Connection, walks: Iterable[Walk]) -> None:
        """Write down how far they have come, in the transaction that says what was done."""
        for walk in walks:
            if walk.one.id in self.walks and not enrolments.write(sql, walk.one, walk.done, keep=True):
                del self.walks[walk.one.id]
            self._count(walk)

    def _flush(self) -> None:
        if not self._resting and not self._left:
            return
        with self.place.state.transaction() as sql:
            for left in self._left:
                handing.give_up(sql, *left)
            for walk in self._resting:
                enrolments.write(sql, walk.one, walk.done)
                self._count(walk)
        self._resting, self._left = [], []

    def _count(self, walk: Walk) -> None:
        self.worked.steps += len(walk.done)
        self.worked.skipped += sum(done.outcome == "skipped" for done in walk.done)
        self.worked.failed += sum(done.outcome == "failed" for done in walk.done)
        walk.done = []


def skipped(walk: Walk, step: AnyStep, reason: str) -> Go:
    """The step is left out."""
    return Go(to=onward(walk, step), outcome="skipped", reason=reason)


def give_up(place: Place, one: Enrolment, reason: str, worked: Worked) -> None:
    """An enrolment that cannot even be looked at: later, and at last never."""
    one.attempts += 1
    if one.attempts > _FAULTS or reason == "no_version":
        one.state, one.ended, one.reason, one.due = "failed", place.now, reason, None
        worked.ended += 1
    else:
        one.data.planned = one.data.planned or one.due or 0
        one.due = place.now + PAUSES[one.attempts - 1]
        worked.postponed += 1
    with place.state.transaction() as sql:
        enrolments.write(sql, one, ())
