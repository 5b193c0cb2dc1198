-- A signal's id grows with each one, also when several fills of different orders are told at once. `at` is when the desk
-- recorded it, `waits_until` how long it waits for a first listener, `told_at` is null until somebody heard it.
DROP TABLE signals;
CREATE TABLE signals (
    id           INTEGER PRIMARY KEY,
    at           TEXT NOT NULL,
    waits_until  TEXT NOT NULL,
    told_at      TEXT,
    body         TEXT NOT NULL
) STRICT;
CREATE INDEX signals_by_time ON signals (at);

-- The fills that no signal has told yet, as one JSON document.
CREATE TABLE pending_fills (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    body  TEXT NOT NULL
) STRICT;

-- Who listens, and up to which signal they were told: whoever comes back under the same name is told the rest. `left_at`
-- is null while they are connected, and after a kill.
CREATE TABLE signal_seats (
    id       INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    told_id  INTEGER NOT NULL,
    left_at  TEXT
) STRICT;
