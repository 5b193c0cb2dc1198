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

-- What followers of the desk's position are told, once per change. `told_at` is null until somebody heard it.
CREATE TABLE signals (
    event_id  INTEGER NOT NULL,
    place     INTEGER NOT NULL,
    at        TEXT NOT NULL,
    body      TEXT NOT NULL,
    told_at   TEXT,
    PRIMARY KEY (event_id, place)
) STRICT;
CREATE INDEX signals_waiting ON signals (event_id, place) WHERE told_at IS NULL;
CREATE INDEX signals_by_time ON signals (at);

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
