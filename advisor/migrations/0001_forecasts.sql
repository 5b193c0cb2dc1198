-- Ranges as they were served, and whether the bar that followed stayed within them. held_* is null while nobody knows.
-- high and low are the prices as they are drawn, on the tick grid; the exact ones lie as far from the close as was said.
CREATE TABLE forecasts (
    symbol TEXT NOT NULL,
    timeframe TEXT NOT NULL,
    quantile REAL NOT NULL,
    as_of INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    method TEXT NOT NULL,
    model TEXT NOT NULL,
    high REAL NOT NULL,
    low REAL NOT NULL,
    exact_high REAL NOT NULL,
    exact_low REAL NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0,
    held_high INTEGER,
    held_low INTEGER,
    held_exact_high INTEGER,
    held_exact_low INTEGER,
    UNIQUE (symbol, timeframe, quantile, as_of)
) STRICT;
CREATE INDEX forecasts_open ON forecasts (symbol, timeframe, as_of) WHERE settled = 0;
