"""Where values come from: `billing.*`, `user_meta.KEY`, `facts.*` … Each source is a small function of a Person.

Every getter gives a text, a list of texts, or something false when there is nothing: money with two decimals, dates in
the shop's time zone as FluentCRM writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from operator import attrgetter

import msgspec

from sidecar.mapping.rules import Pick
from sidecar.people.model import Facts
from sidecar.store.model import Account, Address, Product
from sidecar.values import dates, money, names, php, places

Value = str | list[str] | None
Getter = Callable[["Person"], Value]


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """What rules need to know of the shop."""

    zone: tzinfo
    country: str
    products: Mapping[int, Product]
    day_first: bool = True


class Person(msgspec.Struct, kw_only=True, eq=False):
    """All that the rules may look at for one person. `billing` and `shipping` are already merged: the
    account's own address where it has one, else the newest order's."""

    email: str
    facts: Facts
    shop: Shop
    account: Account | None = None
    billing: Address = Address()
    shipping: Address = Address()
    order_meta: Mapping[str, Mapping[str, list[str]]] = {}
    item_meta: Mapping[str, list[str]] = {}
    product_meta: Mapping[str, list[str]] = {}
    name: tuple[str, str] | None = None
    region: str | None = None

    def names(self) -> tuple[str, str]:
        """(first, last), cleaned; a full name in one field is split; what the shop lacks is ''."""
        if self.name is None:
            meta = self.account.meta if self.account else {}
            first, last = self.billing.first_name, self.billing.last_name
            if not first and not last:
                first, last = meta.get("first_name", ""), meta.get("last_name", "")
            if not first and not last:
                first, last = self.shipping.first_name, self.shipping.last_name
            first, last = names.clean(first), names.clean(last)
            if first and not last and " " in first:
                first, last = names.split(first)
            elif last and not first and " " in last:
                first, last = names.split(last)
            self.name = (first, last)
        return self.name

    def placed(self) -> bool:
        """Whether any place is known: an address that is not known at all must not empty one that is."""
        one, other = self.billing, self.shipping
        return bool(
            one.address_1 or one.city or one.postcode or one.country
            or other.address_1 or other.city or other.postcode or other.country
        )  # fmt: skip

    def country(self) -> str:
        """ISO-2 of the person, else of the shop."""
        if self.region is None:
            own = self.billing.country or self.shipping.country
            self.region = (places.country(own) if own else None) or self.shop.country
        return self.region


def _moment(part: str) -> Getter:
    def get(person: Person) -> Value:
        at = getattr(person.facts, part)
        return None if at is None else dates.local_text(at, person.shop.zone)

    return get


def _amount(part: str) -> Getter:
    return lambda person: money.fixed(getattr(person.facts, part))


def _of_facts(part: str) -> Getter:
    return attrgetter(f"facts.{part}")


def _aov(person: Person) -> Value:
    return money.fixed(person.facts.aov) if person.facts.orders_count else None


def _products(person: Person) -> Value:
    facts, catalogue = person.facts, person.shop.products
    titles = set()
    for id_ in facts.products:
        product = catalogue.get(id_)
        title = product.title if product else facts.lost_products.get(id_, "")
        if title:
            titles.add(title)
    return sorted(titles) or None


def _yes_no(part: str) -> Getter:
    def get(person: Person) -> Value:
        said = getattr(person.facts, part)
        return None if said is None else "yes" if said else "no"

    return get


FACTS: dict[str, tuple[Getter, str]] = {
    "orders_count": (lambda person: str(person.facts.orders_count), "paid orders whose net is above 0"),
    "orders_seen": (lambda person: str(person.facts.orders_seen), "orders of any real status"),
    "gross": (_amount("gross"), "sum of paid orders' totals, two decimals, shop currency"),
    "refunded": (_amount("refunded"), "sum of their refunds"),
    "ltv": (_amount("ltv"), "gross - refunded"),
    "aov": (_aov, "LTV / orders_count"),
    "first_order": (_moment("first_order"), "when the first counted order was made, shop time"),
    "last_order": (_moment("last_order"), "when the last counted order was made, shop time"),
    "first_order_id": (lambda person: str(person.facts.first_order_id or "") or None, "its number in the database"),
    "last_order_id": (lambda person: str(person.facts.last_order_id or "") or None, "its number in the database"),
    "products": (_products, "titles of products bought"),
    "categories": (lambda person: sorted(person.facts.categories) or None, "names of their categories"),
    "product_types": (_of_facts("product_types"), "physical, digital, subscription"),
    "payment_method": (_of_facts("payment_method"), "gateway id of the last counted order"),
    "payment_methods": (_of_facts("payment_methods"), "gateway ids ever used"),
    "shipping_method": (_of_facts("shipping_method"), "method id of the last counted order"),
    "shipping_methods": (_of_facts("shipping_methods"), "method ids ever used"),
    "coupons": (_of_facts("coupons"), "coupon codes used in counted orders"),
    "customer_type": (_of_facts("customer_type"), "retail or b2b"),
    "customer_status": (_of_facts("customer_status"), "lead, new, returning or vip"),
    "roles": (_of_facts("roles"), "WordPress roles"),
    "locale": (_of_facts("locale"), "the account's language, such as pl_PL"),
    "birthday": (_of_facts("birthday"), "YYYY-MM-DD"),
    "registered": (_moment("registered"), "when the account was made, shop time"),
    "optin": (_yes_no("optin"), "what the marketing opt-in meta says: yes or no"),
    "account": (lambda person: "yes" if person.facts.is_account else "no", "whether there is an account"),
    **{
        f"{prefix}{name}": (_of_facts(f"{which}.{part}"), f"order attribution of the {word} counted order")
        for prefix, which, word in (("first_", "first_touch", "first"), ("", "last_touch", "last"))
        for name, part in (
            ("utm_source", "source"), ("utm_medium", "medium"), ("utm_campaign", "campaign"),
            ("device", "device"), ("source_type", "type"),
        )
    },
}  # fmt: skip

# Facts that are lists.
LISTS = frozenset(
    {"products", "categories", "product_types", "payment_methods", "shipping_methods", "coupons", "roles"}
)

PERSON: dict[str, tuple[Getter, str]] = {
    "email": (lambda person: person.email, "the identity: trimmed, lower case"),
    "first_name": (lambda person: person.names()[0] or None, "cleaned; a full name in one field is split"),
    "last_name": (lambda person: person.names()[1] or None, "likewise"),
    "country": (lambda person: person.country() or None, "ISO-2; the shop's where the person has none"),
    "contact_type": (
        lambda person: "customer" if person.facts.orders_count else "lead",
        "FluentCRM's contact type",
    ),
    "user_id": (lambda person: str(person.account.id) if person.account else None, "WordPress user id"),
}

USER: dict[str, tuple[Getter, str]] = {
    "id": (lambda person: str(person.account.id) if person.account else None, "WordPress user id"),
    "email": (lambda person: person.account.email if person.account else None, "as stored"),
    "display_name": (
        lambda person: (person.account.display_name if person.account else "") or None,
        "as stored",
    ),
    "registered": (FACTS["registered"][0], "shop time"),
    "roles": (FACTS["roles"][0], "WordPress roles"),
}

ADDRESS_PARTS = Address.__struct_fields__
KEYED = ("user_meta", "order_meta", "item_meta", "product_meta")


def names_of() -> list[str]:
    """Every source with a fixed name, and the prefixes that take a key."""
    found = [f"{kind}.{part}" for kind in ("billing", "shipping") for part in ADDRESS_PARTS]
    found += [f"{group}.{name}" for group, table in GROUPS.items() for name in table]
    return found + [f"{prefix}." for prefix in KEYED]


GROUPS = {"facts": FACTS, "person": PERSON, "user": USER}


def getter(source: str, pick: Pick) -> Getter | None:
    """The function for a source name, or None when there is no such source."""
    group, _, key = source.partition(".")
    if group in ("billing", "shipping"):
        return attrgetter(source) if key in ADDRESS_PARTS else None
    if group in GROUPS:
        found = GROUPS[group].get(key)
        return found[0] if found else None
    if group not in KEYED or not key:
        return None
    if group == "user_meta":
        return lambda person: _stored(person.account.meta.get(key)) if person.account else None
    if group == "order_meta":
        return lambda person: _picked(person.order_meta.get(key, {}).get("any" if pick == "all" else pick, []), pick)
    if group == "item_meta":
        return lambda person: _picked(person.item_meta.get(key, []), pick)
    return lambda person: _picked(person.product_meta.get(key, []), pick)


def _picked(values: list[str], pick: Pick) -> Value:
    """`values` are in order of time. `any` is the newest that is not empty."""
    full = [text for text in values if text]
    if not full:
        return None
    if pick == "all":
        found: set[str] = set()
        for value in map(_stored, full):
            found.update((value,) if isinstance(value, str) else value or ())
        return sorted(found) or None
    return _stored(full[0] if pick == "first" else full[-1])


def _stored(text: str | None) -> Value:
    """A meta value as rules see it: a PHP-serialized list becomes a list, other structures are refused."""
    if not text or text == "N;":
        return None
    if text[1:2] == ":" and php.looks_serialized(text):
        value = php.loads(text)
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list):
            return [shown for item in value if (shown := _printed(item))] or None
        if isinstance(value, php.PhpObject | php.PhpEnum):
            raise php.PhpError("an object is no value", 0)
        return _printed(value)
    return text


def _printed(item: php.Value) -> str:
    """What PHP's echo prints of a scalar; '' for anything else."""
    if isinstance(item, str):
        return item
    if isinstance(item, bool):
        return "1" if item else ""
    return php.dumps(item)[2:-1] if isinstance(item, int | float) else ""
