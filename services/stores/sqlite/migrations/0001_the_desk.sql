CREATE TABLE desk (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL,
    version  INTEGER NOT NULL
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
    observed BLOB
) STRICT;

CREATE INDEX journal_by_origin ON journal (origin, sequence);

CREATE TABLE trades (
    id        TEXT PRIMARY KEY,
    asset     TEXT NOT NULL,
    closed_at TEXT NOT NULL,
    body      BLOB NOT NULL
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
