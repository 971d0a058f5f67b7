"""The truth comes from the plan. Here the tables are counted again, in SQL that shares no code with it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from support import ShopDatabase

META = (
    "_wcpay_multi_currency_order_exchange_rate", "_wcpay_multi_currency_order_default_currency",
    "_order_total_base_currency", "_woocs_order_rate", "_woocs_order_base_currency", "_anonymized",
    "_wc_order_attribution_utm_source", "_wc_order_attribution_device_type",
)  # fmt: skip
SHORT = ("pay_rate", "pay_base", "base_total", "fox_rate", "fox_base", "anonymous", "utm", "device")
PICKED = ", ".join(
    f"MAX(IF(m.meta_key='{key}', m.meta_value, NULL)) {name}" for key, name in zip(META, SHORT, strict=True)
)

HPOS = f"""
SELECT o.id, o.status, o.currency, o.total_amount total, o.customer_id customer, o.billing_email email,
  TIMESTAMPDIFF(SECOND, '1970-01-01', NULLIF(o.date_created_gmt, '0000-00-00')) created,
  o.payment_method payment,
  (SELECT COALESCE(-SUM(r.total_amount), 0) FROM wp_wc_orders r
    WHERE r.parent_order_id=o.id AND r.type='shop_order_refund') refunded, {PICKED}
FROM wp_wc_orders o LEFT JOIN wp_wc_orders_meta m ON m.order_id=o.id WHERE o.type='shop_order' GROUP BY o.id
"""
POSTS = f"""
SELECT p.ID id, p.post_status status, MAX(IF(m.meta_key='_order_currency', m.meta_value, NULL)) currency,
  CAST(MAX(IF(m.meta_key='_order_total', m.meta_value, NULL)) AS DECIMAL(26,8)) total,
  CAST(MAX(IF(m.meta_key='_customer_user', m.meta_value, NULL)) AS UNSIGNED) customer,
  MAX(IF(m.meta_key='_billing_email', m.meta_value, NULL)) email,
  TIMESTAMPDIFF(SECOND, '1970-01-01', NULLIF(p.post_date_gmt, '0000-00-00')) created,
  MAX(IF(m.meta_key='_payment_method', m.meta_value, NULL)) payment,
  (SELECT COALESCE(-SUM(CAST(t.meta_value AS DECIMAL(26,8))), 0) FROM wp_posts r
    JOIN wp_postmeta t ON t.post_id=r.ID AND t.meta_key='_order_total'
    WHERE r.post_parent=p.ID AND r.post_type='shop_order_refund') refunded, {PICKED}
FROM wp_posts p JOIN wp_postmeta m ON m.post_id=p.ID WHERE p.post_type='shop_order' GROUP BY p.ID
"""
COUNTED = """
WITH o AS ({orders}),
named AS (
  SELECT o.*, LOWER(TRIM(COALESCE(CONVERT(u.user_email USING utf8mb4), o.email, '')))
      COLLATE utf8mb4_bin who,
    CASE WHEN currency='PLN' THEN 1
      WHEN base_total IS NOT NULL THEN total / CAST(base_total AS DECIMAL(26,8))
      WHEN pay_base='PLN' AND pay_rate > 0 THEN CAST(pay_rate AS DECIMAL(26,8))
      WHEN fox_base='PLN' AND fox_rate > 0 THEN CAST(fox_rate AS DECIMAL(26,8)) END rate
  FROM o LEFT JOIN wp_users u ON u.ID=o.customer AND o.customer > 0),
counted AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY who ORDER BY COALESCE(created, 0) DESC, id DESC) place
  FROM named WHERE status IN ('wc-processing','wc-completed') AND who<>'' AND who NOT LIKE '%@site.invalid'
    AND anonymous IS NULL AND rate IS NOT NULL AND total > refunded)
"""
PEOPLE = """SELECT who, COUNT(*), SUM(ROUND(total/rate, 2)), SUM(ROUND(refunded/rate, 2)), MIN(created),
  MAX(created), MAX(IF(place=1, payment, NULL)), MAX(IF(place=1, COALESCE(utm, ''), NULL)),
  MAX(IF(place=1, COALESCE(device, ''), NULL)), MAX(IF(place=1, id, NULL)) FROM counted GROUP BY who"""
PRODUCTS = """SELECT c.who, p.meta_value, SUM(q.meta_value) FROM counted c
  JOIN wp_woocommerce_order_items i ON i.order_id=c.id AND i.order_item_type='line_item'
  JOIN wp_woocommerce_order_itemmeta p ON p.order_item_id=i.order_item_id AND p.meta_key='_product_id'
  JOIN wp_woocommerce_order_itemmeta q ON q.order_item_id=i.order_item_id AND q.meta_key='_qty'
  GROUP BY 1, 2"""
SHIPPING = """SELECT c.who, GROUP_CONCAT(m.meta_value ORDER BY i.order_item_id) FROM counted c
  JOIN wp_woocommerce_order_items i ON i.order_id=c.id AND i.order_item_type='shipping'
  JOIN wp_woocommerce_order_itemmeta m ON m.order_item_id=i.order_item_id AND m.meta_key='method_id'
  WHERE c.place=1 GROUP BY 1"""


def test_the_tables_say_what_the_truth_says(demo: ShopDatabase) -> None:
    truth = demo.truth
    assert truth is not None
    head = COUNTED.format(orders=HPOS if demo.storage == "hpos" else POSTS)
    products: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for who, product, quantity in demo.rows(head + PRODUCTS):
        products[who][int(product)] = int(quantity)
    shipping = {who: tuple(methods.split(",")) for who, methods in demo.rows(head + SHIPPING)}
    seen = {}
    for who, orders, gross, refunded, first, last, payment, utm, device, last_id in demo.rows(head + PEOPLE):
        person = truth.people[who]
        assert (
            orders, Decimal(gross), Decimal(refunded), first, last, payment, utm, device, last_id,
            products[who], shipping.get(who, ()),
        ) == (
            person.orders_count, person.gross, person.refunded, person.first_paid, person.last_paid,
            person.payment_last, person.utm_source_last, person.device_last, person.last_order_id,
            person.products, person.shipping_last,
        ), who  # fmt: skip
        seen[who] = Decimal(gross) - Decimal(refunded)
    assert seen.keys() == {email for email, person in truth.people.items() if person.orders_count}
    assert sum(seen.values()) == truth.net
