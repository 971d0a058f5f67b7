-- Automations by name. running: switched on. live_from: what happened before (Unix seconds UTC) never triggers it. rollout: percent
-- of people who may enter; holdout: percent of those who enter and are only watched. cursors: JSON, how far each source was read.
CREATE TABLE automation (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    running INTEGER NOT NULL DEFAULT 0,
    live_from INTEGER NOT NULL DEFAULT 0,
    rollout INTEGER NOT NULL DEFAULT 100,
    holdout INTEGER NOT NULL DEFAULT 0,
    cursors TEXT NOT NULL DEFAULT '{}',
    fault TEXT NOT NULL DEFAULT ''
);
-- Each text of an automation that somebody started with: they finish that one. spec: JSON of automations.model.Automation.
CREATE TABLE automation_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    automation_id INTEGER NOT NULL,
    digest TEXT NOT NULL,
    spec BLOB NOT NULL,
    first_used INTEGER NOT NULL,
    UNIQUE (automation_id, digest)
);
-- Somebody in an automation. subject: what it is about, as cart:12, order:55, product:7:9, day:2026-11-26 or ''; entered once
-- each. held: only watched (holdout). step is the one that is due at `due` (Unix seconds UTC). state: waiting | done | goal |
-- exit | failed. awaits: a topic whose coming makes it due. data: JSON of automations.enrolments.Data (coupons, ways taken).
-- claim: until when (Unix ms) a worker has it; 0 nobody.
CREATE TABLE enrolment (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    automation_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    held INTEGER NOT NULL DEFAULT 0,
    entered INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    step TEXT NOT NULL,
    due INTEGER,
    awaits TEXT NOT NULL DEFAULT '',
    claim INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    ended INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    data BLOB,
    UNIQUE (person_id, automation_id, subject)
);
CREATE INDEX enrolment_due ON enrolment (automation_id, due) WHERE state = 'waiting';
CREATE INDEX enrolment_state ON enrolment (automation_id, state, held);
CREATE INDEX enrolment_ended ON enrolment (ended) WHERE ended IS NOT NULL;
CREATE INDEX enrolment_subject ON enrolment (subject) WHERE state = 'waiting';
-- What became of each step of an enrolment. outcome: done | skipped | failed; reason says why. at: Unix seconds UTC.
CREATE TABLE step_done (
    enrolment_id INTEGER NOT NULL, step TEXT NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (enrolment_id, step)
) WITHOUT ROWID;
-- How many steps had which outcome, of those who are only watched (held) and of the others: counting half a million rows takes a second.
-- reason: what stands before a colon.
CREATE TABLE step_count (
    automation_id INTEGER NOT NULL, held INTEGER NOT NULL, step TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    number INTEGER NOT NULL, PRIMARY KEY (automation_id, held, step, outcome, reason)
) WITHOUT ROWID;
CREATE TRIGGER step_counted AFTER INSERT ON step_done BEGIN
 INSERT INTO step_count
  SELECT automation_id, held, new.step, new.outcome, substr(new.reason, 1, instr(new.reason || ':', ':') - 1), 1
  FROM enrolment WHERE id = new.enrolment_id
  ON CONFLICT DO UPDATE SET number = number + 1;
END;
CREATE TRIGGER step_uncounted AFTER DELETE ON step_done BEGIN
 UPDATE step_count SET number = number - 1
  WHERE (automation_id, held) = (SELECT automation_id, held FROM enrolment WHERE id = old.enrolment_id) AND step = old.step
  AND outcome = old.outcome AND reason = substr(old.reason, 1, instr(old.reason || ':', ':') - 1);
 DELETE FROM step_count WHERE number <= 0 AND step = old.step
  AND automation_id = (SELECT automation_id FROM enrolment WHERE id = old.enrolment_id);
