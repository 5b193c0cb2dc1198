-- One table for every kind of fact that is stored beside the journal (services/stores/records.py).

CREATE TABLE records (
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    at       TEXT NOT NULL,
    found_by TEXT, -- the value of the fact that this kind is looked up by
    facts    TEXT, -- all facts beside the body, a JSON object
    body     BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX records_by_time ON records (kind, at, id);
CREATE INDEX records_by_fact ON records (kind, found_by, id) WHERE found_by IS NOT NULL;

INSERT INTO records (kind, id, at, found_by, facts, body)
SELECT 'orders', id, created_at, CAST(is_open AS TEXT),
       json_object('asset', asset, 'status', status, 'is_open', json(iif(is_open, 'true', 'false'))), body
FROM orders;

INSERT INTO records (kind, id, at, facts, body)
SELECT 'trades', id, closed_at, json_patch('{}', json_object('asset', asset, 'stop_points', stop_points)), body
FROM trades;

INSERT INTO records (kind, id, at, facts, body)
SELECT 'trade_notes', trade_id, at, json_object('trade_id', trade_id), body FROM trade_notes;

INSERT INTO records (kind, id, at, body)
SELECT 'attempts', id, at, body FROM attempts;

INSERT INTO records (kind, id, at, facts, body)
SELECT 'gates_at_entry', trade_id, at, json_object('trade_id', trade_id), body FROM gates_at_entry;

INSERT INTO records (kind, id, at, found_by, facts, body)
SELECT 'trade_fills', id, at, trade_id, json_object('trade_id', trade_id), body FROM trade_fills;

INSERT INTO records (kind, id, at, facts, body)
SELECT 'dead_letters', printf('%012d', sequence), at,
       json_object('sequence', sequence, 'path', path, 'reason', reason), CAST(body AS BLOB)
FROM dead_letters;

-- A day's record has no time of its own before its next sample: its date stands for it.
INSERT INTO records (kind, id, at, body)
SELECT 'pnl_snapshots', trading_day, trading_day || 'T00:00:00.000000+00:00', body FROM pnl_snapshots;

DROP TABLE orders;
DROP TABLE trades;
DROP TABLE trade_notes;
DROP TABLE attempts;
DROP TABLE gates_at_entry;
DROP TABLE trade_fills;
DROP TABLE dead_letters;
DROP TABLE pnl_snapshots;

-- The tables of before as views: an older program that still holds the desk reads and writes on until this one takes
-- over (a rolling update), and a person finds each kind under its name.

CREATE VIEW orders AS
SELECT id, facts ->> 'asset' AS asset, facts ->> 'status' AS status, CAST(found_by AS INTEGER) AS is_open,
       at AS created_at, body
FROM records WHERE kind = 'orders';

CREATE TRIGGER orders_written INSTEAD OF INSERT ON orders BEGIN
    INSERT OR REPLACE INTO records (kind, id, at, found_by, facts, body)
    VALUES ('orders', NEW.id, NEW.created_at, CAST(NEW.is_open AS TEXT),
            json_object('asset', NEW.asset, 'status', NEW.status, 'is_open', json(iif(NEW.is_open, 'true', 'false'))),
            NEW.body);
END;

CREATE VIEW trades AS
SELECT id, facts ->> 'asset' AS asset, at AS closed_at, body, facts ->> 'stop_points' AS stop_points
FROM records WHERE kind = 'trades';

CREATE TRIGGER trades_written INSTEAD OF INSERT ON trades BEGIN
    INSERT INTO records (kind, id, at, facts, body)
    VALUES ('trades', NEW.id, NEW.closed_at,
            json_patch('{}', json_object('asset', NEW.asset, 'stop_points', NEW.stop_points)), NEW.body);
END;

CREATE VIEW trade_notes AS SELECT id AS trade_id, at, body FROM records WHERE kind = 'trade_notes';

CREATE TRIGGER trade_notes_written INSTEAD OF INSERT ON trade_notes BEGIN
    INSERT OR REPLACE INTO records (kind, id, at, facts, body)
    VALUES ('trade_notes', NEW.trade_id, NEW.at, json_object('trade_id', NEW.trade_id), NEW.body);
END;

CREATE VIEW attempts AS SELECT id, at, body FROM records WHERE kind = 'attempts';

CREATE TRIGGER attempts_written INSTEAD OF INSERT ON attempts BEGIN
    INSERT INTO records (kind, id, at, body) VALUES ('attempts', NEW.id, NEW.at, NEW.body);
END;

CREATE VIEW gates_at_entry AS SELECT id AS trade_id, at, body FROM records WHERE kind = 'gates_at_entry';

CREATE TRIGGER gates_at_entry_written INSTEAD OF INSERT ON gates_at_entry BEGIN
    INSERT INTO records (kind, id, at, facts, body)
    VALUES ('gates_at_entry', NEW.trade_id, NEW.at, json_object('trade_id', NEW.trade_id), NEW.body);
END;

CREATE VIEW trade_fills AS SELECT found_by AS trade_id, id, at, body FROM records WHERE kind = 'trade_fills';

CREATE TRIGGER trade_fills_written INSTEAD OF INSERT ON trade_fills BEGIN
    INSERT INTO records (kind, id, at, found_by, facts, body)
    VALUES ('trade_fills', NEW.id, NEW.at, NEW.trade_id, json_object('trade_id', NEW.trade_id), NEW.body);
END;

CREATE VIEW dead_letters AS
SELECT CAST(id AS INTEGER) AS sequence, at, facts ->> 'path' AS path, facts ->> 'reason' AS reason,
       CAST(body AS TEXT) AS body
FROM records WHERE kind = 'dead_letters';

CREATE TRIGGER dead_letters_written INSTEAD OF INSERT ON dead_letters BEGIN
    INSERT INTO records (kind, id, at, facts, body)
    VALUES ('dead_letters', printf('%012d', NEW.sequence), NEW.at,
            json_object('sequence', NEW.sequence, 'path', NEW.path, 'reason', NEW.reason), CAST(NEW.body AS BLOB));
END;

CREATE VIEW pnl_snapshots AS SELECT id AS trading_day, body FROM records WHERE kind = 'pnl_snapshots';

CREATE TRIGGER pnl_snapshots_written INSTEAD OF INSERT ON pnl_snapshots BEGIN
    INSERT OR REPLACE INTO records (kind, id, at, body)
    VALUES ('pnl_snapshots', NEW.trading_day, NEW.trading_day || 'T00:00:00.000000+00:00', NEW.body);
END;
