-- Ledger: units come out of pots (the member's period, their bonuses) and are counted in the server's pool.
-- A pot's balance is the sum of its postings; a trigger keeps it, so no statement can forget to.

CREATE TABLE pots (
    pot_id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('period', 'bonus', 'pool')),
    period TEXT NOT NULL,
    period_start INTEGER NOT NULL,
    amount INTEGER CHECK (amount > 0),
    expires_at INTEGER,
    held INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    spent INTEGER NOT NULL DEFAULT 0 CHECK (spent >= 0),
    CHECK ((kind = 'bonus') = (amount IS NOT NULL)),
    CHECK (held + spent <= ifnull(amount, held + spent))
) STRICT;

CREATE UNIQUE INDEX pots_of_period ON pots (guild_id, user_id, kind, period, period_start) WHERE kind <> 'bonus';
CREATE INDEX pots_of_bonus ON pots (guild_id, user_id) WHERE kind = 'bonus';

DROP TRIGGER ledger_keeps_its_rows;
DROP TRIGGER ledger_loses_no_row;
DROP TRIGGER ledger_settles_what_was_reserved;
ALTER TABLE ledger RENAME TO old_ledger;
DROP INDEX ledger_of_user;

CREATE TABLE ledger (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    job_id INTEGER REFERENCES jobs (job_id),
    kind TEXT NOT NULL CHECK (kind IN ('reserve', 'settle', 'grant', 'adjust')),
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    reserved INTEGER NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    captured INTEGER NOT NULL DEFAULT 0 CHECK (captured >= 0),
    released INTEGER NOT NULL DEFAULT 0 CHECK (released >= 0),
    granted INTEGER NOT NULL DEFAULT 0 CHECK (granted >= 0),
    adjusted INTEGER NOT NULL DEFAULT 0,
    actor_id INTEGER,
    reason TEXT,
    created_at INTEGER NOT NULL,
    CHECK ((kind IN ('reserve', 'settle')) = (job_id IS NOT NULL)),
    CHECK ((kind IN ('grant', 'adjust')) = (actor_id IS NOT NULL)),
    UNIQUE (job_id, kind)
) STRICT;

CREATE TABLE postings (
    entry_id INTEGER NOT NULL REFERENCES ledger (entry_id),
    pot_id INTEGER NOT NULL REFERENCES pots (pot_id),
    held INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    PRIMARY KEY (entry_id, pot_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX postings_of_pot ON postings (pot_id);

CREATE TRIGGER postings_move_balances AFTER INSERT ON postings
BEGIN
    UPDATE pots SET held = held + NEW.held, spent = spent + NEW.spent WHERE pot_id = NEW.pot_id;
END;

-- Which period a row of version 1 belonged to was not written down; a day was the default.
INSERT INTO pots (guild_id, user_id, kind, period, period_start)
SELECT guild_id, user_id, 'period', 'day', period_start FROM usage
UNION SELECT guild_id, user_id, 'period', 'day', period_start FROM old_ledger;

INSERT INTO ledger (entry_id, job_id, kind, guild_id, user_id, reserved, captured, released, created_at)
SELECT entry_id, job_id, kind, guild_id, user_id, reserved, captured, released, created_at FROM old_ledger;

INSERT INTO postings (entry_id, pot_id, held, spent)
SELECT entry_id, pot_id, reserved - captured - released, captured
FROM old_ledger JOIN pots USING (guild_id, user_id, period_start)
ORDER BY entry_id;

DROP TABLE old_ledger;
DROP TABLE usage;
ALTER TABLE jobs DROP COLUMN period_start;

CREATE INDEX ledger_of_user ON ledger (guild_id, user_id, created_at);
CREATE INDEX ledger_of_guild ON ledger (guild_id, created_at);

CREATE TRIGGER ledger_keeps_its_rows BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'ledger rows are never changed');
END;

CREATE TRIGGER ledger_loses_no_row BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'ledger rows are never deleted');
END;

