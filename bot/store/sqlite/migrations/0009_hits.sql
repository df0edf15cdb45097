-- Requests that a rule of words refused: for the form that changes their words, and for appeals.
CREATE TABLE hits (
    hit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    whose TEXT NOT NULL,
    rule INTEGER NOT NULL,
    word TEXT NOT NULL,
    part TEXT NOT NULL,
    how TEXT NOT NULL,
    prompt TEXT NOT NULL,
    request TEXT NOT NULL,
    locale TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    allowed_until INTEGER
) STRICT;

CREATE INDEX hits_by_age ON hits (created_at);

CREATE INDEX hits_allowed ON hits (guild_id, user_id) WHERE allowed_until IS NOT NULL;

ALTER TABLE cases ADD COLUMN hit_id INTEGER;

CREATE UNIQUE INDEX cases_of_hit ON cases (hit_id) WHERE hit_id IS NOT NULL;
