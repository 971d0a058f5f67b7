-- name: contacts_by_email
-- Contacts whose e-mail the collation calls equal to one of these: compare exactly in Python afterwards.
-- columns: id email user_id status updated prefix first_name last_name phone address_line_1 address_line_2 postal_code city state country timezone date_of_birth contact_type source
SELECT id, email, COALESCE(user_id, 0) AS user_id, status, CAST(updated_at AS CHAR) AS updated, prefix, first_name,
 last_name, phone, address_line_1, address_line_2, postal_code, city, state, country, timezone,
 CAST(date_of_birth AS CHAR) AS date_of_birth, contact_type, source
FROM {p}fc_subscribers WHERE email IN %(emails)s;

-- name: contacts_by_id
-- The same by id.
-- columns: id email user_id status updated prefix first_name last_name phone address_line_1 address_line_2 postal_code city state country timezone date_of_birth contact_type source
SELECT id, email, COALESCE(user_id, 0) AS user_id, status, CAST(updated_at AS CHAR) AS updated, prefix, first_name,
 last_name, phone, address_line_1, address_line_2, postal_code, city, state, country, timezone,
 CAST(date_of_birth AS CHAR) AS date_of_birth, contact_type, source
FROM {p}fc_subscribers WHERE id IN %(ids)s;

-- name: contacts_shown
-- What a list or an export of a segment says of contacts.
-- columns: id# email first_name last_name phone country status
SELECT id, email, first_name, last_name, phone, country, status FROM {p}fc_subscribers WHERE id IN %(ids)s;

-- name: contacts_any
-- Whether there is a contact at all (an empty CRM need not be asked again and again).
SELECT COALESCE(MAX(id), 0) FROM {p}fc_subscribers;

-- name: contacts_fields
-- Custom field values of contacts. CONCAT keeps the optimizer off the index on object_type, where nearly every row is
-- the same: with statistics that lag behind a first import it would read them all for every page.
-- columns: id subscriber_id slug value updated
SELECT id, subscriber_id, `key` AS slug, value, CAST(updated_at AS CHAR) AS updated FROM {p}fc_subscriber_meta
WHERE subscriber_id IN %(ids)s AND CONCAT(object_type, '') = 'custom_field';

-- name: contacts_terms
-- Tags and lists of contacts.
-- columns: subscriber_id object_id object_type
SELECT subscriber_id, object_id, object_type FROM {p}fc_subscriber_pivot
WHERE subscriber_id IN %(ids)s AND CONCAT(object_type, '') IN %(types)s;

-- name: terms_tags
-- Every tag.
-- columns: id title slug
SELECT id, title, slug FROM {p}fc_tags;

-- name: terms_lists
-- Every list.
-- columns: id title slug
SELECT id, title, slug FROM {p}fc_lists;

-- name: fields_definitions
-- The custom field definitions: one PHP-serialized list for all.
SELECT id, value FROM {p}fc_meta WHERE object_type = 'option' AND `key` = 'contact_custom_fields' ORDER BY id LIMIT 1;

-- name: undo_page
-- What a run replaced, page by page.
-- columns: id kind object_id detail
SELECT id, kind, object_id, detail FROM {p}fcsc_undo
WHERE run_id = %(run)s AND id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: undo_created
-- The contacts that these runs made.
-- columns: object_id
SELECT object_id FROM {p}fcsc_undo WHERE run_id IN %(runs)s AND kind = 'created';

-- name: undo_runs
-- Runs that can still be undone. 0 is what no run made: the fields of groups of segments.
-- columns: run_id rows_ first_at
SELECT run_id, COUNT(*) AS rows_, CAST(MIN(created_gmt) AS CHAR) AS first_at FROM {p}fcsc_undo WHERE run_id > 0 GROUP BY run_id;

-- name: owned_all
-- Tags, lists and fields that the sidecar made.
-- columns: kind object_id slug
SELECT kind, object_id, slug FROM {p}fcsc_owned;

-- name: names_contacts
-- What contacts are called, for the event monitor.
-- columns: id name
SELECT id, COALESCE(NULLIF(CONCAT_WS(' ', NULLIF(first_name, ''), NULLIF(last_name, '')), ''), email) AS name
FROM {p}fc_subscribers WHERE id IN %(ids)s;
