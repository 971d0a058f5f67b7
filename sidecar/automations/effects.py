"""What steps do to the world, in batches. The engine knows this interface only: the running sidecar does it (`doing.py`),
`simulate` and `backtest` write it down instead.

Each wish carries a key that was stored before: doing it twice is doing it once. Nothing here raises for one wish; an outcome says
`again` when the whole thing may work later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from sidecar.automations.channels.model import Handed, Outgoing


class CouponWish(msgspec.Struct, frozen=True, kw_only=True):
    """A coupon to be made by WooCommerce. `amount` and `minimum` are decimals as text in the shop's currency; `expires` Unix
    seconds UTC; `email` binds it to an address ('' nobody's); `products`: only for these."""

    key: str
    code: str
    kind: Literal["percent", "fixed_cart"]
    amount: str
    expires: int
    minimum: str = ""
    free_shipping: bool = False
    email: str = ""
    products: tuple[int, ...] = ()
    automation: str = ""


class ContactWish(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of one contact, by FluentCRM's own code so that its hooks fire. Tags by title."""

    key: str
    person_id: int
    contact_id: int
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    fields: dict[str, str] = {}


class NoteWish(msgspec.Struct, frozen=True, kw_only=True):
    """A note on a contact (`ticket` False), or a ticket (Fluent Support, else an e-mail to the staff)."""

    key: str
    contact_id: int
    title: str
    body: str
    ticket: bool = False
    priority: str = "normal"
    order_id: int = 0


class HookWish(msgspec.Struct, frozen=True, kw_only=True):
    """A POST of JSON to somewhere else."""

    key: str
    url: str
    data: dict[str, Any]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a wish. `value`: a coupon's code; `id`: of what was made. `wait`: with again, in so many seconds, and it was no
    attempt."""

    key: str
    state: Literal["done", "again", "refused"]
    reason: str = ""
    value: str = ""
    id: int = 0
    wait: float = 0.0


class Effects(Protocol):
    """One outcome for each wish, in any order."""

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]: ...

    def asked(self, keys: Sequence[str]) -> dict[str, Handed]:
        """What became of messages whose handing over was cut off, as far as the channel knows keys; others are missing."""
        ...

    def coupons(self, wishes: Sequence[CouponWish]) -> list[Outcome]: ...

    def contacts(self, wishes: Sequence[ContactWish]) -> list[Outcome]: ...

    def notes(self, wishes: Sequence[NoteWish]) -> list[Outcome]: ...

    def hooks(self, wishes: Sequence[HookWish]) -> list[Outcome]: ...