CREATE TRIGGER postings_keep_their_rows BEFORE UPDATE ON postings
BEGIN
    SELECT RAISE(ABORT, 'postings are never changed');
END;

CREATE TRIGGER postings_lose_no_row BEFORE DELETE ON postings
BEGIN
    SELECT RAISE(ABORT, 'postings are never deleted');
END;

CREATE TRIGGER ledger_settles_what_was_reserved BEFORE INSERT ON ledger
WHEN NEW.kind = 'settle'
BEGIN
    SELECT RAISE(ABORT, 'a settle must add up to its reserve')
    WHERE NEW.captured + NEW.released IS NOT (
        SELECT reserved FROM ledger WHERE job_id = NEW.job_id AND kind = 'reserve'
    );
END;

-- The fair queue. `queue_key` is a job's place in the whole queue: lane, round, job_id, from the highest bit.
-- `turn_round` and `turn_deficit` are the member's turn before this job was placed, to place later ones anew.

ALTER TABLE jobs ADD COLUMN queue_key INTEGER;
ALTER TABLE jobs ADD COLUMN turn_round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN turn_deficit INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN expected_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN crashes INTEGER NOT NULL DEFAULT 0;
-- The roles that the member had, since only an interaction tells them.
ALTER TABLE jobs ADD COLUMN role_ids TEXT NOT NULL DEFAULT '[]';

