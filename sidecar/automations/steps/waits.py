"""Steps that wait. Pure."""

from __future__ import annotations

from datetime import tzinfo

from sidecar.automations import moments
from sidecar.automations.enrolments import CAME
from sidecar.automations.model import Wait, WaitEvent, WaitMoment
from sidecar.automations.steps.moves import Go, Move, Rest, Walk, onward
from sidecar.segments.model import Period

# A moment of an order may be moved: it is looked up again once a day.
_LOOK_AGAIN = 86_400


def wait(step: Wait, walk: Walk, now: int, shop: tzinfo) -> Move:
    """A period by the calendar, then an hour and a day of the week. The step after it is due then."""
    zone = walk.known.zone if step.zone == "person" else shop
    due = moments.next_at(moments.after(walk.base, step.period, zone), step.at, step.days, zone)
    following = onward(walk, step)
    if due <= now:
        return Go(to=following, planned=due)
    return Rest(at=following, due=due, done=True)


def wait_moment(step: WaitMoment, walk: Walk, now: int, shop: tzinfo) -> Move:
    """Before or after a moment that the order has, as it is now: a booking that was moved is waited for anew, one that was taken
    away is none. A moment that is over makes the next step late."""
    moment = moments.written(walk.known.moments.get(step.order_meta, ""), shop)
    if moment is None:
        return Go(to=onward(walk, step, step.otherwise), outcome="skipped", reason="no_moment")
    if step.before != Period():
        due = moments.before(moment, step.before, shop)
    else:
        due = moments.after(moment, step.after, shop)
    if due <= now:
        return Go(to=onward(walk, step), planned=due)
    return Rest(at=step.id, due=min(due, now + _LOOK_AGAIN))


def wait_event(step: WaitEvent, walk: Walk, now: int, shop: tzinfo) -> Move:
    """Until it comes, or the time is over."""
    if walk.one.awaits == CAME:
        return Go(to=onward(walk, step, step.then))
    if walk.one.awaits == step.topic:
        return Go(to=onward(walk, step, step.otherwise), outcome="skipped", reason="not_come")
    due = moments.after(walk.base, step.at_most, shop)
    if due <= now:
        return Go(to=onward(walk, step, step.otherwise), outcome="skipped", reason="not_come")
    return Rest(at=step.id, due=due, awaits=step.topic)
