"""Pictures are found again by their bytes, their pixels and their looks."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.store.register import STOLEN, Found, Place, RegisterRepository
from bot.store.rows.jobs import NewJob
from bot.store.rows.outputs import NewFingerprint, NewOutput
from bot.store.sqlite.database import Database
from pipeline.protocol.provenance.fingerprints import ALIKE_BITS, Fingerprint
from tests.bot.store.conftest import NOW, Store

LOOK = bytes(range(48))


def changed(look: bytes, bits: int) -> bytes:
    """A look with so many other bits."""
    number = int.from_bytes(look, "big")
    for at in range(bits):
        number ^= 1 << at
    return number.to_bytes(len(look), "big")


@pytest.fixture
async def register(store: Store, new_job: Callable[..., NewJob]) -> RegisterRepository:
    for number, (pixels, look) in enumerate([("one", LOOK), ("two", changed(LOOK, 3)), ("far", bytes(48))], 1):
        job = await store.accept(new_job(number))
        await store.jobs.store_outputs(
            job.job_id,
            outputs=[
                NewOutput(
                    output_index=0,
                    kind="image",
                    sha256=f"file {pixels}",
                    media_type="image/png",
                    size_bytes=1,
                    width=8,
                    height=8,
                    seed=7,
                )
            ],
            fingerprints=(NewFingerprint(image_index=0, pixels=pixels, look=look, manifest="urn:c2pa:1"),),
            notices=(),
            denoise_s=0,
            total_s=0,
        )
    return RegisterRepository(store.database)


def place(job_id: int) -> Place:
    return Place(job_id=job_id, image_index=0)


async def test_a_file_is_found_by_its_bytes_then_its_pixels_then_its_look(register: RegisterRepository) -> None:
    nothing = Fingerprint(pixels="none", look=changed(LOOK, 200))
    assert await register.find("file one", None) == Found(file=place(1))
    same = Fingerprint(pixels="two", look=LOOK)
    assert await register.find("other", same) == Found(pixels=place(2))
    alike = Fingerprint(pixels="none", look=changed(LOOK, 2))
    assert await register.find("other", alike) == Found(alike=(place(2), place(1)))
    assert await register.find("other", nothing) == Found()
    assert await register.find("other", None, "urn:c2pa:1") == Found(manifest=place(3))
    assert await register.find("file one", None, "urn:c2pa:1") == Found(file=place(1))
    assert await register.find("other", None, "urn:c2pa:2") == Found()


async def test_the_look_of_a_picture_is_known(register: RegisterRepository) -> None:
    assert await register.look_of(place(1)) == LOOK
    assert await register.look_of(place(9)) is None


async def test_looks_are_alike_up_to_a_bound(register: RegisterRepository) -> None:
    for bits, is_alike in ((ALIKE_BITS + 3, True), (ALIKE_BITS + 4, False)):  # of the second picture three are others
        found = await register.find("other", Fingerprint(pixels="none", look=changed(LOOK, bits)))
        assert bool(found.alike) == is_alike


async def test_a_copy_is_found_by_its_bytes(register: RegisterRepository) -> None:
    for _ in range(2):
        await register.add_copy(place(2), "smaller")
    assert await register.find("smaller", None) == Found(file=place(2))


async def test_a_new_key_retires_the_old_one(register: RegisterRepository) -> None:
    for _ in range(2):
        await register.use_key("1", NOW)
    await register.use_key("2", NOW + timedelta(days=1))
    keys = await register.keys()
    assert [(key.serial, key.retired_at is not None) for key in keys.values()] == [("1", True), ("2", False)]
    await register.retire_key("1", STOLEN, NOW)
    assert (await register.keys())["1"].reason == STOLEN
    assert (await register.keys())["1"].retired_at == keys["1"].retired_at


async def test_a_key_that_comes_back_is_in_use_unless_it_was_compromised(register: RegisterRepository) -> None:
    for serial in ("1", "2", "1"):
        await register.use_key(serial, NOW)
    assert [key.serial for key in (await register.keys()).values() if key.retired_at is None] == ["1"]
    await register.retire_key("1", STOLEN, NOW)
    await register.use_key("1", NOW)
    assert (await register.keys())["1"].retired_at is not None


async def test_nothing_is_known_in_an_empty_file(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "empty.db")
    found = await RegisterRepository(database).find("a", Fingerprint(pixels="b", look=LOOK))
    await database.close()
    assert found == Found()
