"""What goes by itself: old words, old decisions, and what is known about left servers."""

import contextlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.quotas.rules import Rule, Subject
from bot.store.cases import CaseRepository
from bot.store.privacy.retention import DELETED, KEPT, RetentionRepository
from bot.store.rows.cases import Outcome, Report, ReportReason
from bot.store.rows.jobs import NewJob
from bot.store.rows.wishes import BlankedFor
from bot.store.sqlite.migrating import migrate
from bot.store.stars import StarRepository
from config.areas.quotas import Period
from tests.bot.store.conftest import GUILD, NOW, Store, decision, with_inputs
from tests.bot.store.privacy.test_forgetting import drawn

Make = Callable[..., NewJob]
DAY = timedelta(days=1)


@pytest.fixture
def retention(store: Store) -> RetentionRepository:
    return RetentionRepository(store.database)


async def test_old_jobs_without_a_star_lose_words_and_pictures(
    store: Store, retention: RetentionRepository, new_job: Make
) -> None:
    old = await drawn(store, with_inputs(new_job(1), "given", "again"), "aa")
    starred = await drawn(store, new_job(2), "bb")
    await StarRepository(store.database).toggle(starred.job_id, 2, NOW)
    waiting = await store.accept(new_job(3))
    young = await store.accept(with_inputs(new_job(4), "again"), now=NOW + 2 * DAY)
    used = await store.used()
    assert await retention.blank_old(NOW + DAY) == 1
    assert await retention.blank_old(NOW + DAY) == 0
    blanked = [await store.jobs.get(job.job_id) for job in (old, starred, waiting, young)]
    assert [job and job.blanked_for for job in blanked] == [BlankedFor.AGE, None, None, None]
    assert blanked[0] is not None
    assert (blanked[0].request.prompt, blanked[0].requester_id) == ("", 1)
    assert await store.removals("images") == {"aa"}
    # The younger job still needs its picture.
    assert await store.removals("inputs") == {"given"}
    assert await store.forgetting.next_farewell() is None
    assert await store.used() == used
    assert await store.broken() == []


async def test_old_decisions_go(store: Store, retention: RetentionRepository, new_job: Make) -> None:
    cases = CaseRepository(store.database)
    now = datetime.now(UTC)
    report = Report(reporter_id=2, reason=ReportReason.OTHER, note="odd", locale="de")
    for number, at in ((1, now - 50 * DAY), (2, now)):
        job = await drawn(store, new_job(number), f"a{number}")
        case, _ = await cases.report(job, report, at)
        await cases.close(decision(at), case, Outcome.KEEP)
        await cases.warn(decision(at), 1, "spam")
    undecided = await drawn(store, new_job(3), "a3")
    await cases.report(undecided, report, now - 60 * DAY)
    audited = len(await store.servers.audit_log(GUILD, 100))
    await retention.drop_decisions(warned_before=now - 40 * DAY, decided_before=now - 40 * DAY)
    counts = [
        (await store.database.fetch_all(f"SELECT count(*) FROM {table}"))[0][0]  # noqa: S608 - ours
        for table in ("warnings", "cases", "reports")
    ]
    assert counts == [1, 2, 2]
    assert len(await store.servers.audit_log(GUILD, 100)) == audited // 2
    with pytest.raises(sqlite3.IntegrityError, match="in their first 30 days"):
        await retention.drop_decisions(warned_before=now, decided_before=now + DAY)


async def fill(store: Store, new_job: Make) -> None:
    """A server with rules and words, and a second one."""
    for guild, first in ((GUILD, 1), (8, 10)):
        await drawn(store, new_job(first, guild=guild), f"aa{guild}")
        by = decision(guild=guild)
        await store.servers.set_rule(by, Subject.SERVER, 0, Rule(amount=8, period=Period.DAY))
        await store.servers.block(by, 7, None)
        await store.servers.set_reports_channel(by, 6)
        await CaseRepository(store.database).warn(by, 7, "spam")


async def test_a_left_server_is_forgotten_in_time(store: Store, retention: RetentionRepository, new_job: Make) -> None:
    await fill(store, new_job)
    assert await retention.known_servers() == {GUILD, 8}
    await retention.leave(GUILD, NOW)
    await retention.leave(GUILD, NOW + 20 * DAY)
    assert await retention.known_servers() == {8}
    assert await retention.forget_left(NOW) == 0
    assert len(await store.servers.rules(GUILD)) == 1
    assert await retention.forget_left(NOW + DAY) == 1
    assert await store.removals("images") == {"aa5"}
    assert (await store.servers.rules(GUILD), await store.servers.reports_channel(GUILD)) == ([], None)
    assert await store.database.fetch_all("SELECT * FROM warnings WHERE guild_id = 5") == []
    assert (len(await store.servers.rules(8)), await store.servers.reports_channel(8)) == (1, 6)
    assert await retention.forget_left(NOW + DAY) == 0
    assert await retention.known_servers() == {8}
    assert await store.broken() == []


async def test_coming_back_in_time_keeps_all(store: Store, retention: RetentionRepository, new_job: Make) -> None:
    await fill(store, new_job)
    assert not await retention.come_back(GUILD)
    await retention.leave(GUILD, NOW)
    assert await retention.come_back(GUILD)
    assert await retention.forget_left(NOW + 100 * DAY) == 0
    assert len(await store.servers.rules(GUILD)) == 1


def test_every_table_of_a_server_says_what_becomes_of_it() -> None:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, 0)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = {
            table
            for table in tables
            for row in connection.execute(f"PRAGMA table_info({table})")
            if row[1] == "guild_id"
        }
    assert found | {"reports"} == {*DELETED, *KEPT}
