-- Rules of words that a server sets beside the owner's, and exceptions to them.
CREATE TABLE word_rules (
    guild_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    word TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('refuse', 'warn')),
    reason TEXT NOT NULL,
    PRIMARY KEY (guild_id, number),
    UNIQUE (guild_id, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE word_exceptions (
    guild_id INTEGER NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (guild_id, word)
) STRICT, WITHOUT ROWID;
