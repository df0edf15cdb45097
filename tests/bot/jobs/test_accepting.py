"""What a job's message is given at the door, beside what was resolved."""

import shutil
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.store.disk import GB
from bot.store.rows.jobs import JobOrder, JobStatus
from bot.store.rows.origin import Asker
from bot.store.sqlite import statements
from pipeline.protocol.requests import GenerationRequest
from tests.example_jobs import example_origin


def order_by(user_id: int, number: int, request: GenerationRequest) -> JobOrder:
    asker = Asker(guild_id=1, channel_id=2, user_id=user_id)
    return JobOrder(origin=example_origin(asker, interaction_id=number), request=request, notices=())


async def test_that_seeds_change_nothing_is_told_once_to_each_member(
    open_house: Callable[..., Awaitable[Any]], request_: GenerationRequest
) -> None:
    house = await open_house()
    numbers = iter(range(900, 999))

    async def told(prompt: str, user_id: int) -> list[str]:
        request = msgspec.structs.replace(request_, prompt=prompt)
        job, _ = await house.services.accepting.accept(order_by(user_id, next(numbers), request))
        return [notice.key for notice in job.notices]

    assert await told("a red dog", 7) == []
    assert await told("a dog", 7) == ["notice-alike"]
    assert await told("a cat", 7) == []
    assert await told("a cat", 8) == ["notice-alike"]


async def test_a_disk_that_takes_no_request_is_told_to_the_owner_until_it_takes_one(
    open_house: Callable[..., Awaitable[Any]], request_: GenerationRequest
) -> None:
    house = await open_house()
    await house.database.read(statements.change, "PRAGMA query_only = ON")
    with pytest.raises(Refused) as refused:
        await house.services.accepting.accept(order_by(7, 900, request_))
    assert refused.value.key == "refused-storage"
    assert house.services.storing.trouble is not None
    await house.database.read(statements.change, "PRAGMA query_only = OFF")
    house.work()
    await house.until(await house.ask(), JobStatus.SUCCEEDED)
    assert house.services.storing.trouble is None


async def test_nothing_is_accepted_while_the_disk_is_nearly_full(
    open_house: Callable[..., Awaitable[Any]], request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house()
    usage = shutil.disk_usage(".")
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=GB - 1))
        await house.services.disk.measure()
    with pytest.raises(Refused) as refused:
        await house.services.accepting.accept(order_by(7, 900, request_))
    assert refused.value.key == "refused-space"
    assert await house.spent() == 0
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=GB))
    await house.services.disk.measure()
    await house.services.accepting.accept(order_by(7, 900, request_))
