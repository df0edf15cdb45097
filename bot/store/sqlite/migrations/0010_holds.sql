-- The action `review` of rules of words: a picture is drawn, and shown once a moderator agrees.
CREATE TABLE new_word_rules (
    guild_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    word TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('refuse', 'warn', 'review')),
    reason TEXT NOT NULL,
    PRIMARY KEY (guild_id, number),
    UNIQUE (guild_id, word)
) STRICT, WITHOUT ROWID;

INSERT INTO new_word_rules SELECT * FROM word_rules;

DROP TABLE word_rules;

ALTER TABLE new_word_rules RENAME TO word_rules;

ALTER TABLE jobs ADD COLUMN hold TEXT CHECK (hold IN ('wanted', 'held', 'allowed'));

CREATE INDEX jobs_held ON jobs (guild_id, requester_id) WHERE hold = 'held' AND status = 'running';

-- A held job may end before anybody decides: its member cancels it, or a day goes by. Its pictures were never shown.
CREATE TRIGGER jobs_end_their_hold AFTER UPDATE OF status ON jobs
WHEN OLD.hold IN ('wanted', 'held') AND NEW.status IN ('failed', 'cancelled')
BEGIN
    UPDATE cases SET outcome = 'expired', decided_by = 0, decided_at = NEW.finished_at
    WHERE job_id = NEW.job_id AND kind = 'held' AND outcome IS NULL;
    INSERT OR IGNORE INTO removals
    SELECT 'images', sha256 FROM outputs WHERE job_id = NEW.job_id
        AND NOT EXISTS (SELECT 1 FROM outputs AS other WHERE other.sha256 = outputs.sha256 AND other.job_id <> NEW.job_id);
END;
