"""A round of whatever else steps do to the world: coupons, the contact, notes and tickets, webhooks, other automations."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sidecar.automations import moments, purse, troubles
from sidecar.automations.effects import CouponWish, Outcome
from sidecar.automations.enrolments import Entry
from sidecar.automations.model import (
    AnyStep,
    Coupon,
    Note,
    SetField,
    Start,
    Tagged,
    Ticket,
    Webhook,
)
from sidecar.automations.place import Item
from sidecar.automations.purse import Planned
from sidecar.automations.steps import wishes
from sidecar.automations.steps.moves import Go, Walk, onward
from sidecar.automations.steps.wishes import Wish
from sidecar.errors import AutomationError, NotFound

if TYPE_CHECKING:
    from sidecar.automations.batch import Batch

log = logging.getLogger(__name__)

# Wishes a call takes.
MOST = 100
Wanted = tuple[Walk, AnyStep]


class Acting:
    """What a batch wants done besides messages. A crash on the way does it again, under the same keys."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._place = batch.place

    def act(self, wanted: Sequence[Wanted]) -> None:
        """One step of each."""
        self._start([(walk, step) for walk, step in wanted if isinstance(step, Start)])
        effects = self._place.effects
        coupons = [(walk, step) for walk, step in wanted if isinstance(step, Coupon)]
        self._do(self._coupons(coupons), effects.coupons)
        texts = self._texts([one for one in wanted if not isinstance(one[1], Start | Coupon)])
        made: dict[str, list[tuple[Walk, AnyStep, Wish]]] = {"contacts": [], "notes": [], "hooks": []}
        for walk, step in wanted:
            words = texts.get(walk.one.id)
            if words is None:
                continue
            if isinstance(step, Tagged | SetField):
                made["contacts"].append((walk, step, wishes.contact(step, walk, self._place.state, words)))
            elif isinstance(step, Note | Ticket):
                made["notes"].append((walk, step, wishes.note(step, walk, self._place.state, words)))
            elif isinstance(step, Webhook):
                made["hooks"].append((walk, step, wishes.hook(step, walk, self._place.state, words)))
        self._do(made["contacts"], effects.contacts)
        self._do(made["notes"], effects.notes)
        self._do(made["hooks"], effects.hooks)

    # --- kinds -------------------------------------------------------------------------------------------------

    def _start(self, wanted: Sequence[tuple[Walk, Start]]) -> None:
        for walk, step in wanted:
            one = walk.one
            entry = Entry(person_id=one.person_id, subject=one.subject, at=self._place.now, held=one.held)
            try:
                why = self._place.start(step.automation, entry) if self._place.start else "off"
            except (NotFound, AutomationError):
                why = "off"  # its file is broken or gone: the owner is told of that, and nobody gets stuck here
            outcome = Go(to=onward(walk, step), outcome="skipped", reason=why) if why else Go(to=onward(walk, step))
            self._batch.go(walk, outcome)
        self._written([walk for walk, _ in wanted])

    def _coupons(self, wanted: Sequence[tuple[Walk, Coupon]]) -> list[tuple[Walk, AnyStep, Wish]]:
        """Each is written down before it is made; so many a day."""
        state, ready = self._place.state, list[tuple[Walk, AnyStep, Wish]]()
        if not wanted:
            return ready
        now_ms, most = self._place.tick(), self._place.config.automations.coupons_a_day
        with state.transaction() as sql:
            self._batch.ours(sql, now_ms)
            for walk, step in wanted:
                if walk.one.id not in self._batch.walks:
                    continue
                ends = moments.after(self._place.now, step.expires, self._place.zone)
                new = Planned(code=wishes.code(state, walk.one, step), expires=ends)
                key = wishes.key(state, walk.one, step.id)
                plan = purse.plan(sql, key, walk.one, new, self._place.now, most, self._place.zone)
                if plan is None:
                    self._batch.go(walk, Go(to=onward(walk, step), outcome="skipped", reason="coupon_limit"))
                else:
                    ready.append((walk, step, wishes.coupon(step, walk, state, plan.code, plan.expires)))
        return ready

    def _texts(self, wanted: Sequence[Wanted]) -> dict[int, list[str]]:
        """{enrolment: the texts of its step}; those with a broken one are over with it."""
        asked = [(_item(walk), template) for walk, step in wanted for template in wishes.templates(step)]
        written = iter(self._place.writer.texts(asked) if asked else ())
        found: dict[int, list[str]] = {}
        for walk, step in wanted:
            texts = [next(written) for _ in wishes.templates(step)]
            where = f"{walk.spec.name}/{step.id}"
            good = [text for text in texts if text is not None]
            if len(good) < len(texts):
                troubles.broken(self._place.state, where, "its template is broken")
                self._batch.go(walk, Go(to=onward(walk, step), outcome="failed", reason="broken"))
            else:
                found[walk.one.id] = good
        return found

    # --- doing -------------------------------------------------------------------------------------------------

    def _do(
        self, wanted: Sequence[tuple[Walk, AnyStep, Wish]], effect: Callable[[Sequence[Any]], list[Outcome]]
    ) -> None:
        for start in range(0, len(wanted), MOST):
            part = wanted[start : start + MOST]
            try:
                outcomes = {one.key: one for one in effect([wish for _, _, wish in part])}
            except Exception:
                log.exception("steps could not be done")
                outcomes = {}
            self._place.tick()
            for walk, step, wish in part:
                self._become(walk, step, wish, outcomes.get(wish.key))
            self._written([walk for walk, _, _ in part], part, outcomes)

    def _become(self, walk: Walk, step: AnyStep, wish: Wish, outcome: Outcome | None) -> None:
        if outcome is None or outcome.state == "again":
            self._batch.again(walk, step, outcome.wait if outcome else 0.0)
        elif outcome.state == "refused":
            self._batch.go(walk, Go(to=onward(walk, step), outcome="failed", reason=outcome.reason or "refused"))
        else:
            if isinstance(wish, CouponWish):
                walk.one.data.coupons[step.id] = outcome.value or wish.code
                walk.one.data.expires = wish.expires
            self._batch.go(walk, Go(to=onward(walk, step)))

    def _written(
        self,
        walks: Sequence[Walk],
        wanted: Sequence[tuple[Walk, AnyStep, Wish]] = (),
        outcomes: Mapping[str, Outcome] | None = None,
    ) -> None:
        """How far they have come, and what became of coupons."""
        if not walks:
            return
        with self._place.state.transaction() as sql:
            for _, _, wish in wanted:
                outcome = (outcomes or {}).get(wish.key)
                if isinstance(wish, CouponWish) and outcome is not None:
                    if outcome.state == "done":
                        purse.made(sql, wish.key, outcome.value or wish.code, outcome.id)
                    elif outcome.state == "refused":
                        purse.refused(sql, wish.key)
            self._batch.progress(sql, [walk for walk in walks if walk.one.id in self._batch.walks])


def _item(walk: Walk) -> Item:
    known = walk.known.contact
    return Item(
        id=walk.one.id, person_id=walk.one.person_id, contact_id=known.id if known else 0, subject=walk.one.subject,
        data=walk.one.data,
    )  # fmt: skip
