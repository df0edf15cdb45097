-- Lineage: which picture of which message a job was made from.

ALTER TABLE jobs ADD COLUMN parent_image_index INTEGER;
ALTER TABLE jobs ADD COLUMN parent_message_id INTEGER;

-- Pictures that somebody keeps: their files stay for ever.
CREATE TABLE stars (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    user_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX stars_of_user ON stars (user_id, created_at);

-- What a person chose for themselves, on every server.
CREATE TABLE user_settings (
    user_id INTEGER PRIMARY KEY,
    defaults TEXT NOT NULL,
    is_told INTEGER NOT NULL
) STRICT;
