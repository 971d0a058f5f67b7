"""The rest of the site: options, the coupon, carts, order notes and reviews."""

from __future__ import annotations

import hashlib

from sidecar.demo.dates import local, utc
from sidecar.demo.order_items import COUPON_ID
from sidecar.demo.orders import COUPON
from sidecar.demo.phptext import Value, dump
from sidecar.demo.plan import Order, Person, Plan
from sidecar.demo.rows import Rows

PLUGINS = ["fluent-crm/fluent-crm.php", "woocommerce/woocommerce.php"]
FLUENTCRM_DB = {"3.1": "2.10.10", "2.9": "2.9.50"}


def write_options(rows: Rows, *, hpos: bool, sync: bool, fluentcrm: str, timezone: str) -> None:
    """The options that a reader could need. A time zone like `+5.5` becomes `gmt_offset`."""
    offset = timezone if timezone[:1] in ("+", "-") else ""
    options = {
        "siteurl": "http://127.0.0.1:8080", "home": "http://127.0.0.1:8080", "blogname": "Kawa & Herbata",
        "admin_email": "admin@shop.example.org", "start_of_week": "1", "permalink_structure": "",
        "active_plugins": dump(PLUGINS), "db_version": "60717",
        "gmt_offset": str(float(offset)) if offset else "0",
        "timezone_string": "" if offset else timezone, "woocommerce_default_country": "PL:DS",
        "woocommerce_calc_taxes": "no", "woocommerce_currency": "PLN", "woocommerce_currency_pos": "left",
        "woocommerce_price_thousand_sep": ",", "woocommerce_price_decimal_sep": ".",
        "woocommerce_price_num_decimals": "2", "woocommerce_hold_stock_minutes": "60",
        "woocommerce_prices_include_tax": "no",
        "woocommerce_custom_orders_table_enabled": "yes" if hpos else "no",
        "woocommerce_custom_orders_table_data_sync_enabled": "yes" if sync else "no",
        "woocommerce_feature_order_attribution_enabled": "yes", "woocommerce_version": "10.9.1",
        "woocommerce_db_version": "10.9.1", "_fluentcrm_db_version": FLUENTCRM_DB[fluentcrm],
        "fluentcrm-global-settings": dump({"email": {"emails_per_second": 4}}),
    }  # fmt: skip
    if hpos or sync:
        options["woocommerce_custom_orders_table_created"] = "yes"
    option = rows.into("options", "option_name,option_value,autoload")
    for name, value in options.items():
        option((name, value, "on"))


def write_coupon(plan: Plan, rows: Rows) -> None:
    """The coupon `welcome10` with everybody who used it."""
    post = rows.into(
        "posts",
        "ID,post_date,post_date_gmt,post_content,post_title,post_excerpt,post_status,post_name,to_ping,pinged,"
        "post_modified,post_modified_gmt,post_content_filtered,post_type",
    )
    made = plan.now - 800 * 86_400
    here, there = local(made, plan.zone), utc(made)
    post((COUPON_ID, here, there, "", COUPON, "", "publish", COUPON, "", "", here, there, "", "shop_coupon"))
    meta = rows.into("postmeta", "post_id,meta_key,meta_value")
    users = [order for order in plan.orders if any(code == COUPON for code, _ in order.coupons)]
    metas = {
        "discount_type": "percent",
        "coupon_amount": "10",
        "usage_count": str(len(users)),
        "usage_limit": "0",
    }
    for name, value in metas.items():
        meta((COUPON_ID, name, value))
    for order in users:
        meta((COUPON_ID, "_used_by", str(order.customer_id or (order.email or "").lower())))


def write_carts(plan: Plan, rows: Rows, people: list[Person]) -> None:
    """A few open carts, one expired and one already emptied; a guest's key is `t_` and 30 hex digits."""
    session = rows.into("woocommerce_sessions", "session_key,session_value,session_expiry")
    for number, person in enumerate(people[:12]):
        digest = hashlib.md5(person.email.encode(), usedforsecurity=False).hexdigest()
        key = str(person.user_id) if person.user_id else f"t_{digest[:30]}"
        product = plan.products[number]
        price = product.price / 100
        cart: Value = {
            digest: {
                "key": digest, "product_id": product.id, "variation_id": 0, "variation": [], "quantity": 1,
                "line_subtotal": price, "line_subtotal_tax": 0, "line_total": price, "line_tax": 0,
            }
        }  # fmt: skip
        a = person.address
        customer: Value = {"id": str(person.user_id), "email": person.email, "first_name": a.first,
        "last_name": a.last,
                           "phone": a.phone, "country": a.country, "city": a.city,
                           "postcode": a.postcode}  # fmt: skip
        values: dict[str, Value] = {"customer": dump(customer)}
        case = "cart.emptied"
        if number != 11:
            case = "cart.account" if person.user_id else "cart.guest"
            totals: Value = {"subtotal": f"{price:.2f}", "total": f"{price:.2f}"}
            values = {"cart": dump(cart), "cart_totals": dump(totals), "applied_coupons": dump([]), **values}
        expired = number == 10
        session((key, dump(values), plan.now + (-3_600 if expired else 86_400 - 600 * number)))
        plan.mark("cart.expired" if expired else case, key)


def write_comments(plan: Plan, rows: Rows) -> None:
    """Order notes on the newest orders and a few reviews, which must not be mixed up."""
    comment = rows.into(
        "comments",
        "comment_ID,comment_post_ID,comment_author,comment_author_email,comment_date,comment_date_gmt,"
        "comment_content,comment_approved,comment_agent,comment_type,user_id",
    )
    meta = rows.into("commentmeta", "comment_id,meta_key,meta_value")
    number = 0
    recent: list[Order] = [order for order in plan.orders[-300:] if order.created is not None]
    for position, order in enumerate(recent):
        assert order.created is not None
        number += 1
        here, there = local(order.created, plan.zone), utc(order.created)
        comment((number, order.id, "WooCommerce", "woocommerce@noreply.com", here, there,
                 "Order status changed from Pending payment to Processing.", "1", "WooCommerce",
                 "order_note", 0))  # fmt: skip
        meta((number, "note_group", "order_update"))
        if position % 10 == 0 and order.lines and order.email:
            number += 1
            comment((number, order.lines[0].product, "Kupujący", order.email.strip()[:100], here, there,
            "Polecam! 👍",
                     "1", "", "review", order.customer_id))  # fmt: skip
            meta((number, "rating", str(1 + position // 10 % 5)))
