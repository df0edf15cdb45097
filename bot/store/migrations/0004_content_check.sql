-- Whether a job was asked for in an age-restricted channel, which the content check wants to know.

ALTER TABLE jobs ADD COLUMN is_age_restricted INTEGER NOT NULL DEFAULT 0;
