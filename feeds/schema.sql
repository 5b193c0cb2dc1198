-- The file of feeds. store.py adds the numbered steps in migrations/ in their order; this is what comes out of all of them.
-- Times are ISO 8601 in UTC, bodies are JSON.

-- How far the committed events of web were taken in. `anchor_*` is the last event itself: when web has another event of
-- that id, its journal is another one.
CREATE TABLE cursor (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    event_id    INTEGER NOT NULL,
    anchor_id   INTEGER NOT NULL,
    anchor      TEXT NOT NULL
) STRICT;

-- Alerts of TheStrat. An id never repeats: clients ask from the last one that they have.
CREATE TABLE alerts (
    id    INTEGER PRIMARY KEY,
    kind  TEXT NOT NULL CHECK (kind IN ('in_force', 'simultaneous_break')),
    at    TEXT NOT NULL,
    body  TEXT NOT NULL
) STRICT;
CREATE INDEX alerts_by_kind ON alerts (kind, id);
CREATE INDEX alerts_by_time ON alerts (at);

-- What followers of the desk's position are told, once per change. A signal's id grows with each one. `at` is when the desk
-- recorded it, `waits_until` how long it waits for a first listener, `told_at` is null until somebody heard it.
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

-- The newest candles of each contract, timeframe and source, so that a restart loses no trigger.
CREATE TABLE candles (
    symbol     TEXT NOT NULL,
    contract   TEXT NOT NULL,
    source     TEXT NOT NULL,
    simulated  INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    timeframe  TEXT NOT NULL,
    start      TEXT NOT NULL,
    body       TEXT NOT NULL,
    PRIMARY KEY (symbol, contract, source, simulated, timeframe, start)
) STRICT;
CREATE INDEX candles_by_start ON candles (start);
