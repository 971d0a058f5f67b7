-- name: automation_contacts
-- Whom messages may go to, and whether: read at the moment of the decision.
-- columns: id# email status phone timezone country
SELECT id, email, status, phone, timezone, country FROM {p}fc_subscribers WHERE id IN %(ids)s;

-- name: automation_carts
-- Snapshots of carts as the plugin keeps them.
-- columns: id# visitor user_id# email consent status order_id# items made updated
SELECT id, visitor, user_id, email, consent, status, order_id, LEFT(items, 65535) AS items,
 CAST(created_gmt AS CHAR) AS made, CAST(updated_gmt AS CHAR) AS updated
FROM {p}fcsc_carts WHERE id IN %(ids)s;

-- name: automation_wares
-- Whether products and variations can be bought, and what they cost now: WooCommerce's own synchronous table.
-- columns: id# status stock price onsale#
SELECT p.ID AS id, p.post_status AS status, l.stock_status AS stock, CAST(l.min_price AS CHAR) AS price,
 COALESCE(l.onsale, 0) AS onsale
FROM {p}posts p LEFT JOIN {p}wc_product_meta_lookup l ON l.product_id = p.ID WHERE p.ID IN %(ids)s;

-- name: automation_browsers
-- Browsers that get notifications, by whose they may be.
-- columns: id# user_id# order_id# visitor endpoint p256dh auth
SELECT id, user_id, order_id, visitor, LEFT(endpoint, 2000) AS endpoint, p256dh, auth FROM {p}fcsc_push
WHERE user_id IN %(users)s OR order_id IN %(ids)s OR visitor IN %(visitors)s;

-- name: automation_strangers
-- Subscriptions that were made before anybody knew whose browser it was; `at_` is Unix seconds UTC.
-- columns: id# visitor at_#
SELECT id, visitor, TIMESTAMPDIFF(SECOND, '1970-01-01', created_gmt) AS at_ FROM {p}fcsc_push
WHERE user_id = 0 AND order_id = 0 AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: automation_push_key
-- The public key that the plugin gives to browsers.
SELECT option_value FROM {p}options WHERE option_name = 'fcsc_push_key';
