"""One person through an automation with the clock sped up: each step, when it would be due, and the message as they would get it.

The real engine decides, by the person and the shop as they are now; only time is another one. Nothing leaves, no coupon is made, and
nothing is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from sidecar.automations import describe, engine, enrolments, guards, versions
from sidecar.automations.channels.model import Outgoing
from sidecar.automations.effects import CouponWish, NoteWish
from sidecar.automations.enrolments import Enrolment, Entry
from sidecar.automations.messages.model import Context, Coupon, Moment, Money, Percent
from sidecar.automations.messages.writer import MessageWriter
from sidecar.automations.model import Automation, ChannelName, OnCart, Send
from sidecar.automations.place import Item, Place, Written
from sidecar.automations.quiet import Quiet
from sidecar.automations.scratch import scratch
from sidecar.automations.steps import wishes
from sidecar.errors import SidecarError
from sidecar.state.database import State
from sidecar.values import money

# An automation is over sooner, or it is none that ends by time.
_MOST_DAYS, _MOST_LOOKS = 1100, 400
_BUYING = frozenset({"order.placed", "order.paid", "order.created"})


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What would have gone out, with its words. Personal: it is shown, and not kept."""

    channel: str
    to: str
    language: str
    subject: str
    text: str
    html: str


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """A step. `at`: Unix seconds UTC of the simulated clock; `says`: what the step does; `sentence`: what became of it."""

    step: str
    at: int
    says: str
    outcome: str
    sentence: str
    message: Shown | None = None
    note: str = ""


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """`end`: how it ended (done, goal, exit, failed, or waiting: nothing more comes by time alone), and when. `assumed`: no channel
    is set up yet, so it goes by e-mail here."""

    steps: list[Passed]
    end: str
    ended: int
    sentence: str
    assumed: bool = False


def simulate(
    place: Place, automation: Automation, person: int, subject: str, *, buys_after: int | None = None
) -> Simulated:
    """Walk a person through. `subject`: what it is about (cart:12, order:55, ''). `buys_after`: they place an order so many seconds
    after entering. Raises StoreUnavailable."""
    with scratch(place.config.state.dir, person) as state:
        if place.reach.providers():
            return _Simulation(place, state, automation, person).run(subject, buys_after)
        there = msgspec.structs.replace(place, reach=_Email())
        found = _Simulation(there, state, automation, person).run(subject, buys_after)
        return msgspec.structs.replace(found, assumed=True)


class _Email:
    """A `place.Reach` of a shop that has e-mail."""

    def providers(self) -> Mapping[ChannelName, str]:
        return {"email": "fluentcrm"}

    def off(self) -> Collection[ChannelName]:
        return ()

    def knows(self, provider: str) -> bool:
        return True

    def addresses(self, channel: ChannelName, people: Sequence[int]) -> dict[int, str]:
        return {}


