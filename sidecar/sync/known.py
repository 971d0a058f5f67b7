"""What the state knows of people, for pages that need no look at the shop and must not take long."""

from __future__ import annotations

import msgspec

from sidecar.people.model import Facts
from sidecar.state.database import State
from sidecar.values import money

_facts = msgspec.json.Decoder(Facts).decode


def facts(state: State, contact_id: int) -> Facts | None:
    """The facts as the last look left them; None when nobody known is behind the contact."""
    rows = state.rows(
        "SELECT d.facts FROM person p JOIN person_doc d ON d.person_id = p.id WHERE p.contact_id = ? ORDER BY p.id LIMIT 1",
        (contact_id,),
    )
    return _facts(rows[0][0]) if rows else None


class People(msgspec.Struct, kw_only=True, frozen=True):
    """How many people are contacts, left out, or wait for a look; `failed_per_1000` of all are refused by FluentCRM.
    `ltv` of all contacts is text in the shop's currency."""

    contacts: int
    left: int
    waiting: int
    failed_per_1000: float
    ltv: str


def people(state: State) -> People:
    """One walk over the people: `status.status` walks over all orders as well."""
    everybody, contacts, left, failed, waiting, ltv = state.rows(
        "SELECT COUNT(*), COALESCE(SUM(verdict = 'in'), 0), COALESCE(SUM(verdict = 'left'), 0),"
        " COALESCE(SUM(verdict = 'failed'), 0), COALESCE(SUM(dirty), 0),"
        " COALESCE(SUM(CASE verdict WHEN 'in' THEN ltv END), 0) FROM person"
    )[0]
    return People(
        contacts=contacts, left=left, waiting=waiting, ltv=money.fixed(ltv),
        failed_per_1000=round(failed * 1000 / everybody, 2) if everybody else 0.0,
    )  # fmt: skip
