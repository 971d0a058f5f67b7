-- Whether a change is of now (the shop's live mode) or of an import and the like: only the first may start automations.
-- AUTOINCREMENT: who follows the comings and goings remembers the last id, so that none may come again.
DROP TRIGGER person_forgotten;
CREATE TABLE new_event (id INTEGER PRIMARY KEY AUTOINCREMENT, segment TEXT NOT NULL, person_id INTEGER NOT NULL,
 entered INTEGER NOT NULL, at INTEGER NOT NULL, live INTEGER NOT NULL DEFAULT 0);
INSERT INTO new_event (id, segment, person_id, entered, at)
 SELECT id, segment, person_id, entered, at FROM membership_event;
DROP TABLE membership_event;
ALTER TABLE new_event RENAME TO membership_event;
CREATE INDEX membership_event_person ON membership_event (person_id);
CREATE INDEX membership_event_at ON membership_event (at);
-- When (Unix seconds) somebody did something that may start automations; 0: nothing since the last look. Another note of
-- the same person leaves it alone.
ALTER TABLE trait_stale ADD COLUMN live INTEGER NOT NULL DEFAULT 0;
DROP TRIGGER person_doc_written;
CREATE TRIGGER person_doc_written AFTER INSERT ON person_doc
 BEGIN INSERT INTO trait_stale (person_id) VALUES (new.person_id) ON CONFLICT DO UPDATE SET traits = 0; END;
DROP TRIGGER activity_noted;
CREATE TRIGGER activity_noted AFTER INSERT ON activity WHEN new.person_id IS NOT NULL
 BEGIN INSERT INTO trait_stale (person_id) VALUES (new.person_id) ON CONFLICT DO UPDATE SET traits = 0; END;
DROP TRIGGER activity_linked;
CREATE TRIGGER activity_linked AFTER UPDATE OF person_id ON activity WHEN new.person_id IS NOT NULL
 BEGIN INSERT INTO trait_stale (person_id) VALUES (new.person_id) ON CONFLICT DO UPDATE SET traits = 0; END;
DROP TRIGGER activity_forgotten;
CREATE TRIGGER activity_forgotten AFTER DELETE ON activity WHEN old.person_id IS NOT NULL
 BEGIN INSERT INTO trait_stale (person_id) VALUES (old.person_id) ON CONFLICT DO UPDATE SET traits = 0; END;

-- What visitors did, by kind: windows of counts and when they end.
CREATE INDEX activity_kind ON activity (kind, at, person_id) WHERE person_id IS NOT NULL;

-- Products and categories (folded; product is 0 then) that somebody bought in several counted orders: the last one (Unix
-- seconds UTC), and the days between two of them on average, at least one.
CREATE TABLE reorder (person_id INTEGER NOT NULL, product INTEGER NOT NULL, category TEXT NOT NULL,
 last_order INTEGER NOT NULL, interval_days REAL NOT NULL, PRIMARY KEY (person_id, product, category)) WITHOUT ROWID;

-- RFM scores, 1 to 5; NULL without an order. trait.ltv and the like are where they come from.
ALTER TABLE trait ADD COLUMN recency_score INTEGER;
ALTER TABLE trait ADD COLUMN frequency_score INTEGER;
ALTER TABLE trait ADD COLUMN monetary_score INTEGER;

-- What FluentCRM knows of a contact: its status, and how it answers to e-mails. Moments in Unix seconds UTC.
-- consent: whether the status is subscribed. mails: whether its e-mails were looked at.
CREATE TABLE contact_trait (
    person_id INTEGER PRIMARY KEY,
    contact_id INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT '', consent INTEGER NOT NULL DEFAULT 0,
    mails INTEGER NOT NULL DEFAULT 0,
    emails_sent INTEGER NOT NULL DEFAULT 0, emails_opened INTEGER NOT NULL DEFAULT 0,
    emails_clicked INTEGER NOT NULL DEFAULT 0,
    first_sent INTEGER, last_sent INTEGER, last_open INTEGER, last_click INTEGER, engagement REAL
);
CREATE INDEX contact_trait_open ON contact_trait (last_open);
CREATE INDEX contact_trait_click ON contact_trait (last_click);
CREATE INDEX contact_trait_sent ON contact_trait (first_sent);
-- Tags, lists, columns and custom fields of contacts, of those that rules ask for only. name: tag:slug, list:slug or
-- contact.NAME; value: folded text, '' for a tag or a list; number and moment: the value as such, where it is one.
CREATE TABLE contact_value (name TEXT NOT NULL, person_id INTEGER NOT NULL, value TEXT NOT NULL, number REAL,
 moment INTEGER, PRIMARY KEY (name, person_id)) WITHOUT ROWID;
CREATE INDEX contact_value_person ON contact_value (person_id);
CREATE INDEX contact_value_moment ON contact_value (name, moment) WHERE moment IS NOT NULL;

-- A new contact, or another one, may have other values. (OR IGNORE would be overruled by the statement outside.)
CREATE TRIGGER contact_linked AFTER UPDATE OF contact_id ON person
 WHEN new.contact_id IS NOT old.contact_id AND NOT EXISTS (SELECT 1 FROM trait_stale WHERE person_id = new.id)
 BEGIN INSERT INTO trait_stale (person_id, traits) VALUES (new.id, 1); END;

-- People whose contact must be read again for rules that ask about it; live: because of what was done just now.
CREATE TABLE contact_stale (person_id INTEGER PRIMARY KEY, live INTEGER NOT NULL DEFAULT 0);
-- Who is no contact any more, or is one again, though nobody wrote their facts anew.
CREATE TRIGGER person_judged AFTER UPDATE OF verdict ON person
 WHEN old.verdict <> 'new' AND (old.verdict = 'in') <> (new.verdict = 'in')
 BEGIN INSERT INTO trait_stale (person_id) VALUES (new.id) ON CONFLICT DO UPDATE SET traits = 0; END;

-- People whose tags in FluentCRM must be compared as a whole: their contact is another one. live: how many more times
-- that is tried through WordPress.
CREATE TABLE tag_stale (person_id INTEGER PRIMARY KEY, live INTEGER NOT NULL DEFAULT 0);
CREATE TRIGGER contact_changed AFTER UPDATE OF contact_id ON person
 WHEN new.contact_id IS NOT old.contact_id AND EXISTS (SELECT 1 FROM membership WHERE person_id = new.id)
 BEGIN INSERT INTO tag_stale (person_id) VALUES (new.id) ON CONFLICT DO NOTHING; END;
CREATE TRIGGER person_forgotten AFTER DELETE ON person BEGIN
 DELETE FROM trait WHERE person_id = old.id;
 DELETE FROM trait_stale WHERE person_id = old.id;
 DELETE FROM counted_order WHERE person_id = old.id;
 DELETE FROM membership WHERE person_id = old.id;
 DELETE FROM membership_event WHERE person_id = old.id;
 DELETE FROM contact_trait WHERE person_id = old.id;
 DELETE FROM contact_value WHERE person_id = old.id;
 DELETE FROM reorder WHERE person_id = old.id;
 DELETE FROM contact_stale WHERE person_id = old.id;
 DELETE FROM tag_stale WHERE person_id = old.id;
END;
