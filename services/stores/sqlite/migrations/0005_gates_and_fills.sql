-- What the trader's journal asks of a trade besides its result: how the gates stood at its entry, each of its fills.

CREATE TABLE gates_at_entry (
    trade_id TEXT PRIMARY KEY,
    at       TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE trade_fills (
    trade_id TEXT NOT NULL,
    id       TEXT NOT NULL,
    at       TEXT NOT NULL,
    body     BLOB NOT NULL,
    PRIMARY KEY (trade_id, id)
) STRICT, WITHOUT ROWID;

-- The fills that the journal remembers. An entry's trade has the entry's id; any other order is of the asset's trade
-- that was closed next, or stands open.
INSERT INTO trade_fills (trade_id, id, at, body)
SELECT trade_id, id, at, CAST(json_object('kind', kind, 'side', side, 'quantity', quantity, 'price', price,
                                          'order_id', order_id) AS BLOB)
FROM (
    SELECT printf('%012d.%04d', journal.sequence, event.key) AS id,
           journal.at AS at,
           orders.id AS order_id,
           CAST(orders.body AS TEXT) ->> 'kind' AS kind,
           CAST(orders.body AS TEXT) ->> 'side' AS side,
           event.value ->> 'qty' AS quantity,
           event.value ->> 'price' AS price,
           CASE CAST(orders.body AS TEXT) ->> 'kind' WHEN 'ENTRY' THEN orders.id ELSE coalesce(
               (SELECT trades.id FROM trades WHERE trades.asset = orders.asset AND trades.closed_at >= journal.at
                ORDER BY trades.closed_at LIMIT 1),
               (SELECT CAST(documents.body AS TEXT) ->> '$.asset.trade.id' FROM documents
                WHERE documents.name = orders.asset)) END AS trade_id
    FROM journal, json_each(CAST(journal.events AS TEXT)) AS event
    JOIN orders ON orders.id = event.value ->> 'order_id'
    WHERE instr(journal.events, CAST('"OrderReported"' AS BLOB)) AND event.value ->> 'type' = 'OrderReported'
)
WHERE quantity > 0 AND price IS NOT NULL AND trade_id IS NOT NULL;

-- Sessions that were logged out: a SHA-256 of each one's id.
CREATE TABLE ended_sessions (
    digest   TEXT PRIMARY KEY,
    ended_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
