-- A timeline is one history of this database: a copy that is restored begins another one. The messages and files of a
-- job carry the timeline in which it was asked for, so that what a lost timeline, or another bot with our token, showed
-- is never taken for ours. 0: before timelines were written down. A number fits the `id` of a component of Discord and
-- is larger than those that Discord gives by itself.

CREATE TABLE timeline (number INTEGER NOT NULL) STRICT;
INSERT INTO timeline VALUES (abs(random() % 0x7FFEFFFF) + 0x10000);

ALTER TABLE jobs ADD COLUMN timeline INTEGER NOT NULL DEFAULT 0;
