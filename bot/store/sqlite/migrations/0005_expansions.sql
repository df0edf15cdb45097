-- Prompts that stand for several jobs, until their member says yes or no. A number is never used again: with it the
-- jobs of an expansion are known.

CREATE TABLE expansions (
    expansion_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    lineage TEXT NOT NULL,
    jobs TEXT NOT NULL,
    price INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER
) STRICT;

CREATE INDEX expansions_by_age ON expansions (created_at);
