"""Downloads of attachments, within a size."""

from typing import Final, cast

import aiohttp
import discord

_PIECE: Final = 1 << 16
_OK: Final = 200
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404


async def download(client: discord.Client, attachment: discord.Attachment, most_bytes: int) -> bytearray:
    """Download an attachment, but at most one byte more than `most_bytes`: a longer result is not the whole file.

    discord.py's own `Attachment.read` keeps whatever arrives. No redirect is followed, so that only Discord is asked.

    Raises:
        discord.HTTPException: the file is gone, or Discord refused.
        aiohttp.ClientError: the download failed.
    """
    data = bytearray()
    async with _session_of(client).get(attachment.url, allow_redirects=False) as response:
        if response.status != _OK:
            raise _refusal(response)
        async for piece in response.content.iter_chunked(_PIECE):
            data += piece[: most_bytes + 1 - len(data)]
            if len(data) > most_bytes:
                break
    return data


def _session_of(client: discord.Client) -> aiohttp.ClientSession:
    """The client's only session; the library has no other access to it."""
    return cast("aiohttp.ClientSession", client.http._HTTPClient__session)  # noqa: SLF001 # pyright: ignore[reportAttributeAccessIssue] - a mangled name


def _refusal(response: aiohttp.ClientResponse) -> discord.HTTPException:
    kinds = {_FORBIDDEN: discord.Forbidden, _NOT_FOUND: discord.NotFound}
    return kinds.get(response.status, discord.HTTPException)(response, "The file cannot be downloaded.")
