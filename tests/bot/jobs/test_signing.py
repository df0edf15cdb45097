"""Finished pictures are signed before they are stored, and go out unsigned once when that fails."""

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.process.troubles import RecentRestarts, warnings_of
from bot.provenance import signing, stamping
from bot.store.register import Place
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus
from bot.troubles import Cause
from provenance.keys import Root, SigningKey
from provenance.messages import Reading, Trust
from provenance.process import read_once
from tests.bot.jobs.conftest import House
from tests.provenance.authority import Authority
from tests.provenance.conftest import authority as authority  # noqa: PLC0414 - a fixture, seen by these tests

OpenHouse = Callable[..., Awaitable[House]]
PAINTER = ("painter",)
SUCCEEDED, FAILED = JobStatus.SUCCEEDED, JobStatus.FAILED
DEAD = (sys.executable, "-c", "import sys; sys.exit(3)")

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def key() -> SigningKey:
    now = datetime.now(UTC)
    return Root.make("Ada's Easel", now).issue(now)


class KillingKey:
    """A key whose first use after the start finds the process killed."""

    def __init__(self, key: SigningKey, house: House) -> None:
        self.chain, self.serial, self.anchor = key.chain, key.serial, key.anchor
        self._key = key
        self._house = house
        self._has_killed = False

    def seal(self, data: bytes) -> bytes:
        started = self._house.services.signing._child
        if not self._has_killed and started is not None and started.done():
            os.kill(started.result().process.pid, signal.SIGKILL)
            self._has_killed = True
        return self._key.seal(data)


async def drawn(house: House, prompt: str = "a cat") -> Job:
    return await house.until(await house.ask(prompt), SUCCEEDED, FAILED)


async def stored(house: House, job: Job) -> bytes:
    (output,) = await house.services.jobs.outputs(job.job_id)
    return await house.services.keeping.read(output.sha256)


async def trust_of(data: bytes, key: SigningKey) -> Trust | None:
    found = await read_once(data, key.anchor)
    assert isinstance(found, Reading)
    return None if found.credentials is None else found.credentials.trust


async def started(house: House) -> None:
    """Wait for the signing process, so that only the fault under test keeps a picture unsigned."""
    child = house.services.signing._child
    assert child is not None
    await child


async def test_a_picture_is_signed_before_it_is_stored_and_the_register_knows_it(
    open_house: OpenHouse, key: SigningKey
) -> None:
    house = await open_house(worker=PAINTER, key=key)
    await started(house)
    house.work()
    job = await drawn(house)
    data = await stored(house, job)
    assert await trust_of(data, key) is Trust.TRUSTED
    found = await read_once(data, key.anchor)
    assert isinstance(found, Reading)
    known = await house.services.register.find(hashlib.sha256(data).hexdigest(), found.fingerprint)
    assert known.file == known.pixels == Place(job_id=job.job_id, image_index=0)
    row = await house.database.fetch_one("SELECT manifest FROM fingerprints")
    assert row is not None
    assert found.credentials is not None
    assert row["manifest"] == found.credentials.manifest
    assert list(await house.services.register.keys()) == [key.serial]
    assert house.services.signing.unsigned_total == 0


async def test_a_process_that_is_killed_costs_one_signature(open_house: OpenHouse, key: SigningKey) -> None:
    house = await open_house(worker=PAINTER, key=key)
    await started(house)
    house.services.signing.key = cast("Any", KillingKey(key, house))
    house.work()
    first = await drawn(house)
    assert first.status is SUCCEEDED
    assert await trust_of(await stored(house, first), key) is None
    assert house.services.signing.unsigned_total == 1
    await started(house)
    second = await drawn(house)
    assert await trust_of(await stored(house, second), key) is Trust.TRUSTED
    assert house.services.signing.unsigned_total == 1


async def test_without_a_process_pictures_go_out_unsigned(open_house: OpenHouse, key: SigningKey) -> None:
    house = await open_house(worker=PAINTER, key=key, signing_command=DEAD)
    house.work()
    for number in (1, 2):
        job = await drawn(house)
        assert job.status is SUCCEEDED
        assert await trust_of(await stored(house, job), key) is None
        assert house.services.signing.unsigned_total == number


