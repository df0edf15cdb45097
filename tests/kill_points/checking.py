"""What must hold once a bot that was killed came to rest: its database against the log of what Discord saw."""

import contextlib
import hashlib
import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from bot.store.sqlite.checking import CHECKS
from tests.kill_points.engine import picture_of
from tests.kill_points.members import ASKED


class Seen:
    """What Discord saw, from the log that it synced before each answer."""

    def __init__(self, log: Path) -> None:
        self.answered: dict[int, int] = {}
        self.shown_ever: defaultdict[str, set[int]] = defaultdict(set)
        self._shown_last: dict[int, list[str]] = {}
        for line in log.read_text().splitlines() if log.exists() else ():
            entry = json.loads(line)
            if entry["interaction"] is not None:
                self.answered[entry["interaction"]] = entry["message"]
            self._shown_last[entry["message"]] = entry["shows"]
            for sha256 in entry["shows"]:
                self.shown_ever[sha256].add(entry["message"])

    def is_shown(self, sha256: str) -> bool:
        """Whether a message shows it now."""
        return any(sha256 in shows for shows in self._shown_last.values())


def check(directory: Path) -> list[str]:
    """Every promise that one story broke."""
    seen = Seen(directory / "discord.log")
    with sqlite3.connect(directory / "data" / "easel.db") as connection:
        connection.row_factory = sqlite3.Row
        jobs = connection.execute("SELECT * FROM jobs ORDER BY job_id").fetchall()
        violations = [*check_ledger(connection, jobs)]
        violations += [promise for promise, sql in CHECKS.items() if connection.execute(sql).fetchall()]
    connection.close()
    count = Counter(int(job["interaction_id"]) for job in jobs)
    for number, prompt in ASKED.items():
        messages = seen.shown_ever[hash_of(prompt)]
        if len(messages) > 1:
            violations.append(f"P3: the images of {number} were delivered in {len(messages)} messages")
        if count[number] > 1:
            violations.append(f"P5: {number} has {count[number]} jobs")
        if number in seen.answered and not count[number]:
            violations.append(f"P1: {number} was acknowledged and has no job")
    for job in jobs:
        violations += check_job(job, seen)
    return violations


def count_jobs(directory: Path) -> int:
    """How many jobs the bot came to know."""
    with contextlib.closing(sqlite3.connect(directory / "data" / "easel.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM jobs").fetchone()[0])


def check_job(job: sqlite3.Row, seen: Seen) -> Iterable[str]:
    """One row against what its member saw."""
    number, status = job["interaction_id"], job["status"]
    is_shown = seen.is_shown(hash_of(ASKED[number]))
    if status in ("queued", "running"):
        yield f"P7: the job of {number} is still {status}"
    elif number not in seen.answered and status != "failed":
        yield f"the job of {number} is {status}, and nobody was told of it"
    elif number in seen.answered and status != "succeeded":
        yield f"P1: {number} was acknowledged, and then {status} ({job['failure']}) without need"
        if is_shown:
            yield f"{number} shows its images, and its job is {status}"
    if status == "succeeded" and not is_shown:
        yield f"P1: the job of {number} succeeded, and no message shows its images"


def check_ledger(connection: sqlite3.Connection, jobs: list[sqlite3.Row]) -> Iterable[str]:
    """Every reserve settled once, and charged for successes alone."""
    for job in jobs:
        rows = connection.execute(
            "SELECT * FROM ledger WHERE job_id = ? ORDER BY entry_id", (job["job_id"],)
        ).fetchall()
        kinds = [row["kind"] for row in rows]
        if kinds != ["reserve", "settle"]:
            yield f"P2: the ledger of {job['interaction_id']} is {kinds}"
            continue
        due = job["price"] if job["status"] == "succeeded" else 0
        if rows[1]["captured"] != due:
            yield f"P2: {job['interaction_id']} is {job['status']} and was charged {rows[1]['captured']}"


def hash_of(prompt: str) -> str:
    """The picture of a prompt, as it is named on disk and in the log."""
    return hashlib.sha256(picture_of(prompt)).hexdigest()
