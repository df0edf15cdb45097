"""A member's finished pictures whose files are still kept: pages of them, and an archive."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from bot.errors import Refused
from bot.presenting.jobs.output_files import output_file_name
from bot.privacy.exporting import ENTRY_BYTES, Entry, archive_of
from bot.store.images import ImageStore, StorageFailed, extension_of
from bot.store.members.history import HistoryRepository
from bot.store.rows.history import Past, Sought, Spot

PAGE: Final = 4
"""Pictures of a page: each takes a column of buttons, and Discord allows 40 components in a message."""
_BATCH: Final = 64
"""Rows that are looked at together, since files of old pictures may be gone."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Pictures of a history, and whether there are newer and older ones."""

    pictures: tuple[Past, ...]
    has_newer: bool
    has_older: bool


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """A ZIP archive of the newest pictures: their number, and when the oldest was asked for.

    `is_cut` says that older pictures had no room. `too_large` counts pictures that fit into no archive.
    """

    data: bytes
    count: int
    oldest_at: datetime
    is_cut: bool
    too_large: int


class History:
    """Finished pictures of members; those whose files are gone are left out."""

    def __init__(self, *, repository: HistoryRepository, images: ImageStore) -> None:
        self._repository = repository
        self._images = images
        self._packing = asyncio.Lock()

    async def models(self, user_id: int) -> list[str]:
        """Keys of the models that drew for a member."""
        return await self._repository.models(user_id)

    async def hides_some(self, sought: Sought) -> bool:
        """Whether a member has pictures that may not be shown in the place of a search."""
        return not sought.is_among_adults and await self._repository.has_grown_up(sought.user_id)

    async def first(self, sought: Sought) -> Page:
        """The page with the newest pictures."""
        return await self.older(sought, None)

    async def older(self, sought: Sought, spot: Spot | None) -> Page:
        """The page after a spot."""
        found = await self._some(self._older(sought, spot))
        return Page(pictures=tuple(found[:PAGE]), has_newer=spot is not None, has_older=len(found) > PAGE)

    async def newer(self, sought: Sought, spot: Spot) -> Page:
        """The page before a spot."""
        found = await self._some(self._newer(sought, spot))
        return Page(pictures=tuple(reversed(found[:PAGE])), has_newer=len(found) > PAGE, has_older=True)

    async def archive(self, sought: Sought, limit: int) -> Archive:
        """A ZIP of at most `limit` bytes with the newest pictures. Members get theirs one after the other.

        Raises:
            Refused: there is no picture, or none that fits.
        """
        async with self._packing:
            return await self._packed(sought, limit)

    async def _packed(self, sought: Sought, limit: int) -> Archive:
        entries, room, oldest = list[Entry](), limit - ENTRY_BYTES, None
        too_large, is_cut = 0, False
        async for past in self._older(sought, None):
            name = output_file_name(past.job, past.output.output_index, extension_of(past.output.media_type))
            try:
                entry = Entry(name=name, data=await self._images.read(past.output.sha256))
            except StorageFailed:
                continue  # it went meanwhile
            if entry.size + ENTRY_BYTES > limit:
                too_large += 1
            elif entry.size > room:
                is_cut = True
                break
            else:
                entries.append(entry)
                room -= entry.size
                oldest = past.job.created_at
        if oldest is None:
            raise Refused("refused-history-large" if too_large else "refused-history-empty")
        data = await asyncio.to_thread(archive_of, entries)
        return Archive(data=data, count=len(entries), oldest_at=oldest, is_cut=is_cut, too_large=too_large)

    async def _older(self, sought: Sought, spot: Spot | None) -> AsyncIterator[Past]:
        while rows := await self._repository.older(sought, spot, _BATCH):
            for past in await self._kept(rows):
                yield past
            spot = rows[-1].spot

    async def _newer(self, sought: Sought, spot: Spot) -> AsyncIterator[Past]:
        while rows := await self._repository.newer(sought, spot, _BATCH):
            for past in await self._kept(rows):
                yield past
            spot = rows[-1].spot

    async def _some(self, pictures: AsyncIterator[Past]) -> list[Past]:
        """Those of a page, and one more if there is one."""
        found: list[Past] = []
        async for past in pictures:
            found.append(past)
            if len(found) > PAGE:
                break
        return found

    async def _kept(self, rows: Sequence[Past]) -> list[Past]:
        there = await self._images.there({past.output.sha256 for past in rows})
        return [past for past in rows if past.output.sha256 in there]
