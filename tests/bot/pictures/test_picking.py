"""A picked picture is fetched at once, so its form needs neither its message nor its address."""

import asyncio
import gc
from pathlib import Path

import pytest

from bot.calls.messages import Calls
from bot.calls.watching import Watch
from bot.errors import Refused
from bot.pictures import picking
from bot.pictures.inputs import InputPictures
from bot.pictures.picking import Picking
from bot.pictures.receiving import Receiving
from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from tests.bot.store.conftest import Store
from tests.bot.store.conftest import database as database  # noqa: PLC0414 - fixtures, seen by these tests
from tests.bot.store.conftest import store as store  # noqa: PLC0414
from tests.pipeline.reading import files
from tests.small_cdn import SmallCdn
from tests.small_cdn import cdn as cdn  # noqa: PLC0414


@pytest.fixture
def pick(cdn: SmallCdn, store: Store, tmp_path: Path) -> Picking:
    inputs = InputPictures(files=ImageStore(tmp_path / "inputs"), inputs=InputRepository(store.database))
    return Picking(Receiving(calls=Calls(cdn.client, Watch(), pause_s=0.01), inputs=inputs))


async def test_a_picture_is_fetched_before_anybody_waits_for_it(pick: Picking, cdn: SmallCdn, tmp_path: Path) -> None:
    key = pick.pick(cdn.attachment("/a.png", files.VALID["gif, animated"]), has_more=True)
    async with asyncio.timeout(60):
        while not list(tmp_path.glob("inputs/??/*.png")):
            await asyncio.sleep(0.01)
    cdn.files.clear()
    received = await pick.take(key)
    assert [path.stem for path in tmp_path.glob("inputs/??/*.png")] == [received.picture.sha256]
    assert [notice.key for notice in received.notices] == ["notice-first-picture", "notice-first-frame"]
    assert await pick.take(key) == received
    assert cdn.asked == ["/a.png"]
    alone = await pick.take(pick.pick(cdn.attachment("/b.png", files.VALID["png"]), has_more=False))
    assert alone.notices == ()


async def test_a_file_that_is_no_picture_is_told_when_the_form_is_sent(
    pick: Picking, cdn: SmallCdn, caplog: pytest.LogCaptureFixture
) -> None:
    sent, _ = [pick.pick(cdn.attachment("/a.png", b"text"), has_more=False) for _ in range(2)]
    with pytest.raises(Refused, match="refused-picture-format"):
        await pick.take(sent)
    # The other form is never sent. Its failure is no error in the log.
    async with asyncio.timeout(60):
        while any(not task.done() for task in pick._picked.values()):
            await asyncio.sleep(0.01)
    pick._picked.clear()
    gc.collect()
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_only_the_newest_pictures_are_remembered(
    pick: Picking, cdn: SmallCdn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picking, "MOST", 2)
    keys = [pick.pick(cdn.attachment("/a.png", files.VALID["png"]), has_more=False) for _ in range(3)]
    for key in (keys[0], "0" * 16):
        with pytest.raises(Refused, match="refused-picture-forgotten"):
            await pick.take(key)
    assert (await pick.take(keys[1])).picture == (await pick.take(keys[2])).picture
