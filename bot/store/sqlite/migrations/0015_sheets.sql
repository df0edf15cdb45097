-- Grids: the question holds its axes, and a sheet shows the pictures of its jobs in one message. A job's key
-- (jobs.interaction_id) names its sheet and its cell, so no table says which jobs belong to it.
ALTER TABLE expansions ADD COLUMN plan TEXT NOT NULL DEFAULT 'null';

CREATE TABLE sheets (
    sheet_id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    plan TEXT NOT NULL,
    jobs TEXT NOT NULL,
    origin TEXT NOT NULL,
    refusal TEXT NOT NULL DEFAULT 'null',
    created_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;

CREATE INDEX sheets_by_age ON sheets (created_at);

CREATE INDEX sheets_open ON sheets (sheet_id) WHERE ended_at IS NULL;
