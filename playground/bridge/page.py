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
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from aiohttp import web
from simcord.components import walk_components
from simcord.preview import Preview
from simcord.preview._server import PreviewServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

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


class LivePage(Preview):
    """Serves one channel to several viewers and publishes every change by itself."""

    # Each reload takes a page and returns it only after ten idle minutes.
    _MAX_PAGES = 256

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
        self._changes = changes
        self._follower: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._controls_seen: dict[str, deque[tuple[int, dict[str, str]]]] = {}

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
            self._advance_presentation_time()
            for page in tuple(self._pages.values()):
                try:
                    self._publish(page)
                except Exception:  # noqa: BLE001 - logged with its traceback
                    # A message that SimCord cannot draw must not freeze the page for good:
                    # the next change is published again.
                    _log.exception("The page could not show the latest change")

    def _publish(self, page: _Page, *, reason: Any = "action") -> None:
        super()._publish(page, reason=reason)
        for closed in self._controls_seen.keys() - self._pages.keys() - {page.id}:
            del self._controls_seen[closed]
        seen = self._controls_seen.setdefault(page.id, deque(maxlen=REVISIONS_KEPT))
        seen.append((page.revision, self._controls(page)))

    def _controls(self, page: _Page) -> dict[str, str]:
        """Name what each button and menu on the page does: its control key and custom id."""
        stored = self.env.backend.messages.get(page.channel_id, {})
        shown = [stored.get(int(message_id)) for message_id in page.snapshot.get("messages", {})]
        return {
            f"message:{message.id}:component:{component['id']}": component["custom_id"]
            for message in shown
            if message is not None
            for component in walk_components(message.components)
            if component.get("custom_id") and component.get("id")
        }

    async def _action(self, context_id: str | None, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take an action in its turn, also when the page was published anew meanwhile."""
        async with self._turn:
            page = self._pages.get(context_id or "")
            if page is not None and isinstance(body, dict):
                body = self._as_meant(page, body)
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


class LivePageServer(PreviewServer):
    """Serves the page under Easel's name, without the buttons that only SimCord's authors need."""

    _STATIC_FILES: ClassVar[dict[str, str]] = {
        **PreviewServer._STATIC_FILES,  # noqa: SLF001 - the table of what it serves
        "/easel.css": "easel.css",
        "/easel.svg": "easel.svg",
    }

    async def _static(self, request: web.Request) -> web.Response:
        if request.path in OWN_FILES:
            content_type, text = OWN_FILES[request.path]
            return web.Response(text=text, content_type=content_type, headers=self._SECURITY_HEADERS)
        response: web.Response = await super()._static(request)
        if request.path == "/" and response.text is not None:
            text = response.text
            for old, new in BRANDING:
                text = text.replace(old, new)
            return web.Response(text=text, content_type="text/html", headers=self._SECURITY_HEADERS)
        return response


BRANDING = (
    ("<title>SimCord Preview</title>", "<title>Easel playground</title>"),
    ('aria-label="SimCord preview"', 'aria-label="Easel playground"'),
    (
        '<span class="brand-mark" aria-hidden="true">S</span>',
        '<img class="brand-mark" src="/easel.svg" alt="">',
    ),
    (
        "<strong>SimCord</strong><small>Preview</small>",
        "<strong>Easel</strong><small>playground, shown by SimCord</small>",
    ),
    ("</head>", '<link rel="icon" href="/easel.svg"><link rel="stylesheet" href="/easel.css"></head>'),
    ("End preview session", "End the playground"),
)

ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<rect width="32" height="32" rx="8" fill="#5865f2"/>
<path d="M16 5v3M9 27l5-15M23 27l-5-15M16 22v5" stroke="#fff" stroke-width="2" fill="none"/>
<rect x="8" y="8" width="16" height="13" rx="1.5" fill="#fff"/>
<circle cx="13" cy="13" r="2" fill="#f2b705"/>
<path d="M9 20l5-5 3 3 3-4 3 6z" fill="#3ba55d"/>
</svg>
"""

OWN_FILES = {
    # The page publishes by itself, and capturing is for SimCord's documentation.
    "/easel.css": (
        "text/css",
        """\
#refresh, #capture-open, #layout-label { display: none; }
.preview-brand small { white-space: nowrap; }
""",
    ),
    "/easel.svg": (
        "image/svg+xml",
        ICON,
    ),
}


def local_zone() -> str:
    """Name this machine's time zone in a way that both Python and the browser know.

    An offset in whole hours has such a name everywhere (with its sign turned round);
    for the few others UTC must do.
    """
    offset = datetime.now().astimezone().utcoffset() or timedelta()
    hours, rest = divmod(offset, timedelta(hours=1))
    return "UTC" if rest or not hours else f"Etc/GMT{-hours:+d}"
