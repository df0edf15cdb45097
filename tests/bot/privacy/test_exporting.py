"""Exports in parts: every file arrives once, each part is below the limit, and there is one a day."""

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import Refused
from bot.privacy.exporting import EVERY, Exporting
from bot.store.images import ImageStore
from bot.store.privacy.own_data import OwnDataRepository
from bot.store.rows.jobs import NewJob
from tests.bot.store.conftest import NOW, Store
from tests.bot.store.privacy.test_forgetting import WHO, drawn

Make = Callable[..., NewJob]


@pytest.fixture
def exporting(store: Store, tmp_path: Path) -> Exporting:
    images, inputs = (ImageStore(tmp_path / name) for name in ("images", "inputs"))
    return Exporting(data=OwnDataRepository(store.database), images=images, inputs=inputs)


async def test_parts_hold_each_file_once_and_none_is_too_large(
    exporting: Exporting, store: Store, new_job: Make, tmp_path: Path
) -> None:
    images = ImageStore(tmp_path / "images")
    for number in range(1, 8):
        await drawn(store, new_job(number, user=WHO), await images.save(bytes([number]) * 20_000))
    await drawn(store, new_job(8, user=WHO), await images.save(bytes(60_000)))
    await drawn(store, new_job(9, user=WHO), "gone")
    limit, left_out, names = 50_000, list[str](), list[str]()
    async for part in exporting.parts(WHO, limit, left_out):
        assert len(part) <= limit
        with zipfile.ZipFile(io.BytesIO(part)) as archive:
            assert archive.testzip() is None
            names += archive.namelist()
    assert left_out == ["pictures/8-1.png"]
    assert [name for name in names if name.startswith("pictures/")] == [f"pictures/{n}-1.png" for n in range(1, 8)]
    assert len(names) == len({*names})
    assert {"jobs.json", "ledger.json", "settings.json", "decisions.json"} <= {*names}


def test_there_is_one_a_day_and_a_failed_one_does_not_count(exporting: Exporting) -> None:
    exporting.begin(WHO, NOW)
    exporting.begin(WHO + 1, NOW)
    with pytest.raises(Refused, match="refused-export-often"):
        exporting.begin(WHO, NOW + EVERY - timedelta(seconds=1))
    exporting.give_back(WHO)
    exporting.begin(WHO, NOW + timedelta(hours=1))
    exporting.begin(WHO, NOW + timedelta(hours=1) + EVERY)