END;
-- One message. key: random, the same for whatever handing it over is tried again. state: handing (a crash there leaves it: asked of
-- a channel that knows the key, else unsure, and never sent again) | queued | sent | delivered | failed | bounced | unsure.
-- decided and handed are Unix ms UTC, the others Unix seconds. ref: the provider's name for it; checked: when
-- the provider was last asked what became of it. No address, no text.
CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    enrolment_id INTEGER NOT NULL,
    automation_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    step TEXT NOT NULL,
    person_id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    provider TEXT NOT NULL,
    purpose TEXT NOT NULL,
    language TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    ref TEXT NOT NULL DEFAULT '',
    decided INTEGER NOT NULL,
    handed INTEGER,
    sent INTEGER, delivered INTEGER, opened INTEGER, clicked INTEGER,
    checked INTEGER NOT NULL DEFAULT 0,
    UNIQUE (enrolment_id, step)
);
CREATE INDEX message_person ON message (person_id, channel, decided);
CREATE INDEX message_handing ON message (decided) WHERE state = 'handing';
CREATE INDEX message_ref ON message (provider, ref) WHERE ref <> '';
CREATE INDEX message_asked ON message (provider, handed) WHERE ref <> '' AND state IN ('queued', 'sent');
CREATE INDEX message_step ON message (automation_id, step);
CREATE INDEX message_clicked ON message (clicked) WHERE clicked IS NOT NULL;
-- Coupons that were made, so that unused ones can be cleared away. code is no personal data. used: the order, once there is one.
CREATE TABLE coupon (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE, enrolment_id INTEGER NOT NULL, automation_id INTEGER NOT NULL, person_id INTEGER NOT NULL,
    coupon_id INTEGER, code TEXT NOT NULL DEFAULT '', made INTEGER NOT NULL, expires INTEGER NOT NULL,
    order_id INTEGER, cleared INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX coupon_code ON coupon (code) WHERE code <> '';
CREATE INDEX coupon_made ON coupon (made);
CREATE INDEX coupon_person ON coupon (person_id);
-- Orders that a message earned: one message an order. how: coupon | click. at: when the order was made (Unix seconds UTC). What it
-- earned is asked of shop_order, so that a refund takes it back.
CREATE TABLE credit (
    order_id INTEGER PRIMARY KEY, message_id INTEGER, enrolment_id INTEGER NOT NULL, automation_id INTEGER NOT NULL,
    person_id INTEGER NOT NULL, at INTEGER NOT NULL, how TEXT NOT NULL
);
CREATE INDEX credit_person ON credit (person_id);
CREATE INDEX credit_automation ON credit (automation_id);
CREATE INDEX credit_enrolment ON credit (enrolment_id);
-- What reports say of an automation as it was at `at` (Unix seconds UTC): counting 100,000 ways takes a second or two. doc: JSON of
-- automations.figures.Figures.
CREATE TABLE automation_figures (automation_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, doc BLOB NOT NULL);
-- Providers of channels: how much of their rate is left, and why one is switched off ('' it is not).
CREATE TABLE provider (
    name TEXT PRIMARY KEY, tokens REAL NOT NULL DEFAULT 0, at REAL NOT NULL DEFAULT 0, disabled TEXT NOT NULL DEFAULT '',
    failures INTEGER NOT NULL DEFAULT 0, retry_at INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
-- Products and variations that were once seen out of stock: their last known status, since when (Unix seconds UTC), and since when
-- they were out of stock the last time. parent_id: of a variation, else 0.
CREATE TABLE stock (product_id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL, status TEXT NOT NULL, since INTEGER NOT NULL,
 out_since INTEGER NOT NULL);
CREATE INDEX stock_since ON stock (since);
-- AUTOINCREMENT: triggers remember the last id that they have seen, so that none may come again (an event is replaced when its hint
-- comes twice, and those of erased people go).
CREATE TABLE new_event (
    id INTEGER PRIMARY KEY AUTOINCREMENT, outbox_id INTEGER, at INTEGER NOT NULL, done_at INTEGER NOT NULL, topic TEXT NOT NULL,
    object_id INTEGER NOT NULL, sub_id INTEGER NOT NULL, detail TEXT NOT NULL, label TEXT NOT NULL, person_id INTEGER,
    outcome TEXT NOT NULL, reason TEXT NOT NULL, live INTEGER NOT NULL
);
INSERT INTO new_event SELECT id, outbox_id, at, done_at, topic, object_id, sub_id, detail, label, person_id, outcome, reason, live
 FROM event;
DROP TABLE event;
ALTER TABLE new_event RENAME TO event;
CREATE UNIQUE INDEX event_once ON event (outbox_id, at) WHERE outbox_id IS NOT NULL;
CREATE INDEX event_topic ON event (topic, id);
CREATE INDEX event_done ON event (done_at);
CREATE INDEX event_person ON event (person_id, id) WHERE person_id IS NOT NULL;
CREATE TABLE new_activity (
    id INTEGER PRIMARY KEY AUTOINCREMENT, outbox_id INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL,
    visitor TEXT NOT NULL, person_id INTEGER, object_id INTEGER NOT NULL, sub_id INTEGER NOT NULL, detail TEXT NOT NULL,
    UNIQUE (outbox_id, at)
);
INSERT INTO new_activity SELECT id, outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail FROM activity;
DROP TABLE activity;
ALTER TABLE new_activity RENAME TO activity;
CREATE INDEX activity_person ON activity (person_id, at) WHERE person_id IS NOT NULL;
CREATE INDEX activity_visitor ON activity (visitor) WHERE visitor <> '';
CREATE INDEX activity_at ON activity (at);
CREATE INDEX activity_kind ON activity (kind, at, person_id) WHERE person_id IS NOT NULL;
CREATE TRIGGER activity_noted AFTER INSERT ON activity WHEN new.person_id IS NOT NULL
 BEGIN INSERT INTO trait_stale (person_id) VALUES (new.person_id) ON CONFLICT DO UPDATE SET traits = 0; END;
CREATE TRIGGER activity_linked AFTER UPDATE OF person_id ON activity WHEN new.person_id IS NOT NULL
 BEGIN INSERT INTO trait_stale (person_id) VALUES (new.person_id) ON CONFLICT DO UPDATE SET traits = 0; END;
CREATE TRIGGER activity_forgotten AFTER DELETE ON activity WHEN old.person_id IS NOT NULL
 BEGIN INSERT INTO trait_stale (person_id) VALUES (old.person_id) ON CONFLICT DO UPDATE SET traits = 0; END;
-- The record of consent: what it stands on (order:55, contact:7, page) without names, addresses or IPs.
ALTER TABLE consent ADD COLUMN evidence TEXT NOT NULL DEFAULT '';
CREATE INDEX consent_person ON consent (person_id, channel, id);
-- waits: the plugin is still to be told whose the row is that this word stands on.
ALTER TABLE consent ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
CREATE INDEX consent_waits ON consent (id) WHERE waits = 1;
CREATE TRIGGER person_left_automations AFTER DELETE ON person BEGIN
 DELETE FROM step_done WHERE enrolment_id IN (SELECT id FROM enrolment WHERE person_id = old.id);
 DELETE FROM enrolment WHERE person_id = old.id;
 DELETE FROM message WHERE person_id = old.id;
 DELETE FROM coupon WHERE person_id = old.id;
 DELETE FROM credit WHERE person_id = old.id;
END;
