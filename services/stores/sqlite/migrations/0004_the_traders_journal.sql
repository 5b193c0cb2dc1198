-- What the trader's journal reads: the stop a trade was entered with, notes, tries against the rules.

ALTER TABLE trades ADD COLUMN stop_points TEXT;

CREATE TABLE trade_notes (
    trade_id TEXT PRIMARY KEY,
    at       TEXT NOT NULL,
    body     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    id   TEXT PRIMARY KEY,
    at   TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_by_time ON attempts (at);

-- Those that the journal remembers.
INSERT INTO attempts (id, at, body)
SELECT printf('%012d.%04d', journal.sequence, event.key), journal.at, CAST(event.value AS BLOB)
FROM journal, json_each(CAST(journal.events AS TEXT)) AS event
WHERE (instr(journal.events, CAST('EntryBlocked' AS BLOB)) OR instr(journal.events, CAST('"override":true' AS BLOB))
       OR instr(journal.events, CAST('ExitBlocked' AS BLOB)))
  AND (event.value ->> 'type' IN ('EntryBlocked', 'ExitBlocked')
       OR (event.value ->> 'type' = 'EntryAccepted' AND event.value ->> 'override'));
