"""Anything in any order: people enter, buy, change their minds; the clock jumps; processes die or work at the same time. Whatever
happens, nobody gets a message twice, after a purchase or an exit, without consent, or more than the cap; and every way ends.

The checks are made where the messages arrive, against what the test itself knows of the world.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from automating import DAY, HOUR, TEXT, Killed, World, copied
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from support import ShopDatabase

from sidecar.automations import engine, enrolments, versions
from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.enrolments import Entry
from sidecar.automations.model import (
    AnyStep,
    Automation,
    ByHand,
    Coupon,
    Goal,
    Note,
    OnCart,
    Send,
    Split,
    Tagged,
    Wait,
    WaitEvent,
)
from sidecar.config import Config
from sidecar.segments.model import Period

EXAMPLES = int(os.environ.get("AUTOMATIONS_EXAMPLES") or 12)
# A long run only looks for something: what it finds is made smaller by a shorter one.
PHASES = (Phase.generate,) if EXAMPLES >= 100 else tuple(Phase)
PEOPLE = 3
late = st.sampled_from([None, None, Period(seconds=HOUR), Period(days=1)])
sends = st.builds(
    Send, id=st.just("?"), texts=st.just(TEXT), late=late, purpose=st.sampled_from(["marketing", "marketing", "service"]),
    channels=st.sampled_from([("email",), ("sms",), ("sms", "email"), ("email", "sms")]),
)  # fmt: skip
waits = st.builds(
    Wait, id=st.just("?"), period=st.sampled_from([Period(seconds=1800), Period(seconds=6 * HOUR), Period(days=1), Period(days=2)]),
    at=st.sampled_from(["", "", "10:00"]), zone=st.sampled_from(["shop", "person"]),
)  # fmt: skip
others = st.one_of(
    st.builds(Tagged, id=st.just("?"), add=st.just(("x",)), late=late),
    st.builds(Note, id=st.just("?"), title=st.just("t")),
    st.builds(Coupon, id=st.just("?"), kind=st.just("percent"), amount=st.just("5"), expires=st.just(Period(days=3))),
    st.builds(WaitEvent, id=st.just("?"), topic=st.just("email.opened"), at_most=st.just(Period(days=1))),
    st.just(Split(id="?", ways={"s0": 1, "end": 1})),
)
flows = st.lists(st.one_of(sends, sends, waits, others), min_size=1, max_size=5)


def automation(name: str, flow: Sequence[AnyStep], goal: bool, cart: bool) -> Automation:
    import msgspec

    steps: list[AnyStep] = []
    for place, step in enumerate(flow):
        named = msgspec.structs.replace(step, id=f"s{place}")
        if isinstance(named, Split):
            ways = {f"s{place + 1}" if place + 1 < len(flow) else "end": 1, "end": 1}
            named = msgspec.structs.replace(named, ways=ways)
        steps.append(named)
    return Automation(
        name=name, title=name, trigger=OnCart(idle=Period(seconds=1800)) if cart else ByHand(), steps=tuple(steps),
        goal=Goal(topics=("order.paid",) if goal else ()),
    )  # fmt: skip


class Machine(RuleBasedStateMachine):
    """The world as the test knows it."""

    shop: ClassVar[tuple[ShopDatabase, Config]]
    counts: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.world = World(self.shop[0], copied(self.shop[1], self.folder / "state"))
        self.people = self.world.subscribed(PEOPLE)
        self.status = dict.fromkeys(self.people, "subscribed")
        self.sms: dict[int, str] = {}
        self.bought: list[tuple[int, int, str]] = []
        self.specs: dict[str, Automation] = {}
        self.off: set[str] = set()
        self.went: Counter[tuple[int, str]] = Counter()
        self.sent_at: dict[tuple[int, str], list[int]] = {}
        self.meanwhile: list[str] = []
        self.subjects = 0
        self.world.recorder.before = self.arrive
        self.written = self.world.words.messages
        self.world.words.messages = self.write  # type: ignore[method-assign]

    def teardown(self) -> None:
        try:
            self.everything_ends()
        finally:
            self.closed()

    def closed(self) -> None:
        self.counts["messages"] += len(self.world.recorder.sent)
        self.counts.update(f"message {row[2]}" for row in self.world.messages())
        self.counts.update(f"{row[0]} {row[1]}" for row in self.world.state.rows("SELECT state, reason FROM enrolment"))
        self.counts.update(row[0] for row in self.world.state.rows("SELECT reason FROM step_done"))
        self.world.close()
        shutil.rmtree(self.folder)

    # --- where messages arrive -------------------------------------------------------------------------------

    def write(self, wanted: Any) -> Any:
        self.other("writing")
        return self.written(wanted)

    def arrive(self, batch: Sequence[Outgoing]) -> None:
        self.other("handing")
        for message in batch:
            enrolment, step, purpose, person = self.world.state.rows(
                "SELECT enrolment_id, step, purpose, person_id FROM message WHERE key = ?", (message.key,)
            )[0]
            one = self.world.one(enrolment)
            name = message.container.partition("/")[0]
            before = {was.key for was in self.world.recorder.sent}
            if not (self.world.recorder.knows and message.key in before):
                assert self.went[enrolment, step] == 0, "twice"
            assert message.key not in before or self.world.recorder.knows, "the same key twice, where nobody knows keys"
            assert name not in self.off, "its automation is off"
            if message.channel == "email":
                assert self.status[person] in (
                    ("subscribed",) if purpose == "marketing" else ("subscribed", "transactional")
                )
            elif purpose == "marketing":
                assert self.sms.get(person) == "given"
            else:
                assert self.sms.get(person) != "withdrawn"
            spec = self.specs[name]
            since = one.entered
            if spec.goal.topics or isinstance(spec.trigger, OnCart):
                bought = [
                    status for who, at, status in self.bought
                    if who == person and at >= since and (status == "wc-processing" or isinstance(spec.trigger, OnCart))
                ]  # fmt: skip
                assert bought == [], "after a purchase"
            if purpose == "marketing" and message.key not in before:
                times = self.sent_at.setdefault((person, message.channel), [])
                assert sum(at > self.world.now - DAY for at in times) < 1, "more than one in a day"
                assert sum(at > self.world.now - 7 * DAY for at in times) < 4, "more than four in a week"
        # Ended before it was marked as going: it must not arrive. (What ends later is too late to be stopped.)

    def after(self) -> None:
        """Note what has arrived."""
        keys = Counter(message.key for message in self.world.recorder.sent)
        assert max(keys.values(), default=0) <= 1
        for enrolment, step, person, channel, key, purpose in self.world.state.rows(
            "SELECT enrolment_id, step, person_id, channel, key, purpose FROM message"
        ):
            if keys[key] and not self.went[enrolment, step]:
                self.went[enrolment, step] = 1
                if purpose == "marketing":
                    self.sent_at.setdefault((person, channel), []).append(self.world.now)

    def other(self, moment: str) -> None:
        """Another worker works while the first one is in the middle of it; it may die, too."""
        if not self.meanwhile or self.meanwhile[0] != moment:
            return
        self.meanwhile.pop(0)
        answers, self.world.recorder.answers = self.world.recorder.answers, []
        self.after()
        state = self.world.opened()
        with suppress(Killed):
            engine.run(self.world.place(state=state, reader=self.world.reader.another(), batch=2))
        state.close()
        self.world.recorder.answers = answers
        self.after()

    # --- what happens ------------------------------------------------------------------------------------------

    @initialize(
        knows=st.booleans(), flows=st.lists(st.tuples(flows, st.booleans(), st.booleans()), min_size=2, max_size=3)
    )
    def begin(self, knows: bool, flows: list[tuple[list[AnyStep], bool, bool]]) -> None:
        """Two or three automations, and everybody is in each of them."""
        self.world.recorder.knows = knows
        for number, (flow, goal, cart) in enumerate(flows):
            spec = self.specs[f"a{number}"] = automation(f"a{number}", flow, goal, cart)
            self.world.on(*spec.steps, name=spec.name, trigger=spec.trigger, goal=spec.goal)
            for person in self.people:
                self.enter(spec, person, held=False)

    def enter(self, spec: Automation, person: int, held: bool) -> None:
        self.subjects += 1
        entry = Entry(person_id=person, subject=f"day:{self.subjects}", at=self.world.now, held=held)
        enrolments.enter(self.world.state, versions.row(self.world.state, spec.name), spec, [entry])

    @rule(data=st.data(), held=st.sampled_from([False, False, False, True]))
    def somebody_enters(self, data: st.DataObject, held: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.specs)))
        for person in data.draw(st.sets(st.sampled_from(self.people), min_size=1)):
            self.enter(self.specs[name], person, held)

    @rule(place=st.integers(0, PEOPLE - 1), status=st.sampled_from(["wc-processing", "wc-pending"]))
    def somebody_buys(self, place: int, status: str) -> None:
        person = self.people[place]
        self.world.keeper.order(self.world.address(person), at=self.world.at(), status=status, billing={"phone": "1"})
        self.bought.append((person, self.world.now, status))

    @rule(place=st.integers(0, PEOPLE - 1), status=st.sampled_from(["subscribed", "unsubscribed", "transactional"]))
    def status_changes(self, place: int, status: str) -> None:
        self.status[self.people[place]] = status
        self.world.contact(self.world.contact_of(self.people[place]), status=status)

    @rule(place=st.integers(0, PEOPLE - 1), word=st.sampled_from(["given", "given", "withdrawn"]))
    def somebody_says(self, place: int, word: str) -> None:
        self.sms[self.people[place]] = word
        self.world.state.sql.execute("DELETE FROM consent")
        for person, last in self.sms.items():
            self.world.said(person, "sms", last)

    @rule(data=st.data())
    def the_owner_switches(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.specs)))
        self.off ^= {name}
        self.world.state.sql.execute("UPDATE automation SET running = ? WHERE name = ?", (name not in self.off, name))

    @rule(data=st.data())
    def a_trigger_ends_one(self, data: st.DataObject) -> None:
        ids = [row[0] for row in self.world.state.rows("SELECT id FROM enrolment WHERE state = 'waiting'")]
        if ids:
            enrolments.end(self.world.state, data.draw(st.sampled_from(ids)), "exit", "told", self.world.now)

    @rule(seconds=st.sampled_from([60, 1800, 2 * HOUR, 7 * HOUR, DAY, 3 * DAY, -1800, -DAY]))
    def the_clock(self, seconds: int) -> None:
        self.world.now += seconds

    @rule(
        seconds=st.sampled_from([0, 1, 31, 1800, 7 * HOUR, DAY, DAY]),
        kill=st.one_of(st.none(), st.integers(1, 30)),
        answers=st.lists(st.sampled_from(["sent", "sent", "queued", "again", "refused", "unsure"]), max_size=6),
        wait=st.booleans(),
        meanwhile=st.lists(st.sampled_from(["writing", "handing"]), max_size=2),
    )
    def the_engine_works(
        self, seconds: int, kill: int | None, answers: list[str], wait: bool, meanwhile: list[str]
    ) -> None:
        world = self.world
        world.now += seconds
        world.recorder.answers = [
            Handed(key="", state="again", wait=5) if wait and one == "again" else one for one in answers
        ]
        self.meanwhile = meanwhile
        world.death.passed, world.death.at = 0, kill
        try:
            world.work(batch=3)
        except Killed:
            self.counts["kills"] += 1
            world.state.close()
            world.state = world.opened()
        world.death.at = None
        # A dead process's claims are over, sooner or later.
        world.now += 400
        self.meanwhile, world.recorder.answers = [], []
        self.after()

    @rule(kill=st.integers(1, 30), days=st.integers(0, 2))
    def the_engine_dies(self, kill: int, days: int) -> None:
        self.the_engine_works(days * DAY, kill, [], False, [])

    @invariant()
    def each_step_is_sent_once(self) -> None:
        assert max(self.went.values(), default=0) <= 1

    def everything_ends(self) -> None:
        """At last, when nothing else happens."""
        world = self.world
        world.state.sql.execute("UPDATE automation SET running = 1")
        self.off.clear()
        waiting = "SELECT id, step FROM enrolment WHERE state = 'waiting'"
        open_ = "SELECT id, state FROM message WHERE state IN ('handing', 'again')"
        for _ in range(90):
            world.work(batch=50)
            self.after()
            if not world.state.rows(waiting) and not world.state.rows(open_):
                break
            world.now += 29 * HOUR  # not always at the same hour of the night
        assert world.state.rows(waiting) == [] and world.state.rows(open_) == []


def test_whatever_happens(known_shop: tuple[ShopDatabase, Config]) -> None:
    Machine.shop = known_shop
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Machine,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=EXAMPLES < 100, phases=PHASES,
        ),
    )  # fmt: skip
    if EXAMPLES >= 100:
        print(Machine.counts)
