"""The schema of the state database, one entry a version (`PRAGMA user_version`). Entries are never edited.

No name, e-mail, phone or address stands here in the clear: a person is the HMAC of an e-mail address.
"""

from __future__ import annotations

from typing import Final

MIGRATIONS: Final = (
    """
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
    """,
    """
    -- Whether an address was once this person's is asked for every page of people.
    CREATE INDEX alias_person ON alias (person_id);
    """,
    """
    -- Nonces of signed requests, so that none is accepted twice. at: Unix seconds, when it came.
    CREATE TABLE nonce (nonce TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX nonce_at ON nonce (at);

    -- Long work that was started from a page: the truth about it, while the queue only wakes a worker.
    -- state: queued | running | paused | done | failed | cancelled. wish: '' | pause, obeyed between two pages of work.
    CREATE TABLE job (
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        options TEXT NOT NULL DEFAULT '{}',
        state TEXT NOT NULL DEFAULT 'queued',
        wish TEXT NOT NULL DEFAULT '',
        step TEXT NOT NULL DEFAULT '',
        done INTEGER NOT NULL DEFAULT 0,
        total INTEGER NOT NULL DEFAULT 0,
        step_from INTEGER NOT NULL DEFAULT 0,
        step_at REAL NOT NULL DEFAULT 0,
        created INTEGER NOT NULL,
        started INTEGER,
        updated REAL NOT NULL,
        finished INTEGER,
        result TEXT NOT NULL DEFAULT '{}',
        error TEXT NOT NULL DEFAULT ''
    );
    -- One at a time.
    CREATE UNIQUE INDEX job_open ON job ((1)) WHERE state IN ('queued', 'running', 'paused');
    """,
    """
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
    """,
    """
    -- Addresses (their keys) that said no to reminders of a cart. at: Unix seconds UTC.
    CREATE TABLE cart_refusal (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    """,
    """
    -- What segments ask about people: one column a field of segments.catalogue. Money in micros, moments in Unix seconds
    -- UTC, days of the year as MM-DD in the shop's time, sets as \x1f-separated folded texts ('' when empty).
    CREATE TABLE trait (
        person_id INTEGER PRIMARY KEY,
        orders_count INTEGER NOT NULL, ltv INTEGER NOT NULL, aov INTEGER, gross INTEGER NOT NULL,
        refunded INTEGER NOT NULL, products_count INTEGER NOT NULL, items_count INTEGER NOT NULL,
        coupons_count INTEGER NOT NULL, first_order INTEGER, last_order INTEGER, registered INTEGER,
        interval_days REAL, customer_status TEXT NOT NULL, customer_type TEXT NOT NULL, country TEXT NOT NULL,
        locale TEXT NOT NULL, language TEXT NOT NULL, payment_method TEXT NOT NULL, shipping_method TEXT NOT NULL,
        utm_source TEXT NOT NULL, utm_medium TEXT NOT NULL, utm_campaign TEXT NOT NULL, device TEXT NOT NULL,
        first_utm_source TEXT NOT NULL, first_utm_medium TEXT NOT NULL, first_utm_campaign TEXT NOT NULL,
        categories TEXT NOT NULL, products TEXT NOT NULL, product_types TEXT NOT NULL, payment_methods TEXT NOT NULL,
        shipping_methods TEXT NOT NULL, coupons TEXT NOT NULL, roles TEXT NOT NULL, is_account INTEGER NOT NULL,
        optin INTEGER, birthday TEXT NOT NULL, membership_day TEXT NOT NULL, first_order_day TEXT NOT NULL
    );
    CREATE INDEX trait_first ON trait (first_order);
    CREATE INDEX trait_last ON trait (last_order, interval_days);
    CREATE INDEX trait_ltv ON trait (ltv) WHERE orders_count > 0;
    CREATE INDEX trait_aov ON trait (aov) WHERE orders_count > 0;
    CREATE INDEX trait_registered ON trait (registered);
    -- Orders that count (net above 0).
    CREATE TABLE counted_order (order_id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL, at INTEGER NOT NULL);
    CREATE INDEX counted_order_person ON counted_order (person_id, at);
    CREATE INDEX counted_order_at ON counted_order (at);
    CREATE INDEX activity_at ON activity (at);
    -- Folded names of the categories of each product. The next run fills it: it takes every product for new.
    CREATE TABLE product_category (product_id INTEGER NOT NULL, category TEXT NOT NULL, PRIMARY KEY (product_id, category))
     WITHOUT ROWID;
    DELETE FROM product;

    -- People to look at again. traits: 0 while they are older than the facts, 1 when only memberships are.
    CREATE TABLE trait_stale (person_id INTEGER PRIMARY KEY, traits INTEGER NOT NULL DEFAULT 0);
    INSERT INTO trait_stale (person_id) SELECT person_id FROM person_doc;
    CREATE TRIGGER person_doc_written AFTER INSERT ON person_doc
     BEGIN INSERT OR REPLACE INTO trait_stale VALUES (new.person_id, 0); END;

    -- Who is in which segment, since when (Unix seconds UTC); who came and went; how large each was at the end of a day
    -- (YYYY-MM-DD in the shop's time) on which that changed.
    CREATE TABLE membership (segment TEXT NOT NULL, person_id INTEGER NOT NULL, since INTEGER NOT NULL,
     PRIMARY KEY (segment, person_id)) WITHOUT ROWID;
    CREATE INDEX membership_person ON membership (person_id);
    CREATE TABLE membership_event (id INTEGER PRIMARY KEY, segment TEXT NOT NULL, person_id INTEGER NOT NULL,
     entered INTEGER NOT NULL, at INTEGER NOT NULL);
    CREATE INDEX membership_event_person ON membership_event (person_id);
    CREATE INDEX membership_event_at ON membership_event (at);
    CREATE TABLE segment_size (segment TEXT NOT NULL, day TEXT NOT NULL, size INTEGER NOT NULL,
     PRIMARY KEY (segment, day)) WITHOUT ROWID;
    CREATE TRIGGER activity_noted AFTER INSERT ON activity WHEN new.person_id IS NOT NULL
     BEGIN INSERT OR REPLACE INTO trait_stale VALUES (new.person_id, 0); END;
    CREATE TRIGGER activity_linked AFTER UPDATE OF person_id ON activity WHEN new.person_id IS NOT NULL
     BEGIN INSERT OR REPLACE INTO trait_stale VALUES (new.person_id, 0); END;
    CREATE TRIGGER activity_forgotten AFTER DELETE ON activity WHEN old.person_id IS NOT NULL
     BEGIN INSERT OR REPLACE INTO trait_stale VALUES (old.person_id, 0); END;
    CREATE TRIGGER person_forgotten AFTER DELETE ON person BEGIN
     DELETE FROM trait WHERE person_id = old.id;
     DELETE FROM trait_stale WHERE person_id = old.id;
     DELETE FROM counted_order WHERE person_id = old.id;
     DELETE FROM membership WHERE person_id = old.id;
     DELETE FROM membership_event WHERE person_id = old.id;
    END;
    """,
    """
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
    """,
)
