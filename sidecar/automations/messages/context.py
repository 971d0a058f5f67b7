"""From enrolments to what their messages can tell, in bulk: a handful of queries for a hundred people.

Everything is read when a message is written, never before: a price, a stock or a name of yesterday is not told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import tzinfo

import msgspec

from sidecar.automations import about as subjects
from sidecar.automations.messages import carts, coupons, orders, people, site, together
from sidecar.automations.messages.model import Carried, Person, Product, Reorder, Whom
from sidecar.automations.messages.model import Context as Context
from sidecar.automations.messages.model import Item as Item
from sidecar.automations.messages.names import NAMES
from sidecar.automations.messages.products import Catalogue
from sidecar.automations.messages.site import Site, Source
from sidecar.state.database import State

_MOST_PRODUCTS = 8


class Subject(msgspec.Struct, frozen=True):
    """What an enrolment is about: (kind, id, variation); kind is cart, order, product, or '' for what no message shows."""

    kind: str = ""
    id: int = 0
    variation: int = 0


def subject_of(text: str) -> Subject:
    """'product:7:9', and with what tells two times apart 'product:7:9:2026-11-26' → product 7, variation 9. Anything else than a
    cart, an order or a product → Subject()."""
    found = subjects.about(text)
    if found.kind not in ("cart", "order", "product") or not found.id:
        return Subject()
    return Subject(found.kind, found.id, found.sub if found.kind == "product" else 0)


def load(place: Source, items: Sequence[Whom], names: Collection[str] = tuple(NAMES)) -> dict[int, Context]:
    """The context of each item by its id (the enrolment's). `names`: what the texts use (`sandbox.used`), so that nothing is
    read for nothing. Raises StoreUnavailable when the shop cannot be asked; never for one item."""
    return _Loading(place, items, frozenset(names)).contexts()


class _Loading:
    """One load: what is wanted first, then all of it at once."""

    def __init__(self, place: Source, items: Sequence[Whom], names: frozenset[str]) -> None:
        self._state: State = place.state
        self._zone: tzinfo = place.zone
        self._items = items
        self._names = names
        self._reader = place.reader
        self._site: Site = site.load(place.reader)
        self._catalogue = Catalogue(place.reader, self._site)
        self._subjects = {item.id: subject_of(item.subject) for item in items}
        self._people = people.load(place.reader, {item.contact_id for item in items if item.contact_id})
        self._locales = self._locale_of()
        self._orders = orders.read(place.reader, self._site, self._ids("order"))
        self._carts = carts.read(place.reader, self._ids("cart"))
        codes = {item.id: code for item in items if (code := _code(item.data))}
        self._coupons = coupons.load(place.state, place.reader, self._site, codes, place.now)

    def contexts(self) -> dict[int, Context]:
        """All of them."""
        base = {item.id: self._base(item) for item in self._items}
        if self._names & {"products", "cross_sells"}:
            empty = {item.person_id for item in self._items if not base[item.id]}
            last = together.last_order(self._state, empty) if empty else {}
            base = {item.id: base[item.id] or last.get(item.person_id, []) for item in self._items}
        wanted = {id_ for ids in base.values() for id_ in ids}
        wanted |= {id_ for order in self._orders.values() for id_ in order.products}
        wanted |= {id_ for cart in self._carts.values() for id_ in cart.products}
        self._catalogue.want(wanted)
        crossed = self._cross_sells(base) if "cross_sells" in self._names else {}
        days = self._intervals() if "reorder" in self._names else {}
        return {item.id: self._context(item, base[item.id], crossed.get(item.id, ()), days) for item in self._items}

    def _context(
        self, item: Whom, base: Sequence[int], crossed: tuple[Product, ...], days: dict[tuple[int, int], float]
    ) -> Context:
        about = self._subjects[item.id]
        order, cart = None, None
        locale = self._locales.get(item.person_id, "")
        if about.kind == "order" and (raw := self._orders.get(about.id)):
            order = orders.show(raw, self._site, self._catalogue)
            locale = raw.language or locale
        elif about.kind == "cart" and (left := self._carts.get(about.id)):
            cart = carts.show(left, self._site, self._catalogue)
            locale = left.language or locale
        shown = [found.shown for id_ in base if (found := self._catalogue.get(id_)) and found.published]
        products = tuple({(one.id, one.variation_id): one for one in shown}.values())[:_MOST_PRODUCTS]
        again = days.get((item.person_id, about.id)) if about.kind == "product" else None
        return Context(
            person=self._people.get(item.contact_id, Person()),
            shop=self._site.shop,
            order=order,
            cart=cart,
            coupon=self._coupons.get(item.id),
            reorder=Reorder(product=products[0], days=round(again)) if again is not None and products else None,
            products=products,
            cross_sells=crossed,
            locale=locale,
            shop_locale=self._site.locale,
            zone=self._zone,
            gone=(about.kind == "order" and order is None)
            or (about.kind == "cart" and (cart is None or not cart.items))
            or (about.kind == "product" and not products),
        )

    def _base(self, item: Whom) -> list[int]:
        """The products that it is about, by the ids that are shown: a variation where there is one."""
        about = self._subjects[item.id]
        if about.kind == "product":
            return [about.variation or about.id]
        if about.kind == "cart" and (left := self._carts.get(about.id)):
            return list(dict.fromkeys(variation or product for product, variation, _, _ in left.items))
        if about.kind == "order" and (raw := self._orders.get(about.id)):
            return list(dict.fromkeys(variation or product for product, variation in raw.bought))
        return []

    def _cross_sells(self, base: dict[int, list[int]]) -> dict[int, tuple[Product, ...]]:
        """For each item. The shop's own words come first; only where they are too few the orders are asked."""
        parents = {id_: self._parent(id_) for ids in base.values() for id_ in ids}
        roots = {item: list(dict.fromkeys(parents[id_] for id_ in ids)) for item, ids in base.items()}
        self._catalogue.want({id_ for ids in roots.values() for id_ in ids})
        every = {id_ for ids in roots.values() for id_ in ids}
        self._catalogue.want({other for id_ in every for other in together.named(id_, self._catalogue)})
        few = {id_ for id_ in every if together.short(id_, self._catalogue)}
        counted = together.counts(self._state, few)
        lists = {item: together.candidates(ids, self._catalogue, counted) for item, ids in roots.items()}
        self._catalogue.want({id_ for ids in lists.values() for id_ in ids})
        had = together.bought(self._state, {item.person_id for item in self._items})
        return {
            item.id: together.choose(
                lists[item.id], had.get(item.person_id, set()) | set(roots[item.id]), self._catalogue
            )
            for item in self._items
        }

    def _parent(self, id_: int) -> int:
        found = self._catalogue.get(id_)
        return found.shown.id if found else id_

    def _intervals(self) -> dict[tuple[int, int], float]:
        """{(person, product): days} of what people buy again and again."""
        rows = self._state.rows(
            "SELECT person_id, product, interval_days FROM reorder WHERE product > 0"
            " AND person_id IN (SELECT value FROM json_each(?))",
            (_json({item.person_id for item in self._items}),),
        )
        return {(row[0], row[1]): row[2] for row in rows}

    def _locale_of(self) -> dict[int, str]:
        rows = self._state.rows(
            "SELECT person_id, locale FROM trait WHERE person_id IN (SELECT value FROM json_each(?))",
            (_json({item.person_id for item in self._items}),),
        )
        return {row[0]: row[1] for row in rows}

    def _ids(self, kind: str) -> set[int]:
        return {about.id for about in self._subjects.values() if about.kind == kind}


def _code(data: Carried | None) -> str:
    """The code of the last coupon of the enrolment."""
    return next(reversed(data.coupons.values()), "") if data is not None and data.coupons else ""


def _json(ids: Collection[int]) -> str:
    return msgspec.json.encode(sorted(ids)).decode()
