"""Stores finished outputs. If the disk is full, they wait in memory for a while, and member and owner are told."""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from bot.jobs.kinds import workload_of
from bot.provenance.signing import Signing
from bot.store.images import ImageStore, StorageFailed
from bot.store.jobs import JobRepository
from bot.store.rows.jobs import Job
from bot.store.rows.outputs import NewFingerprint, NewOutput
from bot.store.timings import TimingRepository
from bot.troubles import Cause, Trouble
from pipeline.protocol.requests import kind_name
from pipeline.protocol.wire.messages import Finished

RETRY_S: Final = 5.0
KEPT_S: Final = 300.0
"""Seconds that finished outputs wait in memory for free disk space."""
_FACTS: Final = ("width", "height", "seed")
"""Facts of an output that not every kind has."""
_BELIEVED: Final = timedelta(minutes=10)
"""Time that a full disk is reported after the last failed write. Without a new write, nothing shows free space."""

_log = structlog.get_logger(__name__)


class Storing:
    """Writes finished outputs, and knows whether the disk accepts them."""

    def __init__(
        self,
        *,
        images: ImageStore,
        jobs: JobRepository,
        timings: TimingRepository,
        signing: Signing,
    ) -> None:
        self._images = images
        self._signing = signing
        self._jobs = jobs
        self._timings = timings
        self._waiting = 0
        self._trouble: Trouble | None = None
        self._failed_at = datetime.now(UTC)

    @property
    def trouble(self) -> Trouble | None:
        """The trouble of the disk. It ends with a successful write, or after some minutes without a try."""
        is_untried = not self.is_waiting and datetime.now(UTC) - self._failed_at > _BELIEVED
        return None if is_untried else self._trouble

    @property
    def is_waiting(self) -> bool:
        """Whether outputs wait in memory. No further job may start then."""
        return self._waiting > 0

    async def keep(self, job: Job, finished: Finished, say_waiting: Callable[[], None]) -> Job:
        """Sign the outputs, and write them and their facts, with retries for some minutes.

        Args:
            job: the job of the outputs.
            finished: the outputs.
            say_waiting: called once, if the outputs must wait.

        Raises:
            StorageFailed: each try failed.
            SigningFailed: the outputs must be signed, and cannot be.
        """
        finished, manifests = await self._signing.signed(job, finished)
        try:
            kept = await self._write(job, finished, manifests)
        except (StorageFailed, sqlite3.Error) as error:
            self.note_failure(error)
            say_waiting()
            self._waiting += 1
            try:
                kept = await self._write_later(job, finished, manifests)
            finally:
                self._waiting -= 1
        self.note_success()
        return kept

    async def _write_later(self, job: Job, finished: Finished, manifests: Mapping[int, str]) -> Job:
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + KEPT_S
        while True:
            await asyncio.sleep(RETRY_S)
            try:
                return await self._write(job, finished, manifests)
            except (StorageFailed, sqlite3.Error) as error:
                if loop.time() >= give_up_at:
                    raise StorageFailed(str(error)) from error

    def note_failure(self, error: Exception) -> None:
        """Note a failed write. The first one is logged."""
        if self.trouble is None:
            sentence = (
                f"The disk takes nothing: {str(error).removesuffix('.')}. No new job starts. Finished pictures wait "
                f"in memory for {KEPT_S / 60:.0f} minutes; then their jobs are given back. Make room."
            )
            self._trouble = Trouble(cause=Cause.DISK, sentence=sentence, since=datetime.now(UTC))
            _log.error(sentence, action="storage_failed")
        self._failed_at = datetime.now(UTC)

    def note_success(self) -> None:
        """Note a successful write."""
        if self._trouble is not None and not self.is_waiting:
            _log.info("the disk takes what is written again", action="storage_well")
            self._trouble = None

    async def _write(self, job: Job, finished: Finished, manifests: Mapping[int, str]) -> Job:
        outputs = [
            NewOutput(
                output_index=output.index,
                kind=kind_name(output),
                sha256=await self._images.save(output.data, output.media_type),
                media_type=output.media_type,
                size_bytes=len(output.data),
                rating=output.rating,
                **{name: getattr(output, name, None) for name in _FACTS},
            )
            for output in finished.outputs
        ]
        fingerprints = tuple(
            NewFingerprint(
                image_index=output.index,
                pixels=output.fingerprint.pixels,
                look=output.fingerprint.look,
                manifest=manifests.get(output.index),
            )
            for output in finished.outputs
            if output.fingerprint is not None
        )
        kept = await self._jobs.store_outputs(
            job.job_id,
            outputs=outputs,
            fingerprints=fingerprints,
            notices=(*job.notices, *finished.notices),
            denoise_s=finished.denoise_s,
            total_s=finished.total_s,
            recipe=finished.recipe,
        )
        await self._timings.learn(workload_of(job.request), denoise_s=finished.denoise_s, total_s=finished.total_s)
        return kept
