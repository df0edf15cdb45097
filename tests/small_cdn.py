"""A server of files with a client of discord.py that downloads from it."""

from collections.abc import AsyncGenerator
from typing import Any, cast

import discord
import pytest
from aiohttp import web
from discord import http

from tests.kill_points.tiny_discord import BOT_USER


class SmallCdn:
    """Serves files by their paths, and notes what it was asked for. A path that is a number has that status."""

    def __init__(self, client: discord.Client) -> None:
        self.client = client
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.address = ""

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/users/@me":
            return web.json_response(BOT_USER)
        self.asked.append(request.path)
        if request.path == "/moved":
            raise web.HTTPFound("/file")
        if request.path in self.files:
            return web.Response(body=self.files[request.path])
        return web.Response(status=int(request.path.removeprefix("/")))

    def attachment(self, path: str, data: bytes | None = None, *, size: int | None = None) -> discord.Attachment:
        """An attachment of this path; Discord says that it has this size."""
        if data is not None:
            self.files[path] = data
        size = len(self.files.get(path, b"")) if size is None else size
        told = {"id": "1", "filename": "a.png", "size": size, "url": f"{self.address}{path}", "proxy_url": ""}
        return discord.Attachment(data=cast("Any", told), state=self.client._connection)


@pytest.fixture
async def cdn(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[SmallCdn]:
    client = discord.Client(intents=discord.Intents.none())
    server = SmallCdn(client)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", server.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    monkeypatch.setattr(http.Route, "BASE", server.address)
    await client.http.static_login("a-token")
    yield server
    await client.close()
    await runner.cleanup()
