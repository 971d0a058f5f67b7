"""The shop read page by page for `sidecar hygiene`: accounts, then orders, then meta keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from sidecar.config import Config
from sidecar.mapping import compiled, stale
from sidecar.mapping.explore import Around, explore
from sidecar.mysql.connection import Reader
from sidecar.people import ledger
from sidecar.people.hygiene import Examiner, Record
from sidecar.people.oddities import Example, Finding
from sidecar.store import meta, schema
from sidecar.store.customers import Customers
from sidecar.store.model import Account, Address, Order
from sidecar.store.orders import OrderReader, choose
from sidecar.store.schema import ShopInfo
from sidecar.sync.pages import ahead
from sidecar.values import places

_ACCOUNTS = 1000
_ORDERS = 2000
_PARTS = Address.__struct_fields__
_KEYS = [f"{kind}_{part}" for kind in ("billing", "shipping") for part in _PARTS]
_STALE = "stale_meta"
_NOWHERE = Address()

Progress = Callable[[str, int, int], None]


def examine(
    config: Config, mapping: compiled.Mapping, *, only: Collection[str] = (), progress: Progress | None = None
) -> list[Finding]:
    """Every check, or only those named. `progress` hears (what, id done, highest id)."""
    tell = progress or (lambda step, done, total: None)
    with Reader(config) as reader:
        info = schema.probe(reader, config.people.paid_statuses)
        country = places.country(mapping.options.country or info.country) or ""
        examiner = Examiner(config.people.test_orders, country, only)
        if not only or set(only) - {_STALE}:
            _accounts(reader, examiner, tell)
            _orders(reader, info, examiner, tell)
        if not only or _STALE in only:
            _meta(reader, config, info, mapping, examiner, tell)
        return examiner.findings()


def _accounts(reader: Reader, examiner: Examiner, tell: Progress) -> None:
    customers = Customers(reader)
    keys = ["first_name", "last_name", *_KEYS]
    total = customers.last_id()

    def pages() -> Iterator[list[int]]:
        after = 0
        while page := customers.page(after, _ACCOUNTS):
            after = page[-1][0]
            yield [row[0] for row in page]

    def load(other: Reader, ids: list[int]) -> dict[int, Account]:
        return Customers(other).load(ids, keys)

    for ids, accounts in ahead(reader, pages(), load, threads=1):
        for id_, account in sorted(accounts.items()):
            get = account.meta.get
            examiner.look(
                Record(
                    ref=f"user:{id_}",
                    user_id=id_,
                    email=account.email,
                    billing=Address(*[get(f"billing_{part}", "") for part in _PARTS]),
                    shipping=Address(*[get(f"shipping_{part}", "") for part in _PARTS]),
                    first=get("first_name", ""),
                    last=get("last_name", ""),
                )
            )
        tell("accounts", ids[-1], total)


def _orders(reader: Reader, info: ShopInfo, examiner: Examiner, tell: Progress) -> None:
    orders: OrderReader = choose(reader, info.storage)
    rules_ = ledger.Rules(paid=info.paid_statuses)
    total = orders.last_id()

    def pages() -> Iterator[list[int]]:
        after = 0
        while ids := orders.ids(after, _ORDERS):
            after = ids[-1]
            yield ids

    def load(other: Reader, ids: list[int]) -> tuple[list[Order], dict[int, tuple[Address, Address]]]:
        mine = choose(other, info.storage)
        return mine.load(ids, [ledger.ANONYMISED], ()), mine.addresses(ids)

    for ids, (found, addresses) in ahead(reader, pages(), load, threads=1):
        for order in found:
            if ledger.before_person(order, rules_) is not None:
                continue  # refunds, drafts, trash, other types, erased people
            billing, shipping = addresses.get(order.id, (_NOWHERE, _NOWHERE))
            examiner.look(
                Record(
                    ref=f"order:{order.id}",
                    user_id=order.customer_id,
                    email=order.email,
                    billing=billing,
                    shipping=shipping,
                    total=order.total,
                )
            )
        tell("orders", ids[-1], total)


def _meta(
    reader: Reader, config: Config, info: ShopInfo, mapping: compiled.Mapping, examiner: Examiner, tell: Progress
) -> None:
    people: Any = config.people
    facts = {key: "facts" for group in (people.b2b_meta, people.birthday_meta, people.optin_meta) for key in group}
    facts |= dict.fromkeys(ledger.Rules(paid=frozenset()).keys(), "the order ledger")
    around = Around(prefix=reader.tables.prefix, active=info.plugins, facts=facts)
    for number, kind in enumerate(meta.KINDS):
        for key in explore(meta.survey(reader, kind, info.storage), mapping, around):
            why = stale.reason(key, info.plugins)
            if why:
                examiner.add(_STALE, key.rows, [Example(f"{kind}:{key.key}", f"{key.rows} rows: {why}")])
        tell("meta", number + 1, len(meta.KINDS))
