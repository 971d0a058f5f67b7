-- name: verify_hpos_orders
-- The recount: orders with their refunds summed by the server, by primary key. Shares nothing with the sync's reading.
-- columns: id status customer email total currency created refunds refunded
SELECT o.id, o.status, o.customer_id AS customer, o.billing_email AS email, CAST(o.total_amount AS CHAR) AS total,
 o.currency, CAST(o.date_created_gmt AS CHAR) AS created, COUNT(r.id) AS refunds,
 CAST(COALESCE(SUM(r.total_amount), 0) AS CHAR) AS refunded
FROM (SELECT id, status, customer_id, billing_email, total_amount, currency, date_created_gmt
 FROM {p}wc_orders FORCE INDEX (PRIMARY) WHERE id > %(after)s AND type = 'shop_order' ORDER BY id LIMIT %(limit)s) o
LEFT JOIN {p}wc_orders r ON r.parent_order_id = o.id AND r.type = 'shop_order_refund'
GROUP BY o.id;

-- name: verify_hpos_meta
-- The few meta that decide whether an order counts: erased, and at which rate.
-- columns: order_id meta_id meta_key value
SELECT order_id, id AS meta_id, meta_key, LEFT(meta_value, 255) AS value
FROM {p}wc_orders_meta WHERE order_id IN %(ids)s AND meta_key IN %(keys)s;

-- name: verify_hpos_totals
-- What the database itself holds in a range of ids: rows and money by type and currency, to add up against.
-- columns: type currency rows_ amount
SELECT type, UPPER(COALESCE(currency, '')) AS currency, COUNT(*) AS rows_,
 CAST(COALESCE(SUM(total_amount), 0) AS CHAR) AS amount
FROM {p}wc_orders WHERE id > %(after)s AND id <= %(upto)s GROUP BY type, UPPER(COALESCE(currency, ''));

-- name: verify_hpos_orphans
-- Refunds whose order is no order (any more).
-- columns: id parent currency amount
SELECT r.id, COALESCE(r.parent_order_id, 0) AS parent, UPPER(COALESCE(r.currency, '')) AS currency,
 CAST(COALESCE(r.total_amount, 0) AS CHAR) AS amount
FROM {p}wc_orders r LEFT JOIN {p}wc_orders o ON o.id = r.parent_order_id AND o.type = 'shop_order'
WHERE r.type = 'shop_order_refund' AND o.id IS NULL;

-- name: verify_posts_orders
-- The same recount of the legacy storage. An amount counts when it is a number; the first row of a key rules.
-- columns: id status created refunds refunded
SELECT t.id, t.status, t.created, COUNT(t.refund) AS refunds,
 CAST(COALESCE(SUM(CASE WHEN REPLACE(REPLACE(t.amount, ' ', ''), ',', '.') REGEXP '^[-+]?[0-9]*[.]?[0-9]+[.]?$'
  THEN CAST(REPLACE(REPLACE(t.amount, ' ', ''), ',', '.') AS DECIMAL(26,8)) ELSE 0 END), 0) AS CHAR) AS refunded
FROM (SELECT o.ID AS id, o.post_status AS status, CAST(o.post_date_gmt AS CHAR) AS created, r.ID AS refund,
 (SELECT x.meta_value FROM {p}postmeta x FORCE INDEX (post_id)
 WHERE x.post_id = r.ID AND x.meta_key = '_order_total' ORDER BY x.meta_id LIMIT 1) AS amount
FROM (SELECT ID, post_status, post_date_gmt FROM {p}posts FORCE INDEX (PRIMARY)
 WHERE ID > %(after)s AND post_type = 'shop_order' ORDER BY ID LIMIT %(limit)s) o
LEFT JOIN {p}posts r FORCE INDEX (post_parent) ON r.post_parent = o.ID AND r.post_type = 'shop_order_refund') t
GROUP BY t.id, t.status, t.created;

-- name: verify_posts_meta
-- What is a column in HPOS, and the few meta that decide whether an order counts.
-- columns: order_id meta_id meta_key value
SELECT post_id AS order_id, meta_id, meta_key, LEFT(meta_value, 512) AS value
FROM {p}postmeta WHERE post_id IN %(ids)s AND meta_key IN %(keys)s;

-- name: verify_posts_totals
-- What the database itself holds in a range of ids, by type and currency.
-- columns: type currency rows_ amount
SELECT t.type, t.currency, COUNT(*) AS rows_, CAST(COALESCE(SUM(CASE WHEN REPLACE(REPLACE(t.amount, ' ', ''), ',', '.') REGEXP '^[-+]?[0-9]*[.]?[0-9]+[.]?$'
  THEN CAST(REPLACE(REPLACE(t.amount, ' ', ''), ',', '.') AS DECIMAL(26,8)) ELSE 0 END), 0) AS CHAR) AS amount
FROM (SELECT p.post_type AS type,
 UPPER(COALESCE((SELECT x.meta_value FROM {p}postmeta x FORCE INDEX (post_id)
 WHERE x.post_id = p.ID AND x.meta_key = '_order_currency' ORDER BY x.meta_id LIMIT 1), '')) AS currency,
 (SELECT x.meta_value FROM {p}postmeta x FORCE INDEX (post_id)
 WHERE x.post_id = p.ID AND x.meta_key = '_order_total' ORDER BY x.meta_id LIMIT 1) AS amount
FROM {p}posts p FORCE INDEX (PRIMARY)
WHERE p.ID > %(after)s AND p.ID <= %(upto)s AND p.post_type IN ('shop_order', 'shop_order_refund', 'shop_subscription')) t
GROUP BY t.type, t.currency;

-- name: verify_posts_orphans
-- Refunds whose order is no order (any more).
-- columns: id parent currency amount
SELECT t.id, t.parent, t.currency, CAST(CASE WHEN REPLACE(REPLACE(t.amount, ' ', ''), ',', '.') REGEXP '^[-+]?[0-9]*[.]?[0-9]+[.]?$'
  THEN CAST(REPLACE(REPLACE(t.amount, ' ', ''), ',', '.') AS DECIMAL(26,8)) ELSE 0 END AS CHAR) AS amount
FROM (SELECT r.ID AS id, r.post_parent AS parent,
 UPPER(COALESCE((SELECT x.meta_value FROM {p}postmeta x FORCE INDEX (post_id)
 WHERE x.post_id = r.ID AND x.meta_key = '_order_currency' ORDER BY x.meta_id LIMIT 1), '')) AS currency,
 (SELECT x.meta_value FROM {p}postmeta x FORCE INDEX (post_id)
 WHERE x.post_id = r.ID AND x.meta_key = '_order_total' ORDER BY x.meta_id LIMIT 1) AS amount
FROM {p}posts r LEFT JOIN {p}posts o ON o.ID = r.post_parent AND o.post_type = 'shop_order'
WHERE r.post_type = 'shop_order_refund' AND o.ID IS NULL) t;

-- name: verify_users
-- Every account with its roles, by primary key.
-- columns: id email registered roles
SELECT u.ID AS id, u.user_email AS email, CAST(u.user_registered AS CHAR) AS registered,
 LEFT(m.meta_value, 1000) AS roles
FROM (SELECT ID, user_email, user_registered FROM {users} WHERE ID > %(after)s ORDER BY ID LIMIT %(limit)s) u
LEFT JOIN {usermeta} m ON m.user_id = u.ID AND m.meta_key = %(capabilities)s AND NOT EXISTS
 (SELECT 1 FROM {usermeta} x WHERE x.user_id = u.ID AND x.meta_key = %(capabilities)s AND x.umeta_id < m.umeta_id);
