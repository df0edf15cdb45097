"""Answers to an interaction: a command, a press of a button, or a form."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import discord
import structlog
from discord import InteractionResponseType, ui
from discord.app_commands import Choice

from bot.calls.downloading import download
from bot.calls.errors import (
    AddressBlocked,
    AlreadyAcknowledged,
    AnsweredElsewhere,
    CallFailed,
    DiscordUnreachable,
    MessageGone,
)
from bot.calls.owner import Owner
from bot.calls.posting import Posting
from bot.calls.repeating import Files, Repeater, as_files
from bot.calls.watching import Watch
from bot.instruments import ACKNOWLEDGE

Interaction = discord.Interaction[Any]

_ACKNOWLEDGED: Final = "easel acknowledged"
"""Marks an interaction that Discord acknowledged while the library got no receipt."""
_THINKING: Final = "easel thinking"
"""Marks a command whose acknowledgement everybody sees, until an answer takes its place."""
_PATIENCE_S: Final = 2.0
"""Longest wait for the end of a block before a first answer; Discord accepts a first answer for three seconds."""

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Answers:
    """First answers to interactions, and later ones.

    Args:
        client: the client, logged in.
        watch: the client's watch.
        call_timeout_s: seconds for one try.
        answer_timeout_s: seconds for one try of a first answer. Discord accepts a first answer for three seconds.
        pause_s: seconds before the second try.
    """

    def __init__(
        self, client: discord.Client, watch: Watch, *, call_timeout_s: float, answer_timeout_s: float, pause_s: float
    ) -> None:
        self.watch = watch
        self._client = client
        self._repeat = Repeater(watch, timeout_s=call_timeout_s, pause_s=pause_s)
        self.owner = Owner(client, self._repeat)
        self.posting = Posting(client, self._repeat)
        self._answer_timeout_s = answer_timeout_s

    @property
    def own_id(self) -> int:
        """The bot's own id; 0 before the login."""
        return 0 if self._client.user is None else self._client.user.id

    async def answer(self, interaction: Interaction, **message: Any) -> int | None:
        """Give an interaction its first answer; returns the message's id, or None if Discord does not send it.

        The answer to a deferred command takes the place of its acknowledgement.

        Raises:
            InteractionLost: Discord no longer knows the interaction, or another process answered it.
            CallFailed: Discord refused, or it is unknown whether the answer arrived.
        """
        if interaction.extras.get(_THINKING, False):
            answer = await self._repeat(lambda: interaction.edit_original_response(**message))
            del interaction.extras[_THINKING]
            return answer.id
        try:
            response = await self._first(interaction, lambda: interaction.response.send_message(**message))
        except AlreadyAcknowledged:
            try:
                return (await self._repeat(interaction.original_response)).id
            except CallFailed as error:
                raise DiscordUnreachable(f"It is answered, and not known in which message: {error}") from error
        return response.message_id

    async def defer(
        self, interaction: Interaction, *, is_private: bool = False, is_answered_later: bool = False
    ) -> None:
        """Acknowledge a press, a form or a command; the answer comes later.

        Args:
            interaction: a press or a form, which needs no further answer, or a command.
            is_private: whether only the member will see the answer to a command.
            is_answered_later: whether everybody sees that a message will come, as for a command.

        Raises:
            InteractionLost: Discord no longer knows the interaction, or another process answered it.
            CallFailed: it is unknown whether the acknowledgement arrived.
        """
        with contextlib.suppress(AlreadyAcknowledged):
            await self._first(
                interaction, lambda: interaction.response.defer(ephemeral=is_private, thinking=is_answered_later)
            )
        is_command = interaction.type is discord.InteractionType.application_command
        if not is_private and (is_command or is_answered_later):
            interaction.extras[_THINKING] = True

    async def redraw(self, interaction: Interaction, view: ui.LayoutView, files: Files) -> None:
        """Answer a press: replace the message of the button, with all its files.

        Raises:
            InteractionLost: Discord no longer knows the interaction, or another process answered it.
            CallFailed: Discord refused, or it is unknown whether the answer arrived.
        """
        with contextlib.suppress(AlreadyAcknowledged):
            await self._first(
                interaction, lambda: interaction.response.edit_message(view=view, attachments=as_files(files))
            )

    async def answer_privately(self, interaction: Interaction, **message: Any) -> None:
        """Answer an interaction so that only its member sees the answer. The interaction may be acknowledged or not.

        Raises:
            CallFailed: the answer did not arrive, or this is unknown.
        """
        if not interaction.response.is_done() and _ACKNOWLEDGED not in interaction.extras:
            await self.answer(interaction, ephemeral=True, **message)
            return
        is_thinking = interaction.extras.pop(_THINKING, False)
        if is_thinking:
            # The first followup would take the place of the acknowledgement, and everybody would see it.
            await self._repeat(lambda: interaction.edit_original_response(content="…"))
        # A followup has no nonce, so it is tried once.
        await self._repeat(lambda: interaction.followup.send(ephemeral=True, **message), tries=1)
        if is_thinking:
            await self.delete_answer(interaction)

    async def post_beside(self, interaction: Interaction, view: ui.LayoutView, files: Files = ()) -> int:
        """Post a public message beside the answer of an acknowledged interaction; returns the message's id.

        Raises:
            CallFailed: the message did not arrive, or this is unknown.
        """
        # A followup has no nonce, so it is tried once.
        message = await self._repeat(
            lambda: interaction.followup.send(view=view, wait=True, files=as_files(files)),
            tries=1,
            timeout_s=self._repeat.time_for(files),
        )
        return message.id

    async def edit_answer(self, interaction: Interaction, view: ui.LayoutView, files: Files = ()) -> None:
        """Replace the answer to an interaction, or the message whose button was pressed, with all its files.

        Raises:
            CallFailed: the edit did not arrive, or this is unknown.
        """
        await self._repeat(
            lambda: interaction.edit_original_response(view=view, attachments=as_files(files)),
            timeout_s=self._repeat.time_for(files),
        )

    async def open_form(self, interaction: Interaction, form: ui.Modal) -> None:
        """Answer a press with a form.

        Raises:
            InteractionLost: Discord no longer knows the interaction.
            CallFailed: it is unknown whether the form was opened.
        """
        form.stop()  # discord.py would keep it for ever; Easel finds a submitted form by its custom id
        with contextlib.suppress(AlreadyAcknowledged):
            await self._first(interaction, lambda: interaction.response.send_modal(form))

    async def suggest(self, interaction: Interaction, choices: Sequence[Choice[Any]]) -> None:
        """Show suggestions of autocomplete. A failure is only logged, since the next letter asks for new ones."""
        try:
            await self._first(interaction, lambda: interaction.response.autocomplete(choices))
        except CallFailed as error:
            _log.info("suggestions not shown", action="not_suggested", error=repr(error))
            # The library would send them again and write a traceback for each typed letter.
            interaction.response._response_type = InteractionResponseType.autocomplete_result  # noqa: SLF001

    async def fetch(self, attachment: discord.Attachment, most_bytes: int) -> bytearray:
        """Download a file that somebody posted, but at most one byte more than `most_bytes`.

        Raises:
            CallFailed: the file is gone, or the download failed.
        """
        return await self._repeat(lambda: download(self._client, attachment, most_bytes))

    async def delete_answer(self, interaction: Interaction) -> None:
        """Delete the message whose button was pressed.

        Raises:
            CallFailed: the message is still there, or this is unknown.
        """
        with contextlib.suppress(MessageGone):
            await self._repeat(interaction.delete_original_response)

    async def send_direct_message(self, user: discord.abc.Messageable, sentence: str | None, files: Files = ()) -> None:
        """Send a direct message. Without a sentence it holds only the files.

        Raises:
            CallFailed: the person accepts no direct messages, or it is unknown whether the message arrived.
        """
        await self._repeat(
            lambda: user.send(sentence, files=as_files(files)), tries=1, timeout_s=self._repeat.time_for(files)
        )

    async def _first(self, interaction: Interaction, call: Callable[[], Awaitable[_T]]) -> _T:
        """Give a first answer. Several tries give only one answer.

        Raises:
            AlreadyAcknowledged: an earlier try had arrived.
            CallFailed: see each kind of answer.
        """
        try:
            try:
                answer = await self._repeat(call, tries=2, timeout_s=self._answer_timeout_s)
            except AddressBlocked as blocked:
                if blocked.wait_s > _PATIENCE_S:
                    raise
                await asyncio.sleep(blocked.wait_s)
                answer = await self._repeat(call, tries=1, timeout_s=self._answer_timeout_s)
        except AlreadyAcknowledged as error:
            if not self.watch.first_answers.may_have_arrived(interaction.id):
                self._note_other(interaction)
                raise AnsweredElsewhere(str(error), status=error.status, code=error.code) from error
            interaction.extras[_ACKNOWLEDGED] = True
            raise
        ACKNOWLEDGE.observe(max(0.0, (discord.utils.utcnow() - interaction.created_at).total_seconds()))
        return answer

    def _note_other(self, interaction: Interaction) -> None:
        """Note a second Easel with the same token: count it for `/admin status`, log it, and tell the bot's owner."""
        count = self.watch.other.note()
        _log.error(
            "another program answered this interaction: a second Easel runs with the same bot token; end one of them, "
            "or give it a bot of its own",
            action="answered_elsewhere",
            interaction_id=interaction.id,
            count=count,
        )
        self.owner.notify("owner-other-instance")
