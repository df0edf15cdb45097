"""Keeps one direct message for each trouble of the bot: sent when it lasts, edited while it changes, and at its end."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import discord
import structlog

from bot.calls.errors import CallFailed
from bot.calls.owner import Owner
from bot.presenting.texts import LANGUAGES, spoken, text
from bot.troubles import Cause, Trouble

_PATIENCE: Final = timedelta(seconds=30)
"""A trouble is reported after this time. Most ends of a worker or a connection mend themselves sooner."""
_EDIT_AFTER: Final = timedelta(minutes=1)
"""The least time between two edits of a message, since some sentences have figures that change all the time."""
_AGAIN_AFTER: Final = timedelta(hours=1)
"""A trouble that returns sooner continues its earlier message, so that nobody gets more than one an hour."""
LOOK_S: Final = 10.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Report:
    """A message about a trouble: what it says, when it was sent and changed, and whether the trouble is over."""

    message: discord.Message
    trouble: Trouble
    sent_at: datetime
    changed_at: datetime
    is_over: bool = False


class OwnerMessages:
    """The reports to the owner.

    Args:
        owner: the owner at Discord.
        troubles: the present troubles; none of them while Discord is away.
    """

    def __init__(self, owner: Owner, troubles: Callable[[], Sequence[Trouble]]) -> None:
        self._owner = owner
        self._troubles = troubles
        self._seen_at: dict[Cause, datetime] = {}
        self._reports: dict[Cause, _Report] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look(datetime.now(UTC))
            await asyncio.sleep(LOOK_S)

    async def look(self, now: datetime) -> None:
        """Report what is new, changed or over. A message that does not arrive is tried again at the next look."""
        present = {trouble.cause: trouble for trouble in self._troubles()}
        self._seen_at = {cause: self._seen_at.get(cause, now) for cause in present}
        try:
            for cause, trouble in present.items():
                if now - self._seen_at[cause] >= _PATIENCE:
                    await self._report(trouble, now)
            for cause, report in self._reports.items():
                if cause not in present and not report.is_over:
                    await self._end(report, now)
        except CallFailed as error:
            _log.info("owner not notified", action="owner_not_notified", error=repr(error))

    async def _report(self, trouble: Trouble, now: datetime) -> None:
        report = self._reports.get(trouble.cause)
        if report is None or (report.is_over and now - report.sent_at >= _AGAIN_AFTER):
            message = await self._owner.write(_said(trouble, self._seen_at[trouble.cause]))
            if message is not None:
                self._reports[trouble.cause] = _Report(message, trouble, sent_at=now, changed_at=now)
            return
        is_changed = report.is_over or report.trouble.sentence != trouble.sentence
        if is_changed and now - report.changed_at >= _EDIT_AFTER:
            await self._owner.rewrite(report.message, _said(trouble, self._seen_at[trouble.cause]))
            report.trouble, report.changed_at, report.is_over = trouble, now, False

    async def _end(self, report: _Report, now: datetime) -> None:
        with spoken(LANGUAGES[0]):
            sentence = text("owner-well", sentence=report.trouble.sentence, ended=discord.utils.format_dt(now))
        await self._owner.rewrite(report.message, sentence)
        report.changed_at, report.is_over = now, True


def _said(trouble: Trouble, seen_at: datetime) -> str:
    with spoken(LANGUAGES[0]):
        since = discord.utils.format_dt(trouble.since or seen_at)
        return text("owner-trouble", sentence=trouble.sentence, since=since)