class _Simulation:
    def __init__(self, place: Place, state: State, automation: Automation, person: int) -> None:
        self._effects = Quiet()
        self._state, self._automation, self._person = state, automation, person
        self.now = place.now
        self._place = msgspec.structs.replace(
            place, state=state, effects=self._effects, writer=_Writer(place, state, self), clock=lambda: float(self.now),
            start=lambda name, entry: "", until=0.0, held=False,
        )  # fmt: skip
        self._told: set[tuple[str, int]] = set()

    def run(self, subject: str, buys_after: int | None) -> Simulated:
        row = versions.row(self._state, self._automation.name)
        self._state.sql.execute("UPDATE automation SET running = 0")
        self._state.sql.execute("UPDATE automation SET running = 1 WHERE id = ?", (row.id,))
        # What is inside already is not simulated; what it has sent counts.
        self._state.sql.execute("UPDATE enrolment SET state = 'done', due = NULL")
        self._state.sql.execute("DELETE FROM enrolment WHERE automation_id = ? AND subject = ?", (row.id, subject))
        entry = Entry(person_id=self._person, subject=subject, at=self.now)
        enrolments.enter(self._state, row, self._automation, [entry])
        id_ = int(self._state.rows("SELECT MAX(id) FROM enrolment")[0][0])
        buys = None if buys_after is None else self.now + buys_after
        steps: list[Passed] = []
        last = self.now + _MOST_DAYS * 86_400
        for _ in range(_MOST_LOOKS):
            engine.run(self._place)
            steps += self._new(id_)
            one = enrolments.get(self._state, id_)
            assert one is not None
            if one.state != "waiting" or one.due is None or one.due > last:
                return _over(one, steps, self.now)
            if buys is not None and one.due > buys:
                self.now, buys = max(self.now, buys), None
                how = self._bought()
                steps.append(
                    Passed(step="", at=self.now, says="they place an order", outcome="done", sentence=_EFFECT[how])
                )
                if how:
                    enrolments.end(self._state, id_, how, "bought", self.now)
                    continue
            self.now = max(one.due, self.now + 1)
        raise SidecarError(f"{self._automation.name} does not come to an end: {_MOST_LOOKS} looks were not enough")

    def _bought(self) -> Literal["goal", "exit", ""]:
        spec = self._automation
        if isinstance(spec.trigger, OnCart) or _BUYING & set(spec.goal.topics):
            return "goal"
        return "exit" if any(_BUYING & set(way.topics) for way in spec.exits) else ""

    def _new(self, id_: int) -> Iterator[Passed]:
        """The steps that are over since the last look."""
        places = {step.id: number for number, step in enumerate(self._automation.steps)}
        rows = self._state.rows("SELECT step, at, outcome, reason FROM step_done WHERE enrolment_id = ?", (id_,))
        sent = {one.container.rpartition("/")[2]: one for one in self._effects.sent}
        notes = {one.key: f"{one.title}: {one.body}" for one in self._effects.wished if isinstance(one, NoteWish)}
        way = enrolments.get(self._state, id_)
        assert way is not None
        for step_id, at, outcome, reason in sorted(rows, key=lambda row: (row[1], places.get(row[0], 0))):
            step = self._automation.step(step_id)
            if (step_id, at) in self._told or step is None:
                continue
            self._told.add((step_id, at))
            said = guards.REASONS.get(reason.partition(":")[0], reason)
            yield Passed(
                step=step_id, at=at, says=describe.says(step, self._place.zone), outcome=outcome,
                sentence={"done": "", "skipped": f"left out: {said}"}.get(outcome, f"did not work: {reason}"),
                message=_shown(sent[step_id]) if outcome == "done" and step_id in sent else None,
                note=notes.get(wishes.key(self._state, way, step_id), ""),
            )  # fmt: skip

    def coupon(self) -> Coupon | None:
        """The last one that was wished, as it would be."""
        wishes = [one for one in self._effects.wished if isinstance(one, CouponWish)]
        if not wishes:
            return None
        wish, info = wishes[-1], self._place.info
        if wish.expires <= self.now:
            return None

        def amount(text: str) -> Money | None:
            micros = money.to_micros(text or None)
            return Money(micros, info.currency, info.decimals) if micros else None

        return Coupon(
            code=wish.code, amount=Percent(wish.amount) if wish.kind == "percent" else amount(wish.amount),
            expires=Moment(wish.expires), minimum=amount(wish.minimum), free_shipping=wish.free_shipping,
        )  # fmt: skip


_EFFECT = {"goal": "that is what it is for: it ends", "exit": "that ends it", "": "that does not end it"}


class _Writer(MessageWriter):
    """Writes at the simulated time, and with the coupon that was not made."""

    def __init__(self, place: Place, state: State, simulation: _Simulation) -> None:
        super().__init__(place.config, state, place.reader, place.zone, place.reach)
        self._simulation = simulation

    @property
    def now(self) -> int:
        return self._simulation.now

    def _message(
        self, item: Item, send: Send, channel: ChannelName, about: Context, key: str, own_page: bool
    ) -> Written:
        if item.data.coupons:
            about = msgspec.structs.replace(about, coupon=self._simulation.coupon())
        return super()._message(item, send, channel, about, key, own_page)


def _over(one: Enrolment, steps: list[Passed], now: int) -> Simulated:
    said = guards.REASONS.get(one.reason, one.reason)
    words = {
        "done": "came to the end",
        "goal": "ended: what it is for has happened",
        "waiting": "nothing more comes by time alone",
    }
    return Simulated(
        steps=steps, end=one.state, ended=one.ended or now, sentence=words.get(one.state, f"ended: {said}")
    )


def _shown(one: Outgoing) -> Shown:
    return Shown(
        channel=one.channel, to=one.to, language=one.language, subject=one.subject, text=one.text, html=one.html
    )
