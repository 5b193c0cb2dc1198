-- Auto-trade: what it may do, one decision of each closed bar, and its shadow book. Prices are whole ticks.
CREATE TABLE auto_config (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    body TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;

-- One row for each symbol and bar, whatever was decided. ``result`` is null for HOLD.
CREATE TABLE auto_decisions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    symbol TEXT NOT NULL,
    bar INTEGER NOT NULL,
    decided_at INTEGER NOT NULL,
    action TEXT NOT NULL,
    confidence TEXT,
    reason TEXT NOT NULL,
    reasoning TEXT NOT NULL,
    signal TEXT,
    blocked_by TEXT,
    mode TEXT NOT NULL,
    env TEXT,
    day INTEGER NOT NULL,
    result TEXT,
    confirm_until INTEGER,
    proposal TEXT,
    risk INTEGER,
    quantity INTEGER,
    UNIQUE (symbol, bar)
) STRICT;
CREATE INDEX auto_decisions_day ON auto_decisions (day) WHERE result IS NOT NULL;
CREATE INDEX auto_decisions_waiting ON auto_decisions (confirm_until) WHERE result IN ('awaiting', 'proposing');

-- Trades of the shadow book, each beside the coin's. ``counted`` is null until all of its bars are over.
CREATE TABLE auto_trades (
    decision TEXT PRIMARY KEY REFERENCES auto_decisions (id),
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    coin_side TEXT NOT NULL,
    risk INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    entry_from INTEGER NOT NULL,
    until INTEGER NOT NULL,
    entry INTEGER,
    result TEXT NOT NULL,
    exit_price INTEGER,
    exit_at INTEGER,
    coin_result TEXT NOT NULL,
    coin_exit INTEGER,
    coin_exit_at INTEGER,
    counted INTEGER
) STRICT;
CREATE INDEX auto_trades_open ON auto_trades (entry_from) WHERE counted IS NULL;
