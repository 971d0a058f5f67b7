-- name: products_page
-- The next page of products and variations.
-- columns: id parent title type
SELECT ID AS id, post_parent AS parent, LEFT(post_title, 255) AS title, post_type AS type
FROM {p}posts FORCE INDEX (PRIMARY)
WHERE ID > %(after)s AND post_type IN ('product', 'product_variation') AND post_status <> 'auto-draft'
ORDER BY ID LIMIT %(limit)s;

-- name: products_lookup
-- Virtual and downloadable, from WooCommerce's own synchronous table.
-- columns: id virtual_ downloadable
SELECT product_id AS id, COALESCE(`virtual`, 0) AS virtual_, COALESCE(downloadable, 0) AS downloadable
FROM {p}wc_product_meta_lookup WHERE product_id IN %(ids)s;

-- name: products_terms
-- Categories and product type of products (terms hang on the parent, never on a variation).
-- columns: id taxonomy name slug
SELECT r.object_id AS id, x.taxonomy, t.name, t.slug
FROM {p}term_relationships r
JOIN {p}term_taxonomy x ON x.term_taxonomy_id = r.term_taxonomy_id
JOIN {p}terms t ON t.term_id = x.term_id
WHERE r.object_id IN %(ids)s AND x.taxonomy IN ('product_cat', 'product_type');

-- name: products_custom_meta
-- Meta of products that a mapping rule asks for.
-- columns: product_id meta_id meta_key value
SELECT post_id AS product_id, meta_id, meta_key, LEFT(meta_value, 65535) AS value
FROM {p}postmeta WHERE post_id IN %(ids)s AND meta_key IN %(keys)s;
-- name: products_some
-- Some products, and the variations of these.
-- columns: id parent title type
SELECT ID AS id, post_parent AS parent, LEFT(post_title, 255) AS title, post_type AS type FROM {p}posts
WHERE ID IN %(ids)s AND post_type IN ('product', 'product_variation') AND post_status <> 'auto-draft'
UNION
SELECT ID, post_parent, LEFT(post_title, 255), post_type FROM {p}posts
WHERE post_parent IN %(ids)s AND post_type = 'product_variation' AND post_status <> 'auto-draft';
