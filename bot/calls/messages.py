"""Everything that Easel asks of Discord about a job's message.

An interaction's token edits its message for fifteen minutes and needs no permission; after that the bot edits the
message as itself. Repeated is only what may be done twice: edits, questions, and posts with a nonce, which Discord
then takes once.
"""

import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar, cast

import discord
import msgspec
import structlog
from discord import ui

from bot.calls.answers import Answers
from bot.calls.errors import DiscordUnreachable, EditsHalted, MessageGone, NotNow, NotPermitted, TokenOver
from bot.calls.recognizing import images_shown, is_in_timeline, is_of, is_over
from bot.calls.repeating import Files, as_files
from bot.calls.watching import Watch
from bot.store.rows import Job

TOKEN_MARGIN: Final = timedelta(seconds=60)
_NOT_FOUND: Final = 404
_SEARCHED: Final = 100
"""Messages looked through for one of ours; Discord gives so many at once."""
_CLOCK_MARGIN: Final = timedelta(minutes=1)

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)


class End(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a job as a message shows it; without images it was cancelled, or failed."""

    message_id: int
    images: int


class Calls(Answers):
    """The whole way to Discord: answers to interactions, and the messages of jobs.

    Args:
        client: logged in.
        watch: of the client.
        call_timeout_s: of one try.
        answer_timeout_s: of one try of a first answer, which Discord takes for three seconds.
        pause_s: before the second try.
    """

    def __init__(
        self,
        client: discord.Client,
        watch: Watch,
        *,
        call_timeout_s: float = 30.0,
        answer_timeout_s: float = 5.0,
        pause_s: float = 0.5,
    ) -> None:
        super().__init__(
            client, watch, call_timeout_s=call_timeout_s, answer_timeout_s=answer_timeout_s, pause_s=pause_s
        )
        self._client = client
        self._tokens_over: dict[str, datetime] = {}

    async def notify(self, job: Job, sentence: str) -> None:
        """Reply to a job's message, and let its requester, and nobody else, be notified.

        Where somebody brought Easel along it is no member, so that only the interaction's token may write there.

        Raises:
            CallFailed: it did not arrive, or nobody knows.
        """
        message = self._channel(job).get_partial_message(job.message_id or 0)
        mentions = discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(job.requester_id)])
        if job.is_brought_along and self._is_token_alive(job):
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

    async def hand_over(self, job: Job, sentence: str, files: Files) -> None:
        """Send a job's pictures to its requester in a direct message, once however often it is tried.

        Raises:
            CallFailed: the person takes none, or nobody knows whether it arrived.
        """
        channel = await self._direct_messages(job)
        if await self._search(channel, lambda found: images_shown(found, job) > 0, after=None) is not None:
            return
        await self._as_bot(
            lambda: channel.send(sentence, files=as_files(files), nonce=f"easel-{job.job_id}"),
            timeout_s=self._repeat.time_for(files),
        )

    async def tell_requester(self, job: Job, sentence: str) -> None:
        """Tell a job's requester how it ended in a direct message, once however often it is tried.

        Raises:
            CallFailed: the person takes none, or nobody knows whether it arrived.
        """
        channel = await self._direct_messages(job)
        await self._as_bot(lambda: channel.send(sentence, nonce=f"easel-over-{job.job_id}"))

    async def edit_message(self, job: Job, view: ui.LayoutView, files: Files | None, *, is_last_word: bool) -> None:
        """Replace a job's message.

        Args:
            job: its `message_id` is set.
            view: the new layout.
            files: names and bytes of all attachments; None keeps those that are there.
            is_last_word: whether nothing newer will follow; what is not is spared when many requests were invalid.

        Raises:
            CallFailed: `MessageGone`, `NotPermitted`, `TooLarge`, `NotEditable`, `NotNow`, …
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
                # A limit of the token's own route says nothing about the bot's.
                _log.info("edit by the bot instead", action="token_over", error=repr(error), **job.log_context())
            else:
                return
        await self._as_bot_about(job, lambda: self._edit_as_bot(job, view, files), timeout_s=timeout_s)

    async def post_message(self, job: Job, view: ui.LayoutView, files: Files | None) -> int:
        """Show a job in a new message, once however often it is tried; returns its id.

        Raises:
            CallFailed: it could not be posted.
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

    async def find_answer(self, job: Job) -> int | None:
        """The id of the message that answered a job's interaction; None where there is none.

        Raises:
            CallFailed: Discord did not say.
        """
        if job.is_answer and self._is_token_alive(job):
            # The path takes a name in place of the number that the signature asks for.
            original = cast("int", "@original")
            try:
                answer = await self._by_token(job, lambda: self._webhook(job).fetch_message(original))
            except MessageGone:
                return None
            except TokenOver as error:
                if error.status == _NOT_FOUND:
                    return None  # Discord has the token and no answer to it
                _log.info("channel searched instead", action="token_over", error=repr(error), **job.log_context())
            else:
                return answer.id if is_in_timeline(answer, job) else None
        after = discord.Object(discord.utils.time_snowflake(job.created_at - _CLOCK_MARGIN))
        found = await self._search(self._channel(job), lambda message: is_of(message, job), after=after)
        return None if found is None else found.id

    async def message_exists(self, job: Job) -> bool:
        """Whether the job's message can still be seen.

        Raises:
            CallFailed: Discord did not say.
        """
        return await self._fetch(job) is not None

    async def find_delivered(self, job: Job) -> int | None:
        """The id of the message that shows the job's finished images; None where none does.

        Raises:
            CallFailed: Discord did not say.
        """
        end = await self.find_end(job)
        return end.message_id if end is not None and end.images else None

    async def find_end(self, job: Job) -> End | None:
        """What Discord shows of the end of a job; None where it shows none.

        Raises:
            CallFailed: Discord did not say.
        """
        message = await self._fetch(job)
        if message is None or not images_shown(message, job):
            found = await self._search(self._channel(job), lambda found: images_shown(found, job) > 0, after=None)
            message = found or message
        if message is None or not (images_shown(message, job) or is_over(message, job)):
            return None
        return End(message_id=message.id, images=images_shown(message, job))

    async def _fetch(self, job: Job) -> discord.Message | None:
        """The job's message; None where it is gone."""
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
        """One of our own messages among the newest of a channel, or the first after a moment."""

        async def look() -> list[discord.Message]:
            return [message async for message in channel.history(limit=_SEARCHED, after=after)]

        try:
            messages = await self._as_bot(look)
        except MessageGone:
            return None
        own = self._client.user.id if self._client.user is not None else 0
        return next((message for message in messages if message.author.id == own and is_wanted(message)), None)

    async def _direct_messages(self, job: Job) -> discord.DMChannel:
        """The channel in which only a job's requester reads."""
        return await self._as_bot(lambda: self._client.create_dm(discord.Object(job.requester_id)))

    def _channel(self, job: Job) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(job.channel_id)

    def _webhook(self, job: Job) -> discord.Webhook:
        if self._client.application_id is None or job.interaction_token is None:
            raise TokenOver("There is no token.")
        return discord.Webhook.partial(self._client.application_id, job.interaction_token, client=self._client)

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

    async def _as_bot_about(self, job: Job, call: Callable[[], Awaitable[_T]], *, timeout_s: float | None = None) -> _T:
        """A call about a job's message, with the bot's own token.

        Raises:
            NotPermitted: also where the bot is told that there is no message, and its member may see one.
        """
        try:
            return await self._as_bot(call, timeout_s=timeout_s)
        except MessageGone as error:
            if not job.is_brought_along:
                raise
            # What only its member sees is there, but for the bot it is not.
            raise NotPermitted(str(error), status=error.status, code=error.code) from error

    async def _as_bot(self, call: Callable[[], Awaitable[_T]], *, timeout_s: float | None = None) -> _T:
        """A call with the bot's own token, which has no other to change to."""
        try:
            return await self._repeat(call, timeout_s=timeout_s)
        except TokenOver as error:
            # It was reset: what waits is done after a start with the new one.
            raise NotNow(str(error), status=error.status, code=error.code) from error

    async def _by_token(
        self,
        job: Job,
        call: Callable[[], Awaitable[_T]],
        *,
        tries: int = 3,
        timeout_s: float | None = None,
        waits_again: bool = True,
    ) -> _T:
        """A call with the interaction's token, which is not tried again for this job once Discord takes it no more."""
        try:
            return await self._repeat(call, tries=tries, timeout_s=timeout_s, waits_again=waits_again)
        except TokenOver:
            if job.interaction_token is not None and job.token_expires_at is not None:
                self._tokens_over[job.interaction_token] = job.token_expires_at
            raise

    def _is_token_alive(self, job: Job) -> bool:
        now = datetime.now(UTC)
        self._tokens_over = {token: ends_at for token, ends_at in self._tokens_over.items() if ends_at > now}
        if job.interaction_token is None or job.token_expires_at is None or job.interaction_token in self._tokens_over:
            return False
        return now < job.token_expires_at - TOKEN_MARGIN
