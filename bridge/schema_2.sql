-- Version 2 of the ledger, added to a ledger of version 1.

-- Who this ledger is: `instance` tells two bridges of one name apart (SPEC 8.2). A ledger is a paper account of its own;
-- one that has traded before it had a name keeps the old name.
CREATE TABLE identity (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    instance       TEXT NOT NULL,
    paper_account  TEXT NOT NULL
) STRICT;
INSERT INTO identity (one, instance, paper_account) VALUES (1, lower(hex(randomblob(8))), 'PAPER-1');
UPDATE identity SET paper_account = 'PAPER-' || upper(substr(instance, 1, 4))
    WHERE NOT EXISTS (SELECT 1 FROM paper_orders);

-- Fills that no order of the desk caused, until the desk has them: a protective stop, a liquidation, a manual trade.
CREATE TABLE broker_fills (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    exec_id     TEXT NOT NULL UNIQUE,
    body        TEXT NOT NULL,
    settled_at  TEXT,
    refusal     TEXT
) STRICT;
CREATE INDEX broker_fills_unsent ON broker_fills (number) WHERE settled_at IS NULL;
