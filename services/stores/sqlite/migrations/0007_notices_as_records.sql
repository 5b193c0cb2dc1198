-- Notices become records, as every other fact beside the journal (services/notifications/stored.py).
-- The table of before becomes a view, through which an older program reads, writes, marks and withdraws (see 0006).

ALTER TABLE notices RENAME TO notices_until_6;

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

INSERT INTO notices SELECT * FROM notices_until_6;
DROP TABLE notices_until_6;
