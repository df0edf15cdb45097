"""A migration that no release has, so that bringing a file up to date is tried with one more than there is."""

from pathlib import Path

import pytest

from bot.store.sqlite import migrating

MADE_UP = """
CREATE TABLE made_up (job_id INTEGER PRIMARY KEY REFERENCES jobs (job_id), words TEXT NOT NULL) STRICT;
INSERT INTO made_up SELECT job_id, requester_name FROM jobs;
ALTER TABLE jobs ADD COLUMN made_up_number INTEGER NOT NULL DEFAULT 7;
"""


def add_migration(monkeypatch: pytest.MonkeyPatch, folder: Path, sql: str = MADE_UP) -> int:
    """Let Easel read its migrations from a new folder that holds one more; the number of that one."""
    steps = migrating.migrations()
    number = max(steps) + 1
    folder.mkdir()
    for known, step in {**steps, number: sql}.items():
        (folder / f"{known:04}_step.sql").write_text(step, encoding="utf-8")
    monkeypatch.setattr(migrating, "MIGRATIONS", folder)
    return number
