-- name: schema_options
-- The few options that say what this shop is.
-- columns: name value
SELECT option_name AS name, LEFT(option_value, 65535) AS value FROM {p}options WHERE option_name IN %(names)s;

-- name: schema_columns
-- Which tables and columns are there.
-- columns: table_name column_name
SELECT TABLE_NAME AS table_name, COLUMN_NAME AS column_name FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN %(tables)s;

-- name: schema_unique_pivot
-- Whether FluentCRM's pivot has its unique key (3.x) or not (2.9).
SELECT COUNT(*) FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = %(pivot)s AND NON_UNIQUE = 0 AND COLUMN_NAME = 'subscriber_id';
