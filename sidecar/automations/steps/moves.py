"""What a step answers to the engine."""

from __future__ import annotations

from typing import Literal

import msgspec

from sidecar.automations.enrolments import Done, End, Enrolment
from sidecar.automations.handing import Message
from sidecar.automations.known import Known
from sidecar.automations.model import AnyStep, Automation, ChannelName, Send


class Walk(msgspec.Struct, kw_only=True, eq=False):
    """An enrolment on its way through its steps. `planned`: when the present step was due by plan, `base`: the moment that waits
    count from, both Unix seconds. `done`: what became of steps and is not written yet. `message`: the row of a message of the
    present step that nobody has taken."""

    one: Enrolment
    spec: Automation
    planned: int
    base: int
    known: Known = msgspec.field(default_factory=Known)
    done: list[Done] = []
    message: Message | None = None

    @property
    def step(self) -> AnyStep | None:
        """The step that is to be done now."""
        return self.spec.step(self.one.step)

    def go(self, move: Go, now: int) -> None:
        """On to another step. A choice takes no time; what was done or left out was so now; a wait was over when it was. What is
        made for a message (a coupon) does not make it later than it was planned: it may still be too late."""
        self.done.append(Done(step=self.one.step, at=now, outcome=move.outcome, reason=move.reason))
        if move.way:
            self.one.data.ways[self.one.step] = move.to
        if move.planned is not None:
            self.planned = self.base = move.planned
        elif not move.way:
            self.base = now
            self.planned = now if isinstance(self.step, Send) else self.planned
        self.one.step, self.one.due, self.one.awaits, self.one.attempts = move.to, self.planned, "", 0
        self.one.data.planned = self.one.data.tried = 0
        self.message = None

    def rest(self, move: Rest, now: int) -> None:
        """Nothing more until then."""
        if move.done:
            self.done.append(Done(step=self.one.step, at=now, outcome="done"))
            self.one.attempts = self.one.data.tried = 0
        self.one.step, self.one.due, self.one.awaits = move.at, move.due, move.awaits
        self.one.data.planned = move.planned

    def over(self, move: Over, now: int) -> None:
        """The end."""
        self.one.state, self.one.ended, self.one.reason = move.how, now, move.reason
        self.one.due, self.one.awaits = None, ""


class Go(msgspec.Struct, frozen=True, kw_only=True):
    """On to another step at once. `planned`: when that was due by plan (None: now); `way`: remembered as where this step led."""

    to: str
    outcome: Literal["done", "skipped", "failed"] = "done"
    reason: str = ""
    planned: int | None = None
    way: bool = False


class Rest(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing more until `due`, then the step `at`; or when `awaits` comes. `done`: the present step is over. `planned`: when it was
    due, if this only puts it off."""

    at: str
    due: int
    awaits: str = ""
    done: bool = False
    planned: int = 0


class Over(msgspec.Struct, frozen=True, kw_only=True):
    """The end of the enrolment."""

    how: End
    reason: str = ""


class Do(msgspec.Struct, frozen=True, kw_only=True):
    """It wants something done to the world: a message by `channel`, or what else the step is."""

    step: AnyStep
    channel: ChannelName | None = None


Move = Go | Rest | Over | Do


def onward(walk: Walk, step: AnyStep, to: str = "") -> str:
    """The step `to`, or the one that follows when it is ''."""
    return to or walk.spec.after(step)
