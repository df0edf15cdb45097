-- The tables of easel.db after its last migration, 15. A test compares them.

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
WHEN NEW.audit_id IS NOT OLD.audit_id OR NEW.guild_id IS NOT OLD.guild_id OR NEW.action IS NOT OLD.action
    OR NEW.detail IS NOT OLD.detail OR NEW.created_at IS NOT OLD.created_at
    OR NEW.actor_id IS NOT OLD.actor_id AND NOT (OLD.actor_id > 0 AND NEW.actor_id < 0)
    OR NEW.subject IS NOT OLD.subject AND NOT (OLD.subject GLOB '<@[0-9]*>' AND NEW.subject GLOB '<@-[0-9]*>')
    OR NEW.reason IS NOT OLD.reason AND NOT (NEW.reason IS NULL AND NEW.subject IS NOT OLD.subject)
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never changed');
END;

CREATE TRIGGER audit_loses_no_row BEFORE DELETE ON audit
WHEN OLD.created_at > (CAST(strftime('%s', 'now') AS INTEGER) - 30 * 86400) * 1000
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never deleted in their first 30 days');
END;

CREATE TABLE blocks (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    until INTEGER,
    reason TEXT,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    case_id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    job_id INTEGER REFERENCES jobs (job_id),
    is_veiled INTEGER NOT NULL DEFAULT 0,
    channel_id INTEGER,
    message_id INTEGER,
    created_at INTEGER NOT NULL,
    outcome TEXT,
    decided_by INTEGER,
    decided_at INTEGER
, hit_id INTEGER) STRICT;

CREATE UNIQUE INDEX cases_of_hit ON cases (hit_id) WHERE hit_id IS NOT NULL;

CREATE INDEX cases_open ON cases (guild_id, case_id) WHERE outcome IS NULL;

CREATE UNIQUE INDEX cases_open_of_job ON cases (job_id, kind) WHERE outcome IS NULL AND job_id IS NOT NULL;

