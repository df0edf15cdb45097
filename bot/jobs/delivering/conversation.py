"""The message of a job, edited in place. The newest state wins, and the last one always arrives.

Intermediate states are dropped, not queued: at most one edit is being sent, and at most one waits.
"""

import asyncio
import contextlib
from typing import Final

import msgspec
import structlog
from discord import ui

from bot.calls.errors import CallFailed, EditsHalted, MessageGone, NotEditable, NotPermitted, WordsBlocked
from bot.calls.messages import Calls
from bot.calls.repeating import Files
from bot.store.rows.jobs import Job

MIN_INTERVAL_S: Final = 2.0
"""Seconds between two edits of a message. Discord allows about five edits in five seconds for a whole channel. The
second edit may follow the first at once, since the first preview comes soon after the first state."""

_IN_FLIGHT_GRACE_S: Final = 3.0
"""Seconds that the last edit waits for an earlier one, so that the earlier one cannot arrive after it."""

_log = structlog.get_logger(__name__)


class Edit(msgspec.Struct, frozen=True):
    """A layout and its attachments; None keeps the present attachments."""

    view: ui.LayoutView
    files: Files | None


class JobMessage:
    """The message of one running job."""

    def __init__(self, calls: Calls, job: Job, *, min_interval_s: float = MIN_INTERVAL_S) -> None:
        self._calls = calls
        self._job = job
        self._min_interval_s = min_interval_s
        self._newest: Edit | None = None
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None

    def show(self, view: ui.LayoutView, files: Files | None = None) -> None:
        """Show this state soon, unless a newer one replaces it before."""
        self._newest = Edit(view, files)
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._keep_up(), name=f"message of job {self._job.job_id}")

    async def replace(self, view: ui.LayoutView, files: Files | None = None) -> None:
        """Show this state now. A waiting edit is dropped; an edit being sent may end first.

        Raises:
            CallFailed: nobody can see the message any more, or Discord did not accept the edit.
        """
        await self.close()
        await self._calls.edit_message(self._job, view, files, is_last_word=True)

    async def finish(self, view: ui.LayoutView, files: Files | None = None) -> int | None:
        """Show the last state now; returns the id of a new message if Discord no longer edits the old one.

        Raises:
            NotPermitted: also if Discord accepts neither an edit nor a new message, as in a locked thread.
            CallFailed: nobody can see the message any more, or Discord did not accept it.
        """
        try:
            await self.replace(view, files)
        except NotEditable:
            try:
                return await self._calls.post_message(self._job, view, files)
            except NotEditable as error:
                raise NotPermitted(str(error), status=error.status, code=error.code) from error
        return None

    async def close(self) -> None:
        """Send no further edits."""
        self._newest = None
        if self._task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_IN_FLIGHT_GRACE_S):
                    await self._idle.wait()
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _keep_up(self) -> None:
        """Send the newest state after each change, with pauses."""
        is_first = True
        while True:
            await self._wake.wait()
            self._wake.clear()
            edit, self._newest = self._newest, None
            if edit is None:
                continue
            self._idle.clear()
            try:
                await self._calls.edit_message(self._job, edit.view, edit.files, is_last_word=False)
            except (MessageGone, NotPermitted, NotEditable, WordsBlocked):
                return  # only the last edit tries the remedies
            except EditsHalted:
                pass  # logged once, by the counter of invalid requests or the address block
            except CallFailed as error:
                _log.warning("edit failed", action="edit_failed", error=repr(error), **self._job.log_context())
            finally:
                self._idle.set()
            if not is_first:
                await asyncio.sleep(self._min_interval_s)
            is_first = False
