-- The whole schema as it stands; equal to all migrations applied in order, proven by tests/stores/test_sqlite_store.py.
-- Times are RFC 3339 UTC texts, bodies JSON.

CREATE TABLE desk (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL,
    version  INTEGER NOT NULL,
    epoch    INTEGER NOT NULL DEFAULT 0,
    holder   TEXT NOT NULL DEFAULT '',
    beat     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE documents (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    origin   TEXT NOT NULL,
    kind     TEXT NOT NULL,
    asset    TEXT,
    command  BLOB NOT NULL,
    events   BLOB NOT NULL,
    observed BLOB,
    schema   INTEGER NOT NULL DEFAULT 2
) STRICT;

CREATE INDEX journal_by_origin ON journal (origin, sequence);

CREATE TABLE replies (
    key         TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    answered_at TEXT NOT NULL,
    answer      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    sequence    INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,
    trading_day TEXT NOT NULL,
    body        BLOB NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id   TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ended_sessions (
    digest   TEXT PRIMARY KEY,
    ended_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE VIEW notices AS
SELECT CAST(id AS INTEGER) AS number, facts ->> 'sequence' AS sequence, facts ->> 'target' AS target, at,
       facts ->> 'due_at' AS due_at, facts ->> 'kind' AS kind, facts ->> 'level' AS level, facts ->> 'title' AS title,
       CAST(body AS TEXT) AS body, facts ->> 'slot' AS slot, facts ->> 'attempts' AS attempts,
       substr(found_by, 5) AS next_try_at, facts ->> 'sent_at' AS sent_at, facts ->> 'last_error' AS last_error
FROM records WHERE kind = 'notices';

CREATE TRIGGER notices_written INSTEAD OF INSERT ON notices WHEN NEW.number IS NOT NULL BEGIN
    INSERT OR REPLACE INTO records (kind, id, at, found_by, facts, body)
    VALUES ('notices', printf('%016d', NEW.number), NEW.at, printf('%03d.', NEW.target) || NEW.next_try_at,
            json_patch('{}', json_object(
                'number', NEW.number, 'sequence', NEW.sequence, 'target', NEW.target, 'due_at', NEW.due_at,
                'kind', NEW.kind, 'level', NEW.level, 'title', NEW.title, 'slot', NEW.slot, 'attempts', NEW.attempts,
                'sent_at', NEW.sent_at, 'last_error', NEW.last_error,
                'waits', printf('%03d.', NEW.target) || NEW.next_try_at,
                'waiting_slot', iif(NEW.next_try_at IS NULL, NULL, NEW.slot))),
            CAST(NEW.body AS BLOB));
END;

CREATE TRIGGER notices_numbered INSTEAD OF INSERT ON notices WHEN NEW.number IS NULL BEGIN
    INSERT INTO notices
    SELECT ifnull(max(number), NEW.sequence * 10000 - 1) + 1, NEW.sequence, NEW.target, NEW.at, NEW.due_at, NEW.kind,
           NEW.level, NEW.title, NEW.body, NEW.slot, NEW.attempts, NEW.next_try_at, NEW.sent_at, NEW.last_error
    FROM notices WHERE number BETWEEN NEW.sequence * 10000 AND NEW.sequence * 10000 + 9999;
END;

CREATE TRIGGER notices_marked INSTEAD OF UPDATE ON notices BEGIN
    INSERT INTO notices
    VALUES (NEW.number, NEW.sequence, NEW.target, NEW.at, NEW.due_at, NEW.kind, NEW.level, NEW.title, NEW.body,
            NEW.slot, NEW.attempts, NEW.next_try_at, NEW.sent_at, NEW.last_error);
END;

CREATE TRIGGER notices_deleted INSTEAD OF DELETE ON notices BEGIN
    DELETE FROM records WHERE kind = 'notices' AND id = printf('%016d', OLD.number);
END;
