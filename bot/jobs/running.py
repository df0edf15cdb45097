"""A job in the worker, and its message."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from bot.jobs.delivering.conversation import JobMessage
from bot.jobs.kinds import kind_of
from bot.jobs.preparing import Preparing
from bot.presenting.jobs import job_message
from bot.store.rows.jobs import Job
from pipeline.protocol.wire.messages import Progress

_MIN_SHOWN_ETA_S: Final = 3.0
_PREVIEW_NAME: Final = "preview-{job_id}-{step}.webp"


class TrackedJob:
    """A submitted job, its message, and its time limit."""

    def __init__(self, job: Job, message: JobMessage) -> None:
        self.job = job
        self.message = message
        self.begin()
        self._preview: tuple[str, bytes] | None = None
        self._loading_since: datetime | None = None

    def begin(self) -> None:
        """Count its time from now on."""
        self.is_timed_out = False
        self.started_at = asyncio.get_running_loop().time()

    def left_s(self) -> float:
        """Seconds until its expected end."""
        return max(0.0, self.job.expected_ms / 1_000 - (asyncio.get_running_loop().time() - self.started_at))

    async def show(self, progress: Progress, preparing: Preparing) -> None:
        """Show the job's progress in its message."""
        if progress.phase == "loading":
            self._loading_since = self._loading_since or datetime.now(UTC)
            loaded_at = await preparing.loaded_at(self.job.request.model_key, self._loading_since)
            self.message.show(job_message.loading(self.job, starts_at=worth_saying(loaded_at)))
            return
        if self._loading_since is not None:
            await preparing.loaded(self.job, self._loading_since)
            self._loading_since = None
        if progress.preview and self.job.hold is None:  # what a moderator looks at first is not shown before
            self._preview = (_PREVIEW_NAME.format(job_id=self.job.job_id, step=progress.step), progress.preview)
        view = kind_of(self.job.request).running(
            self.job,
            step=progress.step,
            total_steps=progress.total_steps,
            ends_at=_ends_at(progress),
            preview_name=None if self._preview is None else self._preview[0],
        )
        self.message.show(view, None if self._preview is None else [self._preview])

    def say_unkept(self) -> None:
        """Show in the message that the finished outputs wait for the disk."""
        view = job_message.unkept(self.job, preview_name=None if self._preview is None else self._preview[0])
        self.message.show(view, None if self._preview is None else [self._preview])


class RunningJobs(dict[tuple[int, int], TrackedJob]):
    """The jobs that workers run, by job id and attempt.

    Args:
        is_lasting: whether an attempt goes on when the bot ends.
    """

    def __init__(self, is_lasting: Callable[[int, int], bool]) -> None:
        super().__init__()
        self._is_lasting = is_lasting
        self._changed = asyncio.Event()

    def add(self, running: TrackedJob) -> None:
        """Add a job."""
        self[running.job.job_id, running.job.attempt] = running

    def forget(self, job_id: int, attempt: int) -> None:
        """Remove a job whose attempt has ended."""
        del self[job_id, attempt]
        self._changed.set()

    @property
    def left_s(self) -> float:
        """Seconds until the expected end of all of them, one after another."""
        return sum(running.left_s() for running in self.values())

    async def wait_idle(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` seconds until none runs that would end with the bot."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not all(self._is_lasting(*key) for key in self):
                    self._changed.clear()
                    await self._changed.wait()


def worth_saying(moment: datetime | None) -> datetime | None:
    """The moment if it is some seconds ahead; otherwise None."""
    if moment is None or (moment - datetime.now(UTC)).total_seconds() < _MIN_SHOWN_ETA_S:
        return None
    return moment


def _ends_at(progress: Progress) -> datetime | None:
    """The expected end at the present pace; None in the first step, or if the end is near."""
    if progress.step == 0:
        return None
    left_s = progress.elapsed_s / progress.step * (progress.total_steps - progress.step)
    return worth_saying(datetime.now(UTC) + timedelta(seconds=left_s))