async def test_a_picture_that_must_be_signed_is_held_and_given_back(
    open_house: OpenHouse, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "RETRY_S", 0.05)
    monkeypatch.setattr(signing, "HELD_S", 0.3)
    house = await open_house(worker=PAINTER, key=key, signing_command=DEAD, provenance={"sign": "required"})
    house.work()
    job = await drawn(house)
    assert (job.status, job.failure) == (FAILED, JobFailure.UNSIGNED)
    assert await house.spent() == 0
    await house.until_said(job, "they could not be signed")
    assert await house.services.jobs.outputs(job.job_id) == []
    assert await house.broken() == []


async def test_a_picture_that_must_be_signed_waits_for_the_process(
    open_house: OpenHouse, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing, "RETRY_S", 0.05)
    house = await open_house(worker=PAINTER, key=key, signing_command=DEAD, provenance={"sign": "required"})
    house.work()
    asked = await house.ask()
    async with asyncio.timeout(30):
        while house.services.signing.trouble is None:
            await asyncio.sleep(0.01)
    house.services.signing._command = signing.COMMAND
    job = await house.until(asked, SUCCEEDED, FAILED)
    assert job.status is SUCCEEDED
    assert await trust_of(await stored(house, job), key) is Trust.TRUSTED


async def test_an_authority_that_does_not_answer_costs_time_stamps_and_no_picture(
    open_house: OpenHouse, key: SigningKey, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house(worker=PAINTER, key=key, provenance={"timestamp_url": authority.url})
    signing_ = house.services.signing
    await started(house)
    house.work()
    assert await trust_of(await stored(house, await drawn(house)), key) is Trust.TRUSTED
    assert (authority.asked, signing_.stamping.trouble) == (1, None)
    monkeypatch.setattr(signing, "STAMP_S", 0.3)
    authority.answer = "hang"
    for _ in range(2):  # the second does not ask again
        assert await trust_of(await stored(house, await drawn(house)), key) is Trust.TRUSTED
        assert authority.asked == 2
    assert (signing_.unsigned_total, signing_.trouble) == (0, None)
    (told,) = warnings_of(house.services, RecentRestarts())
    assert told.cause is Cause.STAMPING
    assert f"{authority.url} (provenance.timestamp_url) gives no time stamps" in told.sentence
    monkeypatch.setattr(stamping, "REST_S", 0)
    monkeypatch.setattr(signing, "STAMP_S", 30)
    signing_.stamping.note("")
    for answer in (503, None):
        authority.answer = answer
        await drawn(house)
        assert (signing_.stamping.trouble is None) == (answer is None)


async def test_a_smaller_copy_is_signed_and_noted(open_house: OpenHouse, key: SigningKey) -> None:
    house = await open_house(worker=PAINTER, key=key)
    await started(house)
    house.work()
    asked = await house.ask("large", filesize_limit=300_000)
    job = await house.until(asked, SUCCEEDED, FAILED)
    assert job.status is SUCCEEDED
    original = await stored(house, job)
    assert len(original) > 300_000
    (sent,) = house.world.messages[asked.message_id or 0]["attachments"]
    assert sent["size"] <= 300_000
    found = await house.services.register.find(sent["sha256"], None)
    assert found.file == Place(job_id=job.job_id, image_index=0)
    (row,) = await house.database.fetch_all("SELECT sha256 FROM copies")
    assert row["sha256"] == sent["sha256"] != hashlib.sha256(original).hexdigest()


async def test_without_a_key_nothing_is_signed_and_the_register_still_knows_the_picture(open_house: OpenHouse) -> None:
    house = await open_house(worker=PAINTER)
    house.work()
    job = await drawn(house)
    data = await stored(house, job)
    known = await house.services.register.find(hashlib.sha256(data).hexdigest(), None)
    assert known.file == Place(job_id=job.job_id, image_index=0)
    assert house.services.signing.unsigned_total == 0
