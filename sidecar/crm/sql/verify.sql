-- name: verify_contacts
-- The next page of contacts, by primary key.
-- columns: id email
SELECT id, email FROM {p}fc_subscribers WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: verify_fields
-- The values of some custom fields; of a field that stands twice FluentCRM reads the first row.
-- columns: subscriber_id row_id slug value
SELECT subscriber_id, id AS row_id, `key` AS slug, value FROM {p}fc_subscriber_meta
WHERE subscriber_id IN %(ids)s AND object_type = 'custom_field' AND `key` IN %(slugs)s;

-- name: undo_contacts
-- The contacts that a run made or changed.
-- columns: id object_id
SELECT id, object_id FROM {p}fcsc_undo
WHERE run_id = %(run)s AND kind IN ('created', 'changed') AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: contacts_there
-- Which of these contacts exist.
-- columns: id
SELECT id FROM {p}fc_subscribers WHERE id IN %(ids)s;
