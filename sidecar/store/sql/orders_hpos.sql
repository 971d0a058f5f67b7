-- name: orders_hpos_ids
-- The next page of order rows of every type, by primary key.
-- columns: id
SELECT id FROM {p}wc_orders WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: orders_hpos_changed
-- Rows after a compound cursor (date_updated_gmt, id): two writes in one second share the date.
-- columns: id updated
SELECT id, CAST(date_updated_gmt AS CHAR) AS updated FROM {p}wc_orders
WHERE date_updated_gmt > %(at)s OR (date_updated_gmt = %(at)s AND id > %(after)s)
ORDER BY date_updated_gmt, id LIMIT %(limit)s;

-- name: orders_hpos_latest
-- Where the cursor stands when everything has been read.
-- columns: updated id
SELECT CAST(date_updated_gmt AS CHAR) AS updated, id FROM {p}wc_orders
WHERE date_updated_gmt IS NOT NULL ORDER BY date_updated_gmt DESC, id DESC LIMIT 1;

-- name: orders_hpos_rows
-- The order rows themselves. `crc` stands for all that a change of the order would move.
-- columns: id# type status customer# email total currency created parent# payment crc#
SELECT id, type, status, customer_id AS customer, billing_email AS email, CAST(total_amount AS CHAR) AS total,
 currency, CAST(date_created_gmt AS CHAR) AS created, parent_order_id AS parent, payment_method AS payment,
 CRC32(CONCAT_WS('|', id, type, status, customer_id, billing_email, total_amount, currency, date_created_gmt,
  date_updated_gmt, parent_order_id, payment_method)) AS crc
FROM {p}wc_orders WHERE id IN %(ids)s;

-- name: orders_hpos_meta
-- Wanted meta of orders. wc_orders_meta may hold rows of orders that are gone: only asked ids are read.
-- columns: order_id meta_id meta_key value
SELECT order_id, id AS meta_id, meta_key, LEFT(meta_value, 65535) AS value
FROM {p}wc_orders_meta WHERE order_id IN %(ids)s AND meta_key IN %(keys)s;

-- name: orders_hpos_addresses
-- Billing and shipping addresses of orders.
-- columns: order_id kind first_name last_name company address_1 address_2 city state postcode country email phone
SELECT order_id, address_type AS kind, first_name, last_name, company, address_1, address_2, city, state,
 postcode, country, email, phone
FROM {p}wc_order_addresses WHERE order_id IN %(ids)s;

-- name: orders_hpos_emails
-- Billing e-mails of orders (the address row may be missing).
-- columns: id email
SELECT id, billing_email AS email FROM {p}wc_orders WHERE id IN %(ids)s;

-- name: orders_hpos_sums
-- A digest for every 256 ids, to find rows that changed or went without moving a date.
-- columns: bucket rows_ crc
SELECT id DIV 256 AS bucket, COUNT(*) AS rows_,
 CAST(SUM(CRC32(CONCAT_WS('|', id, type, status, customer_id, billing_email, total_amount, currency,
  date_created_gmt, date_updated_gmt, parent_order_id, payment_method))) AS UNSIGNED) AS crc
FROM {p}wc_orders WHERE id > %(after)s AND id <= %(upto)s GROUP BY id DIV 256;

-- name: orders_hpos_crcs
-- The digests of single rows, inside a range whose sum differs.
-- columns: id crc
SELECT id, CRC32(CONCAT_WS('|', id, type, status, customer_id, billing_email, total_amount, currency,
  date_created_gmt, date_updated_gmt, parent_order_id, payment_method)) AS crc
FROM {p}wc_orders WHERE id BETWEEN %(low)s AND %(high)s;

-- name: orders_hpos_last_id
-- The highest order id.
SELECT COALESCE(MAX(id), 0) FROM {p}wc_orders;
