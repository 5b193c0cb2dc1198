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

-- The caller's own names of orders, and what they were answered: the same one again is the same order.
CREATE TABLE mt4_requests (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    answer TEXT NOT NULL
) STRICT;

-- What was sent to MetaApi, stored before it was sent: a name that is here is never sent again. outcome is null while
-- nobody knows it.
CREATE TABLE mt4_sent (
    client_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    request TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    outcome TEXT CHECK (outcome IN ('done', 'refused')),
    order_id TEXT,
    position_id TEXT
) STRICT;
