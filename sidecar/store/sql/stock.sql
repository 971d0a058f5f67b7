-- name: stock_out
-- Products and variations that are out of stock, by id.
-- columns: product_id#
SELECT product_id FROM {p}wc_product_meta_lookup
WHERE stock_status = 'outofstock' AND product_id > %(after)s ORDER BY product_id LIMIT %(limit)s;

-- name: stock_of
-- The stock status of some products and variations, their parents, and whether they can be seen in the shop.
-- columns: id# parent# seen# status
SELECT l.product_id AS id, IF(p.post_type = 'product_variation', p.post_parent, 0) AS parent,
 p.post_status = 'publish' AND (p.post_type <> 'product_variation' OR COALESCE(u.post_status, '') = 'publish') AS seen,
 COALESCE(l.stock_status, '') AS status
FROM {p}wc_product_meta_lookup l JOIN {p}posts p ON p.ID = l.product_id LEFT JOIN {p}posts u ON u.ID = p.post_parent
WHERE l.product_id IN %(ids)s;

-- name: stock_signups
-- Who asked WooCommerce to be told when these are in stock again.
-- columns: id# product# user_id# email
SELECT id, product_id AS product, user_id, user_email AS email FROM {p}wc_stock_notifications
WHERE product_id IN %(ids)s AND status = 'active' AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: stock_told
-- Whether WooCommerce itself has tried to tell somebody since a moment.
SELECT EXISTS (SELECT 1 FROM {p}wc_stock_notifications WHERE date_last_attempt_gmt >= %(since)s) AS told;
