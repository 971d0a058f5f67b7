-- name: meta_users_next
-- The lowest account id above one: jumps over gaps.
SELECT ID FROM {users} WHERE ID > %(after)s ORDER BY ID LIMIT 1;

-- name: meta_users_owners
-- How many accounts are in a range of ids.
SELECT COUNT(*) FROM {users} WHERE ID > %(after)s AND ID <= %(upto)s;

-- name: meta_users_keys
-- Every key of a range of accounts: rows, owners, rows that say something, and the first and last owner of such.
-- columns: meta_key rows_ owners filled low high
SELECT MAX(m.meta_key) AS meta_key, COUNT(*) AS rows_, COUNT(DISTINCT u.ID) AS owners,
 CAST(COALESCE(SUM(m.meta_value <> ''), 0) AS UNSIGNED) AS filled, MIN(IF(m.meta_value <> '', u.ID, NULL)) AS low,
 MAX(IF(m.meta_value <> '', u.ID, NULL)) AS high
FROM {users} u STRAIGHT_JOIN {usermeta} m ON m.user_id = u.ID
WHERE u.ID > %(after)s AND u.ID <= %(upto)s AND m.meta_key IS NOT NULL GROUP BY BINARY m.meta_key;

-- name: meta_users_samples
-- The meta of some accounts, cut short.
-- columns: owner meta_key value
SELECT user_id AS owner, meta_key, LEFT(meta_value, 400) AS value FROM {usermeta} WHERE user_id IN %(ids)s;

-- name: meta_orders_hpos_next
-- The lowest order id above one.
SELECT id FROM {p}wc_orders WHERE id > %(after)s ORDER BY id LIMIT 1;

-- name: meta_orders_hpos_owners
-- How many orders are in a range of ids.
SELECT COUNT(*) FROM {p}wc_orders FORCE INDEX (PRIMARY)
WHERE id > %(after)s AND id <= %(upto)s AND type = 'shop_order';

-- name: meta_orders_hpos_keys
-- Every key of a range of orders. wc_orders_meta may hold rows of orders that are gone: hence the join.
-- columns: meta_key rows_ owners filled low high
SELECT MAX(m.meta_key) AS meta_key, COUNT(*) AS rows_, COUNT(DISTINCT o.id) AS owners,
 CAST(COALESCE(SUM(m.meta_value <> ''), 0) AS UNSIGNED) AS filled, MIN(IF(m.meta_value <> '', o.id, NULL)) AS low,
 MAX(IF(m.meta_value <> '', o.id, NULL)) AS high
FROM {p}wc_orders o FORCE INDEX (PRIMARY) STRAIGHT_JOIN {p}wc_orders_meta m ON m.order_id = o.id
WHERE o.id > %(after)s AND o.id <= %(upto)s AND o.type = 'shop_order' AND m.meta_key IS NOT NULL
GROUP BY BINARY m.meta_key;

-- name: meta_orders_hpos_samples
-- The meta of some orders, cut short.
-- columns: owner meta_key value
SELECT order_id AS owner, meta_key, LEFT(meta_value, 400) AS value FROM {p}wc_orders_meta WHERE order_id IN %(ids)s;

-- name: meta_posts_next
-- The lowest post id above one, of whatever type: a range of ids is cheap even when few of them are wanted.
SELECT ID FROM {p}posts WHERE ID > %(after)s ORDER BY ID LIMIT 1;

-- name: meta_posts_owners
-- How many posts of a type are in a range of ids. The primary key is forced: the index on the type would read
-- every post of it, not those of the range.
SELECT COUNT(*) FROM {p}posts FORCE INDEX (PRIMARY)
WHERE ID > %(after)s AND ID <= %(upto)s AND post_type = %(type)s;

-- name: meta_posts_keys
-- Every key of a range of posts of one type (orders of the legacy storage, products).
-- columns: meta_key rows_ owners filled low high
SELECT MAX(m.meta_key) AS meta_key, COUNT(*) AS rows_, COUNT(DISTINCT p.ID) AS owners,
 CAST(COALESCE(SUM(m.meta_value <> ''), 0) AS UNSIGNED) AS filled, MIN(IF(m.meta_value <> '', p.ID, NULL)) AS low,
 MAX(IF(m.meta_value <> '', p.ID, NULL)) AS high
FROM {p}posts p FORCE INDEX (PRIMARY) STRAIGHT_JOIN {p}postmeta m ON m.post_id = p.ID
WHERE p.ID > %(after)s AND p.ID <= %(upto)s AND p.post_type = %(type)s AND m.meta_key IS NOT NULL
GROUP BY BINARY m.meta_key;

-- name: meta_posts_samples
-- The meta of some posts, cut short.
-- columns: owner meta_key value
SELECT post_id AS owner, meta_key, LEFT(meta_value, 400) AS value FROM {p}postmeta WHERE post_id IN %(ids)s;

-- name: meta_items_next
-- The lowest order item id above one.
SELECT order_item_id FROM {p}woocommerce_order_items WHERE order_item_id > %(after)s ORDER BY order_item_id LIMIT 1;

-- name: meta_items_owners
-- How many order lines are in a range of item ids.
SELECT COUNT(*) FROM {p}woocommerce_order_items
WHERE order_item_id > %(after)s AND order_item_id <= %(upto)s AND order_item_type = 'line_item';

-- name: meta_items_keys
-- Every key of a range of order lines (what `item_meta.KEY` reads; not of shipping, fees and taxes).
-- columns: meta_key rows_ owners filled low high
SELECT MAX(m.meta_key) AS meta_key, COUNT(*) AS rows_, COUNT(DISTINCT i.order_item_id) AS owners,
 CAST(COALESCE(SUM(m.meta_value <> ''), 0) AS UNSIGNED) AS filled,
 MIN(IF(m.meta_value <> '', i.order_item_id, NULL)) AS low, MAX(IF(m.meta_value <> '', i.order_item_id, NULL)) AS high
FROM {p}woocommerce_order_items i FORCE INDEX (PRIMARY)
STRAIGHT_JOIN {p}woocommerce_order_itemmeta m ON m.order_item_id = i.order_item_id
WHERE i.order_item_id > %(after)s AND i.order_item_id <= %(upto)s AND i.order_item_type = 'line_item'
 AND m.meta_key IS NOT NULL
GROUP BY BINARY m.meta_key;

-- name: meta_items_samples
-- The meta of some order lines, cut short.
-- columns: owner meta_key value
SELECT order_item_id AS owner, meta_key, LEFT(meta_value, 400) AS value FROM {p}woocommerce_order_itemmeta
WHERE order_item_id IN %(ids)s;
