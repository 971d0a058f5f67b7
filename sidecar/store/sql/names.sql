-- name: names_users
-- What accounts are called, for the event monitor.
-- columns: id name
SELECT ID AS id, display_name AS name FROM {users} WHERE ID IN %(ids)s;

-- name: names_posts
-- Titles of products and variations.
-- columns: id name
SELECT ID AS id, LEFT(post_title, 200) AS name FROM {p}posts WHERE ID IN %(ids)s;

-- name: names_orders_hpos
-- Who orders are billed to.
-- columns: id name
SELECT order_id AS id, CONCAT_WS(' ', NULLIF(first_name, ''), NULLIF(last_name, '')) AS name
FROM {p}wc_order_addresses WHERE order_id IN %(ids)s AND address_type = 'billing';

-- name: names_orders_posts
-- The same in the legacy storage: one row a part.
-- columns: id part name
SELECT post_id AS id, meta_key AS part, LEFT(meta_value, 200) AS name FROM {p}postmeta
WHERE post_id IN %(ids)s AND meta_key IN ('_billing_first_name', '_billing_last_name');
