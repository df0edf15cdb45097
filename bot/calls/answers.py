"""What Easel says to an interaction: a command, a press, or a form."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import discord
import structlog
from discord import InteractionResponseType, ui
from discord.app_commands import Choice

from bot.calls.errors import (
    AddressBlocked,
    AlreadyAcknowledged,
    AnsweredElsewhere,
    CallFailed,
    DiscordUnreachable,
    MessageGone,
)
from bot.calls.owner import Owner
from bot.calls.repeating import Files, Repeater, as_files
from bot.calls.watching import Watch

Interaction = discord.Interaction[Any]

_ACKNOWLEDGED: Final = "easel acknowledged"
"""Marks an interaction whose acknowledgement arrived and whose receipt did not: the library does not know it."""
_PATIENCE_S: Final = 2.0
"""So long a first answer waits for the end of a block; Discord waits three seconds for it."""

_T = TypeVar("_T")
_log = structlog.get_logger(__name__)


class Answers:
    """First answers and those after them.

    Args:
        client: logged in.
        watch: of the client.
        call_timeout_s: of one try.
        answer_timeout_s: of one try of a first answer, which Discord takes for three seconds.
        pause_s: before the second try.
    """

    def __init__(
        self, client: discord.Client, watch: Watch, *, call_timeout_s: float, answer_timeout_s: float, pause_s: float
    ) -> None:
        self.watch = watch
        self._repeat = Repeater(watch, timeout_s=call_timeout_s, pause_s=pause_s)
        self.owner = Owner(client, self._repeat)
        self._answer_timeout_s = answer_timeout_s

    async def answer(self, interaction: Interaction, **message: Any) -> int | None:
        """Give an interaction its first answer; returns the message's id, None where Discord does not tell it.

        Raises:
            InteractionLost: Discord no longer knows the interaction, or another process answered it.
            CallFailed: it is a refusal, or it is not known whether the answer arrived.
        """
        try:
            response = await self._first(interaction, lambda: interaction.response.send_message(**message))
        except AlreadyAcknowledged:
            try:
                return (await self._repeat(interaction.original_response)).id
            except CallFailed as error:
                raise DiscordUnreachable(f"It is answered, and not known in which message: {error}") from error
        return response.message_id

    async def defer(self, interaction: Interaction, *, is_private: bool = False) -> None:
        """Tell Discord that a press or a command was seen; the answer comes later.

        Args:
            interaction: a press, which needs no answer of its own, or a command.
            is_private: whether a command's answer will be seen by nobody else.

        Raises:
            InteractionLost: Discord no longer knows the interaction, or another process answered it.
            CallFailed: it is not known whether it arrived.
        """
        with contextlib.suppress(AlreadyAcknowledged):
            await self._first(interaction, lambda: interaction.response.defer(ephemeral=is_private))

    async def redraw(self, interaction: Interaction, view: ui.LayoutView, files: Files) -> None:
        """Answer a press by replacing the message whose button was pressed, with all its files.

        Raises:
            InteractionLost: Discord no longer knows the interaction, or another process answered it.
            CallFailed: it is a refusal, or it is not known whether it arrived.
        """
        with contextlib.suppress(AlreadyAcknowledged):
            await self._first(
                interaction, lambda: interaction.response.edit_message(view=view, attachments=as_files(files))
            )

    async def answer_privately(self, interaction: Interaction, **message: Any) -> None:
        """Answer so that only the one who asked sees it, whether or not the interaction was acknowledged.

        Raises:
            CallFailed: it did not arrive, or nobody knows.
        """
        if interaction.response.is_done() or _ACKNOWLEDGED in interaction.extras:
            # A followup has no nonce, so it is tried once.
            await self._repeat(lambda: interaction.followup.send(ephemeral=True, **message), tries=1)
        else:
            await self.answer(interaction, ephemeral=True, **message)

    async def post_beside(self, interaction: Interaction, view: ui.LayoutView) -> int:
        """Post a message that everybody sees beside the answer of an acknowledged interaction; returns its id.

        Raises:
            CallFailed: it did not arrive, or nobody knows.
        """
        # A followup has no nonce, so it is tried once.
        message = await self._repeat(lambda: interaction.followup.send(view=view, wait=True), tries=1)
        return message.id

    async def edit_answer(self, interaction: Interaction, view: ui.LayoutView) -> None:
        """Replace what an interaction answered, or the message whose button was pressed.

        Raises:
            CallFailed: it did not arrive, or nobody knows.
        """
        await self._repeat(lambda: interaction.edit_original_response(view=view))

    async def open_form(self, interaction: Interaction, form: ui.Modal) -> None:
        """Answer a press with a form.

        Raises:
            InteractionLost: Discord no longer knows the interaction.
            CallFailed: it is not known whether it was opened.
        """
        form.stop()  # discord.py would remember it for ever; what is sent back is found by its id
        with contextlib.suppress(AlreadyAcknowledged):
            await self._first(interaction, lambda: interaction.response.send_modal(form))

    async def suggest(self, interaction: Interaction, choices: Sequence[Choice[str]]) -> None:
        """Show suggestions to who types. Those that come too late or are refused are missed by nobody for long."""
        try:
            await self._first(interaction, lambda: interaction.response.autocomplete(choices))
        except CallFailed as error:
            _log.info("suggestions not shown", action="not_suggested", error=repr(error))
            # The library would send them once more, and write a traceback for each letter that was typed.
            interaction.response._response_type = InteractionResponseType.autocomplete_result  # noqa: SLF001

    async def fetch(self, attachment: discord.Attachment) -> bytes:
        """Download a file that somebody posted.

        Raises:
            CallFailed: it is gone, or did not come.
        """
        return await self._repeat(attachment.read)

    async def delete_answer(self, interaction: Interaction) -> None:
        """Delete the message whose button was pressed.

        Raises:
            CallFailed: it is still there, or nobody knows.
        """
        with contextlib.suppress(MessageGone):
            await self._repeat(interaction.delete_original_response)

    async def tell(self, user: discord.abc.Messageable, sentence: str | None, files: Files = ()) -> None:
        """Send a direct message, of files alone where there is no sentence.

        Raises:
            CallFailed: the person takes none, or nobody knows whether it arrived.
        """
        await self._repeat(
            lambda: user.send(sentence, files=as_files(files)), tries=1, timeout_s=self._repeat.time_for(files)
        )

    async def _first(self, interaction: Interaction, call: Callable[[], Awaitable[_T]]) -> _T:
        """Give a first answer, once however often it is tried.

        Raises:
            AlreadyAcknowledged: an earlier try had arrived.
            CallFailed: as for each kind of answer.
        """
        try:
            try:
                return await self._repeat(call, tries=2, timeout_s=self._answer_timeout_s)
            except AddressBlocked as blocked:
                if blocked.wait_s > _PATIENCE_S:
                    raise
                await asyncio.sleep(blocked.wait_s)
                return await self._repeat(call, tries=1, timeout_s=self._answer_timeout_s)
        except AlreadyAcknowledged as error:
            if not self.watch.first_answers.may_have_arrived(interaction.id):
                self._note_other(interaction)
                raise AnsweredElsewhere(str(error), status=error.status, code=error.code) from error
            interaction.extras[_ACKNOWLEDGED] = True
            raise

    def _note_other(self, interaction: Interaction) -> None:
        """A second Easel has the same token: remember it for `/admin status`, and tell who can end it."""
        count = self.watch.other.note()
        _log.error(
            "another program answered this interaction: a second Easel runs with the same bot token; end one of them, "
            "or give it a bot of its own",
            action="answered_elsewhere",
            interaction_id=interaction.id,
            count=count,
        )
        self.owner.tell("owner-other-instance")
