-- The outbox of notifications. A row waits while it has a next_try_at; without one it was sent or given up.

CREATE TABLE notices (
    number      INTEGER PRIMARY KEY AUTOINCREMENT, -- a withdrawn number may still be on its way: never reused
    sequence    INTEGER NOT NULL,
    target      INTEGER NOT NULL,
    at          TEXT NOT NULL,
    due_at      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    level       TEXT NOT NULL,
    title       TEXT NOT NULL,
    body        TEXT NOT NULL,
    slot        TEXT,
    attempts    INTEGER NOT NULL,
    next_try_at TEXT,
    sent_at     TEXT,
    last_error  TEXT
) STRICT;

CREATE INDEX waiting_notices ON notices (target, next_try_at) WHERE next_try_at IS NOT NULL;
