-- Version 1 of the bridge's ledger. ledger.py sets PRAGMA user_version; schema_2.sql adds to it.
-- Prices and dollars are decimal text, times are ISO 8601 in UTC.

-- Every order the bridge ever took, written before the broker hears of it (SPEC 8.6).
--   ACCEPTED    ours, not sent
--   SUBMITTING  the broker is being called: after a crash this means "in doubt"
--   WORKING     the broker has it
--   IN_DOUBT    to be looked up at the broker
--   CLOSED      final, its last report is in the outbox
CREATE TABLE orders (
    id            TEXT PRIMARY KEY,
    ticket        TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('ACCEPTED', 'SUBMITTING', 'WORKING', 'IN_DOUBT', 'CLOSED')),
    accepted_at   TEXT NOT NULL,
    submitted_at  TEXT
) STRICT;
CREATE INDEX orders_open ON orders (state) WHERE state <> 'CLOSED';
CREATE INDEX orders_by_submission ON orders (submitted_at);

-- Fills of our orders as the broker told them; the key makes a repeated fill harmless.
CREATE TABLE executions (
    order_id  TEXT NOT NULL REFERENCES orders (id),
    exec_id   TEXT NOT NULL,
    qty       INTEGER NOT NULL CHECK (qty > 0),
    price     TEXT NOT NULL,
    at        TEXT NOT NULL,
    PRIMARY KEY (order_id, exec_id)
) STRICT;

-- The durable outbox: what the desk must hear, in the order in which it must hear it.
-- `occasion` (WORKING, an execution, the end) makes sure each is told once.
CREATE TABLE reports (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id    TEXT NOT NULL,
    occasion    TEXT NOT NULL,
    body        TEXT NOT NULL,
    settled_at  TEXT,
    refusal     TEXT,
    UNIQUE (order_id, occasion)
) STRICT;
CREATE INDEX reports_unsent ON reports (number) WHERE settled_at IS NULL;

-- The paper broker's own books: its orders, its fills (stops included), its positions.
CREATE TABLE paper_orders (
    client_tag  TEXT PRIMARY KEY,
    ticket      TEXT NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('WORKING', 'FILLED', 'REJECTED', 'CANCELLED')),
    reason      TEXT,
    placed_at   TEXT NOT NULL
) STRICT;
CREATE INDEX paper_orders_resting ON paper_orders (placed_at) WHERE status = 'WORKING';

CREATE TABLE paper_executions (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    client_tag  TEXT NOT NULL,              -- 'STOP' for a protective stop, which no order of the desk stands behind
    contract    TEXT NOT NULL,
    signed_qty  INTEGER NOT NULL CHECK (signed_qty <> 0),
    price       TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;
CREATE INDEX paper_executions_by_order ON paper_executions (client_tag);

-- One row per contract ever traded; the holding is stored whole, as JSON.
CREATE TABLE paper_holdings (
    contract  TEXT PRIMARY KEY,
    holding   TEXT NOT NULL
) STRICT;
