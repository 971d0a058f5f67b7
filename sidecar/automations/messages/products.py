"""The products of messages: what they cost, whether they are there, and what they look like – now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from sidecar.automations.messages import clean
from sidecar.automations.messages.model import Product
from sidecar.automations.messages.site import Site
from sidecar.mysql.connection import Reader
from sidecar.mysql.packed import first_rows
from sidecar.values import php

_META = (
    "_regular_price",
    "_price",
    "_thumbnail_id",
    "_wc_average_rating",
    "_wc_review_count",
    "_crosssell_ids",
    "_upsell_ids",
)
_IMAGE = ("_wp_attached_file", "_wp_attachment_metadata")
# The shop's own small picture first: a photo as it was uploaded can have megabytes.
_SIZES = ("woocommerce_thumbnail", "medium", "woocommerce_single", "medium_large")


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A product with what is not shown: whether the shop sells it, and which others it names (cross-sells first)."""

    shown: Product
    published: bool
    others: tuple[int, ...] = ()


class Catalogue:
    """Products by id, read in bulk and kept: what was asked for once is not read again."""

    def __init__(self, reader: Reader, site: Site) -> None:
        self._reader = reader
        self._site = site
        self._known: dict[int, Found | None] = {}

    def get(self, id_: int) -> Found | None:
        """A product or a variation that `want` was told of; None when it is gone."""
        return self._known.get(id_)

    def want(self, ids: Collection[int]) -> None:
        """Read these, with the parents of variations."""
        missing = sorted({id_ for id_ in ids if id_ > 0} - self._known.keys())
        if not missing:
            return
        rows = {row[0]: row for row in self._reader.page("messages_products", ids=missing)}
        above = {row[1] for row in rows.values() if row[4] == "product_variation" and row[1]}
        if more := sorted(above - rows.keys() - self._known.keys()):
            rows |= {row[0]: row for row in self._reader.page("messages_products", ids=more)}
        self._known |= dict.fromkeys(missing)
        if rows:
            self._read(rows)

    def _read(self, rows: dict[int, list[Any]]) -> None:
        ids = sorted(rows)
        prices = {row[0]: row for row in self._reader.page("messages_prices", ids=ids)}
        meta = first_rows(self._reader.page("products_custom_meta", ids=ids, keys=sorted(_META)))
        options = self._options([id_ for id_, row in rows.items() if row[4] == "product_variation"])
        pictures = self._pictures(meta)
        # Parents first: a variation takes from its parent what it has not itself.
        for id_ in sorted(ids, key=lambda id_: rows[id_][4] == "product_variation"):
            self._known[id_] = self._one(rows[id_], prices.get(id_), meta.get(id_, {}), options.get(id_, ""), pictures)

    def _one(
        self,
        row: list[Any],
        price: list[Any] | None,
        meta: Mapping[str, str],
        options: str,
        pictures: Mapping[int, str],
    ) -> Found | None:
        id_, parent, title, slug, type_, status = row
        above = self._known.get(parent) if type_ == "product_variation" else None
        if type_ == "product_variation" and above is None:
            return None
        now = self._site.money((price[1] if price else None) or meta.get("_price"))
        shown = Product(
            id=parent if above else id_,
            variation_id=id_ if above else 0,
            name=above.shown.name if above else clean.text(title, 200),
            options=options,
            price=now,
            regular_price=self._site.money(meta.get("_regular_price")),
            on_sale=bool(price and int(price[2] or 0)),
            image=pictures.get(_int(meta.get("_thumbnail_id")), "") or (above.shown.image if above else ""),
            url=above.shown.url if above else self._site.product(id_, slug or ""),
            rating=above.shown.rating if above else _rating(meta.get("_wc_average_rating")),
            reviews=above.shown.reviews if above else _int(meta.get("_wc_review_count")),
            stock=_stock(price[3] if price else None),
            in_stock=(price[4] if price else "instock") != "outofstock",
        )
        return Found(
            shown=shown,
            published=status == "publish" and (above is None or above.published) and bool(shown.name),
            others=above.others if above else (*_ids(meta.get("_crosssell_ids")), *_ids(meta.get("_upsell_ids"))),
        )

    def _options(self, ids: list[int]) -> dict[int, str]:
        """{variation: "Red, L"}; an attribute that takes any value says nothing."""
        if not ids:
            return {}
        rows = [row for row in sorted(self._reader.page("messages_options", ids=ids), key=lambda row: row[1]) if row[3]]
        slugs = {row[3] for row in rows if row[2].startswith("attribute_pa_")}
        named: dict[tuple[str, str], str] = {}
        if slugs:
            taxonomies = sorted({row[2].removeprefix("attribute_") for row in rows})
            for taxonomy, slug, name in self._reader.page("messages_terms", slugs=sorted(slugs), names=taxonomies):
                named[taxonomy, slug] = name or ""
        found: dict[int, list[str]] = {}
        for id_, _, key, value in rows:
            found.setdefault(id_, []).append(clean.text(named.get((key.removeprefix("attribute_"), value), value), 60))
        return {id_: ", ".join(part for part in parts if part) for id_, parts in found.items()}

    def _pictures(self, meta: Mapping[int, Mapping[str, str]]) -> dict[int, str]:
        ids = {_int(one.get("_thumbnail_id")) for one in meta.values()} - {0}
        if not ids:
            return {}
        found = first_rows(self._reader.page("products_custom_meta", ids=sorted(ids), keys=sorted(_IMAGE)))
        return {id_: self._site.picture(_smaller(one)) for id_, one in found.items()}


def _smaller(meta: Mapping[str, str]) -> str:
    path = meta.get("_wp_attached_file", "")
    try:
        value = php.loads(meta.get("_wp_attachment_metadata") or "N;")
    except php.PhpError:
        return path
    sizes = value.get("sizes") if isinstance(value, dict) else None
    if isinstance(sizes, dict):
        for name in _SIZES:
            size = sizes.get(name)
            file = size.get("file") if isinstance(size, dict) else None
            if isinstance(file, str) and file and "/" not in file:
                return f"{path.rpartition('/')[0]}/{file}"
    return path


def _ids(serialized: str | None) -> tuple[int, ...]:
    try:
        value = php.loads(serialized) if serialized else None
    except php.PhpError:
        return ()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return tuple(found for item in items if isinstance(item, str | int) and (found := _int(str(item))))


def _rating(text: str | None) -> str:
    try:
        value = float(text or 0)
    except ValueError:
        return ""
    return f"{value:.1f}" if 0 < value <= 5 else ""


def _stock(text: str | None) -> int | None:
    try:
        return None if text is None else int(float(text))
    except (ValueError, OverflowError):
        return None


def _int(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0
