"""What an automation would have done: its trigger replayed on the shop's own history, and who bought anyway.

Reads only. Purchases end a way as they did in truth; whoever bought soon after a message would have gone out, without having got any, is
whom no message can win: their share is the honest ceiling of the effect. What history does not keep is taken as it is today: consent,
filters, branches. What is not kept at all (carts before the plugin, stock) is said.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import msgspec

from sidecar.automations import enter, guards, loading, model, moments, past
from sidecar.automations.enrolments import Data, Enrolment, Entry
from sidecar.automations.guards import Verdict
from sidecar.automations.known import Known
from sidecar.automations.past import History
from sidecar.automations.place import Place
from sidecar.automations.sources import asked
from sidecar.automations.versions import Row
from sidecar.segments import evaluate
from sidecar.segments.model import Period
from sidecar.segments.times import due

_DAY = 86_400
_BUYING = frozenset({"order.placed", "order.paid", "order.created"})
# People whose consent is read at a time.
_PAGE = 300
# Times that people enter by a schedule, at most.
_MOST = 200_000


class StepTest(msgspec.Struct, kw_only=True):
    """A message: how many would have gone out, and why others not. `bought`: of those who would have got it, how many bought within the
    days of credit after it, without it. `weeks`: how many in each week of the period, the oldest first."""

    step: str
    title: str = ""
    sent: int = 0
    left_out: dict[str, int] = {}
    bought: int = 0
    weeks: list[int] = []


class Backtest(msgspec.Struct, kw_only=True):
    """`entered`: ways, of `people`. `reached`: people who would have got a message; `bought_anyway`: of these, who bought within
    `credit_days` after the last one. `ceiling`: at most this share of those reached can be won. `notes`: what the answer stands on."""

    name: str
    days: int
    since: int
    entered: int = 0
    people: int = 0
    filtered: int = 0
    goals: int = 0
    exits: int = 0
    messages: int = 0
    reached: int = 0
    bought_anyway: int = 0
    credit_days: int = 5
    steps: list[StepTest] = []
    notes: list[str] = []

    @property
    def ceiling(self) -> float | None:
        """0 to 1; None when nobody would have been reached."""
        return 1 - self.bought_anyway / self.reached if self.reached else None


def backtest(place: Place, automation: model.Automation, days: int) -> Backtest:
    """Replay the last so many days. Raises StoreUnavailable."""
    since = place.now - days * _DAY
    found = Backtest(
        name=automation.name, days=days, since=since, credit_days=place.config.automations.credit_days,
        steps=[StepTest(step=step.id, title=step.title, weeks=[0] * -(-days // 7)) for step in automation.steps if isinstance(step, model.Send)],
    )  # fmt: skip
    history = past.history(place, automation, since)
    found.notes = list(history.notes)
    entries = _admitted(place, automation, history, found)
    orders = past.orders(place.state, {entry.person_id for entry in entries})
    _Walks(place, automation, found, orders).walk(entries)
    return found


def _admitted(place: Place, automation: model.Automation, history: History, found: Backtest) -> list[Entry]:
    """Those who pass the filter as they are today, and were not in it too lately."""
    row = Row(id=0, name=automation.name, running=True)
    ask = asked(place, row, automation, {})
    admitted = enter.admitted(ask, history.entries)
    if history.runs:
        admitted = _each_time(admitted, history.runs, found)
    found.filtered = len({entry.person_id for entry in history.entries} - {entry.person_id for entry in admitted})
    if automation.filter is not None:
        found.notes.append("The filter is asked as of today.")
    last: dict[int, int] = {}
    kept = []
    for entry in admitted:
        before, again = last.get(entry.person_id), automation.again
        if before is not None and (again is None or (again != Period() and due(before, again, place.zone) > entry.at)):
            continue
        last[entry.person_id] = entry.at
        kept.append(entry)
    found.entered, found.people = len(kept), len(last)
    return kept


def _each_time(admitted: Sequence[Entry], runs: Sequence[int], found: Backtest) -> list[Entry]:
    """All of them at each time of a schedule: everybody a hundred times over would not fit into the memory of a small host."""
    tried = runs[-max(1, _MOST // max(1, len(admitted))) :]
    if len(tried) < len(runs):
        found.notes.append(f"So many people pass that only the last {len(tried)} of {len(runs)} times are tried.")
    return [Entry(person_id=entry.person_id, subject=f"run:{at}", at=at) for at in tried for entry in admitted]


class _Walks:
    """All ways, each by itself, on a clock of its own."""

    def __init__(
        self,
        place: Place,
        automation: model.Automation,
        found: Backtest,
        orders: Mapping[int, Sequence[tuple[int, int]]],
    ) -> None:
        self._place, self._spec, self._found, self._orders = place, automation, found, orders
        self._steps = {step.step: step for step in found.steps}
        self._providers = set(place.reach.providers()) or {"email"}
        if not place.reach.providers():
            found.notes.append("No channel is set up yet: counted as if e-mail were.")
        self._last: dict[int, int] = {}
        if any(isinstance(step, model.Branch) for step in automation.steps):
            found.notes.append("Branches are asked as of today.")
        if any(isinstance(step, model.WaitEvent | model.WaitMoment) for step in automation.steps):
            found.notes.append("What is waited for is taken not to come.")
        found.notes.append("Consent, addresses and caps are those of today; caps of other automations are not counted.")

    def walk(self, entries: Sequence[Entry]) -> None:
        for start in range(0, len(entries), _PAGE):
            page = entries[start : start + _PAGE]
            for entry, known in zip(page, self._known(page), strict=True):
                self._one(entry, known)
        window = self._found.credit_days * _DAY
        self._found.reached = len(self._last)
        self._found.bought_anyway = sum(self._buys(person, at, at + window) for person, at in self._last.items())

    def _known(self, page: Sequence[Entry]) -> list[Known]:
        """The people as they are today."""
        ways = [
            Enrolment(
                id=number, automation_id=0, version_id=0, person_id=entry.person_id, subject="", held=False, entered=self._place.now,
                state="waiting", step="", due=None, awaits="", claim=0, attempts=0, ended=None, reason="", data=Data(),
            )
            for number, entry in enumerate(page)
        ]  # fmt: skip
        bare = msgspec.structs.replace(self._spec, goal=model.Goal(), trigger=model.ByHand())
        known = loading.load(self._place, ways, {0: bare})
        return [known[number] for number in range(len(page))]

    def _one(self, entry: Entry, known: Known) -> None:
        now, step = entry.at, self._spec.steps[0]
        for _ in range(len(self._spec.steps)):
            ended = self._ended(entry, now)
            if ended or now > self._place.now:
                self._found.goals += ended == "goal"
                self._found.exits += ended == "exit"
                return
            following = self._spec.after(step)
            zone = known.zone if isinstance(step, model.Wait) and step.zone == "person" else self._place.zone
            if isinstance(step, model.Wait):
                now = moments.next_at(moments.after(now, step.period, zone), step.at, step.days, zone)
            elif isinstance(step, model.WaitEvent):
                now, following = moments.after(now, step.at_most, zone), step.otherwise or following
            elif isinstance(step, model.WaitMoment):
                following = step.otherwise or following
            elif isinstance(step, model.Branch):
                holds = known.subject is not None and evaluate.member(step.rule, known.subject, self._place.at)
                following = (step.then if holds else step.otherwise) or following
            elif isinstance(step, model.Split):
                following = max(step.ways, key=step.ways.__getitem__)
            elif isinstance(step, model.Stop):
                return
            elif isinstance(step, model.Send):
                now = self._send(step, entry, known, now)
            after = self._spec.step(following)
            if after is None:
                return
            step = after

    def _send(self, step: model.Send, entry: Entry, known: Known, now: int) -> int:
        """The message, or why not; the moment at which it would have gone."""
        test = self._steps[step.id]
        config = self._place.config.automations
        quiet = (
            moments.quiet_until(now, config.quiet_from, config.quiet_to, known.zone)
            if step.purpose == "marketing"
            else None
        )
        now = quiet or now
        if now > self._place.now or self._ended(entry, now):
            return now
        objection = "suppressed" if known.suppressed else "no_contact" if known.contact is None else ""
        if not objection:
            way = guards.channel_of(step, known, self._providers)
            offer = guards.offer(step.offer, known)
            objection = way.reason if isinstance(way, Verdict) else offer.reason if offer else ""
        if objection:
            test.left_out[objection] = test.left_out.get(objection, 0) + 1
            return now
        test.sent += 1
        test.weeks[min((now - self._found.since) // (7 * _DAY), len(test.weeks) - 1)] += 1
        test.bought += self._buys(entry.person_id, now, now + self._found.credit_days * _DAY)
        self._found.messages += 1
        self._last[entry.person_id] = max(now, self._last.get(entry.person_id, 0))
        return now

    def _ended(self, entry: Entry, now: int) -> str:
        """Whether what they did in truth had ended it by then."""
        own = entry.subject if entry.subject.startswith("order:") else ""
        bought = self._buys(entry.person_id, entry.at, now, own)
        if bought and (
            isinstance(self._spec.trigger, model.OnCart)
            or (_BUYING & set(self._spec.goal.topics) and not self._spec.goal.same_order)
        ):
            return "goal"
        return "exit" if bought and any(_BUYING & set(way.topics) for way in self._spec.exits) else ""

    def _buys(self, person: int, after: int, until: int, but: str = "") -> bool:
        """Whether they placed an order after one moment, and not after another."""
        mine = self._orders.get(person, ())
        for at, order in mine[bisect_right(mine, (after, 2**62)) :]:
            if at > until:
                return False
            if but != f"order:{order}":
                return True
        return False
