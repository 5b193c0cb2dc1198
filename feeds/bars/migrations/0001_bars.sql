-- The bars of feeds: one row a minute. Prices are numbers of at most 15 digits. `t` is the start of the minute in seconds
-- of the epoch, `source` the rank of who told it (feeds/bars/types.py): the lowest wins.
CREATE TABLE bars (
    symbol  TEXT NOT NULL,
    t       INTEGER NOT NULL,
    open    REAL NOT NULL,
    high    REAL NOT NULL,
    low     REAL NOT NULL,
    close   REAL NOT NULL,
    volume  REAL,
    source  INTEGER NOT NULL,
    PRIMARY KEY (symbol, t)
) STRICT, WITHOUT ROWID;

-- Bars of simulated markets lie apart: no query of real ones can reach them.
CREATE TABLE simulated_bars (
    symbol  TEXT NOT NULL,
    t       INTEGER NOT NULL,
    open    REAL NOT NULL,
    high    REAL NOT NULL,
    low     REAL NOT NULL,
    close   REAL NOT NULL,
    volume  REAL,
    source  INTEGER NOT NULL,
    PRIMARY KEY (symbol, t)
) STRICT, WITHOUT ROWID;

-- How many rows there are of each symbol: counting them would read them all.
CREATE TABLE symbols (
    symbol     TEXT NOT NULL,
    simulated  INTEGER NOT NULL CHECK (simulated IN (0, 1)),
    rows       INTEGER NOT NULL,
    PRIMARY KEY (symbol, simulated)
) STRICT, WITHOUT ROWID;