CREATE TABLE lanes (
    lane INTEGER PRIMARY KEY,
    round INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO lanes (lane) VALUES (0), (1);

CREATE TABLE members (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    weight INTEGER NOT NULL DEFAULT 1 CHECK (weight > 0),
    lane INTEGER NOT NULL DEFAULT 1,
    round INTEGER NOT NULL DEFAULT 0,
    deficit INTEGER NOT NULL DEFAULT 0,
    queued INTEGER NOT NULL DEFAULT 0 CHECK (queued >= 0),
    running INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0),
    head_key INTEGER,
    is_paused INTEGER NOT NULL DEFAULT 0,
    theoretical_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX members_in_line ON members (head_key) WHERE head_key IS NOT NULL AND is_paused = 0;

DROP INDEX jobs_queued;
DROP INDEX jobs_running;
CREATE INDEX jobs_startable ON jobs (guild_id, requester_id, queue_key)
WHERE status = 'queued' AND message_id IS NOT NULL;
CREATE INDEX jobs_queued ON jobs (guild_id, requester_id, queue_key) WHERE status = 'queued';
CREATE INDEX jobs_running ON jobs (guild_id, requester_id, job_id) WHERE status = 'running';
CREATE INDEX jobs_unanswered ON jobs (job_id) WHERE status = 'queued' AND message_id IS NULL;
CREATE INDEX jobs_waiting_longest ON jobs (created_at) WHERE status = 'queued';
CREATE INDEX jobs_ended ON jobs (guild_id, finished_at) WHERE finished_at IS NOT NULL;

-- How many wait below each prefix of the queue key, so that a position is a sum over at most 16 x 16 rows.
CREATE TABLE digits (shift INTEGER PRIMARY KEY) STRICT;
INSERT INTO digits VALUES (0), (4), (8), (12), (16), (20), (24), (28), (32), (36), (40), (44), (48), (52), (56), (60);

CREATE TABLE queue_counts (
    shift INTEGER NOT NULL,
    prefix INTEGER NOT NULL,
    waiting INTEGER NOT NULL CHECK (waiting >= 0),
    expected_ms INTEGER NOT NULL CHECK (expected_ms >= 0),
    PRIMARY KEY (shift, prefix)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER jobs_leave_the_queue AFTER UPDATE OF status, queue_key ON jobs
WHEN OLD.status = 'queued' AND OLD.queue_key IS NOT NULL
    AND (NEW.status <> 'queued' OR NEW.queue_key <> OLD.queue_key)
BEGIN
    UPDATE queue_counts SET waiting = waiting - 1, expected_ms = expected_ms - OLD.expected_ms
    WHERE (shift, prefix) IN (SELECT shift, OLD.queue_key >> shift FROM digits);
    DELETE FROM queue_counts
    WHERE waiting = 0 AND (shift, prefix) IN (SELECT shift, OLD.queue_key >> shift FROM digits);
END;

CREATE TRIGGER jobs_enter_the_queue AFTER UPDATE OF status, queue_key ON jobs
WHEN NEW.status = 'queued' AND NEW.queue_key IS NOT NULL
    AND (OLD.status <> 'queued' OR OLD.queue_key IS NULL OR OLD.queue_key <> NEW.queue_key)
BEGIN
    INSERT INTO queue_counts SELECT shift, NEW.queue_key >> shift, 1, NEW.expected_ms FROM digits WHERE true
    ON CONFLICT DO UPDATE SET waiting = waiting + 1, expected_ms = expected_ms + excluded.expected_ms;
END;

CREATE TRIGGER jobs_are_counted AFTER UPDATE OF status, queue_key, message_id ON jobs
BEGIN
    UPDATE members SET
        queued = queued + (NEW.status = 'queued' AND NEW.queue_key IS NOT NULL)
            - (OLD.status = 'queued' AND OLD.queue_key IS NOT NULL),
        running = running + (NEW.status = 'running') - (OLD.status = 'running'),
        head_key = (
            SELECT min(queue_key) FROM jobs
            WHERE guild_id = NEW.guild_id AND requester_id = NEW.requester_id
                AND status = 'queued' AND message_id IS NOT NULL
        )
    WHERE guild_id = NEW.guild_id AND user_id = NEW.requester_id;
END;

CREATE TRIGGER jobs_move_their_lane AFTER UPDATE OF status ON jobs
WHEN OLD.status = 'queued' AND NEW.status = 'running'
BEGIN
    UPDATE lanes SET round = max(round, (NEW.queue_key >> 32) & 0x1FFFFFFF) WHERE lane = NEW.queue_key >> 61;
END;

INSERT INTO members (guild_id, user_id, running)
SELECT guild_id, requester_id, sum(status = 'running') FROM jobs WHERE status IN ('queued', 'running') GROUP BY 1, 2;

UPDATE jobs SET turn_round = placed.number - 1, queue_key = (1 << 61) | (placed.number << 32) | jobs.job_id
FROM (
    SELECT job_id, row_number() OVER (PARTITION BY guild_id, requester_id ORDER BY job_id) AS number
    FROM jobs WHERE status IN ('queued', 'running')
) AS placed
WHERE placed.job_id = jobs.job_id;

UPDATE members SET round = queued + running;

-- What admins decide for their server.

CREATE TABLE servers (
    guild_id INTEGER PRIMARY KEY,
    queue_state TEXT NOT NULL DEFAULT 'open' CHECK (queue_state IN ('open', 'paused', 'draining'))
) STRICT;

CREATE TABLE quota_rules (
    guild_id INTEGER NOT NULL,
    subject TEXT NOT NULL CHECK (subject IN ('server', 'role', 'user', 'pool')),
    subject_id INTEGER NOT NULL,
    amount INTEGER CHECK (amount >= 0),
    period TEXT NOT NULL CHECK (period IN ('hour', 'day', 'week', 'month')),
    PRIMARY KEY (guild_id, subject, subject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE blocks (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    until INTEGER,
    reason TEXT,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE channel_rules (
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    is_allowed INTEGER,
    defaults TEXT NOT NULL,
    PRIMARY KEY (guild_id, channel_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    reason TEXT,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX audit_of_guild ON audit (guild_id, audit_id);

CREATE TRIGGER audit_keeps_its_rows BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never changed');
END;

CREATE TRIGGER audit_loses_no_row BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never deleted');
END;

-- What jobs of a model and size took: moving averages in seconds.
CREATE TABLE timings (
    model_key TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    row_s REAL NOT NULL,
    rest_s REAL NOT NULL,
    samples INTEGER NOT NULL,
    PRIMARY KEY (model_key, width, height)
) STRICT, WITHOUT ROWID;
