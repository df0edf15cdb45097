"""Calls to Discord about a job's message: time-outs, safe repeats, and the change from token to bot.

An interaction's token edits its message for fifteen minutes and needs no permission; after that the bot edits
the message as itself. Only edits are repeated here: an edit done twice is an edit done once.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Final, cast

import aiohttp
import discord
import structlog
from discord import ui

from bot.store.rows import Job

CALL_TIMEOUT_S: Final = 45.0
"""discord.py itself waits as long as a 429 tells it to, an hour if need be."""
TOKEN_MARGIN: Final = timedelta(seconds=60)
_TRIES: Final = 4
_FIRST_PAUSE_S: Final = 0.5
_GONE: Final = frozenset({10003, 10008})
"""Unknown channel, unknown message: https://discord.com/developers/docs/topics/opcodes-and-status-codes"""
_TOKEN_OVER: Final = frozenset({10015, 50027})
"""Unknown webhook, invalid webhook token."""

_log = structlog.get_logger(__name__)


class MessageLost(Exception):
    """The message can no longer be edited: deleted, or the right to it was lost."""


async def edit_job_message(
    client: discord.Client, job: Job, view: ui.LayoutView, files: Sequence[tuple[str, bytes]] | None
) -> None:
    """Replace a job's message.

    Args:
        client: the running client.
        job: its `message_id` is set.
        view: the new layout.
        files: names and bytes of all attachments; None keeps those that are there.

    Raises:
        MessageLost: it is gone or out of reach, now and later.
        discord.HTTPException, aiohttp.ClientError, TimeoutError: Discord did not take it after several tries.
    """
    use_token = job.interaction_token is not None
    for attempt in range(1, _TRIES + 1):
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                if use_token and _is_token_alive(job):
                    await _edit_by_token(client, job, view, files)
                else:
                    await _edit_as_bot(client, job, view, files)
        except discord.HTTPException as error:
            if use_token and (error.code in _TOKEN_OVER or error.status == 401):  # noqa: PLR2004 - HTTP's own
                use_token = False
                continue
            if error.code in _GONE or error.status == 403:  # noqa: PLR2004 - HTTP's own
                raise MessageLost(str(error)) from error
            if error.status < 500 or attempt == _TRIES:  # noqa: PLR2004 - HTTP's own
                raise
            _log.info("edit repeated", action="edit_repeated", status=error.status, **job.log_context())
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            if attempt == _TRIES:
                raise
            _log.info("edit repeated", action="edit_repeated", error=repr(error), **job.log_context())
        else:
            return
        await asyncio.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))


async def find_original(client: discord.Client, job: Job) -> int | None:
    """The id of the message that answered a job's interaction; None where Discord never saw an answer.

    Raises:
        discord.HTTPException, aiohttp.ClientError, TimeoutError: Discord did not say.
    """
    if client.application_id is None or job.interaction_token is None or not _is_token_alive(job):
        return None
    webhook = discord.Webhook.partial(client.application_id, job.interaction_token, client=client)
    try:
        async with asyncio.timeout(CALL_TIMEOUT_S):
            # The path takes a name in place of the number that the signature asks for.
            message = await webhook.fetch_message(cast("int", "@original"))
    except discord.NotFound:
        return None
    return message.id


def _is_token_alive(job: Job) -> bool:
    return job.token_expires_at is not None and datetime.now(UTC) < job.token_expires_at - TOKEN_MARGIN


async def _edit_by_token(
    client: discord.Client, job: Job, view: ui.LayoutView, files: Sequence[tuple[str, bytes]] | None
) -> None:
    if client.application_id is None or job.interaction_token is None or job.message_id is None:
        raise MessageLost("The message was never known.")
    webhook = discord.Webhook.partial(client.application_id, job.interaction_token, client=client)
    await webhook.edit_message(
        job.message_id,
        view=view,
        attachments=discord.utils.MISSING if files is None else _as_files(files),
        allowed_mentions=discord.AllowedMentions.none(),
    )


async def _edit_as_bot(
    client: discord.Client, job: Job, view: ui.LayoutView, files: Sequence[tuple[str, bytes]] | None
) -> None:
    if job.message_id is None:
        raise MessageLost("The message was never known.")
    message = client.get_partial_messageable(job.channel_id).get_partial_message(job.message_id)
    await message.edit(
        view=view,
        attachments=discord.utils.MISSING if files is None else _as_files(files),
        allowed_mentions=discord.AllowedMentions.none(),
    )


def _as_files(files: Sequence[tuple[str, bytes]]) -> list[discord.File]:
    """Fresh objects for every try, since sending one reads it to its end."""
    return [discord.File(BytesIO(data), filename=name) for name, data in files]
