"""Forgetting in the database: what goes, what becomes a pseudonym, and that every sum stays."""

import contextlib
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.quotas.rules import Rule, Subject
from bot.store.cases import CaseRepository
from bot.store.privacy.persons import IDENTIFIED
from bot.store.rows.cases import Outcome, Report, ReportReason
from bot.store.rows.jobs import Job, NewJob
from bot.store.rows.origin import Lineage
from bot.store.rows.outputs import NewOutput
from bot.store.rows.wishes import AskedBy, BlankedFor, Scope
from bot.store.sqlite.migrating import migrate
from bot.store.stars import StarRepository
from config.areas.quotas import Period
from tests.bot.store.conftest import GUILD, NOW, Store, decision, settings_of, with_inputs
from tests.bot.store.sqlite.schema import schema

Make = Callable[..., NewJob]
WHO = 123_456_789_012_345_678
OTHER = 223_456_789_012_345_678
LATER = NOW + timedelta(minutes=1)


def output(sha256: str) -> NewOutput:
    """A finished picture."""
    return NewOutput(
        output_index=0, kind="image", sha256=sha256, media_type="image/png", size_bytes=3, width=1, height=1, seed=1
    )


async def drawn(store: Store, new: NewJob, sha256: str) -> Job:
    """A delivered job of one picture."""
    job = await store.accept(new, amount=9)
    await store.jobs.store_outputs(job.job_id, outputs=[output(sha256)], notices=(), denoise_s=1.0, total_s=1.0)
    await store.jobs.deliver(job.job_id, outputs_delivered=1)
    return job


async def all_text(store: Store) -> str:
    """Every row of every table as text, but for the wish that still waits."""
    tables = re.findall(r"CREATE TABLE (\w+)", schema())
    rows = [row for table in tables for row in await store.database.fetch_all(f"SELECT * FROM {table}")]  # noqa: S608 - ours
    return "\n".join(str(tuple(row)) for row in rows)


async def sums(store: Store) -> list[tuple[int, ...]]:
    """What members and the server used, which no deletion may change."""
    rows = await store.database.fetch_all(
        "SELECT guild_id, sum(reserved), sum(captured), sum(released), sum(granted), sum(adjusted), count(*),"
        " count(DISTINCT user_id) FROM ledger GROUP BY guild_id"
    )
    pots = await store.database.fetch_all("SELECT kind, sum(held), sum(spent), count(*) FROM pots GROUP BY kind")
    return [tuple(row) for row in (*rows, *pots)]


async def whole_life(store: Store, new_job: Make, first: int = 1) -> Job:
    """A member with everything that tables can say about one; returns a delivered job."""
    await store.servers.set_rule(decision(), Subject.USER, WHO, Rule(amount=8, period=Period.DAY))
    await store.ledger.grant(decision(reason="for the nice drawing of Wilma"), WHO, 3, expires_at=None)
    job = await drawn(store, new_job(first, user=WHO, requester_name="Wilma"), "aa")
    theirs = await drawn(store, new_job(first + 1, user=OTHER), "bb")
    await store.jobs.request_cancel((await store.accept(new_job(first + 2, user=OTHER))).job_id, WHO)
    await StarRepository(store.database).toggle(job.job_id, OTHER, NOW)
    cases = CaseRepository(store.database)
    await cases.warn(decision(reason="Wilma spams"), WHO, "Wilma spams")
    report = Report(reporter_id=WHO, reason=ReportReason.OTHER, note="Wilma dislikes it", locale="de")
    await cases.report(theirs, report, NOW)
    report = Report(reporter_id=OTHER, reason=ReportReason.OTHER, note="odd", locale="de")
    case, _ = await cases.report(job, report, NOW)
    await cases.close(decision(), case, Outcome.KEEP)
    return job


