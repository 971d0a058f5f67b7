"""The recount against FluentCRM: every person's contact, value by value."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from sidecar.config import Config
from sidecar.mapping.compiled import Mapping as Rules
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store.schema import ShopInfo
from sidecar.sync.verify_rules import ZERO
from sidecar.sync.verify_shop import Somebody, Tick
from sidecar.values import email

FIGURES = ("orders_count", "ltv", "aov", "first_order", "last_order", "customer_status")
_PAGE = 2000
_MOST = 100_000
_HALF_CENT = Decimal("0.00501")  # a value that is rounded to the cent from the exact one, either way at a half


class Difference(msgspec.Struct, frozen=True):
    """What is wrong with one person: masked e-mail, `user:4` or `order:17`, and what was expected and found."""

    email: str
    ref: str
    field: str
    expected: str
    found: str


class Figure(msgspec.Struct, frozen=True):
    """Where a figure is kept: the custom field's slug, and whether a missing value empties it."""

    name: str
    slug: str
    blank: bool


def figures(rules: Rules) -> tuple[list[Figure], list[str]]:
    """(figures that can be compared, why others cannot)."""
    found: list[Figure] = []
    skipped = []
    for name in FIGURES:
        source = f"facts.{name}"
        mine = [field for field in rules.fields if field.slug and field.rule.from_ in (source, (source,))]
        if not mine:
            skipped.append(f"{name}: no rule brings {source} to a custom field")
            continue
        for field in mine:
            if field.rule.transform:
                skipped.append(f"{name}: the rule for {field.slug} transforms it")
            elif field.rule.conflict != "shop":
                skipped.append(f"{name}: {field.slug} has the policy {field.rule.conflict!r}, so it may differ")
            else:
                found.append(Figure(name, field.slug, field.rule.blank))
    return found, skipped


