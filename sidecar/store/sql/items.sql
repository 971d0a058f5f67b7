-- name: items_ids
-- Which items orders have. The index on the order answers this alone.
-- columns: item_id
SELECT order_item_id AS item_id FROM {p}woocommerce_order_items WHERE order_id IN %(ids)s;

-- name: items_rows
-- Lines, shipping methods and coupons, by their own ids; `coupon` is the code, '' for a shipping method, NULL for a line.
-- columns: item_id# order_id# coupon
SELECT order_item_id AS item_id, order_id,
 CASE order_item_type WHEN 'coupon' THEN order_item_name WHEN 'shipping' THEN '' END AS coupon
FROM {p}woocommerce_order_items
WHERE order_item_id IN %(ids)s AND order_item_type IN ('line_item', 'shipping', 'coupon');

-- name: items_meta_ids
-- Where the meta of items lie. The index on the item answers this alone.
-- columns: meta_id
SELECT meta_id FROM {p}woocommerce_order_itemmeta WHERE order_item_id IN %(ids)s;

-- name: items_meta
-- What was bought and how it is shipped, by ids of the meta. What goes without saying (no variation, one piece) is
-- not sent. The primary key is forced: keys are in an index too, and a search for them would read the whole shop.
-- columns: item_id# meta_key value
SELECT order_item_id AS item_id, meta_key, LEFT(meta_value, 255) AS value
FROM {p}woocommerce_order_itemmeta FORCE INDEX (PRIMARY)
WHERE meta_id IN %(ids)s AND meta_key IN ('_product_id', '_variation_id', '_qty', 'method_id')
 AND NOT (meta_key = '_variation_id' AND meta_value = '0') AND NOT (meta_key = '_qty' AND meta_value = '1');

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
