-- name: users_page
-- The next page of accounts, by primary key.
-- columns: id email
SELECT ID AS id, user_email AS email FROM {users} WHERE ID > %(after)s ORDER BY ID LIMIT %(limit)s;

-- name: users_rows
-- Accounts. `crc` stands for the row.
-- columns: id email registered display_name crc
SELECT ID AS id, user_email AS email, CAST(user_registered AS CHAR) AS registered, display_name,
 CRC32(CONCAT_WS('|', ID, user_email, user_registered, display_name)) AS crc
FROM {users} WHERE ID IN %(ids)s;

-- name: users_meta
-- Wanted meta of accounts.
-- columns: user_id meta_id meta_key value crc
SELECT user_id, umeta_id AS meta_id, meta_key, LEFT(meta_value, 65535) AS value,
 CRC32(CONCAT_WS('|', umeta_id, meta_value)) AS crc
FROM {usermeta} WHERE user_id IN %(ids)s AND meta_key IN %(keys)s;

-- name: users_sums
-- A digest of the accounts for every 256 ids.
-- columns: bucket rows_ crc
SELECT ID DIV 256 AS bucket, COUNT(*) AS rows_,
 CAST(SUM(CRC32(CONCAT_WS('|', ID, user_email, user_registered, display_name))) AS UNSIGNED) AS crc
FROM {users} WHERE ID > %(after)s AND ID <= %(upto)s GROUP BY ID DIV 256;

-- name: users_meta_sums
-- The same of their wanted meta (usermeta has no time: only a digest can tell that it changed).
-- columns: bucket crc
SELECT u.ID DIV 256 AS bucket,
 CAST(SUM(CRC32(CONCAT_WS('|', m.umeta_id, m.meta_value))) AS UNSIGNED) AS crc
FROM {users} u STRAIGHT_JOIN {usermeta} m FORCE INDEX (user_id) ON m.user_id = u.ID
WHERE u.ID > %(after)s AND u.ID <= %(upto)s AND m.meta_key IN %(keys)s
GROUP BY u.ID DIV 256;

-- name: users_last_id
-- The highest account id.
SELECT COALESCE(MAX(ID), 0) FROM {users};

-- name: users_by_email
-- Accounts with an e-mail, as the collation sees it: compare exactly in Python afterwards.
-- columns: id email
SELECT ID AS id, user_email AS email FROM {users} WHERE user_email = %(email)s;

-- name: users_meta_by_key
-- One meta key of every account (for `explain` and checks on small sets).
-- columns: user_id value
SELECT user_id, LEFT(meta_value, 255) AS value FROM {usermeta} WHERE meta_key = %(key)s AND user_id > %(after)s
ORDER BY user_id LIMIT %(limit)s;
