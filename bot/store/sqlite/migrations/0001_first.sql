-- Times are milliseconds since 1970 in UTC. guild_id is 0 outside servers.

CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY AUTOINCREMENT,
    interaction_id INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    parent_job_id INTEGER REFERENCES jobs (job_id),
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    requester_id INTEGER NOT NULL,
    requester_name TEXT NOT NULL,
    locale TEXT NOT NULL,
    filesize_limit INTEGER NOT NULL,
    interaction_token TEXT,
    token_expires_at INTEGER,
    message_id INTEGER,
    request TEXT NOT NULL,
    model_key TEXT NOT NULL,
    notices TEXT NOT NULL DEFAULT '[]',
    price INTEGER NOT NULL CHECK (price >= 0),
    period_start INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    failure TEXT,
    error_id TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    cancel_requested_by INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    denoise_s REAL,
    total_s REAL
) STRICT;

-- Partial indexes: history grows for ever, what is open does not.
CREATE INDEX jobs_queued ON jobs (requester_id, job_id) WHERE status = 'queued';
CREATE INDEX jobs_running ON jobs (requester_id, job_id) WHERE status = 'running';
CREATE INDEX jobs_of_requester ON jobs (requester_id, created_at);
CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX jobs_timed ON jobs (model_key, job_id) WHERE status = 'succeeded';

CREATE TABLE ledger (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER REFERENCES jobs (job_id),
    kind TEXT NOT NULL CHECK (kind IN ('reserve', 'settle', 'grant', 'adjust')),
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    period_start INTEGER NOT NULL,
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    captured INTEGER NOT NULL DEFAULT 0 CHECK (captured >= 0),
    released INTEGER NOT NULL DEFAULT 0 CHECK (released >= 0),
    actor_id INTEGER,
    reason TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (job_id, kind)
) STRICT;

CREATE INDEX ledger_of_user ON ledger (guild_id, user_id, period_start);

CREATE TRIGGER ledger_keeps_its_rows BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'ledger rows are never changed');
END;

CREATE TRIGGER ledger_loses_no_row BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'ledger rows are never deleted');
END;

CREATE TRIGGER ledger_settles_what_was_reserved BEFORE INSERT ON ledger
WHEN NEW.kind = 'settle'
BEGIN
    SELECT RAISE(ABORT, 'a settle must add up to its reserve')
    WHERE NEW.captured + NEW.released IS NOT (
        SELECT reserved FROM ledger WHERE job_id = NEW.job_id AND kind = 'reserve'
    );
END;

-- What a member used of a period: the sum of the ledger, kept so that admission is one statement.
CREATE TABLE usage (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    period_start INTEGER NOT NULL,
    used INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (guild_id, user_id, period_start)
) STRICT, WITHOUT ROWID;

CREATE TABLE results (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    image_index INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    seed INTEGER NOT NULL,
    PRIMARY KEY (job_id, image_index)
) STRICT, WITHOUT ROWID;
