-- The file of the advisor. database.py adds the numbered steps in migrations/ in their order; this is what comes out of
-- all of them. Times are seconds of the epoch.

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

-- MT4: the paper account, and what was sent to an account at MetaApi. Prices, lots and money are decimal numbers as
-- text; times are microseconds of the epoch, minutes seconds of it.

-- connected names the account of a route that is connected; one at MetaApi never is here, its token is in memory only.
CREATE TABLE mt4_account (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    balance TEXT NOT NULL,
    next_ticket INTEGER NOT NULL,
    connected TEXT CHECK (connected IN ('paper', 'desk'))
) STRICT;
INSERT INTO mt4_account (id, balance, next_ticket) VALUES (1, '10000', 1000001);

-- next_minute is the first minute that has not been looked at.
CREATE TABLE mt4_orders (
    ticket INTEGER PRIMARY KEY,
    symbol TEXT NOT NULL,
    action TEXT NOT NULL,
    volume TEXT NOT NULL,
    price TEXT NOT NULL,
    stop_loss TEXT,
    take_profit TEXT,
    comment TEXT NOT NULL,
    placed_at INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    next_minute INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('resting', 'filled', 'cancelled'))
) STRICT;
CREATE INDEX mt4_orders_resting ON mt4_orders (symbol, simulated) WHERE state = 'resting';

-- volume is what is still held; 0 once it is closed.
CREATE TABLE mt4_positions (
    ticket INTEGER PRIMARY KEY,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('BUY', 'SELL')),
    volume TEXT NOT NULL,
    open_price TEXT NOT NULL,
    stop_loss TEXT,
    take_profit TEXT,
    comment TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    next_minute INTEGER NOT NULL,
    is_open INTEGER NOT NULL
) STRICT;
CREATE INDEX mt4_positions_open ON mt4_positions (symbol, simulated) WHERE is_open = 1;

CREATE TABLE mt4_deals (
    number INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    entry TEXT NOT NULL CHECK (entry IN ('in', 'out')),
    volume TEXT NOT NULL,
    price TEXT NOT NULL,
    profit TEXT NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    simulated INTEGER NOT NULL
) STRICT;

-- The caller's own names of orders, and what they were answered: the same one again is the same order. owner is whose
-- names are counted together; body is what was sent to the desk by a name, answer is empty until then.
CREATE TABLE mt4_requests (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    answer TEXT NOT NULL,
    owner TEXT NOT NULL DEFAULT '',
    body TEXT,
    kept_at INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX mt4_requests_owner ON mt4_requests (owner, number) WHERE answer <> '';

-- What was sent to MetaApi, stored before it was sent: a name that is here is never sent again. outcome is null while
-- nobody knows it. name is the caller's own of a closing; untold is 1 while nobody has heard what became of a closing
-- without a name.
CREATE TABLE mt4_sent (
    client_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    request TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    outcome TEXT CHECK (outcome IN ('done', 'refused')),
    order_id TEXT,
    position_id TEXT,
    name TEXT,
    closed TEXT,
    remaining TEXT,
    ended_at INTEGER,
    untold INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX mt4_sent_name ON mt4_sent (name) WHERE name IS NOT NULL;
CREATE INDEX mt4_sent_open ON mt4_sent (account) WHERE outcome IS NULL;
