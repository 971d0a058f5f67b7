"""A round of messages: a row each, put into words, handed over, and what became of them (see `handing`)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from sidecar.automations import decisions, guards, handing, troubles
from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.enrolments import LEASE_MS
from sidecar.automations.guards import Verdict
from sidecar.automations.handing import Message
from sidecar.automations.model import ChannelName, Send
from sidecar.automations.place import Item, Place, Written
from sidecar.automations.steps.moves import Do, Go, Rest, Walk, onward
from sidecar.automations.worked import Worked

if TYPE_CHECKING:
    from sidecar.automations.batch import Batch

log = logging.getLogger(__name__)

# Messages a call takes.
MOST = 100
# Seconds until a channel that could not be asked is asked again.
_ASK_AGAIN = 60
_WEEK_MS = 7 * 86_400_000
# What an outcome that was written, but not acted on, comes to.
_OUTCOME: dict[str, Literal["sent", "refused", "unsure"]] = {"failed": "refused", "unsure": "unsure"}
Wanted = tuple[Walk, Send, ChannelName]


class Sending:
    """The messages of a batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._place = batch.place

    # --- what a dead worker left -----------------------------------------------------------------------------

    def resume(self, messages: Mapping[int, Message]) -> None:
        """Steps whose message was begun before."""
        cut_off: list[tuple[Walk, Message]] = []
        for id_, message in messages.items():
            walk = self._batch.walks.get(id_)
            if walk is None:
                continue
            if message.state == "again":
                walk.message = message
            elif message.state == "handing":
                cut_off.append((walk, message))
            else:
                outcome = Handed(key=message.key, state=_OUTCOME.get(message.state, "sent"), reason=message.reason)
                self._went(walk, outcome)
        if not cut_off:
            return
        answers = ask(self._place, [message for _, message in cut_off])
        now_ms = self._place.tick()
        with self._place.state.transaction() as sql:
            handing.handed(sql, [one for one in answers.values() if one.state != "again"], now_ms)
        for walk, message in cut_off:
            answer = answers[message.key]
            if answer.state != "again":
                self._went(walk, answer)
            elif answer.wait > 0:
                self._batch.stop(walk, Rest(at=walk.one.step, due=self._place.now + _ASK_AGAIN, planned=walk.planned))
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
        ready = self._handed_over(list(zip(wanted, written, strict=True)))
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
            self._batch.stop(walk, Rest(at=step.id, due=self._place.now + _ASK_AGAIN, planned=walk.planned))
        elif outcome.state == "again":
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
                if maybe(self._place, before) and before and (before.channel, before.provider) != (channel, provider):
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


def ask(place: Place, cut_off: Sequence[Message]) -> dict[str, Handed]:
    """What became of messages whose handing over was cut off. `again` with a `wait`: the channel cannot be asked now; without one: it
    knows keys and not this one, so that it may be handed over under the same key. Of whom nobody knows anything it is
    `unsure`."""
    if not cut_off:
        return {}
    try:
        known = place.effects.asked([message.key for message in cut_off])
    except Exception:
        log.exception("channels could not be asked about messages")
        return {one.key: Handed(key=one.key, state="again", reason="not_asked", wait=_ASK_AGAIN) for one in cut_off}
    found = {}
    for message in cut_off:
        lost: Literal["again", "unsure"] = "again" if place.reach.knows(message.provider) else "unsure"
        found[message.key] = known.get(message.key) or Handed(key=message.key, state=lost, reason="cut_off")
    return found


def settle_left(place: Place, worked: Worked) -> None:
    """Messages that were being handed over for an enrolment that has ended since: nobody comes to them any more."""
    answers = ask(place, handing.left(place.state, place.now * 1000 - LEASE_MS))
    settled = [
        msgspec.structs.replace(one, state="unsure") if one.state == "again" else one
        for one in answers.values()
        if one.wait <= 0
    ]
    if settled:
        now_ms = place.tick()
        with place.state.transaction() as sql:
            handing.handed(sql, settled, now_ms)
        worked.unsure += sum(one.state == "unsure" for one in settled)


def maybe(place: Place, message: Message | None) -> bool:
    """Whether a message that nobody has confirmed may have gone: it was offered to a provider that knows keys, so that doing it again
    was not asked with much care."""
    if message is None or message.state not in ("again", "handing"):
        return False
    return bool(message.state == "handing" or message.reason) and place.reach.knows(message.provider)


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
