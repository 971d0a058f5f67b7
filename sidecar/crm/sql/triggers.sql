-- name: carts_idle
-- Carts with something in them that were last touched in a span of time, the longest ago first (Unix seconds UTC).
-- columns: id# user_id# created# updated# visitor email
SELECT id, user_id, TIMESTAMPDIFF(SECOND, '1970-01-01', created_gmt) AS created,
 TIMESTAMPDIFF(SECOND, '1970-01-01', updated_gmt) AS updated, visitor, email
FROM {p}fcsc_carts
WHERE updated_gmt BETWEEN %(since)s AND %(until)s AND (updated_gmt > %(since)s OR id > %(after)s)
 AND status IN ('open', 'checkout') AND consent <> 'refused' AND items NOT IN ('', '[]')
ORDER BY updated_gmt, id LIMIT %(limit)s;

-- name: carts_holding
-- Carts that hold a product or a variation (`held`: how it stands in the JSON), touched since a moment.
-- columns: id# user_id# visitor email items
SELECT id, user_id, visitor, email, items FROM {p}fcsc_carts
WHERE updated_gmt >= %(since)s AND status IN ('open', 'checkout') AND consent <> 'refused' AND items LIKE %(held)s
ORDER BY id LIMIT %(limit)s;

-- name: funnels_running
-- What starts FluentCRM's own automations that are switched on.
-- columns: trigger_name title
SELECT COALESCE(trigger_name, '') AS trigger_name, LEFT(title, 190) AS title FROM {p}fc_funnels
WHERE status = 'published' AND type = 'funnels';
