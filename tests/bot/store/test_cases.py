"""Reports, cases and warnings in the database: once a member and a job, five a day, decided once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.store.cases import MOST_REPORTS, WARNING_LIFETIME, AlreadyReported, CaseRepository, TooManyReports
from bot.store.rows.cases import Outcome, Report, ReportReason
from bot.store.rows.jobs import NewJob
from tests.bot.store.conftest import ADMIN, GUILD, NOW, Store, decision

Make = Callable[..., NewJob]


def report_of(reporter: int) -> Report:
    return Report(reporter_id=reporter, reason=ReportReason.OTHER, note="odd", locale="de")


@pytest.fixture
def cases(store: Store) -> CaseRepository:
    return CaseRepository(store.database)


async def test_reports_of_a_job_are_one_case_until_it_is_decided(
    store: Store, cases: CaseRepository, new_job: Make
) -> None:
    job = await store.accept(new_job(900))
    case, count = await cases.report(job, report_of(7), NOW)
    assert (case.user_id, case.job_id, count) == (job.requester_id, job.job_id, 1)
    assert await cases.report(job, report_of(8), NOW) == (case, 2)
    with pytest.raises(AlreadyReported):
        await cases.report(job, report_of(7), NOW + timedelta(days=9))
    assert [each.reporter_id for each in await cases.reports(case.case_id)] == [7, 8]
    waiting = await cases.waiting(GUILD, 9)
    assert (waiting.cases, waiting.count) == ((case,), 1)
    decided = await cases.close(decision(), case, Outcome.KEEP)
    assert decided is not None
    assert (decided.outcome, decided.decided_by, decided.decided_at) == (Outcome.KEEP, ADMIN, NOW)
    assert await cases.close(decision(), case, Outcome.REMOVE) is None
    assert (await cases.waiting(GUILD, 9)).count == 0
    again, count = await cases.report(job, report_of(9), NOW)
    assert (again.case_id, count) == (case.case_id + 1, 1)
    with pytest.raises(AlreadyReported):
        await cases.may_report(job, 7, NOW)
    assert [(row.action, row.detail) for row in await store.servers.audit_log(GUILD, 9)] == [("case-keep", "1")]


async def test_a_member_reports_five_pictures_a_day(store: Store, cases: CaseRepository, new_job: Make) -> None:
    jobs = [await store.accept(new_job(900 + number)) for number in range(MOST_REPORTS + 1)]
    for job in jobs[:-1]:
        await cases.report(job, report_of(7), NOW)
    with pytest.raises(TooManyReports):
        await cases.report(jobs[-1], report_of(7), NOW + timedelta(hours=23))
    await cases.report(jobs[-1], report_of(8), NOW)
    _, count = await cases.report(jobs[-1], report_of(7), NOW + timedelta(hours=25))
    assert count == 2


async def test_what_is_removed_is_marked_and_no_other_server_sees_the_case(
    store: Store, cases: CaseRepository, new_job: Make
) -> None:
    job = await store.accept(new_job(900))
    case, _ = await cases.report(job, report_of(7), NOW)
    assert await cases.get(GUILD + 1, case.case_id) is None
    assert await cases.get(GUILD, case.case_id) == case
    assert (await cases.waiting(GUILD + 1, 9)).cases == ()
    await cases.close(decision(), case, Outcome.REMOVE)
    removed = await store.jobs.get(job.job_id)
    assert removed is not None
    assert removed.removed_at == NOW
    assert await store.broken() == []


async def test_a_warning_counts_for_thirty_days(store: Store, cases: CaseRepository) -> None:
    await cases.warn(decision(), 1, "why")
    assert await cases.warnings(GUILD, 1, NOW + WARNING_LIFETIME - timedelta(seconds=1)) == 1
    assert await cases.warnings(GUILD, 1, NOW + WARNING_LIFETIME) == 0
    assert await cases.warnings(GUILD, 2, NOW) == await cases.warnings(GUILD + 1, 1, NOW) == 0
    assert [row.action for row in await store.servers.audit_log(GUILD, 9)] == ["warn"]


async def test_a_pause_never_shortens_a_block(store: Store) -> None:
    hour, day = NOW + timedelta(hours=1), NOW + timedelta(days=1)
    assert await store.servers.pause(decision(), 1, hour) == hour
    assert await store.servers.pause(decision(), 1, day) == day
    assert await store.servers.pause(decision(), 1, hour) == day
    await store.servers.block(decision(), 1, None)
    assert await store.servers.pause(decision(), 1, day) is None
    assert len(await store.servers.audit_log(GUILD, 9)) == 3


async def test_the_channel_for_reports_is_set_and_taken_back(store: Store) -> None:
    assert await store.servers.reports_channel(GUILD) is None
    await store.servers.set_reports_channel(decision(), 6)
    await store.servers.set_reports_channel(decision(), 7)
    assert await store.servers.reports_channel(GUILD) == 7
    await store.servers.set_reports_channel(decision(), None)
    assert await store.servers.reports_channel(GUILD) is None
