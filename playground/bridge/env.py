"""SimCord's driving seat without its in-process bot.

SimCord's environment lets one act as a member: type a command, press a button. It also
patches the event loop, freezes the clock and allows one action at a time, all of
which a bot in another process neither needs nor stands. This subclass keeps the
driving and drops the rest.
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
    """Lets people act on a world whose bot lives behind the wire."""

    def __init__(self, backend: LocalBackend, changes: Changes) -> None:
        # This client never connects: SimCord needs one to build message objects with.
        super().__init__(discord.Client(intents=discord.Intents.none()))
        self.backend: LocalBackend = backend
        self._changes = changes
        self._generation = 1
        self._started = True
        self._just_sent: Interaction | None = None
        self._message_states.add(get_state(self.bot))

    def _begin_operation(self, label: str) -> None:
        """Allow overlapping actions: real people do not wait for each other."""

    def _end_operation(self) -> None:
        """Match `_begin_operation`."""

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
        """Return when the bot has acknowledged, or when Discord would give up on it."""
        # SimCord awaits nothing between announcing an interaction and this call, so the one
        # just sent is the caller's own, however many people act at the same time.
        record, self._just_sent = self._just_sent, None
        if dispatch != "INTERACTION_CREATE" or record is None:
            return
        await self._changes.until(lambda: record.responded, self.backend.interaction_deadline_s)


class Person(MemberActor):
    """A member who can also act on a message given as the payload that tests hold."""

    def speak(self, locale: str) -> None:
        """Use Discord in another language, such as `de`."""
        cast("LocalEnv", self._env).backend.locales[self.id] = locale

    def bring_along(self, *, is_seen: bool) -> None:
        """Use the app by an installation of one's own, as in a server that has not installed it.

        `is_seen` False is a channel without the right to use external apps: what the app answers, only this person
        sees.
        """
        cast("LocalEnv", self._env).backend.brought_along[self.id] = is_seen

    async def click(
        self, message: AnyMessage, *, label: str | None = None, custom_id: str | None = None
    ) -> InteractionResult:
        """Press a button; raises SetupError where a real client would not offer it."""
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
        """Return SimCord's handle for a message payload."""
        if isinstance(message, Mapping):
            stored = self._env.backend.get_message(int(message["channel_id"]), int(message["id"]))
            return ResponseMessage(self._env, stored)
        return message
