-- The lease of the writer, the schema of journal rows, snapshots for replay, the account's course, API keys.

ALTER TABLE desk ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE desk ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE desk ADD COLUMN beat INTEGER NOT NULL DEFAULT 0;

ALTER TABLE journal ADD COLUMN schema INTEGER NOT NULL DEFAULT 2;

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
