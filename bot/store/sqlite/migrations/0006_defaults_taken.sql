-- Which defaults a request took where its member said nothing, and whose they were, as JSON: `ℹ️` says so.

ALTER TABLE jobs ADD COLUMN defaults TEXT NOT NULL DEFAULT '{}';
