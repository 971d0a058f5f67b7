"""Whether a step is done now: the guards of its kind in their order (see `guards`). Pure."""

from __future__ import annotations

from collections.abc import Collection

from sidecar.automations import guards, moments
from sidecar.automations.enrolments import Enrolment
from sidecar.automations.guards import Shop, Verdict
from sidecar.automations.known import Known
from sidecar.automations.model import AnyStep, Automation, ChannelName, Coupon, Send
from sidecar.automations.wares import goods


def message(
    send: Send,
    one: Enrolment,
    known: Known,
    providers: Collection[str],
    off: Collection[str],
    planned: int,
    now: int,
    shop: Shop,
) -> ChannelName | Verdict:
    """The channel that a message goes by now, or why it does not. One whose provider is `off` is taken only where no other
    leads to the person: then it waits there."""
    objection = guards.holdout(one)
    if objection:
        return objection
    channel = guards.channel_of(send, known, set(providers) - set(off))
    if isinstance(channel, Verdict):
        channel = guards.channel_of(send, known, providers)
    if isinstance(channel, Verdict):
        return channel
    objection = (
        guards.refusal(send, one, known)
        or guards.offer(send.offer, known)
        or guards.still(send, one, known, goods(one.subject, known), now)
        or guards.quiet(send, now, known, shop)
        or guards.cap(send, channel, known.sent.get(channel, []), now, shop)
    )
    return channel if objection is None else in_time(send, objection, planned, shop)


def in_time(send: AnyStep, objection: Verdict, planned: int, shop: Shop) -> Verdict:
    """A cap that lasts longer than the step may be late leaves it out. Quiet hours are foreseen: they never do."""
    too_late = send.late is not None and moments.after(planned, send.late, shop.at.zone) < objection.until
    return Verdict(kind="skip", reason="cap") if too_late and objection.reason == "cap" else objection


def coupon(step: Coupon, one: Enrolment, spec: Automation, known: Known, providers: Collection[str]) -> Verdict | None:
    """Why a coupon is not made. One that no later message could carry is none that anybody needs."""
    objection = guards.holdout(one) or guards.offer(step.offer, known)
    if objection:
        return objection
    later = spec.steps[spec.steps.index(step) + 1 :]
    sends = [each for each in later if isinstance(each, Send)]
    if sends and all(isinstance(guards.channel_of(each, known, providers), Verdict) for each in sends):
        return Verdict(kind="skip", reason="no_message")
    return None
