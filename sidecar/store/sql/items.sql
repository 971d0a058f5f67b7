-- name: items_rows
-- Lines, shipping and coupons of orders; the same tables in both order storages.
-- columns: item_id order_id type name
SELECT order_item_id AS item_id, order_id, order_item_type AS type, order_item_name AS name
FROM {p}woocommerce_order_items
WHERE order_id IN %(ids)s AND order_item_type IN ('line_item', 'shipping', 'coupon');

-- name: items_meta
-- What was bought and how it is shipped.
-- columns: item_id meta_key value
SELECT i.order_item_id AS item_id, m.meta_key, LEFT(m.meta_value, 255) AS value
FROM {p}woocommerce_order_items i JOIN {p}woocommerce_order_itemmeta m ON m.order_item_id = i.order_item_id
WHERE i.order_id IN %(ids)s AND i.order_item_type IN ('line_item', 'shipping')
 AND m.meta_key IN ('_product_id', '_variation_id', '_qty', 'method_id');

-- name: items_custom_meta
-- Meta of order lines that a mapping rule asks for.
-- columns: order_id item_id meta_key value
SELECT i.order_id, i.order_item_id AS item_id, m.meta_key, LEFT(m.meta_value, 65535) AS value
FROM {p}woocommerce_order_items i JOIN {p}woocommerce_order_itemmeta m ON m.order_item_id = i.order_item_id
WHERE i.order_id IN %(ids)s AND i.order_item_type = 'line_item' AND m.meta_key IN %(keys)s;
