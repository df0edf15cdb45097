-- Members whom rules of words paused. A pause ends by itself, and lasts over a restart.
CREATE TABLE pauses (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

-- Without the refused request, nobody can decide an appeal.
CREATE TRIGGER hits_end_their_appeal BEFORE DELETE ON hits
BEGIN
    UPDATE cases SET outcome = 'expired', decided_by = 0, decided_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000
    WHERE hit_id = OLD.hit_id AND outcome IS NULL;
    UPDATE cases SET hit_id = NULL WHERE hit_id = OLD.hit_id;
END;

UPDATE cases SET outcome = 'expired', decided_by = 0, decided_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000
WHERE kind = 'appeal' AND outcome IS NULL AND (hit_id IS NULL OR hit_id NOT IN (SELECT hit_id FROM hits));

UPDATE cases SET hit_id = NULL WHERE hit_id NOT IN (SELECT hit_id FROM hits);
