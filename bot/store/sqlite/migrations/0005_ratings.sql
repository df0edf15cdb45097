-- What the image check found in a finished picture.
ALTER TABLE outputs ADD COLUMN rating TEXT NOT NULL DEFAULT 'harmless';
