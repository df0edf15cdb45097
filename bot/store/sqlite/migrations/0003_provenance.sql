-- Where pictures come from: what a finished picture is found by again, copies that were made of it, and the keys that sign.
CREATE TABLE fingerprints (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    image_index INTEGER NOT NULL,
    pixels TEXT NOT NULL,
    look BLOB NOT NULL,
    manifest TEXT,
    PRIMARY KEY (job_id, image_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX fingerprints_by_pixels ON fingerprints (pixels);

CREATE TABLE copies (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    image_index INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job_id, image_index, sha256)
) STRICT, WITHOUT ROWID;

CREATE INDEX copies_by_hash ON copies (sha256);

CREATE INDEX outputs_by_hash ON outputs (sha256);

CREATE TABLE signing_keys (
    serial TEXT PRIMARY KEY,
    first_used_at INTEGER NOT NULL,
    retired_at INTEGER,
    reason TEXT
) STRICT, WITHOUT ROWID;
