-- The whole schema as it stands; equal to all migrations applied in order, proven by tests/stores/test_sqlite_store.py.
-- Times are RFC 3339 UTC texts, bodies JSON.

CREATE TABLE desk (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    epoch    INTEGER NOT NULL DEFAULT 0,
    holder   TEXT NOT NULL DEFAULT '',
    beat     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE documents (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
    id         TEXT PRIMARY KEY,
    asset      TEXT NOT NULL,
    status     TEXT NOT NULL,
    is_open    INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    body       BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX open_orders ON orders (id) WHERE is_open = 1;

CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    origin   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    asset    TEXT,
    command  BLOB NOT NULL,
    events   BLOB NOT NULL,
    observed BLOB,
    schema   INTEGER NOT NULL DEFAULT 2
) STRICT;

CREATE INDEX journal_by_origin ON journal (origin, sequence);

CREATE TABLE trades (
    id          TEXT PRIMARY KEY,
    asset       TEXT NOT NULL,
    closed_at   TEXT NOT NULL,
    body        BLOB NOT NULL,
    stop_points TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX trades_by_close ON trades (closed_at);

CREATE TABLE replies (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    answered_at TEXT NOT NULL,
    answer      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
    sequence INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    path     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    body     TEXT NOT NULL
) STRICT;

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

CREATE TABLE snapshots (
    sequence    INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    trading_day TEXT NOT NULL,
    body        BLOB NOT NULL
) STRICT;

CREATE TABLE pnl_snapshots (
    trading_day TEXT PRIMARY KEY,
    body        BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    id   TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE trade_notes (
    trade_id TEXT PRIMARY KEY,
    at       TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    id   TEXT PRIMARY KEY,
    at   TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_time ON attempts (at);

CREATE TABLE gates_at_entry (
    trade_id TEXT PRIMARY KEY,
    at       TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE trade_fills (
    trade_id TEXT NOT NULL,
    id       TEXT NOT NULL,
    at       TEXT NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (trade_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE ended_sessions (
    digest   TEXT PRIMARY KEY,
    ended_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
