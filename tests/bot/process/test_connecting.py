"""Logging in while Discord, or the way to it, is away: over real HTTP, with answers that were really seen."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Iterator
from itertools import chain, repeat
from typing import Any

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.client_reqrep import ConnectionKey
from discord import http
from structlog.testing import capture_logs

from bot.process import connecting
from bot.process.connecting import cause_of, log_in
from config.loading import ConfigError
from tests.kill_points.tiny_discord import APPLICATION, BOT_USER

pytestmark = pytest.mark.timeout(60)  # what is tried for ever ends here

KEY = ConnectionKey("discord.com", 443, is_ssl=True, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)


def page(status: int, text: str = "<html>", **headers: str) -> Callable[[], web.Response]:
    """What a computer on the way answers: no JSON."""
    return lambda: web.Response(status=status, text=text, content_type="text/html", headers=headers)


def said(body: dict[str, Any], status: int = 200) -> web.Response:
    """What Discord answers; discord.py knows its JSON by exactly this type."""
    return web.Response(status=status, body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def refused() -> web.Response:
    return said({"code": 0, "message": "401: Unauthorized"}, status=401)


class Door:
    """The server's side: an answer for each try, then Discord."""

    def __init__(self) -> None:
        self.answers: Iterator[Callable[[], web.Response]] = iter(())
        self.port = 0

    async def user(self, _: web.Request) -> web.Response:
        return next(self.answers, lambda: said(BOT_USER))()

    async def application(self, _: web.Request) -> web.Response:
        return said(APPLICATION)


@pytest.fixture
async def door(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Door]:
    monkeypatch.setattr(connecting, "FIRST_PAUSE_S", 0.0)
    door = Door()
    app = web.Application()
    app.router.add_get("/users/@me", door.user)
    app.router.add_get("/oauth2/applications/@me", door.application)
    app.router.add_get("/applications/@me", door.application)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    door.port = runner.addresses[0][1]
    monkeypatch.setattr(http.Route, "BASE", f"http://127.0.0.1:{door.port}")
    yield door
    await runner.cleanup()


async def test_it_is_tried_until_discord_is_there_each_time_in_one_line(door: Door) -> None:
    door.answers = iter([page(503), page(403), page(200), page(429, **{"Retry-After": "0.01"})])
    with capture_logs() as logs:
        async with discord.Client(intents=discord.Intents(guilds=True)) as client:
            await log_in(client, "a-token")
            assert client.user is not None
    assert [entry["event"] for entry in logs if entry.get("action") == "away"] == [
        "Discord answers 503. Tried again in 0 s.",
        "Discord answers 403. Tried again in 0 s.",
        "Something else answers in Discord's place (TypeError): is there a login page? Tried again in 0 s.",
        "Discord asks us to wait (429). Tried again in 0 s.",
    ]


async def test_a_door_that_is_shut_opens_later(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shut = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(http.Route, "BASE", shut)
    opened = asyncio.Event()

    async def sleep(_: float) -> None:
        opened.set()
        monkeypatch.setattr(http.Route, "BASE", f"http://127.0.0.1:{door.port}")

    monkeypatch.setattr(connecting.asyncio, "sleep", sleep)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        await log_in(client, "a-token")
    assert opened.is_set()


async def test_a_wrong_token_ends_it(door: Door) -> None:
    door.answers = chain([page(503)], repeat(refused))
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        with pytest.raises(ConfigError, match="does not know this bot token"):
            await log_in(client, "a-token")


async def test_pauses_grow_to_a_minute_and_discord_may_ask_for_longer_ones_up_to_an_hour(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "FIRST_PAUSE_S", 5.0)
    asked = [page(429, **{"Retry-After": wanted}) for wanted in ("300", "90.5", "86400")]
    door.answers = iter([page(503)] * 6 + asked)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        if seconds:  # asyncio itself yields with 0
            slept.append(seconds)

    monkeypatch.setattr(connecting.asyncio, "sleep", sleep)
    async with discord.Client(intents=discord.Intents(guilds=True)) as client:
        await log_in(client, "a-token")
    assert slept == [5, 10, 20, 40, 60, 60, 300, 90.5, 3_600]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (aiohttp.ClientConnectorDNSError(KEY, OSError("?")), "discord.com is not found (DNS)"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "expired")), "is this computer's clock right?"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.CertificateError("expired")), "clock right?"),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(111, "refused")), "The proxy does not let us through"),
        (aiohttp.ClientConnectorError(KEY, OSError(101, "Network is unreachable")), "(Network is unreachable)"),
        (discord.GatewayNotFound(), "breaks (GatewayNotFound"),
        (aiohttp.ServerDisconnectedError(), "breaks (ServerDisconnectedError"),
        (TimeoutError(), "does not answer in time"),
    ],
)
def test_each_cause_is_one_sentence(error: Exception, sentence: str) -> None:
    assert sentence in cause_of(error)
    assert "\n" not in cause_of(error)
