-- name: messages_orders_hpos
-- Orders as messages tell of them. The key is what opens an order to whoever has it.
-- columns: id status currency total created payment order_key
SELECT o.id, o.status, o.currency, CAST(o.total_amount AS CHAR) AS total, CAST(o.date_created_gmt AS CHAR) AS created,
 o.payment_method_title AS payment, d.order_key
FROM {p}wc_orders o LEFT JOIN {p}wc_order_operational_data d ON d.order_id = o.id
WHERE o.id IN %(ids)s AND o.type = 'shop_order';

-- name: messages_orders_posts
-- The same of the legacy storage, where all but these is in the meta.
-- columns: id status created
SELECT ID AS id, post_status AS status, CAST(post_date_gmt AS CHAR) AS created
FROM {p}posts WHERE ID IN %(ids)s AND post_type = 'shop_order';

-- name: messages_lines
-- The lines of orders with the meta that messages show (the last key is VillaTheme's tracking).
-- columns: order_id item_id name meta_key value
SELECT i.order_id, i.order_item_id AS item_id, i.order_item_name AS name, m.meta_key, LEFT(m.meta_value, 4000) AS value
FROM {p}woocommerce_order_items i JOIN {p}woocommerce_order_itemmeta m ON m.order_item_id = i.order_item_id
WHERE i.order_id IN %(ids)s AND i.order_item_type = 'line_item'
 AND m.meta_key IN ('_product_id', '_variation_id', '_qty', '_line_total', '_line_tax', '_vi_wot_order_item_tracking_data');

-- name: messages_carts
-- Carts as they were left.
-- columns: id user_id status order_id currency total items language
SELECT id, user_id, status, order_id, currency, CAST(total AS CHAR) AS total, LEFT(items, 65535) AS items, language
FROM {p}fcsc_carts WHERE id IN %(ids)s;

-- name: messages_products
-- Products and variations with what their addresses are made from.
-- columns: id parent title slug type status
SELECT ID AS id, post_parent AS parent, LEFT(post_title, 255) AS title, post_name AS slug, post_type AS type,
 post_status AS status
FROM {p}posts WHERE ID IN %(ids)s AND post_type IN ('product', 'product_variation');

-- name: messages_prices
-- Prices and stock as they are now, from WooCommerce's own synchronous table.
-- columns: id price onsale stock status
SELECT product_id AS id, CAST(min_price AS CHAR) AS price, COALESCE(onsale, 0) AS onsale,
 CAST(stock_quantity AS CHAR) AS stock, stock_status AS status
FROM {p}wc_product_meta_lookup WHERE product_id IN %(ids)s;

-- name: messages_options
-- Which variation one is: a meta row for each attribute, with the slug of a term or the text itself. The index is forced: a
-- page may name most of a small shop's products, and their meta would then all be read.
-- columns: id meta_id meta_key value
SELECT post_id AS id, meta_id, meta_key, LEFT(meta_value, 255) AS value
FROM {p}postmeta FORCE INDEX (post_id) WHERE post_id IN %(ids)s AND LEFT(meta_key, 10) = 'attribute_';

-- name: messages_terms
-- What terms of attributes are called.
-- columns: taxonomy slug name
SELECT x.taxonomy, t.slug, t.name FROM {p}terms t JOIN {p}term_taxonomy x ON x.term_id = t.term_id
WHERE t.slug IN %(slugs)s AND x.taxonomy IN %(names)s;

-- name: messages_fulfillments
-- Parcels of WooCommerce's own fulfillments (10.1 and later, off by default). Values are JSON, unlike other meta.
-- columns: order_id fulfillment_id meta_key value
SELECT f.entity_id AS order_id, f.fulfillment_id, m.meta_key, LEFT(m.meta_value, 2000) AS value
FROM {p}wc_order_fulfillments f JOIN {p}wc_order_fulfillment_meta m ON m.fulfillment_id = f.fulfillment_id
WHERE f.entity_type = 'WC_Order' AND f.entity_id IN %(ids)s AND f.date_deleted IS NULL AND f.is_fulfilled = 1
 AND m.date_deleted IS NULL
 AND m.meta_key IN ('_tracking_number', '_tracking_url', '_shipment_provider', '_provider_name');
