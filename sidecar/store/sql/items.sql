-- name: items_meta
-- What was bought and how it is shipped. What goes without saying (no variation, one piece) is not sent.
-- columns: item_id order_id meta_key value
SELECT i.order_item_id AS item_id, i.order_id, m.meta_key, LEFT(m.meta_value, 255) AS value
FROM {p}woocommerce_order_items i JOIN {p}woocommerce_order_itemmeta m ON m.order_item_id = i.order_item_id
WHERE i.order_id IN %(ids)s AND i.order_item_type IN ('line_item', 'shipping')
 AND m.meta_key IN ('_product_id', '_variation_id', '_qty', 'method_id')
 AND NOT (m.meta_key = '_variation_id' AND m.meta_value = '0') AND NOT (m.meta_key = '_qty' AND m.meta_value = '1');

-- name: items_coupons
-- Coupon codes of orders.
-- columns: item_id order_id name
SELECT order_item_id AS item_id, order_id, order_item_name AS name FROM {p}woocommerce_order_items
WHERE order_id IN %(ids)s AND order_item_type = 'coupon';

-- name: items_names
-- The stored names of single lines: asked only for lines whose product is gone.
-- columns: item_id name
SELECT order_item_id AS item_id, order_item_name AS name FROM {p}woocommerce_order_items
WHERE order_item_id IN %(ids)s;

-- name: items_custom_meta
-- Meta of order lines that a mapping rule asks for.
-- columns: order_id item_id meta_key value
SELECT i.order_id, i.order_item_id AS item_id, m.meta_key, LEFT(m.meta_value, 65535) AS value
FROM {p}woocommerce_order_items i JOIN {p}woocommerce_order_itemmeta m ON m.order_item_id = i.order_item_id
WHERE i.order_id IN %(ids)s AND i.order_item_type = 'line_item' AND m.meta_key IN %(keys)s;
