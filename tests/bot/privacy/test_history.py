"""Pages and archives of pictures whose files are kept."""

import io
import itertools
import zipfile
from pathlib import Path

import msgspec
import pytest

from bot.errors import Refused
from bot.privacy.exporting import ENTRY_BYTES
from bot.privacy.history import PAGE, History
from bot.store.images import ImageStore
from bot.store.members.history import HistoryRepository
from bot.store.rows.history import Past, Shelf, Sought, Spot
from bot.store.rows.outputs import Output
from pipeline.protocol.requests import GenerationRequest
from tests.example_jobs import example_job

MINE = Sought(user_id=1, shelf=Shelf.OWN)


class Rows(HistoryRepository):
    """Rows in a list, newest first; the real ones are tested in `tests/bot/store/members`."""

    def __init__(self, rows: list[Past]) -> None:
        self.rows = rows

    async def older(self, sought: Sought, spot: Spot | None, limit: int) -> list[Past]:
        assert sought == MINE
        first = 0 if spot is None else [row.spot for row in self.rows].index(spot) + 1
        return self.rows[first:][:limit]

    async def newer(self, sought: Sought, spot: Spot, limit: int) -> list[Past]:
        assert sought == MINE
        return [*reversed(self.rows[: [row.spot for row in self.rows].index(spot)])][:limit]


async def history_of(folder: Path, request: GenerationRequest, files: list[bytes | None]) -> History:
    """A history whose newest picture is the last; None is a picture whose file is gone."""
    images, rows = ImageStore(folder), list[Past]()
    for number, data in enumerate(files, 1):
        sha256 = "0" * 64 if data is None else await images.save(data)
        job = msgspec.structs.replace(example_job(request), job_id=number)
        output = Output(
            job_id=number, output_index=0, kind="image", sha256=sha256, media_type="image/png", size_bytes=1
        )
        rows.insert(0, Past(job=job, output=output, is_starred=False))
    return History(repository=Rows(rows), images=images)


async def test_pages_skip_what_is_gone_and_know_their_neighbors(tmp_path: Path, request_: GenerationRequest) -> None:
    files = [None if number % 3 == 0 else bytes([number]) for number in range(200)]
    history = await history_of(tmp_path, request_, files)
    kept = [number + 1 for number in range(200) if number % 3][::-1]
    page, pages = await history.first(MINE), [await history.first(MINE)]
    assert not page.has_newer
    while page.has_older:
        page = await history.older(MINE, page.pictures[-1].spot)
        pages.append(page)
    assert [past.job.job_id for page in pages for past in page.pictures] == kept
    assert all(page.has_newer for page in pages[1:])
    for earlier, later in itertools.pairwise(pages):
        back = await history.newer(MINE, later.pictures[0].spot)
        assert back.pictures == earlier.pictures
        assert back.has_newer is (earlier is not pages[0])
    assert {len(page.pictures) for page in pages[:-1]} == {PAGE}


async def test_an_archive_takes_the_newest_as_far_as_they_fit(tmp_path: Path, request_: GenerationRequest) -> None:
    files: list[bytes | None] = [b"a" * 9_000, b"b" * 9_001, b"c" * 90_000, None, b"d" * 9_002]
    history = await history_of(tmp_path, request_, files)
    limit = 2 * (9_100 + ENTRY_BYTES) + ENTRY_BYTES
    archive = await history.archive(MINE, limit)
    assert len(archive.data) <= limit
    assert (archive.count, archive.is_cut, archive.too_large) == (2, True, 1)
    with zipfile.ZipFile(io.BytesIO(archive.data)) as found:
        assert [found.read(name)[:1] for name in found.namelist()] == [b"d", b"b"]
    everything = await history.archive(MINE, 1_000_000)
    assert (everything.count, everything.is_cut, everything.too_large) == (4, False, 0)


async def test_an_archive_of_nothing_is_refused(tmp_path: Path, request_: GenerationRequest) -> None:
    with pytest.raises(Refused, match="refused-history-empty"):
        await (await history_of(tmp_path, request_, [None])).archive(MINE, 10_000)
    with pytest.raises(Refused, match="refused-history-large"):
        await (await history_of(tmp_path, request_, [b"x" * 20_000])).archive(MINE, 10_000)
