"""Everything the shop and FluentCRM say of a page of people, loaded in a reader thread."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sidecar.crm import contacts
from sidecar.mysql.connection import Reader
from sidecar.people.model import LedgerOrder
from sidecar.store import products
from sidecar.store.customers import Customers
from sidecar.store.model import Account, Address
from sidecar.store.orders import choose
from sidecar.sync.session import Session
from sidecar.values import email

_ANY = 50
_PLACE = ("address_1", "city", "postcode", "country")


class Row(msgspec.Struct, kw_only=True):
    """One person as the state has them, with their orders from the ledger (`counted` in order of time). `aliases`
    are keys of addresses that were theirs; `withdrawn`: their last explicit word on e-mail was no."""

    id: int
    key: bytes
    user_id: int | None
    contact_id: int | None
    made: bool
    reason: str
    written: bytes | None
    accounts: list[int]
    orders: list[LedgerOrder]
    counted: list[int]
    newest: int
    aliases: tuple[bytes, ...] = ()
    withdrawn: bool = False


class Loaded(msgspec.Struct, kw_only=True):
    """One person with all that was read of them. `identity` is None when no address leads to them any more."""

    row: Row
    identity: str | None
    account: Account | None
    billing: Address
    shipping: Address
    birthday: str
    consent: str
    order_meta: dict[str, dict[str, list[str]]]
    item_meta: dict[str, list[str]]
    product_meta: dict[str, list[str]]


class Page(msgspec.Struct, kw_only=True):
    """A page of people, their contacts, and the digests of all their accounts."""

    people: list[Loaded]
    contacts: contacts.Found
    crcs: dict[int, int]


def load(session: Session, reader: Reader, rows: Sequence[Row], *, crm_empty: bool) -> Page:
    """Load a page. Runs in a thread: touches no state but the secret key."""
    accounts = Customers(reader).load(sorted({id_ for row in rows for id_ in row.accounts}), session.user_keys)
    orders = choose(reader, session.info.storage)
    wanting = [row for row in rows if row.newest and not _complete(_own(row, accounts))]
    ids = sorted({row.newest for row in wanting})
    addresses = orders.addresses(ids)
    guests = [row for row in rows if _own(row, accounts) is None and row.newest]
    emails = orders.emails(sorted({id_ for row in guests for id_ in [row.newest, *[o.id for o in row.orders[:5]]]}))
    birthdays = orders.meta(ids, session.settings.birthday_meta) if ids else {}
    extra = _extra(session, reader, rows)
    people = []
    for row in rows:
        account = _own(row, accounts)
        identity = email.identity(account.email) if account else _guest(session, row, emails)
        ordered = addresses.get(row.newest, _BOTH)
        meta = birthdays.get(row.newest, {})
        order_meta, item_meta, product_meta = extra.get(row.id, ({}, {}, {}))
        people.append(
            Loaded(
                row=row,
                identity=identity,
                account=account,
                billing=_merged(account, "billing", ordered[0]),
                shipping=_merged(account, "shipping", ordered[1]),
                birthday=next((meta[key] for key in session.settings.birthday_meta if meta.get(key)), ""),
                consent="",
                order_meta=order_meta,
                item_meta=item_meta,
                product_meta=product_meta,
            )
        )
    _consent(session, reader, people)
    identities = [person.identity for person in people if person.identity]
    known = [row.contact_id for row in rows if row.contact_id]
    found = contacts.Found() if crm_empty else contacts.read(reader, identities, known)
    return Page(people=people, contacts=found, crcs={id_: account.crc for id_, account in accounts.items()})


def _own(row: Row, accounts: dict[int, Account]) -> Account | None:
    return accounts.get(row.user_id) if row.user_id is not None else None


def _guest(session: Session, row: Row, emails: dict[int, str]) -> str | None:
    """The address of a guest: of the newest order that leads to this person's key."""
    for id_ in [row.newest, *[order.id for order in row.orders[:5]]]:
        identity = email.identity(emails.get(id_, ""))
        if identity is not None and session.state.key(identity) == row.key:
            return identity
    return None


def _complete(account: Account | None) -> bool:
    """Whether the account alone gives name, phone and place."""
    if account is None:
        return False
    meta = account.meta
    return bool(meta.get("billing_first_name") and meta.get("billing_phone") and meta.get("billing_country"))


_PARTS = Address.__struct_fields__
_NOWHERE = Address()
_BOTH = (_NOWHERE, _NOWHERE)
_KEYS = {kind: [f"{kind}_{part}" for part in _PARTS] for kind in ("billing", "shipping")}


