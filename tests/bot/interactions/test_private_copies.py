"""A press on a private message counts for the reader's own jobs and for those that they starred, wherever it stands."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

import discord
import pytest

from bot.calls.answers import Interaction
from bot.errors import Refused
from bot.interactions.find_job import find_job, is_own_copy
from bot.interactions.history import message_of
from bot.presenting.custom_ids import Action, Press
from bot.store.rows.jobs import Job, JobStatus
from tests.bot.jobs.conftest import House
from tests.bot.jobs.conftest import open_house as open_house  # noqa: PLC0414 - a fixture, seen by these tests
from tests.bot.jobs.conftest import world as world  # noqa: PLC0414 - a fixture, seen by these tests
from tests.bot.store.conftest import new_job as new_job  # noqa: PLC0414 - a fixture, seen by these tests

ELSEWHERE = 777
STRANGER = 4_242


def press_of(user_id: int, *, is_private: bool = True) -> Interaction:
    """A press in another server."""
    found = SimpleNamespace(
        guild_id=ELSEWHERE,
        channel_id=ELSEWHERE,
        channel=None,
        filesize_limit=10_000_000,
        message=SimpleNamespace(id=1, flags=discord.MessageFlags(ephemeral=is_private), components=()),
        user=SimpleNamespace(id=user_id),
        is_guild_integration=lambda: True,
    )
    return cast("Interaction", found)


async def test_only_its_member_and_those_who_starred_a_job_reach_it_from_elsewhere(
    open_house: Callable[..., Awaitable[House]],
) -> None:
    house = await open_house()
    house.work()
    job = await house.until(await house.ask("a cat"), JobStatus.SUCCEEDED)

    async def found(interaction: Interaction) -> Job:
        press = Press(action=Action.VARY_STRONG, job_id=job.job_id, index=0)
        return await find_job(house.services, interaction, press)

    own = await found(press_of(job.requester_id))
    assert (own.job_id, own.message_id) == (job.job_id, None), "a link into another channel leads nowhere"
    assert (await message_of(house.services, press_of(job.requester_id), job.job_id))[1]
    for interaction in (press_of(STRANGER), press_of(job.requester_id, is_private=False)):
        with pytest.raises(Refused, match="refused-unknown-job"):
            await found(interaction)
    with pytest.raises(Refused, match="refused-unknown-job"):
        await message_of(house.services, press_of(STRANGER), job.job_id)
    own_message = press_of(job.requester_id)
    assert own_message.message is not None
    own_message.message.id = job.message_id or 0
    assert not await is_own_copy(house.services, own_message, job), "a job's own message may be private too"
    await house.services.keeping.toggle_star(job, STRANGER)
    assert (await found(press_of(STRANGER))).job_id == job.job_id
    assert (await message_of(house.services, press_of(STRANGER), job.job_id))[1]
    await house.database.change("UPDATE jobs SET is_age_restricted = 1 WHERE job_id = ?", (job.job_id,))
    with pytest.raises(Refused, match="refused-history-adults"):
        await message_of(house.services, press_of(STRANGER), job.job_id)
    await house.database.change("UPDATE jobs SET removed_at = 1 WHERE job_id = ?", (job.job_id,))
    for interaction in (press_of(STRANGER), press_of(job.requester_id)):
        with pytest.raises(Refused, match="refused-removed"):
            await found(interaction)
