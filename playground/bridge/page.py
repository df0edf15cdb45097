"""SimCord's Preview page, with automatic updates.

The Preview publishes the channel only when its own buttons ask for it, and refuses an
action on an older publication. But this bot edits its messages all the time. So here
every change is published at once, and an action counts as long as its control is still
the same.
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
"""Seconds of waiting for further changes: an acknowledgement, a message and an edit share one publication."""

NO_REVISION = 0
"""A revision that no page has. With it SimCord refuses the action as outdated."""

REVISIONS_KEPT = 40
"""Number of revisions whose controls are kept. The page polls twice a second, so actions are only a little older."""

FOLLOWED = ("run_command", "send_message")
"""Actions that add a message at the end of the channel."""

_acting_in: ContextVar[ChannelHandle | None] = ContextVar("acting_in", default=None)
"""The channel of the current action. SimCord has one channel for all pages."""


class LivePage(Preview):
    """Serves one channel and each viewer's direct messages, and publishes every change."""

    # Each reload opens a new page session; SimCord ends one only after ten idle minutes.
    _MAX_PAGES = 256
    # SimCord's limit of 128 MiB is too small for large pictures: it holds fifty messages of two.
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
        # The count of changes at each page's last publication.
        self._shown: dict[str, int] = {}
        self._controls_seen: dict[str, deque[tuple[int, dict[str, str]]]] = {}

    @property
    def channel(self) -> ChannelHandle:
        """The channel of the current action, or the channel that the page opens with."""
        return _acting_in.get() or self._home

    @channel.setter
    def channel(self, channel: ChannelHandle) -> None:
        self._home = channel

    def _place(self, viewer: MemberActor | UserHandle) -> ChannelHandle:
        """Return the server's channel for a member, and the direct messages for a user."""
        return viewer.dm_channel if isinstance(viewer, UserHandle) else self._home

    def _viewer(self, viewer_id: Any) -> Any:
        """Resolve an id to a member. With the suffix `DIRECT`, resolve it to that person in direct messages."""
        person = super()._viewer(str(viewer_id).removesuffix(DIRECT))
        return person.user if str(viewer_id).endswith(DIRECT) else person

    def _initial_target(self, viewer: Any, channel_id: int) -> int | None:  # noqa: ARG002 - SimCord's signature
        """Focus no message, since the page follows the newest ones."""
        return None

    async def __aenter__(self) -> Self:
        """Open the page, and publish the channel from now on."""
        await super().__aenter__()
        self._follower = asyncio.create_task(self._follow())
        return self

    async def close(self) -> None:
        """Stop publishing, and close the page."""
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
        """Publish this page again if anything has changed since its last publication."""
        if self._shown.get(page.id) == self._changes.count:
            return
        self._advance_presentation_time()
        try:
            self._publish(page)
        except Exception:  # noqa: BLE001 - logged with its traceback
            # A message that SimCord cannot draw must not stop all updates. The next change is
            # published again.
            _log.exception("The page could not show the latest change")
            self._shown[page.id] = self._changes.count

    def _page_payload(self, page: _Page) -> dict[str, Any]:
        """Answer with a fresh publication. SimCord removes media that are gone, such as previews, from older ones."""
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
        """The number of messages between the bot and this person."""
        backend = self.env.backend
        return len(backend.messages.get(backend.dm_channels.get(user_id, 0), {}))

    def _controls(self, page: _Page) -> dict[str, str]:
        """The custom id of each button and menu on the page, by its control key."""
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
        """Take an action in turn, even if the page has been published since."""
        async with self._turn:
            page = self._pages.get(context_id or "")
            if page is not None and isinstance(body, dict):
                body = self._as_meant(page, body)
                _acting_in.set(self._place(page.viewer))
                if body.get("kind") in FOLLOWED:
                    page.target_id = page.window_end_id = None
            return await super()._action(context_id, body)

    def _as_meant(self, page: _Page, body: dict[str, Any]) -> dict[str, Any]:
        """Translate an action to the current revision of the page.

        An edit between the last update and the click may have moved the button, and may have put
        another button in its place. Pressing the wrong button is worse than pressing none. The
        revision alone does not show this, since a change is published a moment later.
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
    """Return a name of this machine's time zone that both Python and the browser know.

    Every offset in whole hours has such a name, with the opposite sign. For other offsets
    the name is UTC.
    """
    offset = datetime.now().astimezone().utcoffset() or timedelta()
    hours, rest = divmod(offset, timedelta(hours=1))
    return "UTC" if rest or not hours else f"Etc/GMT{-hours:+d}"
