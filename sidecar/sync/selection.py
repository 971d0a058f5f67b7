"""Who needs a look: pages of people from the state, each with their orders from the ledger."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from sidecar.people import consents
from sidecar.people.model import LedgerOrder, OrderDoc
from sidecar.sync.loading import Row
from sidecar.sync.session import Session

_doc = msgspec.json.Decoder(OrderDoc).decode
_encode = msgspec.json.Encoder().encode
_NO_DOC = OrderDoc()


class Raw(msgspec.Struct, array_like=True):
    """A page of people as rows of the state: what goes to the process that looks at them.

    `people`: id, key, user id, contact id, made, reason, what was written; `refunds`: order, sum (negative);
    `orders`: person, id, verdict, status, total, created, document; `accounts`: person, user id;
    `aliases`: person, key of an address that was theirs; `consents`: person, a word of theirs on e-mail, the last one last.
    """

    people: list[tuple[int, bytes, int | None, int | None, int, str, bytes | None]]
    refunds: list[tuple[int, int | None]]
    orders: list[tuple[int, int, str, str, int | None, int | None, bytes | None]]
    accounts: list[tuple[int, int]]
    aliases: list[tuple[int, bytes]]
    consents: list[tuple[int, str]]


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

    def pages(self) -> Iterator[Raw]:
        """Pages of people by id, with their orders from the ledger, as they lie in the state."""
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
            yield self._raw(people)

    def of(self, ids: Sequence[int]) -> list[Row]:
        """These people, dirty or not, with their orders from the ledger."""
        people = self._session.state.rows(
            "SELECT id, key, user_id, contact_id, made, reason, written FROM person"
            " LEFT JOIN person_doc ON person_id = id WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (_encode(list(ids)).decode(),),
        )
        return rows(self._raw(people)) if people else []

    def _raw(self, people: list[tuple[Any, ...]]) -> Raw:
        ids = _encode([person[0] for person in people]).decode()

        def of_them(sql: str) -> list[tuple[Any, ...]]:
            return self._session.state.rows(sql, (ids,))

        return Raw(
            people=people,
            refunds=of_them(
                "SELECT o.id, SUM(r.total) FROM shop_order o"
                " JOIN shop_order r ON r.parent_id = o.id AND r.verdict = 'refund'"
                " WHERE o.person_id IN (SELECT value FROM json_each(?)) GROUP BY o.id"
            ),
            orders=of_them(
                "SELECT person_id, id, verdict, status, total, created, doc FROM shop_order"
                " WHERE person_id IN (SELECT value FROM json_each(?))"
            ),
            accounts=of_them(
                "SELECT person_id, user_id FROM account WHERE person_id IN (SELECT value FROM json_each(?))"
            ),
            aliases=of_them("SELECT person_id, key FROM alias WHERE person_id IN (SELECT value FROM json_each(?))"),
            consents=consents.said_of_email(self._session.state, ids),
        )


def rows(raw: Raw) -> list[Row]:
    """People with their orders, the newest first. Pure."""
    refunds = {parent: -(amount or 0) for parent, amount in raw.refunds}
    orders: dict[int, list[LedgerOrder]] = {}
    for person, id_, verdict, status, amount, created, doc in raw.orders:
        order = LedgerOrder(
            id_, verdict, status, amount or 0, refunds.get(id_, 0), created or 0, _doc(doc) if doc else _NO_DOC
        )
        if person in orders:
            orders[person].append(order)
        else:
            orders[person] = [order]
    accounts: dict[int, list[int]] = {}
    for person, account in raw.accounts:
        accounts.setdefault(person, []).append(account)
    aliases: dict[int, tuple[bytes, ...]] = {}
    for person, alias in raw.aliases:
        aliases[person] = (*aliases.get(person, ()), alias)
    said = dict(raw.consents)
    found = []
    for id_, key, user_id, contact_id, made, reason, written in raw.people:
        mine = orders.get(id_, [])
        if len(mine) > 1:
            mine.sort(key=_newest_first)
        counted = [
            order.id for order in reversed(mine) if order.verdict == "candidate" and order.total > order.refunded
        ]
        found.append(
            Row(
                id=id_, key=key, user_id=user_id, contact_id=contact_id, made=bool(made), reason=reason, written=written,
                accounts=accounts.get(id_, []), orders=mine, counted=counted, newest=mine[0].id if mine else 0,
                aliases=aliases.get(id_, ()), withdrawn=said.get(id_) == "withdrawn",
            )
        )  # fmt: skip
    return found


def _newest_first(order: LedgerOrder) -> tuple[int, int]:
    return (-order.created, -order.id)
