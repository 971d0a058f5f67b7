"""What decisions go by, of one enrolment, as it is now. Pure data; `loading` fills it, `guards` ask it. Times are Unix seconds UTC."""

from __future__ import annotations

from datetime import UTC, tzinfo

import msgspec

from sidecar.segments.evaluate import Subject

# FluentCRM's channel e-mail and the consent ledger's names for the others.
CONSENT_OF = {"email": "email", "sms": "sms", "telegram": "messaging", "whatsapp": "messaging", "push": "push"}
DRAFTS = frozenset({"auto-draft", "draft", "new", "checkout-draft", "trash"})
UNPAID = frozenset({"pending", "failed"})
# Topics of which it can be asked to which status they lead.
STATUSES = ("order.status", "contact.status")
NOT_PLACED = DRAFTS | {"cancelled", "failed", "refunded"}


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact of FluentCRM, read now. `phone` as E.164, '' when it is none."""

    id: int
    email: str = ""
    status: str = ""
    phone: str = ""
    timezone: str = ""


class Purchase(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the person, of whatever status (after the owner's map, without `wc-`). `total` is micros. `products`: ids of
    products and variations, `wares`: what exactly was ordered, both where they were asked for. `theirs`: not of an order that has
    become somebody else's."""

    id: int
    status: str
    created: int
    total: int = 0
    products: frozenset[int] = frozenset()
    wares: tuple[int, ...] = ()
    theirs: bool = True


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """The plugin's snapshot of a cart. `products`: ids of products and variations; `made` tells a new cart in the same row."""

    id: int
    visitor: str = ""
    user_id: int = 0
    email: str = ""
    consent: str = ""
    status: str = ""
    order_id: int = 0
    made: int = 0
    updated: int = 0
    wares: tuple[int, ...] = ()


class Ware(msgspec.Struct, frozen=True, kw_only=True):
    """A product or a variation that can be bought now (`there`: published). `price` is micros, of what has variations the
    lowest; None: it has none."""

    id: int
    there: bool = True
    in_stock: bool = True
    on_sale: bool = False
    price: int | None = None


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the monitor."""

    topic: str
    at: int
    object_id: int = 0
    detail: str = ""


class Known(msgspec.Struct, kw_only=True):
    """All of it. `since`: from when on a purchase counts; `latest` may go further
    back. `moments`: the values of meta of the order that
    somebody waits for. `sent`: when (Unix ms) marketing went to the person in the last week,
    by channel. `words`: the last word on each channel's consent (given | withdrawn). `unfit`: kinds of offers that do not fit
    them. `refused`: said no to reminders of carts. `spent`: the coupon that they got here is used. `addresses`: by channel, '' or missing: none."""

    contact: Contact | None = None
    suppressed: bool = False
    zone: tzinfo = UTC
    subject: Subject | None = None
    since: int = 0
    purchases: tuple[Purchase, ...] = ()
    latest: tuple[Purchase, ...] = ()
    order: Purchase | None = None
    moments: dict[str, str] = {}
    cart: Cart | None = None
    wares: dict[int, Ware] = {}
    sent: dict[str, list[int]] = {}
    words: dict[str, str] = {}
    unfit: frozenset[str] = frozenset()
    refused: bool = False
    events: tuple[Happened, ...] = ()
    spent: bool = False
    addresses: dict[str, str] = {}
