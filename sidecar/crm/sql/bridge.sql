-- name: outbox_due
-- The plugin's hints that are due, oldest first. A queue: done rows are deleted, so there is no "after the last id".
-- columns: id topic object_id sub_id detail user_id visitor created_ms attempts
SELECT id, topic, object_id, sub_id, detail, user_id, visitor, created_ms, attempts FROM {p}fcsc_outbox
WHERE due_ms <= %(now)s ORDER BY id LIMIT %(limit)s;

-- name: outbox_standing
-- How long the queue is, how many rows are due, and since when the oldest of these waits.
-- columns: rows_ due oldest pushed_back
SELECT COUNT(*) AS rows_, SUM(due_ms <= %(now)s) AS due,
 MIN(IF(due_ms <= %(now)s, GREATEST(created_ms, due_ms), NULL)) AS oldest, SUM(attempts > 0) AS pushed_back
FROM {p}fcsc_outbox;

-- name: suppression_key
-- The site's key for hashes of erased people.
SELECT option_value FROM {p}options WHERE option_name = 'fcsc_suppression_key';

-- name: suppression_hashes
-- Everybody who asked to be erased, as a hash.
-- columns: hash
SELECT hash FROM {p}fcsc_suppressed;

-- name: suppression_list
-- The same with dates (UTC), newest first.
-- columns: hash created
SELECT hash, CAST(created_gmt AS CHAR) AS created FROM {p}fcsc_suppressed ORDER BY created_gmt DESC, hash LIMIT 10000;

-- name: carts_emails
-- The address that was typed at the checkout, for some carts.
-- columns: id email
SELECT id, email FROM {p}fcsc_carts WHERE id IN %(ids)s;

-- name: site_options
-- Which site this is.
-- columns: name value
SELECT option_name AS name, LEFT(option_value, 1000) AS value FROM {p}options
WHERE option_name IN ('siteurl', 'home');

-- name: site_server
-- Which server this is: MySQL has a uuid, MariaDB has only its host and its directory.
SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'hostname', 'datadir');

-- name: consents_rows
-- Rows of the plugin's record of consent; `at` is Unix seconds UTC.
-- columns: id# contact_id# user_id# order_id# at_# channel state source wording
SELECT id, contact_id, user_id, order_id, TIMESTAMPDIFF(SECOND, '1970-01-01', created_gmt) AS at_, channel, state, source, wording
FROM {p}fcsc_consents WHERE id IN %(ids)s;

-- name: consents_after
-- The same, by number.
-- columns: id# contact_id# user_id# order_id# at_# channel state source wording
SELECT id, contact_id, user_id, order_id, TIMESTAMPDIFF(SECOND, '1970-01-01', created_gmt) AS at_, channel, state, source, wording
FROM {p}fcsc_consents WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;
