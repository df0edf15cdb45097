"""A server's blocked pictures: numbers, bounds, and the audit row of each decision."""

from datetime import UTC, datetime

import pytest

from bot.store.members import image_blocks
from bot.store.members.image_blocks import ImageBlock, ImageBlockRepository, TooManyBlocks
from bot.store.members.servers import Decision, ServerRepository
from bot.store.sqlite.database import Database

BY = Decision(guild_id=5, actor_id=9, now=datetime(2026, 5, 1, tzinfo=UTC), reason="a real person")
LOOK = bytes(range(48))


@pytest.fixture
def blocks(database: Database) -> ImageBlockRepository:
    return ImageBlockRepository(database)


async def test_a_blocked_look_has_a_number_and_keeps_it(blocks: ImageBlockRepository) -> None:
    assert await blocks.block_look(BY, LOOK) == 1
    assert await blocks.block_look(BY, bytes(48)) == 2
    assert await blocks.block_look(BY, LOOK[:32]) == 1  # colors do not count
    assert await blocks.looks(5) == (LOOK[:32], bytes(32))
    assert await blocks.looks(6) == ()
    assert await blocks.blocks(5) == [
        ImageBlock(number=number, reason="a real person", blocked_at=BY.now) for number in (1, 2)
    ]


async def test_a_picture_is_allowed_again_by_its_number(blocks: ImageBlockRepository) -> None:
    await blocks.block_look(BY, LOOK)
    assert await blocks.looks(5) == (LOOK[:32],)
    assert await blocks.unblock(BY, 1)
    assert not await blocks.unblock(BY, 1)
    assert await blocks.looks(5) == ()


async def test_too_many_blocks_store_nothing(blocks: ImageBlockRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_blocks, "MAX_BLOCKS", 2)
    for number in range(2):
        await blocks.block_look(BY, bytes([number]) * 32)
    with pytest.raises(TooManyBlocks):
        await blocks.block_look(BY, LOOK)
    assert len(await blocks.looks(5)) == 2
    assert await blocks.block_look(BY, bytes(32)) == 1  # a known one fits


async def test_each_decision_has_its_audit_row(blocks: ImageBlockRepository, database: Database) -> None:
    await blocks.block_look(BY, LOOK)
    await blocks.unblock(BY, 1)
    rows = await ServerRepository(database).audit_log(5, 10)
    assert [(row.action, row.subject, row.detail, row.actor_id, row.reason) for row in reversed(rows)] == [
        ("picture-block", "1", "", 9, "a real person"),
        ("picture-unblock", "1", "", 9, "a real person"),
    ]
