-- How long it takes until the worker can draw: a start of it, which loads the default model, and a model loaded later.

CREATE TABLE preparations (
    kind TEXT NOT NULL CHECK (kind IN ('start', 'load')),
    model_key TEXT NOT NULL,
    mean_s REAL NOT NULL,
    samples INTEGER NOT NULL,
    PRIMARY KEY (kind, model_key)
) STRICT, WITHOUT ROWID;
