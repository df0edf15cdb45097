"""What Easel says to an interaction: a command, a press, or a form."""

import contextlib
from typing import Any, Final

import discord
from discord import ui

from bot.calls.errors import AlreadyAcknowledged, MessageGone
from bot.calls.invalid_requests import InvalidRequests
from bot.calls.repeating import Files, Repeater, as_files

Interaction = discord.Interaction[Any]

_ACKNOWLEDGED: Final = "easel acknowledged"
"""Marks an interaction whose acknowledgement arrived and whose receipt did not: the library does not know it."""


class Answers:
    """First answers and those after them.

    Args:
        invalid: counts the client's invalid requests.
        call_timeout_s: of one try.
        answer_timeout_s: of one try of a first answer, which Discord takes for three seconds.
        pause_s: before the second try.
    """

    def __init__(
        self, invalid: InvalidRequests, *, call_timeout_s: float, answer_timeout_s: float, pause_s: float
    ) -> None:
        self._repeat = Repeater(invalid, timeout_s=call_timeout_s, pause_s=pause_s)
        self._answer_timeout_s = answer_timeout_s

    async def answer(self, interaction: Interaction, **message: Any) -> int | None:
        """Give an interaction its first answer; returns the message's id, None where Discord does not tell it.

        Raises:
            InteractionLost: Discord no longer knows the interaction, and nobody saw anything.
            CallFailed: it is not known whether the answer arrived.
        """
        try:
            response = await self._repeat(
                lambda: interaction.response.send_message(**message), tries=2, timeout_s=self._answer_timeout_s
            )
        except AlreadyAcknowledged:
            interaction.extras[_ACKNOWLEDGED] = True
            return (await self._repeat(interaction.original_response)).id
        return response.message_id

    async def defer(self, interaction: Interaction, *, is_private: bool = False) -> None:
        """Tell Discord that a press or a command was seen; the answer comes later.

        Args:
            interaction: a press, which needs no answer of its own, or a command.
            is_private: whether a command's answer will be seen by nobody else.

        Raises:
            InteractionLost: Discord no longer knows the interaction.
            CallFailed: it is not known whether it arrived.
        """
        try:
            await self._repeat(
                lambda: interaction.response.defer(ephemeral=is_private), tries=2, timeout_s=self._answer_timeout_s
            )
        except AlreadyAcknowledged:
            interaction.extras[_ACKNOWLEDGED] = True

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
        try:
            await self._repeat(lambda: interaction.response.send_modal(form), tries=2, timeout_s=self._answer_timeout_s)
        except AlreadyAcknowledged:
            interaction.extras[_ACKNOWLEDGED] = True

    async def fetch(self, attachment: discord.Attachment) -> bytes:
        """Download a file that somebody posted.

        Raises:
            CallFailed: it is gone, or did not come.
        """
        return await self._repeat(attachment.read)

    @staticmethod
    def attached(files: Files) -> list[discord.File]:
        """Files for one message."""
        return as_files(files)

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
