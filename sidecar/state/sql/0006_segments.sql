-- What segments ask about people: one column a field of segments.catalogue. Money in micros, moments in Unix seconds
-- UTC, days of the year as MM-DD in the shop's time, sets as 0x1f-separated folded texts ('' when empty).
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
