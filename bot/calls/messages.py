"""All calls to Discord about a job's message.

Only calls that are safe twice are repeated: edits, reads, and posts with a nonce. Discord accepts a nonce once.
"""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, cast

import discord
import msgspec
import structlog
from discord import ui

from bot.calls.errors import DiscordUnreachable, EditsHalted, MessageGone, TokenOver
from bot.calls.recognizing import is_in_timeline, is_of, is_over, outputs_shown
from bot.calls.repeating import Files, as_files
from bot.calls.routes import Routes
from bot.store.rows.jobs import Job

_NOT_FOUND: Final = 404
_SEARCHED: Final = 100
"""Messages searched for one of ours; Discord returns at most this number at once."""
_CLOCK_MARGIN: Final = timedelta(minutes=1)

_log = structlog.get_logger(__name__)


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a job in a message. Without outputs the job was cancelled or failed."""

    message_id: int
    outputs: int


async def _in_no_sheet(_: Job) -> bool:
    return False


class Calls(Routes):
    """All calls to Discord: answers to interactions, and the messages of jobs.

    Attributes:
        in_sheet: whether a sheet shows a job in place of a message of its own; the sheet then learns that it changed.
    """

    in_sheet: Callable[[Job], Awaitable[bool]] = staticmethod(_in_no_sheet)

    async def notify(self, job: Job, sentence: str) -> None:
        """Reply to a job's message and notify only its requester.

        A member may bring Easel to a server where it is no member. There only the interaction's token may write.

        Raises:
            CallFailed: the reply did not arrive, or this is unknown.
        """
        message = self._channel(job).get_partial_message(job.message_id or 0)
        mentions = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(job.requester_id)])
        if job.origin.is_brought_along and self._is_token_alive(job):
            # A followup has no nonce, so it is tried once.
            await self._by_token(job, lambda: self._webhook(job).send(sentence, allowed_mentions=mentions), tries=1)
            return
        await self._as_bot(
            lambda: self._channel(job).send(
                sentence,
                reference=message.to_reference(fail_if_not_exists=False),
                nonce=f"easel-told-{job.job_id}",
                allowed_mentions=mentions,
            )
        )

    async def send_directly(self, job: Job, sentence: str, files: Files) -> None:
        """Send a job's pictures to its requester in a direct message. Several tries send one message.

        Raises:
            CallFailed: the person accepts no direct messages, or it is unknown whether the message arrived.
        """
        channel = await self._direct_messages(job)
        if await self._search(channel, lambda found: outputs_shown(found, job) > 0, after=None) is not None:
            return
        await self._as_bot(
            lambda: channel.send(sentence, files=as_files(files), nonce=f"easel-{job.job_id}"),
            timeout_s=self._repeat.time_for(files),
        )

    async def notify_directly(self, job: Job, sentence: str) -> None:
        """Tell a job's requester in a direct message how it ended. Several tries send one message.

        Raises:
            CallFailed: the person accepts no direct messages, or it is unknown whether the message arrived.
        """
        channel = await self._direct_messages(job)
        await self._as_bot(lambda: channel.send(sentence, nonce=f"easel-over-{job.job_id}"))

    async def edit_message(self, job: Job, view: ui.LayoutView, files: Files | None, *, is_last_word: bool) -> None:
        """Replace a job's message.

        Args:
            job: a job with a `message_id`.
            view: the new layout.
            files: names and bytes of all attachments; None keeps the present ones.
            is_last_word: whether this is the last edit. Any other edit is left out after many invalid requests.

        Raises:
            CallFailed: `MessageGone`, `NotPermitted`, `TooLarge`, `NotEditable`, `NotNow`, …
        """
        if not await self.in_sheet(job):
            await self.edit_sheet(job, view, files, is_last_word=is_last_word)

    async def edit_sheet(self, job: Job, view: ui.LayoutView, files: Files | None, *, is_last_word: bool) -> None:
        """Replace a job's message, or that of a sheet; the arguments are those of `edit_message`.

        Raises:
            CallFailed: as there.
        """
        if not is_last_word and (self.watch.invalid.is_sparing or self.watch.block.left_s):
            raise EditsHalted("Many of our requests were invalid of late, or the address is blocked.")
        if job.message_id is None:
            raise MessageGone("The message was never known.")
        timeout_s = self._repeat.time_for(files)
        if self._is_token_alive(job):
            try:
                await self._by_token(
                    job, lambda: self._edit_by_token(job, view, files), timeout_s=timeout_s, waits_again=False
                )
            except (TokenOver, DiscordUnreachable) as error:
                # A rate limit on the token's route does not limit the bot's own route.
                _log.info("edit by the bot instead", action="token_over", error=repr(error), **job.log_context())
            else:
                return
        await self._as_bot_about(job, lambda: self._edit_as_bot(job, view, files), timeout_s=timeout_s)

    async def post_message(self, job: Job, view: ui.LayoutView, files: Files | None) -> int:
        """Show a job in a new message; returns its id. Several tries post one message.

        Raises:
            CallFailed: the message could not be posted.
        """
        channel = self._channel(job)
        message = await self._as_bot(
            lambda: channel.send(
                view=view,
                files=as_files(files or []),
                nonce=f"easel-{job.job_id}",
                allowed_mentions=discord.AllowedMentions.none(),
            ),
            timeout_s=self._repeat.time_for(files),
        )
        return message.id

    async def delete_message(self, job: Job) -> None:
        """Delete a job's message. One that is gone already is no failure.

        Raises:
            CallFailed: the message is still there, or this is unknown.
        """
        message = self._channel(job).get_partial_message(job.message_id or 0)
        with contextlib.suppress(MessageGone):
            await self._as_bot_about(job, message.delete)

    async def find_answer(self, job: Job) -> int | None:
        """The id of the message that answered a job's interaction; None if there is none.

        Raises:
            CallFailed: Discord gave no information.
        """
        if job.is_answer and self._is_token_alive(job):
            # The path accepts a name, although the signature asks for a number.
            original = cast("int", "@original")
            try:
                answer = await self._by_token(job, lambda: self._webhook(job).fetch_message(original))
            except MessageGone:
                return None
            except TokenOver as error:
                if error.status == _NOT_FOUND:
                    return None  # Discord knows the token, and there is no answer
                _log.info("channel searched instead", action="token_over", error=repr(error), **job.log_context())
            else:
                return answer.id if is_in_timeline(answer, job) else None
        after = discord.Object(discord.utils.time_snowflake(job.created_at - _CLOCK_MARGIN))
        found = await self._search(self._channel(job), lambda message: is_of(message, job), after=after)
        return None if found is None else found.id

    async def message_exists(self, job: Job) -> bool:
        """Whether the job's message still exists.

        Raises:
            CallFailed: Discord gave no information.
        """
        return await self.fetch_message(job) is not None

    async def find_delivered(self, job: Job) -> int | None:
        """The id of the message that shows the job's finished outputs; None if there is none.

        Raises:
            CallFailed: Discord gave no information.
        """
        end = await self.find_end(job)
        return end.message_id if end is not None and end.outputs else None

    async def find_end(self, job: Job) -> End | None:
        """The end of a job as Discord shows it; None if it shows none.

        Raises:
            CallFailed: Discord gave no information.
        """
        if await self.in_sheet(job):
            return None  # only the database knows the end of a cell
        message = await self.fetch_message(job)
        if message is None or not outputs_shown(message, job):
            found = await self._search(self._channel(job), lambda found: outputs_shown(found, job) > 0, after=None)
            message = found or message
        if message is None or not (outputs_shown(message, job) or is_over(message, job)):
            return None
        return End(message_id=message.id, outputs=outputs_shown(message, job))

    async def fetch_message(self, job: Job) -> discord.Message | None:
        """The job's message; None if it is gone.

        Raises:
            CallFailed: Discord gave no information.
        """
        message_id = job.message_id
        if message_id is None:
            return None
        channel = self._channel(job)
        try:
            if self._is_token_alive(job):
                with contextlib.suppress(TokenOver):
                    return await self._by_token(job, lambda: self._webhook(job).fetch_message(message_id))
            return await self._as_bot_about(job, lambda: channel.fetch_message(message_id))
        except MessageGone:
            return None

    async def _search(
        self,
        channel: discord.abc.Messageable,
        is_wanted: Callable[[discord.Message], bool],
        *,
        after: discord.Object | None,
    ) -> discord.Message | None:
        """One of our messages among a channel's newest, or among the first ones after `after`."""

        async def look() -> list[discord.Message]:
            return [message async for message in channel.history(limit=_SEARCHED, after=after)]

        try:
            messages = await self._as_bot(look)
        except MessageGone:
            return None
        return next((found for found in messages if found.author.id == self.own_id and is_wanted(found)), None)

    async def _direct_messages(self, job: Job) -> discord.DMChannel:
        """The direct message channel with a job's requester."""
        return await self._as_bot(lambda: self._client.create_dm(discord.Object(job.requester_id)))

    async def _edit_by_token(self, job: Job, view: ui.LayoutView, files: Files | None) -> None:
        await self._webhook(job).edit_message(
            job.message_id or 0,
            view=view,
            attachments=discord.utils.MISSING if files is None else as_files(files),
            allowed_mentions=discord.AllowedMentions.none(),
        )

    async def _edit_as_bot(self, job: Job, view: ui.LayoutView, files: Files | None) -> None:
        channel = self._channel(job)
        await channel.get_partial_message(job.message_id or 0).edit(
            view=view,
            attachments=discord.utils.MISSING if files is None else as_files(files),
            allowed_mentions=discord.AllowedMentions.none(),
        )
