-- Rows of the books may lose the person, and nothing else: an id becomes a negative pseudonym, and with it the mention
-- and the free text about that person go.
DROP TRIGGER ledger_keeps_its_rows;

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

DROP TRIGGER audit_keeps_its_rows;

CREATE TRIGGER audit_keeps_its_rows BEFORE UPDATE ON audit
WHEN NEW.audit_id IS NOT OLD.audit_id OR NEW.guild_id IS NOT OLD.guild_id OR NEW.action IS NOT OLD.action
    OR NEW.detail IS NOT OLD.detail OR NEW.created_at IS NOT OLD.created_at
    OR NEW.actor_id IS NOT OLD.actor_id AND NOT (OLD.actor_id > 0 AND NEW.actor_id < 0)
    OR NEW.subject IS NOT OLD.subject AND NOT (OLD.subject GLOB '<@[0-9]*>' AND NEW.subject GLOB '<@-[0-9]*>')
    OR NEW.reason IS NOT OLD.reason AND NOT (NEW.reason IS NULL AND NEW.subject IS NOT OLD.subject)
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never changed');
END;

-- The owner says how long decisions are kept; a month is the least.
DROP TRIGGER audit_loses_no_row;

CREATE TRIGGER audit_loses_no_row BEFORE DELETE ON audit
WHEN OLD.created_at > (CAST(strftime('%s', 'now') AS INTEGER) - 30 * 86400) * 1000
BEGIN
    SELECT RAISE(ABORT, 'audit rows are never deleted in their first 30 days');
END;

-- Why a job has no words and pictures any more: its member's wish, its age, or a server that Easel left.
ALTER TABLE jobs ADD COLUMN blanked_for TEXT CHECK (blanked_for IN ('member', 'age', 'server'));

UPDATE jobs SET blanked_for = 'member', locale = '', role_ids = '[]' WHERE requester_name = '';

CREATE INDEX jobs_with_words ON jobs (created_at) WHERE blanked_for IS NULL;

-- When Easel left the server, or found itself no longer in it.
ALTER TABLE servers ADD COLUMN left_at INTEGER;

-- Wishes of the file forgotten.jsonl that were carried out in this database. A restored one lacks them. A wish has ids
-- while the rest of the member's period, or of a block, keeps the id.
CREATE TABLE forgettings (
    wish TEXT PRIMARY KEY,
    asked_at INTEGER NOT NULL,
    user_id INTEGER,
    pseudonym INTEGER,
    CHECK ((user_id IS NULL) = (pseudonym IS NULL))
) STRICT, WITHOUT ROWID;

-- Files that must go. A row is written together with what makes them go, and deleted after the file.
CREATE TABLE removals (
    folder TEXT NOT NULL CHECK (folder IN ('images', 'inputs')),
    sha256 TEXT NOT NULL,
    PRIMARY KEY (folder, sha256)
) STRICT, WITHOUT ROWID;

-- Messages of forgotten jobs in which a placeholder takes the place of words and pictures, in the job's language.
CREATE TABLE farewells (
    job_id INTEGER PRIMARY KEY REFERENCES jobs (job_id),
    locale TEXT NOT NULL
) STRICT;
