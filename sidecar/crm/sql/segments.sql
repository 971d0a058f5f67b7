-- name: segments_contacts
-- What rules of segments ask of contacts besides terms, fields and e-mails.
-- columns: id# status prefix first_name last_name postal_code city state country timezone contact_type source date_of_birth created_at last_activity
SELECT id, status, prefix, first_name, last_name, postal_code, city, state, country, timezone, contact_type, source,
 CAST(date_of_birth AS CHAR) AS date_of_birth, CAST(created_at AS CHAR) AS created_at,
 CAST(last_activity AS CHAR) AS last_activity
FROM {p}fc_subscribers WHERE id IN %(ids)s;

-- name: segments_statuses
-- The same when no column is asked for.
-- columns: id# status
SELECT id, status FROM {p}fc_subscribers WHERE id IN %(ids)s;

-- name: segments_terms
-- Which of some tags or lists contacts have. CONCAT: as in contacts_fields.
-- columns: subscriber_id# object_id#
SELECT subscriber_id, object_id FROM {p}fc_subscriber_pivot
WHERE subscriber_id IN %(ids)s AND object_id IN %(objects)s AND CONCAT(object_type, '') = %(type)s;

-- name: segments_fields
-- Some custom fields of contacts; of a field that stands twice FluentCRM reads the first row. CONCAT: as in contacts_fields.
-- columns: id# subscriber_id# slug value
SELECT id, subscriber_id, `key` AS slug, value FROM {p}fc_subscriber_meta
WHERE subscriber_id IN %(ids)s AND CONCAT(`key`, '') IN %(slugs)s AND CONCAT(object_type, '') = 'custom_field';

-- name: segments_mails
-- How contacts answer to e-mails. scheduled_at is when it was sent; an open (3.1) and a click (both) bump updated_at, so
-- that of an opened row is no earlier than its open. answers: the newest first, 2 clicked, 1 opened, 0 neither.
-- columns: subscriber_id# sent# opened# clicked# first last opened_at clicked_at answers
SELECT subscriber_id, COUNT(*) AS sent, CAST(SUM(is_open > 0 OR COALESCE(click_counter, 0) > 0) AS SIGNED) AS opened,
 CAST(SUM(COALESCE(click_counter, 0) > 0) AS SIGNED) AS clicked,
 CAST(MIN(scheduled_at) AS CHAR) AS first, CAST(MAX(scheduled_at) AS CHAR) AS last,
 CAST(MAX(IF(is_open > 0 OR click_counter > 0, updated_at, NULL)) AS CHAR) AS opened_at,
 CAST(MAX(IF(click_counter > 0, updated_at, NULL)) AS CHAR) AS clicked_at,
 LEFT(GROUP_CONCAT(IF(click_counter > 0, '2', IF(is_open > 0, '1', '0')) ORDER BY scheduled_at DESC, id DESC SEPARATOR ''),
  20) AS answers
FROM {p}fc_campaign_emails WHERE subscriber_id IN %(ids)s AND CONCAT(status, '') = 'sent' GROUP BY subscriber_id;

-- name: segments_metrics
-- When contacts last clicked, and opened as FluentCRM 2.9 keeps it (a row of its own; the e-mail's updated_at stays).
-- columns: subscriber_id# opened_at clicked_at
SELECT subscriber_id, CAST(MAX(IF(type = 'open', COALESCE(updated_at, created_at), NULL)) AS CHAR) AS opened_at,
 CAST(MAX(IF(type = 'click', COALESCE(updated_at, created_at), NULL)) AS CHAR) AS clicked_at
FROM {p}fc_campaign_url_metrics WHERE subscriber_id IN %(ids)s AND CONCAT(type, '') IN ('open', 'click')
GROUP BY subscriber_id;

-- name: segments_mails_last
-- Up to where e-mails and answers are there.
-- columns: at metric
SELECT (SELECT CAST(MAX(updated_at) AS CHAR) FROM {p}fc_campaign_emails) AS at,
 (SELECT COALESCE(MAX(id), 0) FROM {p}fc_campaign_url_metrics) AS metric;

-- name: segments_mails_changed
-- The next e-mails that were sent, opened or clicked in since, in the order of the index on updated_at.
-- columns: id subscriber_id at
SELECT id, COALESCE(subscriber_id, 0) AS subscriber_id, CAST(updated_at AS CHAR) AS at FROM {p}fc_campaign_emails
WHERE updated_at >= %(at)s AND (updated_at > %(at)s OR id > %(after)s) ORDER BY updated_at, id LIMIT %(limit)s;

-- name: segments_metrics_changed
-- The next answers since, by primary key.
-- columns: id subscriber_id
SELECT id, COALESCE(subscriber_id, 0) AS subscriber_id FROM {p}fc_campaign_url_metrics WHERE id > %(after)s
ORDER BY id LIMIT %(limit)s;
