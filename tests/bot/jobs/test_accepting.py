"""What a job's message is given at the door, beside what was resolved."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from bot.jobs.accepting import Asked
from bot.store.rows import Asker, AskerDefaults, JobKind
from pipeline.protocol.requests import GenerationRequest


async def test_that_seeds_change_nothing_is_told_once_to_each_member(
    open_house: Callable[..., Awaitable[Any]], request_: GenerationRequest
) -> None:
    house = await open_house()
    numbers = iter(range(900, 999))

    async def told(prompt: str, user_id: int) -> list[str]:
        asked = Asked(
            interaction_id=next(numbers),
            interaction_token="token",
            kind=JobKind.IMAGINE,
            lineage=None,
            asker=Asker(guild_id=1, channel_id=2, user_id=user_id),
            requester_name="Mia",
            locale="en-US",
            filesize_limit=10_000_000,
            is_age_restricted=False,
            shown_guild_id=1,
            request=msgspec.structs.replace(request_, prompt=prompt),
            defaults=AskerDefaults(),
            notices=(),
        )
        job = await house.services.accepting.accept(asked)
        return [notice.key for notice in job.notices]

    assert await told("a red dog", 7) == []
    assert await told("a dog", 7) == ["notice-alike"]
    assert await told("a cat", 7) == []
    assert await told("a cat", 8) == ["notice-alike"]