class Comparison:
    """Goes over all contacts, then over people who have none. Fills `differences` and the people's `reason`s."""

    def __init__(
        self,
        reader: Reader,
        info: ShopInfo,
        config: Config,
        state: State,
        rules: Rules,
        people: dict[str, Somebody],
        tick: Tick,
    ) -> None:
        self._reader, self._info, self._state, self._people, self._tick = reader, info, state, people, tick
        self._figures, self.skipped = figures(rules)
        self.differences: list[Difference] = []
        self.found_differences = 0
        self.contacts = self.others = self.moved = 0
        self.crm_ltv = ZERO
        self.failed: dict[str, str] = {}
        self._met: set[str] = set()
        self._vip = config.people.vip
        self._vip_from = self._cut(config.people.vip.percent)
        self._contacts_folded: set[str] = set()

    def _cut(self, percent: float) -> Decimal | None:
        """The LTV of the last of the top `percent` of buyers."""
        worth = sorted((one.ltv for one in self._people.values() if one.count), reverse=True)
        places = math.ceil(len(worth) * percent / 100 - 1e-9)
        return worth[places - 1] if 0 < places <= len(worth) else None

    def run(self) -> None:
        """Compare everything."""
        after = 0
        total = int(self._reader.value("contacts_any") or 0)
        while page := sorted(
            self._reader.page("verify_contacts", after=after, limit=_PAGE), key=lambda row: int(row[0])
        ):
            after = page[-1][0]
            self._page(page)
            self._tick("verify contacts", after, total)
        missing = [identity for identity in self._people if identity not in self._met]
        for start in range(0, len(missing), 500):
            self._missing(missing[start : start + 500])

    def _page(self, rows: list[list[Any]]) -> None:
        known: dict[int, str] = {}
        for contact_id, address in rows:
            self.contacts += 1
            identity = email.identity(address)
            if identity is not None and not identity.isascii():
                self._contacts_folded.add(email.fold(identity))
            if identity in self._people and identity not in self._met:
                known[contact_id] = identity
                self._met.add(identity)
            else:
                self.others += 1
        self._compare(known)

    def _compare(self, contacts: Mapping[int, str]) -> None:
        """{contact id: identity} of people who have a contact."""
        known = {id_: identity for id_, identity in contacts.items() if not self._people[identity].reason}
        self._undone(known)
        slugs = sorted({figure.slug for figure in self._figures})
        values: dict[int, dict[str, tuple[int, str]]] = {}
        if known and slugs:
            for contact_id, row_id, slug, value in self._reader.page("verify_fields", ids=sorted(known), slugs=slugs):
                mine = values.setdefault(contact_id, {})
                if slug not in mine or row_id < mine[slug][0]:
                    mine[slug] = (row_id, value or "")
        for contact_id, identity in known.items():
            somebody = self._people[identity]
            if somebody.reason:
                continue
            mine = values.get(contact_id, {})
            for figure in self._figures:
                text = mine.get(figure.slug, (0, ""))[1]
                if figure.name == "ltv":
                    self.crm_ltv += _number(text) or ZERO
                expected = self._wrong(figure, somebody, text)
                if expected is not None:
                    self._differs(identity, figure.slug, expected, text or "nothing")

    def _undone(self, known: Mapping[int, str]) -> None:
        """People whose contact stands as it was before a run that the owner took back."""
        ids = msgspec.json.encode(list(known)).decode()
        rows = self._state.rows(
            "SELECT contact_id FROM person WHERE reason = 'undone' AND contact_id IN (SELECT value FROM json_each(?))",
            (ids,),
        )
        for (contact_id,) in rows:
            self._people[known[contact_id]].reason = "undone"

    def _wrong(self, figure: Figure, somebody: Somebody, text: str) -> str | None:
        """What should be there, when something else is; None when all is well."""
        name = figure.name
        if name in ("first_order", "last_order"):
            at = somebody.first if name == "first_order" else somebody.last
            if at is None:
                return "nothing" if text and figure.blank else None
            return _not(
                text, datetime.fromtimestamp(at[0], UTC).astimezone(self._info.zone).strftime("%Y-%m-%d %H:%M:%S")
            )
        if name == "orders_count":
            return _not(text, str(somebody.count))
        if name == "customer_status":
            return _not(text, self._status(somebody))
        if name == "aov" and not somebody.count:
            return "nothing" if text and figure.blank else None
        exact = somebody.ltv / somebody.count if name == "aov" else somebody.ltv
        found = _number(text)
        return f"{exact:.2f}" if found is None or abs(found - exact) > _HALF_CENT else None

    def _status(self, somebody: Somebody) -> str:
        if not somebody.count:
            return "lead"
        if self._vip_from is not None and somebody.ltv >= self._vip_from and somebody.count >= self._vip.min_orders:
            return "vip"
        return "new" if somebody.count == 1 else "returning"

    # --- people without a contact under their address --------------------------------------------------------

    def _missing(self, identities: list[str]) -> None:
        keys = {self._state.key(identity): identity for identity in identities}
        marks = ",".join("?" * len(keys))
        rows = self._state.rows(
            f"SELECT key, contact_id, verdict, reason, dirty FROM person WHERE key IN ({marks})",  # noqa: S608
            list(keys),
        )
        known = {keys[row[0]]: row[1:] for row in rows}
        ids = {row[0]: identity for identity, row in known.items() if row[0]}
        there = {row[0] for row in self._reader.page("contacts_there", ids=sorted(ids))} if ids else set()
        self._compare({id_: identity for id_, identity in ids.items() if id_ in there})
        for identity in identities:
            somebody = self._people[identity]
            contact_id, verdict, reason, dirty = known.get(identity, (None, "unknown", "", 1))
            if contact_id in there:
                self.moved += 1
                self._met.add(identity)
                self.others -= 1  # it was met under its other address
            elif somebody.reason:
                continue
            elif reason == "undone":
                somebody.reason = "undone"
            elif verdict == "failed" and not dirty:
                self.failed[identity] = reason
            elif email.fold(identity) in self._contacts_folded:
                self.failed[identity] = "address_collides"
            else:
                waits = (
                    "none yet: it waits for the next sync"
                    if dirty
                    else f"none ({verdict}{': ' + reason if reason else ''})"
                )
                self._differs(identity, "contact", "a contact", waits)

    def _differs(self, identity: str, field: str, expected: str, found: str) -> None:
        self.found_differences += 1
        if len(self.differences) < _MOST:
            self.differences.append(
                Difference(email.mask(identity), self._people[identity].ref, field, expected, found)
            )

    def has_contact(self, identity: str) -> bool:
        """Whether the person has a contact, under whatever address."""
        return identity in self._met


def _not(text: str, wanted: str) -> str | None:
    """`wanted` unless the text says just that (a `date` field keeps the day only)."""
    return None if text and (text == wanted or (len(text) == 10 and wanted[:10] == text)) else wanted


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
