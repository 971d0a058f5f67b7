"""The shop's products: title, categories, and whether they are shipped."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sidecar.mysql.connection import Reader
from sidecar.mysql.packed import first_rows
from sidecar.store.model import Product
from sidecar.values import names

_PAGE = 2000


def load(shop: Reader) -> dict[int, Product]:
    """Every product and variation by id, read page by page. Variations carry their parent's terms and title."""
    found: dict[int, Product] = {}
    parents: dict[int, int] = {}
    after = 0
    while rows := shop.page("products_page", after=after, limit=_PAGE):
        rows.sort()
        after = rows[-1][0]
        _take(shop, rows, found, parents)
    _inherit(found, parents)
    return found


def some(shop: Reader, ids: Collection[int]) -> dict[int, Product]:
    """These products with their variations; those that are gone are missing. A variation comes with its parent."""
    if not ids:
        return {}
    found: dict[int, Product] = {}
    parents: dict[int, int] = {}
    rows = shop.page("products_some", ids=sorted(ids))
    above = {row[1] for row in rows if row[3] == "product_variation" and row[1]} - {row[0] for row in rows}
    if above:
        rows = shop.page("products_some", ids=sorted(above.union(ids)))
    if rows:
        _take(shop, sorted(rows), found, parents)
        _inherit(found, parents)
    return found


def _take(shop: Reader, rows: Sequence[Sequence[Any]], found: dict[int, Product], parents: dict[int, int]) -> None:
    ids = [row[0] for row in rows]
    flags = {row[0]: (bool(row[1]), bool(row[2])) for row in shop.page("products_lookup", ids=ids)}
    terms = _terms(shop.page("products_terms", ids=ids))
    for id_, parent, title, type_ in rows:
        virtual, downloadable = flags.get(id_, (False, False))
        categories, kind = terms.get(id_, ((), "simple"))
        found[id_] = Product(
            id=id_,
            title=names.shown(title or ""),
            kind=kind,
            categories=categories,
            physical=not (virtual or downloadable),
        )
        if type_ == "product_variation" and parent:
            parents[id_] = parent


def _inherit(found: dict[int, Product], parents: dict[int, int]) -> None:
    for id_, parent in parents.items():
        if parent in found:
            above, own = found[parent], found[id_]
            found[id_] = Product(
                id=id_, title=above.title, kind=above.kind, categories=above.categories, physical=own.physical
            )


def _terms(rows: Sequence[Sequence[Any]]) -> dict[int, tuple[tuple[str, ...], str]]:
    categories: dict[int, list[str]] = {}
    kinds: dict[int, str] = {}
    for id_, taxonomy, name, slug in rows:
        if taxonomy == "product_cat":
            categories.setdefault(id_, []).append(names.shown(name or ""))
        else:
            kinds[id_] = slug or "simple"
    ids = categories.keys() | kinds.keys()
    return {id_: (tuple(sorted(set(categories.get(id_, ())))), kinds.get(id_, "simple")) for id_ in ids}


def meta(shop: Reader, ids: Sequence[int], keys: Collection[str]) -> dict[int, dict[str, str]]:
    """Wanted meta of products."""
    if not ids or not keys:
        return {}
    return first_rows(shop.page("products_custom_meta", ids=ids, keys=sorted(keys)))


def item_meta(shop: Reader, ids: Sequence[int], keys: Collection[str]) -> dict[int, dict[str, list[str]]]:
    """{order: {key: values of its lines, in line order}} for meta of order lines."""
    if not ids or not keys:
        return {}
    found: dict[int, dict[str, list[str]]] = {}
    for order_id, _item, key, value in sorted(shop.page("items_custom_meta", ids=ids, keys=sorted(keys))):
        if value:
            found.setdefault(order_id, {}).setdefault(key, []).append(value)
    return found
