"""The ledger of design §4: the shop counted again from its rows, by another path than the sync's, against FluentCRM.

Start here, then `verify_shop.py` (the recount), `verify_rules.py` (its own definitions), `verify_crm.py` (the
comparison). Shared with the sync are only what an e-mail identity is and which storage rules. It writes nothing.
"""

from __future__ import annotations

import time
from decimal import Decimal

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.mapping.compiled import Mapping
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store.schema import ShopInfo, Storage, probe
from sidecar.sync.session import SINCE
from sidecar.sync.verify_crm import Comparison, Difference
from sidecar.sync.verify_rules import ZERO
from sidecar.sync.verify_shop import Account, Line, Recount, Somebody, Tick

_MICRO = Decimal("0.000001")
_MONTH = 30.44 * 86400
_ORDER = {"order": 0, "refund": 1, "other": 2, "user": 3, "guest": 4}


class Verdict(msgspec.Struct, kw_only=True):
    """What a recount found. Money is in the shop's currency; `lines` account for every row of the shop.

    `differences` lists single values (`differences_found` counts them all); `faults` are sums that do not add up
    to what the database holds, `disagreements` (`disagreements_found`) verdicts that the sync's own ledger sees
    otherwise. `skipped` names figures that no rule brings to FluentCRM. `ltv_shop` is the net of every counted
    order, `ltv_people` that of people in the CRM, `ltv_crm` what their contacts say.
    """

    storage: Storage
    currency: str
    people: int = 0
    contacts: int = 0
    other_contacts: int = 0
    moved: int = 0
    ltv_shop: Decimal = ZERO
    ltv_people: Decimal = ZERO
    ltv_crm: Decimal = ZERO
    lines: list[Line] = []
    differences: list[Difference] = []
    differences_found: int = 0
    faults: list[str] = []
    disagreements: list[str] = []
    disagreements_found: int = 0
    orphan_refunds: list[str] = []
    skipped: list[str] = []
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the shop and the CRM agree, to the cent."""
        return not (self.differences_found or self.faults or self.disagreements_found)


def verify(config: Config, state: State, mapping: Mapping, tick: Tick | None = None) -> Verdict:
    """Count everything again. `tick(step, done, total)` hears how far it is. Raises StoreUnavailable."""
    started = time.perf_counter()
    tick = tick or _silent
    with Reader(config) as reader:
        info = probe(reader, config.people.paid_statuses)
        recount = Recount(reader, info, config, state, tick)
        recount.run()
        _inactive(state, recount.people)
        comparison = Comparison(reader, info, config, state, mapping, recount.people, tick)
        comparison.run()
    verdict = _verdict(info, recount, comparison)
    verdict.seconds = round(time.perf_counter() - started, 3)
    return verdict


def _silent(step: str, done: int, total: int) -> None:
    """No progress wanted."""


def since_months(state: State) -> int:
    """The `--since` of the last run in months; 0 is all."""
    return int(state.get(SINCE) or 0)


def _inactive(state: State, people: dict[str, Somebody]) -> None:
    """People whom the last run's `--since` left out."""
    months = since_months(state)
    if not months:
        return
    start = int(clock.now().timestamp()) - round(months * _MONTH)
    for somebody in people.values():
        if not somebody.reason and somebody.seen < start:
            somebody.reason = "inactive"


def _verdict(info: ShopInfo, recount: Recount, comparison: Comparison) -> Verdict:
    account = recount.account
    verdict = Verdict(storage=info.storage, currency=info.currency)
    for identity, somebody in recount.people.items():
        verdict.ltv_shop += somebody.ltv
        if somebody.reason:
            place, reason = "left", somebody.reason
        elif identity in comparison.failed:
            place, reason = "failed", comparison.failed[identity]
        elif comparison.has_contact(identity):
            place, reason = "in", ""
            verdict.people += 1
            verdict.ltv_people += somebody.ltv
        else:
            place, reason = "failed", "no_contact"
        _enter(account, somebody, place, reason, info.currency)
    for line in account.lines.values():
        line.worth = line.worth.quantize(_MICRO)
    verdict.ltv_shop, verdict.ltv_people = verdict.ltv_shop.quantize(_MICRO), verdict.ltv_people.quantize(_MICRO)
    verdict.lines = sorted(
        account.lines.values(), key=lambda line: (_ORDER[line.kind], line.place != "in", line.place, line.reason)
    )
    verdict.contacts, verdict.other_contacts, verdict.moved = comparison.contacts, comparison.others, comparison.moved
    verdict.ltv_crm = comparison.crm_ltv
    verdict.differences, verdict.differences_found = comparison.differences, comparison.found_differences
    verdict.faults = recount.faults
    verdict.disagreements, verdict.disagreements_found = recount.disagreements, recount.disagreed
    verdict.orphan_refunds, verdict.skipped = recount.orphans, comparison.skipped
    return verdict


def _enter(account: Account, somebody: Somebody, place: str, reason: str, currency: str) -> None:
    """A person's accounts, orders and refunds go where the person is."""
    if somebody.users:
        account.add("user", place, reason, somebody.users)
    else:
        account.add("guest", place, reason)
    why = f"buyer_{reason}" if reason else ""
    for kind, rows, raw, sign in (
        ("order", somebody.orders, somebody.raw, ""),
        ("refund", somebody.refunds, somebody.refunded, "-"),
    ):
        if not rows:
            continue
        line = account.add(kind, place, why, rows)
        if kind == "order":
            line.worth += somebody.ltv
        if raw or not somebody.foreign:
            account.money(line, currency, raw)
        for key, value in (somebody.foreign or {}).items():
            if key.startswith("-") == bool(sign) and value:
                account.money(line, key.removeprefix("-"), value)