CREATE TABLE channel_rules (
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    is_allowed INTEGER,
    defaults TEXT NOT NULL, content TEXT CHECK (content IN ('strict', 'usual')),
    PRIMARY KEY (guild_id, channel_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE copies (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    image_index INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job_id, image_index, sha256)
) STRICT, WITHOUT ROWID;

CREATE INDEX copies_by_hash ON copies (sha256);

CREATE TABLE digits (shift INTEGER PRIMARY KEY) STRICT;

CREATE TABLE exhibits (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (job_id),
    channel_id INTEGER,
    message_id INTEGER,
    file_names TEXT NOT NULL DEFAULT '[]',
    stars INTEGER NOT NULL,
    is_withdrawn INTEGER NOT NULL DEFAULT 0 CHECK (is_withdrawn IN (0, 1))
) STRICT;

CREATE INDEX exhibits_shown ON exhibits (job_id) WHERE channel_id IS NOT NULL AND is_withdrawn = 0;

CREATE TABLE expansions (
    expansion_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    started_by TEXT NOT NULL,
    lineage TEXT NOT NULL,
    jobs TEXT NOT NULL,
    price INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER
, plan TEXT NOT NULL DEFAULT 'null') STRICT;

CREATE INDEX expansions_by_age ON expansions (created_at);

CREATE TABLE farewells (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (job_id),
    locale TEXT NOT NULL
) STRICT;

CREATE TABLE fingerprints (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    image_index INTEGER NOT NULL,
    pixels TEXT NOT NULL,
    look BLOB NOT NULL,
    manifest TEXT,
    PRIMARY KEY (job_id, image_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX fingerprints_by_pixels ON fingerprints (pixels);

CREATE TABLE forgettings (
    wish TEXT PRIMARY KEY,
    asked_at INTEGER NOT NULL,
    user_id INTEGER,
    pseudonym INTEGER,
    CHECK ((user_id IS NULL) = (pseudonym IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE hits (
    hit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    whose TEXT NOT NULL,
    rule INTEGER NOT NULL,
    word TEXT NOT NULL,
    part TEXT NOT NULL,
    how TEXT NOT NULL,
    prompt TEXT NOT NULL,
    request TEXT NOT NULL,
    locale TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    allowed_until INTEGER
) STRICT;

CREATE INDEX hits_allowed ON hits (guild_id, user_id) WHERE allowed_until IS NOT NULL;

CREATE INDEX hits_by_age ON hits (created_at);

CREATE TRIGGER hits_end_their_appeal BEFORE DELETE ON hits
BEGIN
    UPDATE cases SET outcome = 'expired', decided_by = 0, decided_at = CAST(strftime('%s', 'now') AS INTEGER) * 1000
    WHERE hit_id = OLD.hit_id AND outcome IS NULL;
    UPDATE cases SET hit_id = NULL WHERE hit_id = OLD.hit_id;
END;

CREATE TABLE image_blocks (
    guild_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    look BLOB NOT NULL CHECK (length(look) = 32),
    reason TEXT NOT NULL,
    blocked_at INTEGER NOT NULL,
    PRIMARY KEY (guild_id, number),
    UNIQUE (guild_id, look)
) STRICT, WITHOUT ROWID;

CREATE TABLE inputs (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    input_index INTEGER NOT NULL,
    role TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (job_id, input_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    job_id INTEGER PRIMARY KEY AUTOINCREMENT,
    timeline INTEGER NOT NULL,
    interaction_id INTEGER NOT NULL UNIQUE,
    started_by TEXT NOT NULL,
    parent_job_id INTEGER REFERENCES jobs (job_id),
    parent_message_id INTEGER,
    parent_image_index INTEGER,
    guild_id INTEGER NOT NULL,
    shown_guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    is_age_restricted INTEGER NOT NULL,
    requester_id INTEGER NOT NULL,
    requester_name TEXT NOT NULL,
    role_ids TEXT NOT NULL,
    locale TEXT NOT NULL,
    filesize_limit INTEGER NOT NULL,
    interaction_token TEXT,
    token_expires_at INTEGER,
    message_id INTEGER,
    request TEXT NOT NULL,
    defaults TEXT NOT NULL,
    model_key TEXT NOT NULL,
    notices TEXT NOT NULL,
    price INTEGER NOT NULL CHECK (price >= 0),
    expected_ms INTEGER NOT NULL,
    queue_key INTEGER,
    turn_round INTEGER NOT NULL DEFAULT 0,
    turn_deficit INTEGER NOT NULL DEFAULT 0,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    failure TEXT,
    error_id TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    cancel_requested_by INTEGER,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    denoise_s REAL,
    total_s REAL,
    recipe TEXT NOT NULL DEFAULT 'null'
, removed_at INTEGER, blanked_for TEXT CHECK (blanked_for IN ('member', 'age', 'server')), hold TEXT CHECK (hold IN ('wanted', 'held', 'allowed')), parent_channel_id INTEGER) STRICT;

CREATE INDEX jobs_by_message ON jobs (message_id) WHERE message_id IS NOT NULL;

CREATE INDEX jobs_ended ON jobs (guild_id, finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX jobs_held ON jobs (guild_id, requester_id) WHERE hold = 'held' AND status = 'running';

CREATE INDEX jobs_of_requester ON jobs (requester_id, created_at);

CREATE INDEX jobs_queued ON jobs (guild_id, requester_id, queue_key) WHERE status = 'queued';

CREATE INDEX jobs_running ON jobs (guild_id, requester_id, job_id) WHERE status = 'running';

CREATE INDEX jobs_startable ON jobs (guild_id, requester_id, queue_key)
WHERE status = 'queued' AND message_id IS NOT NULL;

CREATE INDEX jobs_timed ON jobs (model_key, job_id) WHERE status = 'succeeded';

CREATE INDEX jobs_unanswered ON jobs (job_id) WHERE status = 'queued' AND message_id IS NULL;

CREATE INDEX jobs_waiting_longest ON jobs (created_at) WHERE status = 'queued';

CREATE INDEX jobs_with_words ON jobs (created_at) WHERE blanked_for IS NULL;

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

CREATE TRIGGER jobs_end_their_hold AFTER UPDATE OF status ON jobs
WHEN OLD.hold IN ('wanted', 'held') AND NEW.status IN ('failed', 'cancelled')
BEGIN
    UPDATE cases SET outcome = 'expired', decided_by = 0, decided_at = NEW.finished_at
    WHERE job_id = NEW.job_id AND kind = 'held' AND outcome IS NULL;
    INSERT OR IGNORE INTO removals
    SELECT 'images', sha256 FROM outputs WHERE job_id = NEW.job_id
        AND NOT EXISTS (SELECT 1 FROM outputs AS other WHERE other.sha256 = outputs.sha256 AND other.job_id <> NEW.job_id);
END;

CREATE TRIGGER jobs_enter_the_queue AFTER UPDATE OF status, queue_key ON jobs
WHEN NEW.status = 'queued' AND NEW.queue_key IS NOT NULL
    AND (OLD.status <> 'queued' OR OLD.queue_key IS NULL OR OLD.queue_key <> NEW.queue_key)
BEGIN
    INSERT INTO queue_counts SELECT shift, NEW.queue_key >> shift, 1, NEW.expected_ms FROM digits WHERE true
    ON CONFLICT DO UPDATE SET waiting = waiting + 1, expected_ms = expected_ms + excluded.expected_ms;
END;

CREATE TRIGGER jobs_leave_the_queue AFTER UPDATE OF status, queue_key ON jobs
WHEN OLD.status = 'queued' AND OLD.queue_key IS NOT NULL
    AND (NEW.status <> 'queued' OR NEW.queue_key <> OLD.queue_key)
BEGIN
    UPDATE queue_counts SET waiting = waiting - 1, expected_ms = expected_ms - OLD.expected_ms
    WHERE (shift, prefix) IN (SELECT shift, OLD.queue_key >> shift FROM digits);
    DELETE FROM queue_counts
    WHERE waiting = 0 AND (shift, prefix) IN (SELECT shift, OLD.queue_key >> shift FROM digits);
END;

CREATE TRIGGER jobs_move_their_lane AFTER UPDATE OF status ON jobs
WHEN OLD.status = 'queued' AND NEW.status = 'running'
BEGIN
    UPDATE lanes SET round = max(round, (NEW.queue_key >> 32) & 0x1FFFFFFF) WHERE lane = NEW.queue_key >> 61;
END;

CREATE TABLE lanes (
    lane INTEGER PRIMARY KEY,
    round INTEGER NOT NULL DEFAULT 0
) STRICT;

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

CREATE INDEX ledger_of_guild ON ledger (guild_id, created_at);

CREATE INDEX ledger_of_user ON ledger (guild_id, user_id, created_at);

CREATE TRIGGER ledger_keeps_its_rows BEFORE UPDATE ON ledger
WHEN NEW.entry_id IS NOT OLD.entry_id OR NEW.job_id IS NOT OLD.job_id OR NEW.kind IS NOT OLD.kind
    OR NEW.guild_id IS NOT OLD.guild_id OR NEW.reserved IS NOT OLD.reserved OR NEW.captured IS NOT OLD.captured
    OR NEW.released IS NOT OLD.released OR NEW.granted IS NOT OLD.granted OR NEW.adjusted IS NOT OLD.adjusted
    OR NEW.created_at IS NOT OLD.created_at
    OR NEW.user_id IS NOT OLD.user_id AND NOT (OLD.user_id > 0 AND NEW.user_id < 0)
    OR NEW.actor_id IS NOT OLD.actor_id AND NOT (ifnull(OLD.actor_id, 0) > 0 AND ifnull(NEW.actor_id, 0) < 0)
    OR NEW.reason IS NOT OLD.reason AND NOT (NEW.reason IS NULL AND OLD.user_id > 0 AND NEW.user_id < 0)
BEGIN
    SELECT RAISE(ABORT, 'ledger rows are never changed');
END;

CREATE TRIGGER ledger_loses_no_row BEFORE DELETE ON ledger
BEGIN
    SELECT RAISE(ABORT, 'ledger rows are never deleted');
END;

CREATE TRIGGER ledger_settles_what_was_reserved BEFORE INSERT ON ledger
WHEN NEW.kind = 'settle'
BEGIN
    SELECT RAISE(ABORT, 'a settle must add up to its reserve')
    WHERE NEW.captured + NEW.released IS NOT (
        SELECT reserved FROM ledger WHERE job_id = NEW.job_id AND kind = 'reserve'
    );
END;

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

CREATE TABLE outputs (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    output_index INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    width INTEGER,
    height INTEGER,
    seed INTEGER, rating TEXT NOT NULL DEFAULT 'harmless',
    PRIMARY KEY (job_id, output_index),
    CHECK (kind <> 'image' OR width IS NOT NULL AND height IS NOT NULL AND seed IS NOT NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX outputs_by_hash ON outputs (sha256);

CREATE TABLE pauses (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE postings (
    entry_id INTEGER NOT NULL REFERENCES ledger (entry_id),
    pot_id INTEGER NOT NULL REFERENCES pots (pot_id),
    held INTEGER NOT NULL,
    spent INTEGER NOT NULL,
    PRIMARY KEY (entry_id, pot_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX postings_of_pot ON postings (pot_id);

CREATE TRIGGER postings_keep_their_rows BEFORE UPDATE ON postings
BEGIN
    SELECT RAISE(ABORT, 'postings are never changed');
END;

CREATE TRIGGER postings_lose_no_row BEFORE DELETE ON postings
BEGIN
    SELECT RAISE(ABORT, 'postings are never deleted');
END;

CREATE TRIGGER postings_move_balances AFTER INSERT ON postings
BEGIN
    UPDATE pots SET held = held + NEW.held, spent = spent + NEW.spent WHERE pot_id = NEW.pot_id;
END;

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

CREATE INDEX pots_of_bonus ON pots (guild_id, user_id) WHERE kind = 'bonus';

CREATE UNIQUE INDEX pots_of_period ON pots (guild_id, user_id, kind, period, period_start) WHERE kind <> 'bonus';

CREATE TABLE preparations (
    kind TEXT NOT NULL CHECK (kind IN ('start', 'load')),
    model_key TEXT NOT NULL,
    mean_s REAL NOT NULL,
    samples INTEGER NOT NULL,
    PRIMARY KEY (kind, model_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE queue_counts (
    shift INTEGER NOT NULL,
    prefix INTEGER NOT NULL,
    waiting INTEGER NOT NULL CHECK (waiting >= 0),
    expected_ms INTEGER NOT NULL CHECK (expected_ms >= 0),
    PRIMARY KEY (shift, prefix)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_rules (
    guild_id INTEGER NOT NULL,
    subject TEXT NOT NULL CHECK (subject IN ('server', 'role', 'user', 'pool')),
    subject_id INTEGER NOT NULL,
    amount INTEGER CHECK (amount >= 0),
    period TEXT NOT NULL CHECK (period IN ('hour', 'day', 'week', 'month')),
    PRIMARY KEY (guild_id, subject, subject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE removals (
    folder TEXT NOT NULL CHECK (folder IN ('images', 'inputs')),
    sha256 TEXT NOT NULL,
    PRIMARY KEY (folder, sha256)
) STRICT, WITHOUT ROWID;

CREATE TABLE reports (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    reporter_id INTEGER NOT NULL,
    case_id INTEGER NOT NULL REFERENCES cases (case_id),
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    locale TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, reporter_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX reports_of_case ON reports (case_id, created_at);

CREATE INDEX reports_of_reporter ON reports (reporter_id, created_at);

CREATE TABLE reports_channels (
    guild_id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL
) STRICT;

CREATE TABLE servers (
    guild_id INTEGER PRIMARY KEY,
    queue_state TEXT NOT NULL DEFAULT 'open' CHECK (queue_state IN ('open', 'paused', 'draining'))
, left_at INTEGER) STRICT;

CREATE TABLE sheets (
    sheet_id INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    plan TEXT NOT NULL,
    jobs TEXT NOT NULL,
    origin TEXT NOT NULL,
    refusal TEXT NOT NULL DEFAULT 'null',
    created_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;

CREATE INDEX sheets_by_age ON sheets (created_at);

CREATE INDEX sheets_open ON sheets (sheet_id) WHERE ended_at IS NULL;

CREATE TABLE showcases (
    guild_id INTEGER PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    stars INTEGER NOT NULL CHECK (stars > 0)
) STRICT;

CREATE TABLE signing_keys (
    serial TEXT PRIMARY KEY,
    first_used_at INTEGER NOT NULL,
    retired_at INTEGER,
    reason TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE spendings (
    job_id INTEGER PRIMARY KEY REFERENCES jobs,
    month_start INTEGER NOT NULL,
    micros INTEGER NOT NULL CHECK (micros > 0)
) STRICT;

CREATE INDEX spendings_by_month ON spendings (month_start);

CREATE TABLE stars (
    job_id INTEGER NOT NULL REFERENCES jobs (job_id),
    user_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (job_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX stars_of_user ON stars (user_id, created_at);

CREATE TABLE timeline (number INTEGER NOT NULL) STRICT;

CREATE TABLE timings (
    kind TEXT NOT NULL,
    model_key TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size > 0),
    row_s REAL NOT NULL,
    rest_s REAL NOT NULL,
    samples INTEGER NOT NULL,
    PRIMARY KEY (kind, model_key, size)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_settings (
    user_id INTEGER PRIMARY KEY,
    defaults TEXT NOT NULL,
    is_told INTEGER NOT NULL
, is_shown INTEGER CHECK (is_shown IN (0, 1))) STRICT;

CREATE TABLE warnings (
    warning_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX warnings_of_user ON warnings (guild_id, user_id, created_at);

CREATE TABLE word_exceptions (
    guild_id INTEGER NOT NULL,
    word TEXT NOT NULL,
    PRIMARY KEY (guild_id, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE "word_rules" (
    guild_id INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number > 0),
    word TEXT NOT NULL,
    action TEXT NOT NULL CHECK (action IN ('refuse', 'warn', 'review')),
    reason TEXT NOT NULL,
    PRIMARY KEY (guild_id, number),
    UNIQUE (guild_id, word)
) STRICT, WITHOUT ROWID;
