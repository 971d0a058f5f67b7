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
