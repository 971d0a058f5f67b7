"""A batch of hints applied: what they name is read again, then the people concerned take the path that everybody takes
(`few.py`), written live or quietly.

Nothing of a hint is believed but its ids. So a hint that comes late, twice or never changes nothing in the end.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
from pymysql.connections import Connection

from sidecar.events import activity, monitor, refusals, topics
from sidecar.events.monitor import Done
from sidecar.events.outbox import Hint
from sidecar.segments import contacts, table
from sidecar.store.model import Order
from sidecar.sync import concerned, consents, crm_side, forget, restage, standing
from sidecar.sync.concerned import Concerned
from sidecar.sync.few import LIVE_PAGE, Few, What, Writes
from sidecar.sync.session import Session

# How long a half-written order is read again, and after how long.
UNFINISHED_MS = 90_000
_AGAIN_MS = 2_000
# More buyers of a changed product than this are left to the next reconciliation.
_MANY_BUYERS = 300
_RANK = ("failed", "raced", "changed", "left", "nothing")


class Way(msgspec.Struct, frozen=True, kw_only=True):
    """How things are written now. `live` is None while there is no bridge; `live_from` Unix ms, the moment the live
    mode was first switched on: what happened before is history."""

    quiet: Writes
    live: Writes | None
    live_from: int
    live_hours: int
    now_ms: int
    connect: Callable[[], Connection[Any]]
    erased_again: Callable[[], None]


class Applied(msgspec.Struct, kw_only=True):
    """What became of a batch. `later` are (hint, due ms, failed): to be looked at again. `reconcile`: more follows from
    it than a pass should do."""

    done: list[Done] = []
    later: list[tuple[Hint, int, bool]] = []
    reconcile: bool = False


def apply(session: Session, hints: Sequence[Hint], way: Way) -> Applied:
    """Apply hints. Raises what the shop, FluentCRM or the bridge raise: then it can be called again with the same ones."""
    return _Batch(session, hints, way).apply()


class _Batch:
    def __init__(self, session: Session, hints: Sequence[Hint], way: Way) -> None:
        self._session = session
        self._state = session.state
        self._hints = hints
        self._way = way
        self._looking = [hint for hint in hints if _looks(hint)]
        self._erased = 0
        self._known_before: Collection[int] = ()
        self._said: dict[int, int] = {}
        self._applied = Applied()

    def apply(self) -> Applied:
        session, way = self._session, self._way
        waiting = concerned.dirty(self._state)
        before = Concerned(self._state, self._hints)
        self._known_before = before.orders.keys()
        orders = self._read_again(before)
        buyers = self._products()
        # Before the statuses: an act is told with its own time, a status only says what follows from it.
        self._said = consents.take(session, {hint.object_id for hint in self._hints if _of_consent(hint)})
        owners = self._contacts()
        after = Concerned(self._state, self._hints)
        people = {
            number: before.people(hint) | after.people(hint) | self._owner(hint, owners)
            for number, hint in enumerate(self._hints)
        }
        named = {id_ for number, hint in enumerate(self._hints) if _looks(hint) for id_ in people[number]}
        # Staging may have touched others: whom an account left, whose order it was.
        moved = concerned.dirty(self._state) - waiting - buyers
        vip = standing.settle(session)
        risen = concerned.dirty(self._state) - waiting - moved - buyers
        resting = concerned.resting(self._state, named)
        young = {id_ for number, hint in enumerate(self._hints) if self._young(hint, after) for id_ in people[number]}
        wanted = (named | moved | risen) - resting.keys()
        # Whom others moved (over the line to VIP, say) did so by an act of now, unless an import may have been it.
        acts = [hint for hint in self._looking if topics.of(hint.topic).family in ("order", "customer")]
        all_young = bool(acts) and all(self._young(hint, after) for hint in acts)
        live = ((wanted & young) | ((moved | risen) - named if all_young else set())) if way.live else set()
        whats = {id_: What("left", reason) for id_, reason in resting.items()}
        whats |= self._write(vip, live, (wanted - live) | self._few_buyers(buyers))
        forget.suppressed(session)
        for number, hint in enumerate(self._hints):
            self._result(hint, people[number], whats, orders, after, live)
        self._remember(before, after)
        self._lively(wanted & young, (moved | risen) - named if all_young else set(), after)
        self._contacts_changed(whats, live)
        return self._applied

    # --- reading again ---------------------------------------------------------------------------------

    def _read_again(self, before: Concerned) -> dict[int, Order]:
        families = [(topics.of(hint.topic).family, hint) for hint in self._looking if hint.topic != "person.erased"]
        users = {hint.object_id for family, hint in families if family == "customer"}
        ids = {hint.object_id for family, hint in families if family == "order"}
        ids |= {hint.sub_id for family, hint in families if hint.topic in ("order.refunded", "order.refund_deleted")}
        users |= restage.unknown_accounts(
            self._session, [hint.user_id for family, hint in families if family == "order"]
        )
        if users:
            restage.accounts(self._session, users)
        orders = restage.orders(self._session, ids - {0})
        fresh = restage.unknown_accounts(self._session, [order.customer_id for order in orders.values()])
        if fresh:
            # An account that was made with its order, and whose own hint is still to come.
            restage.accounts(self._session, fresh)
        return orders

    def _products(self) -> set[int]:
        ids = {hint.object_id for hint in self._looking if topics.of(hint.topic).family == "product"}
        return restage.products(self._session, ids)[0]

    def _few_buyers(self, buyers: set[int]) -> set[int]:
        """A changed product is no act of its buyers: they are written quietly, and when they are many, later."""
        if len(buyers) > _MANY_BUYERS:
            self._applied.reconcile = True
            return set()
        return buyers

    def _contacts(self) -> dict[int, int]:
        hints = [hint for hint in self._looking if topics.of(hint.topic).family == "contact"]
        owners = crm_side.look(self._session, hints) if hints else {}
        erased = [hint for hint in self._hints if hint.topic == "person.erased"]
        if erased:
            self._way.erased_again()
            self._erased = crm_side.erased(self._session, erased, self._way.quiet)
        return owners

    def _owner(self, hint: Hint, owners: dict[int, int]) -> set[int]:
        if _of_consent(hint):
            return {self._said[hint.object_id]} if hint.object_id in self._said else set()
        if topics.of(hint.topic).family != "contact" or hint.topic == "contact.deleted":
            return set()
        return {owners[hint.object_id]} if hint.object_id in owners else set()

    # --- writing ---------------------------------------------------------------------------------------

    def _young(self, hint: Hint, after: Concerned) -> bool:
        way = self._way
        young = concerned.may_be_live(hint, way.now_ms, way.live_from, way.live_hours)
        return young and topics.of(hint.topic).family != "product" and not after.imported(hint, self._known_before)

    def _write(self, vip: int | None, live: Collection[int], quiet: Collection[int]) -> dict[int, What]:
        if not live and not quiet:
            return {}
        few = Few(self._session, vip, self._way.connect())
        found: dict[int, What] = {}
        if live:
            assert self._way.live is not None
            found |= few.run(live, self._way.live, LIVE_PAGE)
        if quiet:
            found |= few.run(quiet, self._way.quiet)
        return found

    # --- what became of it -----------------------------------------------------------------------------

    def _result(
        self, hint: Hint, people: set[int], whats: dict[int, What], orders: dict[int, Order], after: Concerned,
        live: Collection[int],
    ) -> None:  # fmt: skip
        now = self._way.now_ms
        found = [whats[id_] for id_ in people if id_ in whats]
        worst = min(found, key=lambda what: _RANK.index(what.outcome), default=What("nothing"))
        age = now - hint.created_ms
        if age < UNFINISHED_MS and self._half(hint, orders):
            self._applied.later.append((hint, now + max(_AGAIN_MS, age // 2), False))
            return
        if worst.outcome == "raced":
            self._applied.later.append((hint, now, True))
            return
        if worst.outcome == "nothing" and not found:
            worst = self._nobody(hint, after)
        known = sorted(id_ for id_ in people if id_ in whats)
        title = restage.titles(self._session, [hint.object_id]) if _of_product(hint) else {}
        outcome: Any = worst.outcome
        self._applied.done.append(
            Done(
                hint=hint, outcome=outcome, reason=worst.reason, label=title.get(hint.object_id, ""),
                person_id=known[0] if known else self._actor(hint, after), live=any(id_ in live for id_ in people),
            )
        )  # fmt: skip

    def _actor(self, hint: Hint, after: Concerned) -> int | None:
        return self._said.get(hint.object_id) if _of_consent(hint) else after.actor(hint)

    def _half(self, hint: Hint, orders: dict[int, Order]) -> bool:
        """Whether the hint came before all of its order did, or before whose word it is can be known."""
        if _of_consent(hint):
            return hint.object_id not in self._said
        if hint.topic not in topics.MAY_COME_LATER:
            return False
        order = orders.get(hint.object_id)
        if order is None:
            return hint.object_id not in self._known_before
        return restage.unfinished(self._session, order)

    def _nobody(self, hint: Hint, after: Concerned) -> What:
        """Nobody is concerned: why."""
        if hint.topic == "person.erased" and self._erased:
            return What("changed", "erased")
        if topics.of(hint.topic).family == "order":
            order = after.orders.get(hint.object_id)
            if order is not None and order.person_id is None and order.verdict not in ("refund", "unpaid"):
                return What("left", order.verdict)
        return What("nothing")

    def _remember(self, before: Concerned, after: Concerned) -> None:
        """What visitors did, and who they are."""
        done = {one.hint.id for one in self._applied.done}
        acts = [hint for hint in self._hints if hint.id in done]
        people = {hint.id: person for hint in acts if (person := after.actor(hint) or before.actor(hint)) is not None}
        typed = [hint for hint in acts if hint.topic == "cart.email"]
        keys = crm_side.cart_keys(self._session, typed)
        people |= crm_side.cart_owners(self._session, keys)
        said_no = {keys[hint.id] for hint in typed if hint.detail == "refused" and hint.id in keys}
        if said_no:
            refusals.add(self._state, said_no, self._session.now)
        activity.record(self._state, acts, people)

    def _lively(self, did: Collection[int], touched: Collection[int], after: Concerned) -> None:
        """Who did something just now: what becomes of their segments may start automations."""
        way = self._way
        acts = {
            after.actor(hint)
            for hint in self._hints
            if concerned.may_be_live(hint, way.now_ms, way.live_from, way.live_hours)
            and not after.imported(hint, self._known_before)
        }
        table.lively(self._state, {id_ for id_ in {*did, *touched, *acts} if id_ is not None}, way.now_ms // 1000)

    def _contacts_changed(self, whats: dict[int, What], live: Collection[int]) -> None:
        """Whose contact is another one now, by us or by what FluentCRM told: rules may ask about it."""
        way, hints = self._way, [hint for hint in self._hints if topics.of(hint.topic).family in ("contact", "email")]
        told = Concerned(self._state, hints)
        for hint in hints:
            young = concerned.may_be_live(hint, way.now_ms, way.live_from, way.live_hours)
            contacts.note(self._state, told.people(hint), live=young)
        changed = {id_ for id_, what in whats.items() if what.outcome == "changed"}
        contacts.note(self._state, changed & set(live), live=True)
        contacts.note(self._state, changed - set(live), live=False)


def _looks(hint: Hint) -> bool:
    return topics.of(hint.topic).looks


def _of_consent(hint: Hint) -> bool:
    return topics.of(hint.topic).family == "consent"


def _of_product(hint: Hint) -> bool:
    return topics.of(hint.topic).family == "product"


def record(session: Session, applied: Applied, now_ms: int) -> None:
    """Into the event monitor."""
    monitor.record(session.state, applied.done, now_ms)
