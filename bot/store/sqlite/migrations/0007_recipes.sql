-- What else than its request decided about the bits of a job's pictures, as JSON; null where it is not known.

ALTER TABLE jobs ADD COLUMN recipe TEXT NOT NULL DEFAULT 'null';
