"""Sheets in the database: found with their jobs, ended without their token, and forgotten with their member."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from bot.store.members.sheets import KEPT, SheetRepository
from bot.store.rows.jobs import NewJob, WantedJob
from bot.store.rows.sheets import Axis, AxisName, Plan, Refusal, Sheet, sheet_of
from tests.bot.store.conftest import GUILD, NOW, Store, asker_of
from tests.example_jobs import example_origin

Make = Callable[..., NewJob]
PLAN = Plan(prompt="a star of heliotrope", x=Axis(name=AxisName.STEPS, values=("4", "8")))


@pytest.fixture
def sheet(new_job: Make) -> Sheet:
    wanted = WantedJob(request=new_job(1).request, notices=())
    return Sheet(
        sheet_id=3,
        guild_id=GUILD,
        user_id=1,
        message_id=77,
        plan=PLAN,
        jobs=(wanted, wanted),
        origin=example_origin(asker_of(), interaction_id=-300),
        refusal=None,
        created_at=NOW,
        ended_at=None,
    )


async def test_a_sheet_knows_its_jobs_by_their_cells(store: Store, new_job: Make, sheet: Sheet) -> None:
    sheets = SheetRepository(store.database)
    assert await sheets.add(sheet) == sheet
    await store.accept(new_job(400))
    for key in (-301, -300, -299, -400):  # the neighbors' last and first cells too
        await store.accept(new_job(key))
    jobs = await sheets.jobs(sheet)
    assert {cell: job.origin.interaction_id for cell, job in jobs.items()} == {0: -300, 1: -301}
    assert {sheet_of(job) for job in jobs.values()} == {3}
    order = sheet.order(1)
    assert (order.origin.interaction_id, order.request) == (-301, sheet.jobs[1].request)
    await sheets.refuse(3, Refusal(key="refused-quota", values={"price": 1}))
    await sheets.refuse(3, Refusal(key="grid-cancelled", values={}))
    (found,) = await sheets.open()
    assert found.refusal == Refusal(key="refused-quota", values={"price": 1})


async def test_an_ended_sheet_has_no_token_and_goes_after_a_day(store: Store, sheet: Sheet) -> None:
    sheets = SheetRepository(store.database)
    await sheets.add(sheet)
    await sheets.end(3, NOW)
    assert await sheets.open() == []
    ended = await sheets.get(3)
    assert ended is not None
    assert (ended.ended_at, ended.origin.interaction_token) == (NOW, None)
    later = msgspec.structs.replace(sheet, sheet_id=4, created_at=NOW + KEPT + timedelta(seconds=1))
    await sheets.add(later)
    assert await sheets.get(3) is None
    # An open one stays, however long its jobs wait.
    await sheets.add(msgspec.structs.replace(later, sheet_id=5, created_at=later.created_at + 9 * KEPT))
    assert [each.sheet_id for each in await sheets.open()] == [4, 5]


async def test_a_sheet_is_forgotten_with_its_member(store: Store, sheet: Sheet) -> None:
    sheets = SheetRepository(store.database)
    await sheets.add(sheet)
    await store.forget(2, NOW)
    assert await sheets.get(3) is not None
    await store.forget(1, NOW)
    assert await sheets.get(3) is None
