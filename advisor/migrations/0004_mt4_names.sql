-- Names of closings are kept with what was sent by them, and what they were answered; untold is 1 while nobody has heard
-- what became of a closing without a name.
ALTER TABLE mt4_sent ADD COLUMN name TEXT;
ALTER TABLE mt4_sent ADD COLUMN closed TEXT;
ALTER TABLE mt4_sent ADD COLUMN remaining TEXT;
ALTER TABLE mt4_sent ADD COLUMN ended_at INTEGER;
ALTER TABLE mt4_sent ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX mt4_sent_name ON mt4_sent (name) WHERE name IS NOT NULL;
CREATE INDEX mt4_sent_open ON mt4_sent (account) WHERE outcome IS NULL;

-- owner is whose names are counted together; body is what was sent to the desk by a name, answer is empty until then.
ALTER TABLE mt4_requests ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE mt4_requests ADD COLUMN body TEXT;
ALTER TABLE mt4_requests ADD COLUMN kept_at INTEGER NOT NULL DEFAULT 0;
UPDATE mt4_requests SET body = answer, answer = '' WHERE name LIKE 'desk:%';
CREATE INDEX mt4_requests_owner ON mt4_requests (owner, number) WHERE answer <> '';
