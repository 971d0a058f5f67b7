"""A round of messages: a row each, put into words, handed over, and what became of them (see `handing`)."""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from sidecar.automations import decisions, guards, handing, lost, troubles
from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.guards import Verdict
from sidecar.automations.handing import Message
from sidecar.automations.model import ChannelName, Send
from sidecar.automations.place import Item, Written
from sidecar.automations.steps.moves import Do, Go, Rest, Walk, onward

if TYPE_CHECKING:
    from sidecar.automations.batch import Batch

log = logging.getLogger(__name__)

# Messages that are put into words at once.
MOST = 100
# Messages that are handed over at once where nobody can be asked afterwards: if the process dies, so many are unsure at most.
FEW = 5
# What was decided holds for so many seconds: after that a batch hands over no more, and what is left is decided anew at once. So a
# slow channel neither sends by old news nor holds up the pass.
_LONGEST = 5
# A provider that asks for less than so many seconds has a rate: who is left comes one after the other.
_RATE = 2
_WEEK_MS = 7 * 86_400_000
# What an outcome that was written, but not acted on, comes to.
_OUTCOME: dict[str, Literal["sent", "refused", "unsure"]] = {"failed": "refused", "unsure": "unsure"}
Wanted = tuple[Walk, Send, ChannelName]


