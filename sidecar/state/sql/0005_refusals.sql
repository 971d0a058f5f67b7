-- Addresses (their keys) that said no to reminders of a cart. at: Unix seconds UTC.
CREATE TABLE cart_refusal (key BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
