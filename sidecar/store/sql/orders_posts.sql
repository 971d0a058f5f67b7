-- name: orders_posts_ids
-- The next page of order posts. The primary key is forced: (type, status, date) would sort the whole set.
-- columns: id
SELECT ID AS id FROM {p}posts FORCE INDEX (PRIMARY)
WHERE ID > %(after)s AND post_type IN ('shop_order', 'shop_order_refund', 'shop_subscription')
ORDER BY ID LIMIT %(limit)s;

-- name: orders_posts_rows
-- The order posts. Amounts and people are in the meta.
-- columns: id# type status created created_local parent# crc#
SELECT ID AS id, post_type AS type, post_status AS status, CAST(post_date_gmt AS CHAR) AS created,
 CAST(post_date AS CHAR) AS created_local, post_parent AS parent,
 CRC32(CONCAT_WS('|', ID, post_type, post_status, post_date_gmt, post_modified_gmt, post_parent)) AS crc
FROM {p}posts WHERE ID IN %(ids)s
 AND post_type IN ('shop_order', 'shop_order_refund', 'shop_subscription');

-- name: orders_posts_meta
-- Wanted meta of orders; `crc` because post_modified does not move when only meta change.
-- columns: order_id meta_id meta_key value crc
SELECT post_id AS order_id, meta_id, meta_key, LEFT(meta_value, 65535) AS value,
 CRC32(CONCAT_WS('|', meta_id, meta_key, meta_value)) AS crc
FROM {p}postmeta WHERE post_id IN %(ids)s AND meta_key IN %(keys)s;

-- name: orders_posts_sums
-- A digest of the posts for every 256 ids.
-- columns: bucket rows_ crc
SELECT ID DIV 256 AS bucket, COUNT(*) AS rows_,
 CAST(SUM(CRC32(CONCAT_WS('|', ID, post_type, post_status, post_date_gmt, post_modified_gmt, post_parent)))
  AS UNSIGNED) AS crc
FROM {p}posts WHERE ID > %(after)s AND ID <= %(upto)s
 AND post_type IN ('shop_order', 'shop_order_refund', 'shop_subscription') GROUP BY ID DIV 256;

-- name: orders_posts_meta_sums
-- The same of wanted meta, along the primary key of the meta: twice as fast as by order, and a bucket's parts are
-- added up afterwards. Other posts that carry such a key make their bucket differ; `crcs` then finds nothing.
-- columns: bucket crc
SELECT post_id DIV 256 AS bucket, CAST(SUM(CRC32(CONCAT_WS('|', meta_id, meta_key, meta_value))) AS UNSIGNED) AS crc
FROM {p}postmeta FORCE INDEX (PRIMARY)
WHERE meta_id > %(after)s AND meta_id <= %(upto)s AND meta_key IN %(keys)s GROUP BY post_id DIV 256;

-- name: orders_posts_meta_last_id
-- The highest id of post meta.
SELECT COALESCE(MAX(meta_id), 0) FROM {p}postmeta;

-- name: orders_posts_crcs
-- The digests of single posts, inside a range whose sum differs.
-- columns: id crc
SELECT ID AS id, CRC32(CONCAT_WS('|', ID, post_type, post_status, post_date_gmt, post_modified_gmt, post_parent)) AS crc
FROM {p}posts WHERE ID BETWEEN %(low)s AND %(high)s
 AND post_type IN ('shop_order', 'shop_order_refund', 'shop_subscription');

-- name: orders_posts_meta_crcs
-- The same of their wanted meta.
-- columns: id crc
SELECT post_id AS id, CAST(SUM(CRC32(CONCAT_WS('|', meta_id, meta_key, meta_value))) AS UNSIGNED) AS crc
FROM {p}postmeta WHERE post_id IN %(ids)s AND meta_key IN %(keys)s GROUP BY post_id;

-- name: orders_posts_last_id
-- The highest post id.
SELECT COALESCE(MAX(ID), 0) FROM {p}posts;
