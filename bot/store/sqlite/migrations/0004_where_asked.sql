-- Whether a job was asked for in an age-restricted channel, which the content check wants to know, and in which
-- server it is shown: where a person brings Easel along, that is not the server whose rules hold.

ALTER TABLE jobs ADD COLUMN is_age_restricted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN shown_guild_id INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET shown_guild_id = guild_id;
