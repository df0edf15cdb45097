"""Fills sheets: cells become jobs as far as their member may have jobs waiting, and one message shows their pictures.

Everything is read from the database, so a restart goes on with each open sheet. A cell's key lets it be accepted once.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from bot.calls.errors import CallFailed, NotNow
from bot.calls.messages import Calls
from bot.errors import Refused
from bot.jobs.accepting import Accepting
from bot.jobs.image_checking import is_veiled
from bot.jobs.keeping import Keeping
from bot.jobs.sheets.painting import CELL, Cell, is_drawable, painted
from bot.presenting.jobs import sheet_message
from bot.presenting.jobs.output_files import output_file_name
from bot.presenting.jobs.sheet_message import Filled
from bot.presenting.texts import spoken, text
from bot.provenance.signing import Signing, SigningFailed
from bot.store.images import StorageFailed
from bot.store.jobs import JobRepository
from bot.store.members.sheets import SheetRepository
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.origin import StartedBy
from bot.store.rows.outputs import Output
from bot.store.rows.sheets import Refusal, Sheet, sheet_of

PAUSE_S: Final = 3.0
"""Seconds between two edits of a sheet."""
_LATER: Final = frozenset({"refused-queued", "refused-cooldown"})
"""Refusals that pass by themselves while the sheet's own jobs go on."""
_OPEN: Final = (JobStatus.QUEUED, JobStatus.RUNNING)

_log = structlog.get_logger(__name__)


