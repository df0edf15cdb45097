"""SimCord's environment without its in-process bot.

SimCord's environment acts as a member: it types commands and presses buttons. It also
patches the event loop, freezes the clock and allows one action at a time. A bot in
another process cannot work with that, so this subclass keeps only the actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import discord
from simcord import Env, InteractionResult, MemberActor, ResponseMessage
from simcord._dpy_internals import get_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from simcord.backend.models import Interaction

    from playground.bridge.backend import LocalBackend
    from playground.changes import Changes

    AnyMessage = Mapping[str, Any] | discord.Message | ResponseMessage


class LocalEnv(Env):
    """Lets people act in a world with the bot in another process."""

    def __init__(self, backend: LocalBackend, changes: Changes) -> None:
        # This client never connects. SimCord builds message objects with it.
        super().__init__(discord.Client(intents=discord.Intents.none()))
        self.backend: LocalBackend = backend
        self._changes = changes
        self._generation = 1
        self._started = True
        self._just_sent: Interaction | None = None
        self._message_states.add(get_state(self.bot))

    def _begin_operation(self, label: str) -> None:
        """Allow overlapping actions, since people do not wait for each other."""

    def _end_operation(self) -> None:
        """Counterpart of `_begin_operation`."""

    def _mark_mutation(self) -> None:
        if self._preview is not None:
            self._preview._mark_action_dispatched()  # noqa: SLF001 - SimCord's own call, less its guard

    def _notify_dispatch_observers(self, interaction: Interaction) -> None:
        self._just_sent = interaction
        super()._notify_dispatch_observers(interaction)

    async def _settle_internal(
        self,
        *,
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - SimCord's signature
        idle: float = 0.05,  # noqa: ARG002 - SimCord's signature
        dispatch: str | None = None,
        _deadline: float | None = None,
    ) -> None:
        """Wait until the bot has acknowledged the interaction, or until its deadline."""
        # SimCord awaits nothing between an interaction's dispatch and this call. So the latest
        # interaction belongs to the caller, even if many people act at once.
        record, self._just_sent = self._just_sent, None
        if dispatch != "INTERACTION_CREATE" or record is None:
            return
        await self._changes.until(lambda: record.responded, self.backend.interaction_deadline_s)


class Person(MemberActor):
    """A member who also acts on messages given as payloads, as tests have them."""

    def speak(self, locale: str) -> None:
        """Set this person's Discord language, such as `de`."""
        cast("LocalEnv", self._env).backend.locales[self.id] = locale

    def bring_along(self, *, is_seen: bool) -> None:
        """Install the app for this person, as in a server without the app.

        `is_seen` False stands for a channel without the permission to use external apps: only this person sees the
        app's answers.
        """
        cast("LocalEnv", self._env).backend.brought_along[self.id] = is_seen

    async def click(
        self, message: AnyMessage, *, label: str | None = None, custom_id: str | None = None
    ) -> InteractionResult:
        """Press a button. Raises SetupError if a real client would not offer it."""
        return await super().click(self.message(message), label=label, custom_id=custom_id)

    async def select(
        self, message: AnyMessage, values: Sequence[Any], *, custom_id: str | None = None
    ) -> InteractionResult:
        """Choose values in a select menu."""
        return await super().select(self.message(message), values, custom_id=custom_id)

    async def context_menu(self, channel: Any, name: str, target: AnyMessage | MemberActor) -> InteractionResult:
        """Run a context-menu command on a member or a message."""
        if not isinstance(target, MemberActor):
            target = self.message(target)
        return await super().context_menu(channel, name, target)

    async def delete(self, message: AnyMessage) -> None:
        """Delete a message by hand, as its author or with Manage Messages."""
        await super().delete(self.message(message))

    def message(self, message: AnyMessage) -> discord.Message | ResponseMessage:
        """Return SimCord's message object for a payload."""
        if isinstance(message, Mapping):
            stored = self._env.backend.get_message(int(message["channel_id"]), int(message["id"]))
            return ResponseMessage(self._env, stored)
        return message
