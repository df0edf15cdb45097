-- What members report, what moderators decide about it, and whom they warned.
CREATE TABLE cases (
    case_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    job_id INTEGER REFERENCES jobs (job_id),
    is_veiled INTEGER NOT NULL DEFAULT 0,
    channel_id INTEGER,
    message_id INTEGER,
    created_at INTEGER NOT NULL,
    outcome TEXT,
    decided_by INTEGER,
    decided_at INTEGER
) STRICT;

CREATE UNIQUE INDEX cases_open_of_job ON cases (job_id, kind) WHERE outcome IS NULL AND job_id IS NOT NULL;

CREATE INDEX cases_open ON cases (guild_id, case_id) WHERE outcome IS NULL;

CREATE TABLE reports (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    reporter_id INTEGER NOT NULL,
    case_id INTEGER NOT NULL REFERENCES cases (case_id),
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    locale TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, reporter_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reports_of_case ON reports (case_id, created_at);

CREATE INDEX reports_of_reporter ON reports (reporter_id, created_at);

CREATE TABLE warnings (
    warning_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX warnings_of_user ON warnings (guild_id, user_id, created_at);

CREATE TABLE reports_channels (
    guild_id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL
) STRICT;

ALTER TABLE jobs ADD COLUMN removed_at INTEGER;