class Sheets:
    """The sheets, their jobs, and their messages.

    Args:
        wake: called when jobs wait.
    """

    def __init__(
        self,
        *,
        calls: Calls,
        jobs: JobRepository,
        sheets: SheetRepository,
        accepting: Accepting,
        keeping: Keeping,
        signing: Signing,
        wake: Callable[[], None],
    ) -> None:
        self._calls = calls
        self._jobs = jobs
        self._sheets = sheets
        self._accepting = accepting
        self._keeping = keeping
        self._signing = signing
        self._wake_dispatcher = wake
        self._changed = asyncio.Event()
        self._filling = asyncio.Lock()
        self._repainted: set[int] = set()
        self._shown: dict[int, tuple[object, ...]] = {}
        calls.in_sheet = self.shows

    async def shows(self, job: Job) -> bool:
        """Whether a sheet shows a job in place of a message of its own. If so, the sheet is brought up to date soon."""
        if job.origin.started_by is not StartedBy.GRID:
            return False
        sheet = await self._sheets.get(sheet_of(job))
        if sheet is None:
            return False
        self._repainted.add(sheet.sheet_id)
        self._changed.set()
        return job.message_id in (None, sheet.message_id)  # one that was taken out has its own message

    async def find(self, sheet_id: int) -> tuple[Sheet, dict[int, Job]] | None:
        """A sheet and its jobs by their cells; None if it is not kept any more."""
        sheet = await self._sheets.get(sheet_id)
        return None if sheet is None else (sheet, await self._sheets.jobs(sheet))

    async def begin(self, sheet: Sheet) -> None:
        """Fill a confirmed sheet whose first job was accepted."""
        await self._fill(await self._sheets.add(sheet))
        self._changed.set()

    async def stop(self, sheet: Sheet, refusal: Refusal) -> list[Job]:
        """Accept no more cells of a sheet; returns its jobs that are still open."""
        async with self._filling:
            await self._sheets.refuse(sheet.sheet_id, refusal)
        self._changed.set()
        return [job for job in (await self._sheets.jobs(sheet)).values() if job.status in _OPEN]

    async def run(self) -> None:
        """Fill and paint until cancelled."""
        while True:
            for sheet in await self._due():
                try:
                    await self._go_on(sheet)
                except sqlite3.Error as error:
                    _log.warning("sheet not brought up to date", action="sheet_late", error=repr(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S):
                    await self._changed.wait()
                await asyncio.sleep(PAUSE_S)
            self._changed.clear()

    async def _due(self) -> list[Sheet]:
        """The open sheets, and ended ones of which a job changed."""
        try:
            found = {sheet.sheet_id: sheet for sheet in await self._sheets.open()}
            for number in self._repainted - found.keys():
                if (sheet := await self._sheets.get(number)) is not None:
                    found[number] = sheet
        except sqlite3.Error as error:
            _log.warning("sheets not read", action="sheet_late", error=repr(error))
            return []
        self._repainted.clear()
        return [*found.values()]

    async def _go_on(self, sheet: Sheet) -> None:
        if sheet.ended_at is None:
            await self._fill(sheet)
            sheet = await self._sheets.get(sheet.sheet_id) or sheet
        jobs = await self._sheets.jobs(sheet)
        is_over = all(job.status not in _OPEN for job in jobs.values()) and (
            sheet.refusal is not None or len(jobs) == len(sheet.jobs)
        )
        is_shown = await self._paint(sheet, jobs, is_last=is_over)
        if is_over and is_shown and sheet.ended_at is None:
            await self._sheets.end(sheet.sheet_id, datetime.now(UTC))
            _log.info("sheet filled", action="sheet_filled", sheet_id=sheet.sheet_id, jobs=len(jobs))

    async def _fill(self, sheet: Sheet) -> None:
        """Accept the next cells, as many as their member may have waiting, and none after a cancellation."""
        async with self._filling:
            newest = await self._sheets.get(sheet.sheet_id)
            if newest is not None and newest.refusal is None:
                await self._accept(newest)

    async def _accept(self, sheet: Sheet) -> None:
        jobs = await self._sheets.jobs(sheet)
        for cell in range(len(sheet.jobs)):
            job = jobs.get(cell)
            if job is None:
                if await self._sheets.get(sheet.sheet_id) is None:
                    break  # its member had it forgotten meanwhile
                try:
                    job, _ = await self._accepting.accept(sheet.order(cell))
                except Refused as refused:
                    if refused.key not in _LATER:
                        await self._sheets.refuse(sheet.sheet_id, Refusal(key=refused.key, values=refused.values))
                    break
            if job.message_id is None:
                await self._jobs.record_message(job.job_id, sheet.message_id)
                self._wake_dispatcher()

    async def _paint(self, sheet: Sheet, jobs: Mapping[int, Job], *, is_last: bool) -> bool:
        """Show a sheet if it changed; returns whether nothing is left to show."""
        state = (is_last, sheet.refusal, *((cell, job.status, job.removed_at, job.hold) for cell, job in jobs.items()))
        if not jobs or self._shown.get(sheet.sheet_id) == state:
            return True
        pictures = {cell: found for cell, job in jobs.items() if (found := await self._picture(job)) is not None}
        running = sum(job.status in _OPEN for job in jobs.values())
        filled = Filled(
            drawn=tuple(sorted(pictures)),
            coming=running + (len(sheet.jobs) - len(jobs) if sheet.refusal is None else 0),
            failed=len(jobs) - running - len(pictures),
        )
        first = jobs[min(jobs)]
        try:
            files = [await self._file(sheet, jobs, pictures)] if pictures else []
            is_spoiled = any(is_veiled(jobs[cell], output.rating) for cell, (output, _) in pictures.items())
            view = sheet_message.sheet(sheet, filled, files[0][0] if files else None, is_veiled=is_spoiled)
            await self._calls.edit_sheet(_as_message(sheet, first), view, files, is_last_word=is_last)
        except (NotNow, SigningFailed) as error:
            _log.warning("sheet not shown", action="sheet_late", error=repr(error), sheet_id=sheet.sheet_id)
            return False
        except CallFailed as error:
            # Its pictures are kept, and /history has them.
            _log.warning("sheet not shown", action="sheet_lost", error=repr(error), sheet_id=sheet.sheet_id)
        self._shown[sheet.sheet_id] = state
        if is_last:
            self._shown.pop(sheet.sheet_id)
        return True

    async def _picture(self, job: Job) -> tuple[Output, bytes] | None:
        """The picture of a finished cell; None if it has none, or nobody may see it any more."""
        if job.status is not JobStatus.SUCCEEDED or job.removed_at is not None or job.blanked_for is not None:
            return None
        for output in await self._jobs.outputs(job.job_id):
            with contextlib.suppress(StorageFailed):
                return output, await self._keeping.read(output.sha256)
        return None

    async def _file(
        self, sheet: Sheet, jobs: Mapping[int, Job], pictures: Mapping[int, tuple[Output, bytes]]
    ) -> tuple[str, bytes]:
        """The picture of all pictures, signed like that of the first cell.

        Raises:
            SigningFailed: it must be signed, and cannot be.
        """
        with spoken(sheet.origin.locale):
            cells = [
                Cell(
                    labels=_labels(sheet, cell),
                    picture=pictures[cell][1] if cell in pictures else None,
                    state=_word(jobs.get(cell)),
                )
                for cell in range(len(sheet.jobs))
            ]
        found = [output.sides or (CELL, CELL) for output, _ in pictures.values()]
        sides = max(width for width, _ in found), max(height for _, height in found)
        data = await asyncio.to_thread(painted, cells, sheet.plan.columns, sides)
        cell = min(pictures)
        job, (output, original) = jobs[cell], pictures[cell]
        name = f"{output_file_name(job, output.output_index, '').rstrip('.')}-sheet.webp"
        (file,) = await self._signing.copies(job, [output.output_index], [(name, original)], [(name, data)])
        return file


def _labels(sheet: Sheet, cell: int) -> tuple[str, ...]:
    labels = sheet.plan.labels(cell)
    return labels if all(map(is_drawable, labels)) else (str(cell + 1), *("" for _ in labels[1:]))


def _word(job: Job | None) -> str:
    """A word for the state of a cell without a picture."""
    if job is None or job.status in _OPEN:
        return text("grid-cell-waits")
    return text("grid-cell-cancelled" if job.status is JobStatus.CANCELLED else "grid-cell-failed")


def _as_message(sheet: Sheet, job: Job) -> Job:
    """A job of a sheet as the sheet's message: with the token of the press that began it."""
    origin = msgspec.structs.replace(
        job.origin,
        interaction_token=sheet.origin.interaction_token,
        token_expires_at=sheet.origin.token_expires_at,
    )
    return msgspec.structs.replace(job, origin=origin, message_id=sheet.message_id)
