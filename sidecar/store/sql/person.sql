-- name: person_orders_hpos_by_user
-- Order rows of accounts.
-- columns: id
SELECT id FROM {p}wc_orders WHERE customer_id IN %(ids)s ORDER BY id LIMIT 5000;

-- name: person_orders_hpos_by_email
-- Order rows under an e-mail, as the collation sees it: compare exactly in Python afterwards.
-- columns: id email
SELECT id, billing_email AS email FROM {p}wc_orders WHERE billing_email IN %(emails)s ORDER BY id LIMIT 5000;

-- name: person_refunds_hpos
-- Refunds of orders.
-- columns: id
SELECT id FROM {p}wc_orders WHERE parent_order_id IN %(ids)s AND type = 'shop_order_refund';

-- name: person_refunds_posts
-- The same in the legacy storage.
-- columns: id
SELECT ID AS id FROM {p}posts WHERE post_parent IN %(ids)s AND post_type = 'shop_order_refund';
