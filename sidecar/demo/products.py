"""What the shop sells: the plan, and its rows."""

from __future__ import annotations

from sidecar.demo.chance import Chance
from sidecar.demo.dates import local, utc
from sidecar.demo.money import text
from sidecar.demo.phptext import dump
from sidecar.demo.plan import Plan, Product
from sidecar.demo.rows import Rows

FIRST_PRODUCT = 10
DELETED_PRODUCT = 9  # an order line still names it
DELETED_NAME = "Moka pot (discontinued)"
WORDS = ("Scale", "Filter", "V60", "ماگ", "Grinder", "Syphon", "Чаша", "Espresso", "Kettle", "Żarna")
# slug → name, parent slug
CATEGORIES = {
    "uncategorized": ("Uncategorized", ""),
    "coffee-gear": ("Coffee gear", ""),
    "grinders": ("Grinders", "coffee-gear"),
    "hand-grinders": ("Hand grinders", "grinders"),
    "beans": ("Beans", ""),
    "mugs": ("Mugs & cups", ""),
    "courses": ("Courses", ""),
    "%d9%84%d9%88%d8%a7%d8%b2%d9%85": ("لوازم", ""),
    "%d0%ba%d0%b0%d1%84%d0%b5": ("Кафе", "beans"),
    "clothes": ("Clothes", ""),
}
KINDS = ("simple", "grouped", "variable", "external", "subscription", "variable-subscription")


def plan_products(plan: Plan, chance: Chance) -> None:
    """Sixty products, some virtual or downloadable, one a subscription, and a T-shirt in three sizes."""
    slugs = [slug for slug in CATEGORIES if slug not in ("uncategorized", "clothes", "courses")]
    for number in range(60):
        virtual, downloadable = number % 20 == 7, number % 20 == 13
        kind = "subscription" if number == 59 else "simple"
        categories = (
            slugs[number % len(slugs)],
            *((slugs[(number * 5 + 1) % len(slugs)],) if number % 4 == 0 else ()),
        )
        if virtual or downloadable:
            categories = ("courses",)
        name = "Coffee club" if kind == "subscription" else f"{WORDS[number % len(WORDS)]} no. {number + 1}"
        plan.products.append(
            Product(
                id=FIRST_PRODUCT + number,
                name=name,
                kind=kind,
                price=500 + chance.below(60_000),
                categories=tuple(dict.fromkeys(categories)),
                virtual=virtual or downloadable or kind == "subscription",
                downloadable=downloadable,
            )
        )
    shirt = FIRST_PRODUCT + 60
    plan.products.append(Product(shirt, "T-shirt", "variable", 5990, ("clothes",)))
    for size in ("S", "M", "L"):
        plan.products.append(
            Product(
                len(plan.products) + FIRST_PRODUCT,
                f"T-shirt - {size}",
                "variation",
                5990,
                parent=shirt,
                size=size,
            )
        )
    for product in plan.products:
        plan.mark(f"product.{product.kind}", product.id)
        if product.downloadable:
            plan.mark("product.downloadable", product.id)
        elif product.virtual and product.kind == "simple":
            plan.mark("product.virtual", product.id)
    plan.mark("product.deleted", DELETED_PRODUCT)


def write_products(plan: Plan, rows: Rows) -> None:
    """Posts, metas, terms and the lookup table."""
    _write_terms(plan, rows)
    post = rows.into(
        "posts",
        "ID,post_author,post_date,post_date_gmt,post_content,post_title,post_excerpt,post_status,comment_status,"
        "ping_status,post_name,to_ping,pinged,post_modified,post_modified_gmt,post_content_filtered,post_parent,"
        "guid,post_type",
    )
    meta = rows.into("postmeta", "post_id,meta_key,meta_value")
    lookup = rows.into(
        "wc_product_meta_lookup",
        "product_id,sku,virtual,downloadable,min_price,max_price,onsale,stock_quantity,stock_status,tax_status",
    )
    made = plan.now - 900 * 86400
    here, there = local(made, plan.zone), utc(made)
    for product in plan.products:
        variation = product.kind == "variation"
        sku = "" if variation or product.kind == "variable" else f"SKU-{product.id:03d}"
        post((
            product.id, 0, here, there, "", product.name, "", "publish", "closed" if variation else "open",
            "closed", f"product-{product.id}", "", "", here, there, "", product.parent,
            f"http://127.0.0.1:8080/?product=product-{product.id}",
            "product_variation" if variation else "product",
        ))  # fmt: skip
        price = text(product.price)
        metas = {
            "_sku": sku, "_price": price, "_regular_price": price, "total_sales": "0",
            "_tax_status": "taxable",
            "_tax_class": "parent" if variation else "", "_manage_stock": "no", "_backorders": "no",
            "_sold_individually": "no", "_virtual": _yes(product.virtual),
            "_downloadable": _yes(product.downloadable),
            "_stock_status": "instock", "_wc_average_rating": "0", "_wc_review_count": "0",
            "_product_version": "10.9.1",
        }  # fmt: skip
        if product.size:
            metas["attribute_size"] = product.size
        if product.kind == "variable":
            metas["_product_attributes"] = dump({"size": {"name": "Size", "value": "S | M | L", "position": 0,
                                                          "is_visible": 1, "is_variation": 1,
                                                          "is_taxonomy": 0}})  # fmt: skip
        for key, value in metas.items():
            meta((product.id, key, value))
        lookup(
            (
                product.id,
                sku,
                int(product.virtual),
                int(product.downloadable),
                price,
                price,
                0,
                None,
                "instock",
                "taxable",
            )
        )


def _write_terms(plan: Plan, rows: Rows) -> None:
    term = rows.into("terms", "term_id,name,slug,term_group")
    taxonomy = rows.into("term_taxonomy", "term_taxonomy_id,term_id,taxonomy,description,parent,count")
    relation = rows.into("term_relationships", "object_id,term_taxonomy_id,term_order")
    # The taxonomy's ids differ from the terms' on purpose, as in old shops: joins must not mix them.
    ids: dict[tuple[str, str], int] = {}
    for number, slug in enumerate([*KINDS, *CATEGORIES], 1):
        kind = "product_type" if slug in KINDS else "product_cat"
        name, parent = (slug, "") if kind == "product_type" else CATEGORIES[slug]
        ids[kind, slug] = number
        term((number, name, slug, 0))
        used = sum(slug == product.kind or slug in product.categories for product in plan.products)
        taxonomy((number + 100, number, kind, "", ids.get((kind, parent), 0), used))
    for product in plan.products:
        if product.kind == "variation":
            continue
        relation((product.id, ids["product_type", product.kind] + 100, 0))
        for slug in product.categories:
            relation((product.id, ids["product_cat", slug] + 100, 0))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