def test_every_column_that_names_a_person_is_known() -> None:
    naming = re.compile(r"(user|actor|requester|reporter|author|member|moderator|subject)_id|.*_by|subject")
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, 0)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {(table, row[1]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")}
    found = {(table, name) for table, name in columns if naming.fullmatch(name)}
    words = {("jobs", "started_by"), ("expansions", "started_by"), ("quota_rules", "subject")}
    assert found == IDENTIFIED | words


async def test_words_go_and_the_id_stays(store: Store, new_job: Make) -> None:
    job = await whole_life(store, new_job)
    before = await sums(store)
    forgotten = await store.forget(WHO, LATER)
    blanked = await store.jobs.get(job.job_id)
    assert blanked is not None
    assert (blanked.requester_id, blanked.blanked_for, blanked.origin.locale) == (WHO, BlankedFor.MEMBER, "")
    assert blanked.origin.asker.role_ids == ()
    assert forgotten.jobs == 1
    # The picture goes, although somebody else starred it; another member's stays.
    assert await store.removals("images") == {"aa"}
    assert await StarRepository(store.database).kept() == frozenset()
    assert await sums(store) == before
    assert await store.broken() == []
    farewell = await store.forgetting.next_farewell()
    assert farewell is not None
    assert (farewell[0].job_id, farewell[1]) == (job.job_id, job.origin.locale)
    await store.forgetting.bade_farewell(job.job_id)
    await store.forget(WHO, LATER)
    assert await store.forgetting.next_farewell() is None


async def test_everything_loses_the_person_and_keeps_each_sum(store: Store, new_job: Make) -> None:
    job = await whole_life(store, new_job)
    waiting = await store.accept(new_job(4, user=WHO), amount=9)
    await store.servers.block(decision(reason="Wilma was rude"), WHO, None)
    assert str(WHO) in await all_text(store)
    assert await store.broken() == []
    before = await store.used(OTHER)
    forgotten = await store.forget(WHO, LATER, Scope.EVERYTHING)
    assert [each.job_id for each in forgotten.cancelled] == [waiting.job_id]
    text = await all_text(store)
    assert [line for line in text.splitlines() if str(WHO) in line or "Wilma" in line] == []
    assert await store.broken() == []
    assert await store.used(OTHER) == before
    rows = await store.database.fetch_all(
        "SELECT user_id FROM ledger WHERE user_id < 0 UNION SELECT requester_id FROM jobs WHERE job_id = ?"
        " UNION SELECT user_id FROM pots WHERE user_id < 0 UNION SELECT user_id FROM blocks"
        " UNION SELECT subject_id FROM quota_rules UNION SELECT user_id FROM members WHERE user_id < 0"
        " UNION SELECT CAST(substr(subject, 3) AS INTEGER) FROM audit WHERE subject GLOB '<@-*'"
        " UNION SELECT cancel_requested_by FROM jobs WHERE cancel_requested_by IS NOT NULL",
        (job.job_id,),
    )
    (pseudonym,) = [row["user_id"] for row in rows]
    assert pseudonym < 0
    # Units that were charged stay charged to somebody, and what was open is given back.
    (charged,) = await store.database.fetch_all(
        "SELECT sum(captured) AS captured, sum(released) AS released FROM ledger WHERE user_id = ?", (pseudonym,)
    )
    assert (charged["captured"], charged["released"]) == (1, 1)


async def test_a_members_own_wish_gives_no_fresh_quota_and_lifts_no_block(store: Store, new_job: Make) -> None:
    quota: dict[str, Any] = {"amount": 2, "period": "day"}
    for number in (1, 2):
        job = await store.accept(new_job(number, user=WHO), **quota)
        await store.jobs.deliver(job.job_id, outputs_delivered=1)
    await store.servers.block(decision(), WHO, NOW + timedelta(days=3))
    await store.servers.set_rule(decision(), Subject.USER, WHO, Rule(amount=2, period=Period.DAY))
    cases = CaseRepository(store.database)
    await cases.warn(decision(), WHO, "spam")
    await store.forget(WHO, LATER, Scope.EVERYTHING, AskedBy.MEMBER)
    assert await cases.warnings(GUILD, WHO, LATER) == 1
    assert await store.used(WHO, **quota) == 2
    assert await store.broken() == []
    ids = "SELECT user_id FROM {} WHERE user_id = ?"
    await store.forgetting.finish(NOW + timedelta(days=1))
    assert await store.database.fetch_all(ids.format("pots"), (WHO,)) == []
    assert len(await store.database.fetch_all(ids.format("blocks"), (WHO,))) == 1
    # What was waited for in the second day is not theirs any more.
    await store.forgetting.finish(NOW + timedelta(days=3))
    assert await store.database.fetch_all(ids.format("blocks"), (WHO,)) == []
    await store.forgetting.finish(NOW + timedelta(days=31))
    assert await store.database.fetch_all(ids.format("warnings"), (WHO,)) == []
    assert await store.database.fetch_all("SELECT * FROM forgettings WHERE user_id IS NOT NULL") == []
    assert await store.broken() == []
    # A rule about a member is the server's, until its admins end it.
    (rule,) = await store.servers.rules(GUILD)
    assert rule.subject_id == WHO


async def test_a_block_for_good_stays_by_a_members_wish_and_keeps_no_link(store: Store, new_job: Make) -> None:
    await store.accept(new_job(1, user=WHO))
    await store.servers.block(decision(), WHO, None)
    await store.forget(WHO, LATER, Scope.EVERYTHING, AskedBy.MEMBER)
    await store.forgetting.finish(NOW + timedelta(days=2))
    assert await store.database.fetch_all("SELECT * FROM forgettings WHERE pseudonym IS NOT NULL") == []
    facts = await store.jobs.facts(new_job(2, user=WHO).origin.asker, settings_of(), NOW)
    assert facts.is_blocked


async def test_what_came_after_the_wish_stays(store: Store, new_job: Make) -> None:
    await drawn(store, new_job(1, user=WHO), "aa")
    wish = await store.forgetting.wish(WHO, Scope.EVERYTHING, AskedBy.OWNER, LATER)
    newer = await store.accept(new_job(2, user=WHO), now=LATER + timedelta(hours=1))
    before = await all_text(store)
    await store.forgetting.carry_out(wish, LATER + timedelta(hours=2))
    kept = await store.jobs.get(newer.job_id)
    assert kept is not None
    assert (kept.requester_id, kept.request.prompt, kept.blanked_for) == (WHO, newer.request.prompt, None)
    assert await store.broken() == []
    assert before != await all_text(store)


async def test_given_pictures_go_also_from_jobs_that_others_began_from_them(store: Store, new_job: Make) -> None:
    first = await store.accept(with_inputs(new_job(1, user=1), "photo", "shared"))
    begun = Lineage(parent_job_id=first.job_id, parent_message_id=None)
    await store.accept(with_inputs(new_job(2, user=2, lineage=begun), "photo"))
    await store.accept(with_inputs(new_job(3, user=3), "shared"))
    await store.forget(1)
    assert await store.removals("inputs") == {"photo"}


async def test_a_picture_that_others_drew_too_stays(store: Store, new_job: Make) -> None:
    await drawn(store, new_job(1, user=1), "same")
    await drawn(store, new_job(2, user=2), "same")
    await store.forget(1, LATER)
    assert await store.removals("images") == set()
    await store.forget(2, LATER)
    assert await store.removals("images") == {"same"}


async def test_pictures_that_arrive_after_the_wish_are_not_kept(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1))
    await store.forget(1, LATER)
    await store.jobs.store_outputs(job.job_id, outputs=[output("late")], notices=(), denoise_s=1.0, total_s=1.0)
    assert await store.jobs.outputs(job.job_id) == []
    assert await store.removals("images") == {"late"}


@pytest.mark.parametrize(
    "change",
    [
        "ledger SET captured = captured + 1",
        "ledger SET user_id = 7",
        "ledger SET user_id = -7, reserved = reserved + 1",
        "ledger SET user_id = -7, reason = 'another'",
        "ledger SET reason = NULL",
        "ledger SET user_id = 0",
        "ledger SET actor_id = 98",
        "ledger SET actor_id = NULL",
        "ledger SET created_at = 0",
        "audit SET actor_id = 98",
        "audit SET subject = ''",
        "audit SET subject = '<@8>'",
        "audit SET reason = NULL",
        "audit SET detail = 'x', subject = '<@-8>'",
        "postings SET spent = 1",
    ],
)
async def test_the_books_take_a_pseudonym_and_nothing_else(store: Store, new_job: Make, change: str) -> None:
    await store.accept(new_job(1))
    await store.ledger.grant(decision(reason="why"), 1, 3, expires_at=None)
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        await store.database.change(f"UPDATE {change} WHERE true")
    await store.database.change("UPDATE ledger SET user_id = -7, reason = NULL")
    await store.database.change("UPDATE ledger SET actor_id = -8 WHERE actor_id IS NOT NULL")
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        await store.database.change("UPDATE ledger SET user_id = 1")
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        await store.database.change("UPDATE ledger SET user_id = -9")


async def test_no_byte_of_the_words_is_left(store: Store, new_job: Make, tmp_path: Path) -> None:
    secret = "a heliotrope quagga"
    request = new_job(0).request
    for number in range(1, 41):
        words = f"{secret} {number}" * 20
        await store.accept(new_job(number, user=WHO, request=msgspec.structs.replace(request, prompt=words)))
    assert copies(tmp_path, secret) >= 40
    assert copies(tmp_path, WHO) >= 40
    await store.forget(WHO, LATER, Scope.EVERYTHING)
    assert copies(tmp_path, secret) > 0, "the log still has them"
    assert await store.forgetting.empty_log()
    assert (copies(tmp_path, secret), copies(tmp_path, WHO)) == (0, 0)


def copies(folder: Path, sought: str | int) -> int:
    """How often these words, or an id as SQLite writes it, stand in the bytes of the database and its log."""
    found = sought.encode() if isinstance(sought, str) else sought.to_bytes(8, "big")
    return sum(path.read_bytes().count(found) for path in folder.glob("easel.db*"))


async def test_a_reader_delays_the_emptying_of_the_log(store: Store, new_job: Make, tmp_path: Path) -> None:
    await store.accept(new_job(1))
    reader = sqlite3.connect(tmp_path / "easel.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM jobs").fetchone()
    await store.forget(1, LATER)
    assert not await store.forgetting.empty_log()
    reader.close()
    assert await store.forgetting.empty_log()


async def test_a_clock_that_went_back_leaves_no_job_of_the_forgotten(store: Store, new_job: Make) -> None:
    job = await store.accept(new_job(1, user=WHO), now=LATER)
    forgotten = await store.forget(WHO, NOW)
    assert [each.job_id for each in forgotten.cancelled] == [job.job_id]
