"""As much of Discord as one bot without a gateway needs, in a process that outlives the killed ones.

Every run has its own world, named by the first part of the path. What was applied is in the world's log, synced,
before it is answered: a bot that dies in between has still done it, as with the real Discord.
"""

import asyncio
import hashlib
import json
import os
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import discord
from aiohttp import web

APPLICATION_ID = 900
DIRECT = "700"
"""The channel of direct messages, whoever reads there."""
Payload = dict[str, Any]

BOT_USER: Payload = {"id": "901", "username": "easel", "discriminator": "0", "avatar": None, "bot": True}
APPLICATION: Payload = {
    "id": str(APPLICATION_ID),
    "name": "easel",
    "icon": None,
    "description": "",
    "bot_public": True,
    "bot_require_code_grant": False,
    "verify_key": "00",
    "flags": 0,
    "team": None,
    "owner": BOT_USER,
}


class Refusal(Exception):
    """What Discord answers instead of doing it."""

    def __init__(self, status: int, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.body: Payload = {"code": code, "message": sentence}


class World:
    """The messages of one run, and the log of how they came to be."""

    def __init__(self, directory: Path) -> None:
        self._log = os.open(directory / "discord.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        # As Discord makes them, since the bot searches by the time that is in them.
        self._numbers = count(discord.utils.time_snowflake(datetime.now(UTC)))
        self.messages: dict[int, Payload] = {}
        self.originals: dict[str, int] = {}
        self.nonces: dict[str, int] = {}
        self.commands: list[Payload] = []
        self.refusals: dict[str, Refusal] = {}

    def refuse(self, method: str, channel: str) -> None:
        """Answer as a test wants: by method, or by method and channel."""
        refusal = self.refusals.get(f"{method} {channel}") or self.refusals.get(method)
        if refusal is not None:
            raise refusal

    def write(self, action: str, message: Payload, interaction: int | None = None) -> None:
        """Remember for the checks what was applied, and what the message shows since."""
        entry = {
            "action": action,
            "interaction": interaction,
            "message": int(message["id"]),
            "shows": [attachment["sha256"] for attachment in message["attachments"]],
        }
        os.write(self._log, json.dumps(entry).encode() + b"\n")
        os.fsync(self._log)

    def create(self, channel: str, body: Payload, files: Payload) -> Payload:
        """A new message of the bot."""
        number = next(self._numbers)
        self.messages[number] = {
            "id": str(number),
            "channel_id": channel,
            "author": BOT_USER,
            "type": 0,
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "pinned": False,
            **{name: [] for name in ("mentions", "mention_roles", "embeds", "attachments")},
        }
        return self.change(number, body, files)

    def change(self, number: int, body: Payload, files: Payload) -> Payload:
        """Apply what was sent to a message; attachments stay unless the body states them anew."""
        message = self.messages[number]
        message["content"] = body.get("content", message.get("content", ""))
        message["flags"] = body.get("flags", message.get("flags", 0))
        message["components"] = resolved(body.get("components", message.get("components", [])))
        if "attachments" in body or files:
            stated = {str(item["id"]) for item in body.get("attachments", ())}
            kept = [item for item in message["attachments"] if item["id"] in stated]
            message["attachments"] = [*kept, *(self._attachment(name, data) for name, data in files.items())]
        return message

    def _attachment(self, name: str, data: bytes) -> Payload:
        number, sha256 = str(next(self._numbers)), hashlib.sha256(data).hexdigest()
        return {"id": number, "filename": name, "size": len(data), "url": "-", "proxy_url": "-", "sha256": sha256}


def resolved(part: Any) -> Any:
    """Components as Discord gives them back: with numbers, and with both addresses of every picture."""
    if isinstance(part, list):
        return [resolved(item) for item in part]
    if not isinstance(part, dict):
        return part
    whole = {name: resolved(value) for name, value in part.items()}
    return {"proxy_url": whole["url"], **whole} if "url" in whole else {"id": 1, **whole}


class TinyDiscord:
    """The routes, with Discord's rules."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._worlds: dict[str, World] = {}

    def application(self) -> web.Application:
        """All routes, below the name of a world."""
        app = web.Application(client_max_size=2**26)
        bot_as_itself = "/{world}/channels/{channel}/messages"
        by_token = f"/{{world}}/webhooks/{APPLICATION_ID}/{{token}}"
        for method, path, handler in (
            ("GET", "/{world}/users/@me", self._me),
            ("GET", "/{world}/oauth2/applications/@me", self._about),
            ("GET", "/{world}/applications/@me", self._about),
            ("GET", "/{world}/applications/{id}/commands", self._commands),
            ("PUT", "/{world}/applications/{id}/commands", self._register),
            ("POST", "/{world}/users/@me/channels", self._open_direct_messages),
            ("POST", "/{world}/interactions/{interaction}/{token}/callback", self._callback),
            ("POST", by_token, self._post),
            ("GET", by_token + "/messages/{message}", self._show),
            ("PATCH", by_token + "/messages/{message}", self._edit),
            ("POST", bot_as_itself, self._post),
            ("GET", bot_as_itself, self._history),
            ("GET", bot_as_itself + "/{message}", self._show),
            ("PATCH", bot_as_itself + "/{message}", self._edit),
        ):
            app.router.add_route(method, path, answered(handler))
        return app

    def world(self, name: str) -> World:
        """The world of a name, made where it is new."""
        if name not in self._worlds:
            self._worlds[name] = World(self._root / name)
        return self._worlds[name]

    def _world(self, request: web.Request) -> World:
        return self.world(request.match_info["world"])

    async def _me(self, _: web.Request) -> Payload:
        return BOT_USER

    async def _about(self, _: web.Request) -> Payload:
        return APPLICATION

    async def _commands(self, request: web.Request) -> list[Payload]:
        return self._world(request).commands

    async def _register(self, request: web.Request) -> list[Payload]:
        fixed = {"application_id": str(APPLICATION_ID), "version": "1", "description": ""}
        world = self._world(request)
        world.commands = [{**fixed, **item, "id": str(k)} for k, item in enumerate(await request.json(), 1)]
        return world.commands

    async def _open_direct_messages(self, request: web.Request) -> Payload:
        self._world(request).refuse("POST", DIRECT)
        return {"id": DIRECT, "type": 1, "recipients": [], "last_message_id": None}

    async def _callback(self, request: web.Request) -> Payload:
        world, token = self._world(request), request.match_info["token"]
        body, files = await read(request)
        if token in world.originals:
            raise Refusal(400, 40060, "Interaction has already been acknowledged.")
        message = world.create("500", body.get("data") or {}, files)
        world.originals[token] = int(message["id"])
        world.write("answered", message, int(request.match_info["interaction"]))
        about = {"id": request.match_info["interaction"], "type": 2, "response_message_id": message["id"]}
        return {"interaction": about, "resource": {"type": body["type"], "message": message}}

    async def _post(self, request: web.Request) -> Payload:
        world = self._world(request)
        body, files = await read(request)
        world.refuse("POST", request.match_info.get("channel", "500"))
        nonce = str(body["nonce"]) if body.get("enforce_nonce") else None
        if nonce in world.nonces:
            return world.messages[world.nonces[nonce]]
        message = world.create(request.match_info.get("channel", "500"), body, files)
        if nonce is not None:
            world.nonces[nonce] = int(message["id"])
        world.write("posted", message)
        return message

    async def _show(self, request: web.Request) -> Payload:
        return self._message(request)

    async def _history(self, request: web.Request) -> list[Payload]:
        after, before = int(request.query.get("after", "0")), int(request.query.get("before", str(2**63)))
        found = [message for number, message in self._world(request).messages.items() if after < number < before]
        limit = int(request.query.get("limit", "50"))
        # The newest first, always; of those after a message, the oldest are given.
        return (found[:limit] if after else found[-limit:])[::-1]

    async def _edit(self, request: web.Request) -> Payload:
        body, files = await read(request)
        message = self._message(request)
        world = self._world(request)
        world.refuse("PATCH", message["channel_id"])
        world.change(int(message["id"]), body, files)
        world.write("edited", message)
        return message

    def _message(self, request: web.Request) -> Payload:
        world, wanted, token = self._world(request), request.match_info["message"], request.match_info.get("token")
        if token is not None and token not in world.originals:
            raise Refusal(404, 10015, "Unknown Webhook")
        number = world.originals[token] if token is not None and wanted == "@original" else int(wanted)
        if number not in world.messages:
            raise Refusal(404, 10008, "Unknown Message")
        return world.messages[number]


def answered(handler: Any) -> Any:
    """A handler's JSON in exactly Discord's form: discord.py compares the content type with ==."""

    async def answer(request: web.Request) -> web.Response:
        status, body = 200, None
        try:
            body = await handler(request)
        except Refusal as refusal:
            status, body = refusal.status, refusal.body
        headers = {"Content-Type": "application/json", "Via": "1.1 google"}
        return web.Response(status=status, headers=headers, body=json.dumps(body).encode())

    return answer


async def read(request: web.Request) -> tuple[Payload, Payload]:
    """The JSON of a request, and the files that came with it by name."""
    if request.content_type != "multipart/form-data":
        return await request.json(), {}
    form = await request.post()
    files = {item.filename: item.file.read() for item in form.values() if isinstance(item, web.FileField)}
    return json.loads(str(form["payload_json"])), files


async def main(root: Path) -> None:
    """Serve until standard input ends, which it does with the test."""
    runner = web.AppRunner(TinyDiscord(root).application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
