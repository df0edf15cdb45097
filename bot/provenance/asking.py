"""Judges files that members attach: a few at once, and not too many for one member."""

import asyncio
from typing import Final

import discord
import structlog

from bot.errors import Refused
from bot.pictures.receiving import Receiving
from bot.pictures.telling import refusal
from bot.provenance.looking import Anchors, Judged, look_up
from bot.store.register import RegisterRepository
from config.settings import Settings
from pipeline.protocol.reading import Unreadable
from provenance.messages import Refusal

MOST: Final = 10
"""Most questions of a member in `WITHIN_S`."""
WITHIN_S: Final = 60.0
_AT_ONCE: Final = 2
"""Most files that are fetched and read at once. Each is in memory, and its process may take a gigabyte."""
_log = structlog.get_logger(__name__)


class Asking:
    """Answers where attached files come from."""

    def __init__(self, *, settings: Settings, receiving: Receiving, register: RegisterRepository) -> None:
        self._settings = settings
        self._receiving = receiving
        self._register = register
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._asked: list[tuple[float, int]] = []

    async def judge(self, attachment: discord.Attachment, user_id: int) -> Judged:
        """Fetch an attached file, and judge it.

        Raises:
            Refused: the member asks too often, or the file is too large or no picture that can be read.
            CallFailed: the file could not be fetched.
        """
        self._note(user_id)
        async with self._room:
            data = await self._receiving.fetch(attachment)
            anchors = await asyncio.to_thread(Anchors.of, self._settings)
            judged = await look_up(data, anchors, self._register)
        if isinstance(judged, Refusal):
            _log.info("origin not read", action="not_read", fault=judged.fault, detail=judged.detail)
            raise refusal(Unreadable(fault=judged.fault, detail=judged.detail))
        return judged

    def _note(self, user_id: int) -> None:
        """Count a question.

        Raises:
            Refused: the member has asked too often.
        """
        now = asyncio.get_running_loop().time()
        self._asked = [(at, user) for at, user in self._asked if now - at < WITHIN_S]
        if sum(user == user_id for _, user in self._asked) >= MOST:
            raise Refused("refused-verify-often", most=MOST)
        self._asked.append((now, user_id))
