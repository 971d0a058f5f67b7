-- name: segment_tags
-- The tags of segments that the sidecar made and that are still there.
-- columns: slug id title
SELECT o.slug, t.id, t.title FROM {p}fcsc_owned o JOIN {p}fc_tags t ON t.id = o.object_id WHERE o.kind = 'segment';

-- name: segment_contacts
-- Which of these contacts there are.
-- columns: id email
SELECT id, email FROM {p}fc_subscribers WHERE id IN %(ids)s;

-- name: segment_carriers
-- Everybody who has one of these tags, by pages of the primary key.
-- columns: id subscriber_id object_id
SELECT id, subscriber_id, object_id FROM {p}fc_subscriber_pivot
WHERE id > %(after)s AND object_id IN %(tags)s AND CONCAT(object_type, '') = %(type)s ORDER BY id LIMIT %(limit)s;

-- name: segment_field_used
-- Whether anybody has a value in a custom field. Asked once, before a field that is there already is taken for a group.
-- columns: there
SELECT 1 AS there FROM {p}fc_subscriber_meta WHERE `key` = %(key)s AND CONCAT(object_type, '') = 'custom_field' AND value <> '' LIMIT 1;
