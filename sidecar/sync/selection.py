"""Who needs a look: pages of people from the state, each with their orders from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from sidecar.people.model import LedgerOrder, OrderDoc
from sidecar.sync.loading import Row
from sidecar.sync.session import Session

_doc = msgspec.json.Decoder(OrderDoc).decode
_encode = msgspec.json.Encoder().encode
_NO_DOC = OrderDoc()


class Selection:
    """The dirty people of a run, as far as its choices want them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def _where(self) -> tuple[str, list[Any]]:
        only = self._session.choices.only
        dirty = "id > 0" if self._session.everybody else "dirty = 1"
        if only == ("customers",):
            return f"{dirty} AND user_id IS NOT NULL", []
        if only == ("guests",):
            return f"{dirty} AND user_id IS NULL", []
        if only:
            ids = sorted(set(self._session.registry.find([self._session.state.key(one) for one in only]).values()))
            return f"{dirty} AND id IN ({','.join('?' * len(ids)) or 'NULL'})", list(ids)
        return dirty, []

    def total(self) -> int:
        """How many there are now."""
        where, parameters = self._where()
        return int(self._session.state.rows(f"SELECT COUNT(*) FROM person WHERE {where}", parameters)[0][0])

    def rows(self) -> Iterator[list[Row]]:
        """Pages of people by id, with their orders from the ledger."""
        state = self._session.state
        where, parameters = self._where()
        after = 0
        while True:
            people = state.rows(
                "SELECT id, key, user_id, contact_id, made, reason, written FROM person"
                " LEFT JOIN person_doc ON person_id = id"
                f" WHERE {where} AND id > ? ORDER BY id LIMIT ?",
                [*parameters, after, self._session.config.sync.page_people],
            )
            if not people:
                return
            after = people[-1][0]
            yield self._with_orders(people)

    def of(self, ids: Sequence[int]) -> list[Row]:
        """These people, dirty or not, with their orders from the ledger."""
        people = self._session.state.rows(
            "SELECT id, key, user_id, contact_id, made, reason, written FROM person"
            " LEFT JOIN person_doc ON person_id = id WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (_encode(list(ids)).decode(),),
        )
        return self._with_orders(people) if people else []

    def _with_orders(self, people: Sequence[tuple[Any, ...]]) -> list[Row]:
        state = self._session.state
        ids = _encode([person[0] for person in people]).decode()
        refunds: dict[int, int] = {}
        for parent, total in state.rows(
            "SELECT o.id, SUM(r.total) FROM shop_order o JOIN shop_order r ON r.parent_id = o.id AND r.verdict = 'refund'"
            " WHERE o.person_id IN (SELECT value FROM json_each(?)) GROUP BY o.id",
            (ids,),
        ):
            refunds[parent] = -(total or 0)
        orders: dict[int, list[LedgerOrder]] = {}
        for person, id_, verdict, status, total, created, doc in state.rows(
            "SELECT person_id, id, verdict, status, total, created, doc FROM shop_order"
            " WHERE person_id IN (SELECT value FROM json_each(?))",
            (ids,),
        ):
            order = LedgerOrder(
                id_,
                verdict,
                status,
                total or 0,
                refunds.get(id_, 0),
                created or 0,
                _doc(doc) if doc else _NO_DOC,
            )
            orders.setdefault(person, []).append(order)
        accounts: dict[int, list[int]] = {}
        for person, user_id in state.rows(
            "SELECT person_id, user_id FROM account WHERE person_id IN (SELECT value FROM json_each(?))",
            (ids,),
        ):
            accounts.setdefault(person, []).append(user_id)
        rows = []
        for id_, key, user_id, contact_id, made, reason, written in people:
            mine = sorted(orders.get(id_, ()), key=_newest_first)
            counted = [
                order.id for order in reversed(mine) if order.verdict == "candidate" and order.total > order.refunded
            ]
            rows.append(
                Row(
                    id=id_, key=key, user_id=user_id, contact_id=contact_id, made=bool(made), reason=reason, written=written,
                    accounts=accounts.get(id_, []), orders=mine, counted=counted, newest=mine[0].id if mine else 0,
                )
            )  # fmt: skip
        return rows


def _newest_first(order: LedgerOrder) -> tuple[int, int]:
    return (-order.created, -order.id)