class Sending:
    """The messages of a batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._place = batch.place
        self._until = 0.0
        # {provider: seconds that it asked for}: it takes no more of this batch. And how many were put off for that.
        self._full: dict[str, float] = {}
        self._queued: Counter[str] = Counter()

    # --- what a dead worker left -----------------------------------------------------------------------------

    def resume(self, messages: Mapping[int, Message]) -> None:
        """Steps whose message was begun before."""
        cut_off: list[tuple[Walk, Message]] = []
        for id_, message in messages.items():
            walk = self._batch.walks.get(id_)
            if walk is None:
                continue
            offered = lost.maybe(self._place, message)
            if message.state == "handing" or (offered and lost.forgotten(self._place, message)):
                cut_off.append((walk, message))
            elif message.state == "again":
                walk.message = message
            else:
                outcome = Handed(key=message.key, state=_OUTCOME.get(message.state, "sent"), reason=message.reason)
                self._went(walk, outcome)
        if not cut_off:
            return
        answers = lost.ask(self._place, [message for _, message in cut_off])
        now_ms = self._place.tick()
        with self._place.state.transaction() as sql:
            handing.handed(sql, [one for one in answers.values() if one.state != "again"], now_ms)
        for walk, message in cut_off:
            answer = answers[message.key]
            if answer.state != "again":
                self._went(walk, answer)
            elif answer.wait > 0:
                self._batch.stop(
                    walk, Rest(at=walk.one.step, due=self._place.now + lost.ASK_AGAIN, planned=walk.planned)
                )
            else:
                walk.message = message

    def _went(self, walk: Walk, outcome: Handed) -> None:
        """The step is over, well or not."""
        self._batch.worked.sent += outcome.state in ("queued", "sent")
        self._batch.worked.unsure += outcome.state == "unsure"
        step = walk.step
        assert step is not None
        good = outcome.state in ("queued", "sent")
        reason = "" if good else outcome.reason or outcome.state
        self._batch.go(walk, Go(to=onward(walk, step), outcome="done" if good else "failed", reason=reason))

    # --- a round -----------------------------------------------------------------------------------------------

    def send(self, wanted: Sequence[tuple[Walk, Do]]) -> None:
        """Messages that were decided on."""
        self._until = time.monotonic() + _LONGEST
        for start in range(0, len(wanted), MOST):
            self._some(
                [
                    (walk, do.step, do.channel)
                    for walk, do in wanted[start : start + MOST]
                    if isinstance(do.step, Send) and do.channel is not None
                ]
            )

    def _some(self, wanted: list[Wanted]) -> None:
        wanted = self._begun(wanted)
        if not wanted:
            return
        items = [(_item(walk), send, channel) for walk, send, channel in wanted]
        written = self._place.writer.messages(items)
        for part in self._parts(list(zip(wanted, written, strict=True))):
            over = time.monotonic() > self._until
            for (walk, send, channel), _ in part:
                provider = self._batch.providers[channel]
                if over or provider in self._full:
                    due = self._place.now + self._wait(provider)
                    self._batch.stop(walk, Rest(at=send.id, due=due, planned=walk.planned))
            if not over:
                self._part([one for one in part if one[0][0].one.id in self._batch.walks])

    def _wait(self, provider: str) -> int:
        """Seconds until somebody who was not offered to it is decided on anew."""
        wait = self._full.get(provider, 0.0)
        self._queued[provider] += 1
        return math.ceil(wait * self._queued[provider] if wait < _RATE else wait)

    def _parts(self, wanted: list[tuple[Wanted, Written]]) -> Iterator[list[tuple[Wanted, Written]]]:
        """As many at once as can be told apart after a crash."""
        knowing = {name for name in self._batch.providers.values() if self._place.reach.knows(name)}
        asked = [one for one in wanted if self._batch.providers[one[0][2]] in knowing]
        others = [one for one in wanted if self._batch.providers[one[0][2]] not in knowing]
        if asked:
            yield asked
        for start in range(0, len(others), FEW):
            yield others[start : start + FEW]

    def _part(self, wanted: list[tuple[Wanted, Written]]) -> None:
        ready = self._handed_over(wanted)
        if not ready:
            return
        try:
            outcomes = {one.key: one for one in self._place.effects.send([message for _, message in ready])}
        except Exception:
            # They may have gone: the next one who looks asks.
            log.exception("messages could not be handed over")
            outcomes = {}
        now_ms = self._place.tick()
        walks = [walk for walk, _ in ready]
        with self._place.state.transaction() as sql:
            handing.handed(sql, outcomes.values(), now_ms)
            self._batch.ours(sql, now_ms)
            for walk, message in ready:
                self._become(walk, message, outcomes.get(message.key), now_ms)
            self._batch.progress(sql, [walk for walk in walks if walk.one.id in self._batch.walks])

    def _become(self, walk: Walk, message: Outgoing, outcome: Handed | None, now_ms: int) -> None:
        step = walk.step
        if walk.one.id not in self._batch.walks or step is None:
            return
        if outcome is None:
            self._batch.stop(walk, Rest(at=step.id, due=self._place.now + lost.ASK_AGAIN, planned=walk.planned))
        elif outcome.state == "again":
            if outcome.wait:
                self._full[self._batch.providers[message.channel]] = outcome.wait
            self._batch.again(walk, step, outcome.wait)
        else:
            if outcome.state != "refused" and message.purpose == "marketing":
                walk.known.sent.setdefault(message.channel, []).append(now_ms)
            self._went(walk, outcome)

    def _begun(self, wanted: list[Wanted]) -> list[Wanted]:
        """A row for each."""
        begun: list[Wanted] = []
        now_ms = self._place.tick()
        with self._place.state.transaction() as sql:
            self._batch.ours(sql, now_ms)
            for walk, send, channel in wanted:
                if walk.one.id not in self._batch.walks:
                    continue
                provider, before = self._batch.providers[channel], walk.message
                if (
                    lost.maybe(self._place, before)
                    and before
                    and (before.channel, before.provider) != (channel, provider)
                ):
                    # That one may have it after all, and would not take it twice: nobody else gets it.
                    self._batch.again(walk, send)
                    continue
                cut_off = before is not None and before.state == "handing"
                walk.message = handing.begin(sql, walk.one, send, channel, provider, now_ms, cut_off)
                if walk.message is None:
                    # Somebody else has handed it over since the batch began: whoever has the enrolment goes on.
                    del self._batch.walks[walk.one.id]
                else:
                    begun.append((walk, send, channel))
            # With the row stands where they are: whoever comes after a crash looks for the message of that step.
            self._batch.progress(sql, [walk for walk, _, _ in begun])
        return begun

    def _handed_over(self, wanted: list[tuple[Wanted, Written]]) -> list[tuple[Walk, Outgoing]]:
        """Those that may go, marked as going. What is broken never does; a cap that another worker's message has filled since puts it
        off."""
        ready: list[tuple[Walk, Outgoing]] = []
        now_ms = self._place.tick()
        with self._place.state.transaction() as sql:
            self._batch.ours(sql, now_ms)
            for (walk, send, channel), text in wanted:
                message = walk.message
                if walk.one.id not in self._batch.walks or message is None:
                    continue
                if text.problems:
                    self._unsendable(walk, send, text.problems[0])
                    continue
                troubles.mended(self._place.state, f"{walk.spec.name}/{send.id}")
                sent = handing.sent(sql, walk.one.person_id, channel, now_ms - _WEEK_MS, message.id)
                objection = guards.cap(send, channel, sent, self._place.now, self._batch.shop)
                if objection is not None:
                    self._postpone(walk, send, objection)
                    continue
                provider = self._batch.providers[channel]
                if handing.hand(sql, message, channel, provider, text.language, now_ms):
                    ready.append((walk, _outgoing(walk, send, channel, message, text)))
                else:
                    del self._batch.walks[walk.one.id]
        return ready

    def _unsendable(self, walk: Walk, send: Send, problem: str) -> None:
        """Its subject is gone (`gone: …`), which is nobody's fault; or its text is broken, which is told."""
        following = onward(walk, send)
        if problem.startswith("gone:"):
            self._batch.go(walk, Go(to=following, outcome="skipped", reason="gone"))
            return
        troubles.broken(self._place.state, f"{walk.spec.name}/{send.id}", problem)
        self._batch.go(walk, Go(to=following, outcome="failed", reason=f"broken: {problem}"))

    def _postpone(self, walk: Walk, send: Send, objection: Verdict) -> None:
        verdict = decisions.in_time(send, objection, walk.planned, self._batch.shop)
        if verdict.kind == "wait":
            self._batch.worked.postponed += 1
            self._batch.stop(walk, Rest(at=send.id, due=verdict.until, planned=walk.planned))
        else:
            self._batch.go(walk, Go(to=onward(walk, send), outcome="skipped", reason=verdict.reason))


def _item(walk: Walk) -> Item:
    known = walk.known.contact
    return Item(
        id=walk.one.id, person_id=walk.one.person_id, contact_id=known.id if known else 0, subject=walk.one.subject,
        data=walk.one.data, message=walk.message.id if walk.message else 0,
    )  # fmt: skip


def _outgoing(walk: Walk, send: Send, channel: ChannelName, message: Message, text: Written) -> Outgoing:
    known = walk.known.contact
    return Outgoing(
        key=message.key, channel=channel, person_id=walk.one.person_id, contact_id=known.id if known else 0,
        to=walk.known.addresses[channel], language=text.language, purpose=send.purpose,
        container=f"{walk.spec.name}/{send.id}", title=send.title or walk.spec.title, subject=text.subject,
        preheader=text.preheader, html=text.html, text=text.text, template=text.template, parameters=text.parameters,
        link=text.link, unsubscribe=text.unsubscribe,
    )  # fmt: skip
