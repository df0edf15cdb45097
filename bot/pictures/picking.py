"""Pictures that members picked in a message. Each is fetched at once, while its member fills in the form."""

import asyncio
import secrets
from typing import Final

import discord
import msgspec

from bot.errors import Refused
from bot.pictures.receiving import Received, Receiving
from pipeline.protocol.wire.outputs import Notice

MOST: Final = 256
"""Most picked pictures. The oldest one is forgotten."""


class Picking:
    """Picked pictures, by keys that nobody can guess. They are in memory, so a restart forgets them.

    A submitted form does not name its message, and the address of an attachment is too long for a form's id. A form
    must also be opened within three seconds. So the picture is fetched beside the open form: a message that is deleted
    meanwhile, or an address that expires, does no harm.
    """

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self._picked: dict[str, asyncio.Task[Received]] = {}

    def pick(self, attachment: discord.Attachment, *, has_more: bool) -> str:
        """Begin to fetch a picture; returns its key.

        Args:
            attachment: the picture.
            has_more: whether its message has further pictures. The member is told that they were not taken.
        """
        while len(self._picked) >= MOST:
            self._picked.pop(next(iter(self._picked))).cancel()
        key = secrets.token_hex(8)
        task = asyncio.create_task(self._receive(attachment, has_more=has_more), name=f"picked picture {key}")
        task.add_done_callback(_note_end)
        self._picked[key] = task
        return key

    async def take(self, key: str) -> Received:
        """The picture of a key, as soon as it is kept.

        Raises:
            Refused: the key is forgotten, or the file gave no picture.
            CallFailed: the file could not be fetched.
        """
        task = self._picked.get(key)
        if task is None:
            raise Refused("refused-picture-forgotten")
        await asyncio.wait({task})
        if task.cancelled():
            raise Refused("refused-picture-forgotten")
        return task.result()

    async def _receive(self, attachment: discord.Attachment, *, has_more: bool) -> Received:
        received = await self._receiving.receive(attachment)
        if not has_more:
            return received
        return msgspec.structs.replace(received, notices=(Notice(key="notice-first-picture"), *received.notices))


def _note_end(task: asyncio.Task[Received]) -> None:
    """Read the failure of a task, since asyncio logs one that nobody reads. Its form may never be submitted."""
    if not task.cancelled():
        task.exception()
