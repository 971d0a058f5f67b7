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
