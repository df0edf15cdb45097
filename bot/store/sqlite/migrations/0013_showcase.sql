-- Where a server shows the pictures that its members like, and from how many stars on.
CREATE TABLE showcases (
    guild_id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    stars INTEGER NOT NULL CHECK (stars > 0)
) STRICT;

-- A job's place in the showcase. Without a channel, its requester was asked and has not answered.
CREATE TABLE exhibits (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (job_id),
    channel_id INTEGER,
    message_id INTEGER,
    file_names TEXT NOT NULL DEFAULT '[]',
    stars INTEGER NOT NULL,
    is_withdrawn INTEGER NOT NULL DEFAULT 0 CHECK (is_withdrawn IN (0, 1))
) STRICT;

CREATE INDEX exhibits_shown ON exhibits (job_id) WHERE channel_id IS NOT NULL AND is_withdrawn = 0;

-- Whether a member lets the showcase have their pictures; NULL until they say so.
ALTER TABLE user_settings ADD COLUMN is_shown INTEGER CHECK (is_shown IN (0, 1));
