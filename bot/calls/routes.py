"""The two ways to a job's message.

An interaction's token edits its message for fifteen minutes and needs no permission. After that the bot edits the
message with its own token.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import discord

from bot.calls.answers import Answers
from bot.calls.channels import is_age_restricted
from bot.calls.errors import MessageGone, NotNow, NotPermitted, TokenOver
from bot.calls.watching import Watch
from bot.store.rows.jobs import Job

TOKEN_MARGIN: Final = timedelta(seconds=60)
"""Time before its end from which a token is no longer used."""

_T = TypeVar("_T")


class Routes(Answers):
    """Calls about a job's message: by the interaction's token, or with the bot's own.

    Args:
        client: the client, logged in.
        watch: the client's watch.
        call_timeout_s: seconds for one try.
        answer_timeout_s: seconds for one try of a first answer. Discord accepts a first answer for three seconds.
        pause_s: seconds before the second try.
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
        self._tokens_over: dict[str, datetime] = {}

    def _channel(self, job: Job) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(job.channel_id)

    def is_among_adults(self, job: Job) -> bool:
        """Whether a job's channel is for adults now. Of a channel that Easel does not see, what it was counts."""
        channel = self._client.get_channel(job.channel_id)
        return job.origin.is_age_restricted if channel is None else is_age_restricted(channel)

    def _webhook(self, job: Job) -> discord.Webhook:
        token = job.origin.interaction_token
        if self._client.application_id is None or token is None:
            raise TokenOver("There is no token.")
        return discord.Webhook.partial(self._client.application_id, token, client=self._client)

    async def _as_bot_about(self, job: Job, call: Callable[[], Awaitable[_T]], *, timeout_s: float | None = None) -> _T:
        """Call with the bot's own token about a job's message.

        Raises:
            NotPermitted: also if Discord reports no message to the bot while the requester may see one.
        """
        try:
            return await self._as_bot(call, timeout_s=timeout_s)
        except MessageGone as error:
            if not job.origin.is_brought_along:
                raise
            # A message that only its member sees is invisible to the bot.
            raise NotPermitted(str(error), status=error.status, code=error.code) from error

    async def _as_bot(self, call: Callable[[], Awaitable[_T]], *, timeout_s: float | None = None) -> _T:
        """Call with the bot's own token. There is no other token to fall back on."""
        try:
            return await self._repeat(call, timeout_s=timeout_s)
        except TokenOver as error:
            # The owner reset the token. Waiting work continues after a restart with the new token.
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
        """Call with the interaction's token. Once Discord rejects the token, it is not used again."""
        try:
            return await self._repeat(call, tries=tries, timeout_s=timeout_s, waits_again=waits_again)
        except TokenOver:
            token, expires_at = job.origin.interaction_token, job.origin.token_expires_at
            if token is not None and expires_at is not None:
                self._tokens_over[token] = expires_at
            raise

    def _is_token_alive(self, job: Job) -> bool:
        now = datetime.now(UTC)
        self._tokens_over = {token: ends_at for token, ends_at in self._tokens_over.items() if ends_at > now}
        token, expires_at = job.origin.interaction_token, job.origin.token_expires_at
        if token is None or expires_at is None or token in self._tokens_over:
            return False
        return now < expires_at - TOKEN_MARGIN
