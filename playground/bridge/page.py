"""SimCord's Preview page, made into a place where one can play.

The Preview publishes the channel's state when its own buttons ask for it, and refuses an
action that was made on an older publication. With a bot that edits its messages all
the time both would be in the way: here every change is published by itself, and an
action is taken as long as the control that was used is still the same.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simcord.builders import ChannelHandle, UserHandle
from simcord.preview import Preview
from simcord.preview._action_plans import _component_key, _component_paths

from playground.bridge.media import QuickLook
from playground.bridge.page_files import DIRECT, LivePageServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from simcord import MemberActor
    from simcord.preview._pages import _Page

    from playground.bridge.env import LocalEnv, Person
    from playground.changes import Changes

_log = logging.getLogger(__name__)

PUBLISH_DELAY_S = 0.1
"""Changes come in bursts (an acknowledgement, a message, an edit); one publication shows all."""

NO_REVISION = 0
"""No page ever has it, so SimCord refuses the action as made on an old publication."""

REVISIONS_KEPT = 40
"""The page asks for news twice a second, so an action is never older than a few revisions."""

FOLLOWED = ("run_command", "send_message")
"""What makes a new message at the end of the channel, which its author wants to see."""

_acting_in: ContextVar[ChannelHandle | None] = ContextVar("acting_in", default=None)
"""Where the action under way takes place; SimCord knows one channel for all pages."""


class LivePage(Preview):
    """Serves one channel and each viewer's direct messages, and publishes every change by itself."""

    # Each reload takes a page and returns it only after ten idle minutes.
    _MAX_PAGES = 256
    # A channel of large pictures: SimCord's 128 MiB are fifty messages of two.
    _MAX_MEDIA_BYTES = 1 << 30

    def __init__(
        self, env: LocalEnv, channel: Any, viewers: tuple[Person, ...], *, changes: Changes, port: int
    ) -> None:
        super().__init__(
            env,
            channel,
            viewers,
            layout="channel",
            display="responsive",
            width=1280,
            height=900,
            locale="en-US",
            timezone=local_zone(),
            presentation_time=None,
            assets=None,
            port=port,
        )
        self._server = LivePageServer(self, port)
        self._media_worker = QuickLook()
        self._changes = changes
        self._follower: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        # At which count of changes each page was last published.
        self._shown: dict[str, int] = {}
        self._controls_seen: dict[str, deque[tuple[int, dict[str, str]]]] = {}

    @property
    def channel(self) -> ChannelHandle:
        """Where the action under way takes place, or the channel that the page opens with."""
        return _acting_in.get() or self._home

    @channel.setter
    def channel(self, channel: ChannelHandle) -> None:
        self._home = channel

    def _place(self, viewer: MemberActor | UserHandle) -> ChannelHandle:
        """Return the channel for a member of the server, the direct messages for a person alone."""
        return viewer.dm_channel if isinstance(viewer, UserHandle) else self._home

    def _viewer(self, viewer_id: Any) -> Any:
        """Resolve a person, or with `DIRECT` behind the id that person in direct messages."""
        person = super()._viewer(str(viewer_id).removesuffix(DIRECT))
        return person.user if str(viewer_id).endswith(DIRECT) else person

    def _initial_target(self, viewer: Any, channel_id: int) -> int | None:  # noqa: ARG002 - SimCord's signature
        """Focus no message: the page shows the newest, and follows them."""
        return None

    async def __aenter__(self) -> Self:
        """Open the page and begin to follow the channel."""
        await super().__aenter__()
        self._follower = asyncio.create_task(self._follow())
        return self

    async def close(self) -> None:
        """Close the page and stop following."""
        if self._follower is not None:
            self._follower.cancel()
            with suppress(asyncio.CancelledError):
                await self._follower
            self._follower = None
        await super().close()

    async def _follow(self) -> None:
        while True:
            await self._changes.following()
            await asyncio.sleep(PUBLISH_DELAY_S)
            for page in tuple(self._pages.values()):
                self._catch_up(page)

    def _catch_up(self, page: _Page) -> None:
        """Publish what has changed since this page was last published, if anything has."""
        if self._shown.get(page.id) == self._changes.count:
            return
        self._advance_presentation_time()
        try:
            self._publish(page)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # A message that SimCord cannot draw must not freeze the page for good:
            # the next change is published again.
            _log.exception("The page could not show the latest change")
            self._shown[page.id] = self._changes.count

    def _page_payload(self, page: _Page) -> dict[str, Any]:
        """Answer with the latest; SimCord takes out of an older publication what is gone, such as each last preview."""
        self._catch_up(page)
        return super()._page_payload(page)

    def _publish(self, page: _Page, *, reason: Any = "action") -> None:
        page.channel_id = self._place(page.viewer).id
        super()._publish(page, reason=reason)
        page.snapshot["directMessages"] = self._count_direct(page.viewer.id)
        for closed in self._controls_seen.keys() - self._pages.keys() - {page.id}:
            del self._controls_seen[closed]
            self._shown.pop(closed, None)
        self._shown[page.id] = self._changes.count
        seen = self._controls_seen.setdefault(page.id, deque(maxlen=REVISIONS_KEPT))
        seen.append((page.revision, self._controls(page)))

    def _count_direct(self, user_id: int) -> int:
        """How many messages the bot and this person have sent each other."""
        backend = self.env.backend
        return len(backend.messages.get(backend.dm_channels.get(user_id, 0), {}))

    def _controls(self, page: _Page) -> dict[str, str]:
        """Name what each button and menu on the page does: its control key and custom id."""
        stored = self.env.backend.messages.get(page.channel_id, {})
        shown = [stored.get(int(message_id)) for message_id in page.snapshot.get("messages", {})]
        return {
            key: component["custom_id"]
            for message in shown
            if message is not None
            for number, root in enumerate(message.components)
            for path, component in _component_paths(root, str(number))
            if component.get("custom_id") and (key := _component_key(component, path, message.id)) is not None
        }

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take an action in its turn, also when the page was published anew meanwhile."""
        async with self._turn:
            page = self._pages.get(context_id or "")
            if page is not None and isinstance(body, dict):
                body = self._as_meant(page, body)
                _acting_in.set(self._place(page.viewer))
                if body.get("kind") in FOLLOWED:
                    page.target_id = page.window_end_id = None
            return await super()._action(context_id, body)

    def _as_meant(self, page: _Page, body: dict[str, Any]) -> dict[str, Any]:
        """Say again what was done, in the numbers of this moment.

        A message that was edited between the last look and the click may have moved the button
        that was pressed, and may carry another one in its place. Pressing that one instead would
        be worse than pressing none, and the latest number alone does not tell: a change is
        published a moment after it was made.
        """
        if body.get("kind") not in ("click", "select"):
            return {**body, "published_revision": page.revision}
        shown = dict(self._controls_seen.get(page.id, ())).get(body.get("published_revision", 0), {})
        key = body.get("control_key")
        message, meant = str(key).partition(":component:")[0], shown.get(str(key))
        for now, custom_id in self._controls(page).items():
            if custom_id == meant and now.startswith(f"{message}:component:"):
                return {**body, "control_key": now, "published_revision": page.revision}
        return {**body, "published_revision": NO_REVISION}


def local_zone() -> str:
    """Name this machine's time zone in a way that both Python and the browser know.

    An offset in whole hours has such a name everywhere (with its sign turned round);
    for the few others UTC must do.
    """
    offset = datetime.now().astimezone().utcoffset() or timedelta()
    hours, rest = divmod(offset, timedelta(hours=1))
    return "UTC" if rest or not hours else f"Etc/GMT{-hours:+d}"
