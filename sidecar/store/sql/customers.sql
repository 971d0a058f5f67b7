-- name: users_page
-- The next page of accounts, by primary key.
-- columns: id# email
SELECT ID AS id, user_email AS email FROM {users} WHERE ID > %(after)s ORDER BY ID LIMIT %(limit)s;

-- name: users_rows
-- Accounts. `crc` stands for the row.
-- columns: id# email registered display_name crc#
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
-- The same of their wanted meta (usermeta has no time: only a digest can tell that it changed). Read along the
-- primary key of the meta, which is twice as fast as by account; a bucket's parts are added up afterwards.
-- columns: bucket crc
SELECT user_id DIV 256 AS bucket, CAST(SUM(CRC32(CONCAT_WS('|', umeta_id, meta_value))) AS UNSIGNED) AS crc
FROM {usermeta} FORCE INDEX (PRIMARY)
WHERE umeta_id > %(after)s AND umeta_id <= %(upto)s AND meta_key IN %(keys)s GROUP BY user_id DIV 256;

-- name: users_meta_last_id
-- The highest id of account meta.
SELECT COALESCE(MAX(umeta_id), 0) FROM {usermeta};

-- name: users_last_id
-- The highest account id.
SELECT COALESCE(MAX(ID), 0) FROM {users};

-- name: users_by_email
-- Accounts with an e-mail, as the collation sees it: compare exactly in Python afterwards.
-- columns: id email
SELECT ID AS id, user_email AS email FROM {users} WHERE user_email = %(email)s;
