"""Who an address is, and which orders are theirs, read from the shop now. The state is asked, never written."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.errors import NotFound
from sidecar.people import consents, ledger
from sidecar.people.model import LedgerOrder, OrderDoc
from sidecar.store import person as store_person
from sidecar.store.model import Order
from sidecar.sync.loading import Row
from sidecar.sync.session import Session
from sidecar.values import email

_NO_DOC = OrderDoc()
_MOST_ORDERS = 2000


class Subject:
    """The person of one e-mail identity. `id` is None when the state does not know them; `notes` are sentences about
    what could not be found out."""

    def __init__(self, session: Session, identity: str) -> None:
        self._session = session
        self._identity = identity
        self.notes: list[str] = []
        key = session.state.key(identity)
        self.id = session.registry.find([key]).get(key)
        self.suppressed = bool(session.registry.suppressed([key]))

    def row(self) -> Row:
        """The person as a sync would find them, with their orders as the shop has them now. Raises NotFound."""
        state, id_ = self._session.state, self.id
        user_id = contact_id = written = None
        made, reason, users = False, "", []
        key = state.key(self._identity)
        if id_ is not None:
            key, user_id, contact_id, made, reason, written = state.rows(
                "SELECT key, user_id, contact_id, made, reason, written FROM person"
                " LEFT JOIN person_doc ON person_id = id WHERE id = ?",
                (id_,),
            )[0]
            users = [row[0] for row in state.rows("SELECT user_id FROM account WHERE person_id = ?", (id_,))]
        users = sorted({*users, *self._users()})
        if user_id not in users:
            user_id = users[0] if users else None
        orders = self._orders(users)
        if id_ is None and not users and not orders:
            raise NotFound(
                f"nobody with the address {email.mask(self._identity)} is known: there is no account and no order",
                hint="check the spelling; in the legacy order storage guests are known after the first `sidecar sync`",
            )
        counted = [order.id for order in reversed(orders) if order.verdict == "candidate" and order.net > 0]
        aliases = state.rows("SELECT key FROM alias WHERE person_id = ?", (id_,))
        said = dict(consents.said_of_email(state, f"[{id_ or 0}]"))
        return Row(
            id=id_ or 0, key=key, user_id=user_id, contact_id=contact_id, made=bool(made), reason=reason,
            written=written, accounts=users, orders=orders, counted=counted, newest=orders[0].id if orders else 0,
            aliases=tuple(row[0] for row in aliases), withdrawn=said.get(id_ or 0) == "withdrawn",
        )  # fmt: skip

    def _users(self) -> list[int]:
        """Accounts whose address is this one now."""
        customers = self._session.customers
        ids = customers.ids_by_email(self._identity)
        found = customers.load(ids, ())
        return [id_ for id_, account in found.items() if email.identity(account.email) == self._identity]

    def _orders(self, users: Sequence[int]) -> list[LedgerOrder]:
        """The person's orders as the shop has them now, newest first."""
        session = self._session
        ids = set()
        if self.id is not None:
            rows = session.state.rows("SELECT id FROM shop_order WHERE person_id = ?", (self.id,))
            ids = {row[0] for row in rows}
        asked = store_person.orders_of(session.reader, session.info.storage, self._identity, users)
        if asked is not None:
            ids.update(asked)
        elif self.id is None:
            self.notes.append(
                "orders are in the legacy storage, which has no index on their buyer: none is known before the first"
                " `sidecar sync`, so count, LTV and all that follows from orders stand empty here"
            )
        else:
            self.notes.append(
                "orders that came after the last `sidecar sync` are not known here (legacy order storage)"
            )
        wanted = sorted(ids)[-_MOST_ORDERS:]
        found = session.orders.load(wanted, session.order_keys, session.loaded_statuses)
        refunds = session.orders.load(
            store_person.refunds_of(session.reader, session.info.storage, wanted), session.order_keys, ()
        )
        back: dict[int, int] = {}
        for refund in refunds:
            back[refund.parent_id] = back.get(refund.parent_id, 0) - (refund.total or 0)
        mine = [order for order in found if order.kind == "order" and self._is_mine(order, users)]
        return sorted(
            (self._entry(order, back.get(order.id, 0)) for order in mine), key=lambda one: (-one.created, -one.id)
        )

    def _is_mine(self, order: Order, users: Sequence[int]) -> bool:
        """An order belongs to its account where that exists and has an address, else to its billing e-mail (design §4)."""
        if order.customer_id in users:
            return True
        if order.customer_id:
            account = self._session.customers.load([order.customer_id], ()).get(order.customer_id)
            address = email.identity(account.email) if account else None
            if address is not None and email.problem(address) is None:
                return False
        found = ledger.identity(order)
        state = self._session.state
        return found == self._identity or (
            found is not None
            and self.id is not None
            and self._session.registry.find([state.key(found)]).get(state.key(found)) == self.id
        )

    def _entry(self, order: Order, refunded: int) -> LedgerOrder:
        session = self._session
        verdict = ledger.before_person(order, session.rules) or ledger.with_person(order, session.rules, True)
        total = order.total or 0
        if verdict == "candidate" and order.currency and order.currency != session.rules.currency:
            rate = ledger.rate(order, session.rules)
            if rate:
                total, refunded = ledger.convert(total, rate), ledger.convert(refunded, rate)
        doc = ledger.document(order, session.rules) if verdict == "candidate" else _NO_DOC
        return LedgerOrder(order.id, verdict, order.status, total, refunded, order.created or 0, doc)

    def aliases(self) -> int:
        """How many earlier addresses lead to the person."""
        if self.id is None:
            return 0
        return int(self._session.state.rows("SELECT COUNT(*) FROM alias WHERE person_id = ?", (self.id,))[0][0])
