CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- One row a person. key: HMAC of the e-mail. dirty: needs another look. verdict: in | left | failed.
-- ltv is micros. Narrow and with few indexes: every run goes over it, and a first one fills it.
CREATE TABLE person (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    user_id INTEGER,
    contact_id INTEGER,
    made INTEGER NOT NULL DEFAULT 0,
    dirty INTEGER NOT NULL DEFAULT 1,
    verdict TEXT NOT NULL DEFAULT 'new',
    reason TEXT NOT NULL DEFAULT '',
    orders_count INTEGER NOT NULL DEFAULT 0,
    ltv INTEGER NOT NULL DEFAULT 0,
    last_order INTEGER,
    status TEXT NOT NULL DEFAULT ''
);
CREATE INDEX person_user ON person (user_id) WHERE user_id IS NOT NULL;
CREATE INDEX person_contact ON person (contact_id) WHERE contact_id IS NOT NULL;

-- Facts (JSON of people.Facts), and digests of what the sidecar last wrote (JSON of crm.Written).
CREATE TABLE person_doc (person_id INTEGER PRIMARY KEY, facts BLOB NOT NULL, written BLOB);

-- Old e-mail addresses of an account: later guest orders under one still belong to the person.
CREATE TABLE alias (key BLOB PRIMARY KEY, person_id INTEGER NOT NULL) WITHOUT ROWID;

-- WordPress accounts. crc as loaded, NULL until then.
CREATE TABLE account (user_id INTEGER PRIMARY KEY, person_id INTEGER, crc INTEGER);
CREATE INDEX account_person ON account (person_id);

-- The order ledger. verdict: candidate | refund | or why the order does not count. total is micros in the
-- shop's currency; rate as text when the order was in another one. doc is JSON: lines, attribution …
CREATE TABLE shop_order (
    id INTEGER PRIMARY KEY,
    parent_id INTEGER NOT NULL DEFAULT 0,
    customer_id INTEGER NOT NULL DEFAULT 0,
    person_id INTEGER,
    verdict TEXT NOT NULL,
    status TEXT NOT NULL,
    total INTEGER,
    rate TEXT,
    created INTEGER,
    crc INTEGER NOT NULL,
    doc BLOB
);
CREATE INDEX shop_order_person ON shop_order (person_id) WHERE person_id IS NOT NULL;
CREATE INDEX shop_order_customer ON shop_order (customer_id) WHERE customer_id > 0;
CREATE INDEX shop_order_parent ON shop_order (parent_id) WHERE verdict = 'refund';

CREATE TABLE product (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL);

CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    person_id INTEGER,
    run_id INTEGER,
    attempts INTEGER NOT NULL DEFAULT 1,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    UNIQUE (kind, ref, reason)
);

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    started INTEGER NOT NULL,
    finished INTEGER,
    options TEXT NOT NULL DEFAULT '{}',
    counts TEXT NOT NULL DEFAULT '{}',
    error TEXT NOT NULL DEFAULT ''
);

-- Proofs of consent that were used to subscribe somebody. Append only.
CREATE TABLE consent (
    id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    wording TEXT NOT NULL,
    at INTEGER NOT NULL
);

-- Erased people: no import brings them back.
CREATE TABLE suppressed (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
