"""Attachments are downloaded within a size, and from Discord alone."""

import discord
import pytest

from bot.calls.downloading import download
from tests.small_cdn import SmallCdn
from tests.small_cdn import cdn as cdn  # noqa: PLC0414 - a fixture, seen by these tests

SIZE = 300_000


@pytest.mark.parametrize(("most", "expected"), [(SIZE, SIZE), (SIZE + 1, SIZE), (SIZE - 1, SIZE), (1_000, 1_001)])
async def test_no_more_is_kept_than_a_byte_too_many(cdn: SmallCdn, most: int, expected: int) -> None:
    assert len(await download(cdn.client, cdn.attachment("/file", bytes(SIZE)), most)) == expected


@pytest.mark.parametrize(
    ("path", "kind"), [("/404", discord.NotFound), ("/403", discord.Forbidden), ("/500", discord.HTTPException)]
)
async def test_a_file_that_is_gone_is_an_error_of_discord(cdn: SmallCdn, path: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await download(cdn.client, cdn.attachment(path), SIZE)


async def test_no_redirect_is_followed(cdn: SmallCdn) -> None:
    with pytest.raises(discord.HTTPException):
        await download(cdn.client, cdn.attachment("/moved"), SIZE)
    assert cdn.asked == ["/moved"]
