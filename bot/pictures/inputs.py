"""The files of input pictures. Each is named by its hash, and stays while a job names it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from bot.store.images import ImageStore
from bot.store.inputs import InputRepository
from pipeline.protocol.requests import Request

_UNNAMED_DAYS: Final = 1
"""Days that a picture stays without a job. It is kept before its job is accepted, in the same minute."""


class InputPictures:
    """Keeps and removes the files of input pictures."""

    def __init__(self, *, files: ImageStore, inputs: InputRepository) -> None:
        self._files = files
        self._inputs = inputs

    async def keep(self, png: bytes | bytearray) -> str:
        """Store a clean picture; returns its hash.

        Raises:
            StorageFailed: the disk takes nothing.
        """
        return await self._files.save(png)

    async def read(self, sha256: str) -> bytes:
        """The bytes of a kept picture.

        Raises:
            StorageFailed: the file is missing or not readable.
        """
        return await self._files.read(sha256)

    async def gave(self, user_id: int, sha256: str) -> bool:
        """Whether a member gave this picture themselves."""
        return await self._inputs.gave(user_id, sha256)

    async def of(self, request: Request) -> dict[str, bytes]:
        """The bytes of a request's inputs by their hashes.

        Raises:
            StorageFailed: a file is missing or not readable.
        """
        return {sha256: await self._files.read(sha256) for sha256 in {each.sha256 for each in request.inputs}}

    async def release(self, job_id: int) -> None:
        """Remove the files of a deleted job, except those that another job names."""
        await self.remove(await self._inputs.release(job_id))

    async def remove(self, hashes: Iterable[str]) -> None:
        """Remove these files."""
        for sha256 in hashes:
            await self._files.remove(sha256)

    async def remove_unnamed(self, hashes: Iterable[str]) -> None:
        """Remove these files, except those that a job names. A question that is open does not keep them."""
        await self.remove(frozenset(hashes) - await self._inputs.of_jobs())

    async def remove_unneeded(self, keep_days: int) -> int:
        """Remove files that no job names, and those of old jobs; returns their number.

        A crash between the storing of a picture and the acceptance of its job leaves such a file.

        Args:
            keep_days: days that the file of a job without a star stays after its last job; 0 means for ever.
        """
        now = datetime.now(UTC)
        count = await self._files.remove_older_than(_UNNAMED_DAYS, now, keep=await self._inputs.named())
        if keep_days:
            needed = await self._inputs.named_since(now, keep_days)
            count += await self._files.remove_older_than(keep_days, now, keep=needed)
        return count
