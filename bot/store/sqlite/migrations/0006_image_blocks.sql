-- Pictures that a server's moderators blocked, by their looks. No row names a person: the audit log tells who decided.
CREATE TABLE image_blocks (
    guild_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    look BLOB NOT NULL CHECK (length(look) = 32),
    reason TEXT NOT NULL,
    blocked_at INTEGER NOT NULL,
    PRIMARY KEY (guild_id, number),
    UNIQUE (guild_id, look)
) STRICT, WITHOUT ROWID;
