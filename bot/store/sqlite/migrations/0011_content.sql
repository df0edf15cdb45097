-- Which pictures a channel or a server shows. A thread has the rules of its channel, so jobs keep that one too.
ALTER TABLE channel_rules ADD COLUMN content TEXT CHECK (content IN ('strict', 'usual'));

ALTER TABLE jobs ADD COLUMN parent_channel_id INTEGER;