def _merged(account: Account | None, kind: str, ordered: Address) -> Address:
    """The account's own address where it has a place in it, else the newest order's; never halves of two places."""
    if account is None:
        return ordered
    get = account.meta.get
    own = Address(*[get(key, "") for key in _KEYS[kind]])
    if own.address_1 or own.city or own.postcode or own.country:
        if ordered is _NOWHERE:
            return own
        place = own
    else:
        place = ordered
    return Address(
        first_name=own.first_name or ordered.first_name,
        last_name=own.last_name or ("" if own.first_name else ordered.last_name),
        company=own.company or ordered.company,
        address_1=place.address_1,
        address_2=place.address_2,
        city=place.city,
        state=place.state,
        postcode=place.postcode,
        country=place.country,
        email=own.email or ordered.email,
        phone=own.phone or ordered.phone,
    )


Extra = tuple[dict[str, dict[str, list[str]]], dict[str, list[str]], dict[str, list[str]]]


def _extra(session: Session, reader: Reader, rows: Sequence[Row]) -> dict[int, Extra]:
    """Order, item and product meta that rules ask for: {person: …}. Nothing is read when no rule does."""
    mapping = session.mapping
    if not (mapping.order_meta or mapping.item_meta or mapping.product_meta):
        return {}
    ids = sorted({id_ for row in rows for id_ in (row.counted[:1] + row.counted[-_ANY:])})
    metas = choose(reader, session.info.storage).meta(ids, mapping.order_meta)
    items = products.item_meta(reader, ids, mapping.item_meta)
    bought = sorted({line[0] for row in rows for order in row.orders for line in order.doc.lines})
    things = products.meta(reader, bought, mapping.product_meta)
    found: dict[int, Extra] = {}
    for row in rows:
        if not row.counted:
            continue
        recent = row.counted[-_ANY:]
        # The first order is among them also when there are more.
        told = recent if row.counted[0] in recent else [row.counted[0], *recent]
        order_meta = {
            key: {
                "first": [metas.get(row.counted[0], {}).get(key, "")],
                "last": [metas.get(row.counted[-1], {}).get(key, "")],
                "any": [metas.get(id_, {}).get(key, "") for id_ in recent],
            }
            for key in mapping.order_meta
        }
        item_meta = {
            key: [text for id_ in told for text in items.get(id_, {}).get(key, ())] for key in mapping.item_meta
        }
        by_id = {order.id: order for order in row.orders}
        product_meta = {
            key: [things.get(line[0], {}).get(key, "") for id_ in told for line in by_id[id_].doc.lines]
            for key in mapping.product_meta
        }
        found[row.id] = (order_meta, item_meta, product_meta)
    return found


def _consent(session: Session, reader: Reader, people: Sequence[Loaded]) -> None:
    """Who has a proof of consent that the owner vouches for, and which source it is."""
    rules = session.config.consent.email
    if not rules:
        return
    keys = {rule.source.removeprefix("order_meta.") for rule in rules if rule.source.startswith("order_meta.")}
    newest = sorted({person.row.newest for person in people if person.row.newest})
    metas = choose(reader, session.info.storage).meta(newest, keys) if keys else {}
    for person in people:
        for rule in rules:
            group, _, key = rule.source.partition(".")
            account = person.account.meta if person.account else {}
            value = account.get(key, "") if group == "user_meta" else metas.get(person.row.newest, {}).get(key, "")
            if value.strip().lower() in rule.yes:
                person.consent = rule.source
                break


def left_out(session: Session, person: Loaded, has_orders: bool, orders_count: int, roles: Sequence[str]) -> str:
    """Why a person is no contact, or ''."""
    if person.account is not None and not has_orders:
        if session.settings.capabilities_key not in person.account.meta:
            return "no_role_here"
        if not session.staff_roles.isdisjoint(roles):
            return "staff"
    if not session.exclude_roles.isdisjoint(roles):
        return "excluded_role"
    if person.identity is None:
        return "gone"
    if email.anonymised(person.identity):
        return "anonymised"
    if session.suppression.blocks(person.identity):
        return "suppressed"
    if session.since_months and not _active(session, person):
        return "inactive"
    return ""


def _active(session: Session, person: Loaded) -> bool:
    start = session.since
    if person.account and person.account.registered and person.account.registered >= start:
        return True
    return any(order.created >= start for order in person.row.orders)
