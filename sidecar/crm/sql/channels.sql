-- name: channel_emails
-- How e-mails in FluentCRM's queue stand, and the status of their contacts. scheduled_at is when one was sent.
-- columns: id# subscriber_id# campaign_id# status scheduled updated opened# clicked# standing changed
SELECT e.id, COALESCE(e.subscriber_id, 0) AS subscriber_id, COALESCE(e.campaign_id, 0) AS campaign_id, e.status,
 CAST(e.scheduled_at AS CHAR) AS scheduled, CAST(e.updated_at AS CHAR) AS updated,
 CAST(COALESCE(e.is_open, 0) > 0 AS SIGNED) AS opened, CAST(COALESCE(e.click_counter, 0) > 0 AS SIGNED) AS clicked,
 COALESCE(s.status, '') AS standing, CAST(s.updated_at AS CHAR) AS changed
FROM {p}fc_campaign_emails e LEFT JOIN {p}fc_subscribers s ON s.id = e.subscriber_id WHERE e.id IN %(ids)s;

-- name: channel_answers
-- When contacts first opened (2.9) and clicked, by campaign and link, and when for the last time.
-- columns: campaign_id# subscriber_id# type at last
SELECT COALESCE(campaign_id, 0) AS campaign_id, subscriber_id, type, CAST(created_at AS CHAR) AS at,
 CAST(updated_at AS CHAR) AS last
FROM {p}fc_campaign_url_metrics WHERE subscriber_id IN %(ids)s AND CONCAT(type, '') IN ('open', 'click');
