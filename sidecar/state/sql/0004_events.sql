-- What the bridge told and polling found, and what became of it: the event monitor. Times are Unix milliseconds
-- UTC. outcome: changed | nothing | left | failed. outbox_id and at together tell a hint that came twice.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER,
    at INTEGER NOT NULL,
    done_at INTEGER NOT NULL,
    topic TEXT NOT NULL,
    object_id INTEGER NOT NULL,
    sub_id INTEGER NOT NULL,
    detail TEXT NOT NULL,
    label TEXT NOT NULL,
    person_id INTEGER,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    live INTEGER NOT NULL
);
CREATE UNIQUE INDEX event_once ON event (outbox_id, at) WHERE outbox_id IS NOT NULL;
CREATE INDEX event_topic ON event (topic, id);
CREATE INDEX event_done ON event (done_at);
CREATE INDEX event_person ON event (person_id, id) WHERE person_id IS NOT NULL;

-- What visitors looked at, put into a cart and checked out; person_id once they are known. at: Unix ms UTC.
-- visitor: the random first-party id in hex, '' when it was not allowed.
CREATE TABLE activity (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    visitor TEXT NOT NULL,
    person_id INTEGER,
    object_id INTEGER NOT NULL,
    sub_id INTEGER NOT NULL,
    detail TEXT NOT NULL,
    UNIQUE (outbox_id, at)
);
CREATE INDEX activity_person ON activity (person_id, at) WHERE person_id IS NOT NULL;
CREATE INDEX activity_visitor ON activity (visitor) WHERE visitor <> '';
CREATE TABLE visitor (visitor TEXT PRIMARY KEY, person_id INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX visitor_person ON visitor (person_id);

-- People whose contact a live pass was about to make: after a crash a contact found there is ours.
CREATE TABLE live_intent (person_id INTEGER PRIMARY KEY);

-- Trouble that was told and is not over. Times are Unix seconds UTC.
CREATE TABLE alert (name TEXT PRIMARY KEY, since INTEGER NOT NULL, told INTEGER NOT NULL, sentence TEXT NOT NULL)
 WITHOUT ROWID;
