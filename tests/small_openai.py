"""A small image service with OpenAI's interface. Each picture that it begins to draw is billed.

The words of a prompt say what happens: `refused` and `odd` are bad requests, `busy` is a rate limit, `unpaid` wants
money, `error` is an internal error, `cut` loses the connection while it draws, `wait` never ends, `garbage` is no
picture, `stop after one` is busy after the first one, `by address` is fetched from another address.
"""

import asyncio
import base64
import contextlib
import io
import json
from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import web
from PIL import Image

ERRORS = {
    "refused": (400, "moderation_blocked", "Your request was rejected by the safety system."),
    "odd": (400, "unknown_parameter", "Unknown parameter."),
    "busy": (429, "rate_limit_exceeded", "Too many requests."),
    "unpaid": (429, "insufficient_quota", "You exceeded your current quota."),
    "error": (500, "server_error", "The server had an error."),
}


class SmallOpenAI:
    """The service; `port` is known once it is started."""

    def __init__(self, key: str | None = None) -> None:
        self.requests: list[dict[str, Any]] = []
        """Every request to draw."""
        self.looks = 0
        self.billed = 0
        self.gone = asyncio.Event()
        """Set when a client went away while something was drawn for it."""
        self.port = 0
        self._key = key
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> None:
        app = web.Application()
        app.add_routes([web.get("/v1/models", self._models), web.post("/v1/images/generations", self._generate)])
        app.add_routes([web.get("/files/{color}", self._file)])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _refuses(self, request: web.Request) -> web.Response | None:
        if self._key is not None and request.headers.get("Authorization") != f"Bearer {self._key}":
            error = {"message": "Incorrect API key provided.", "code": "invalid_api_key"}
            return web.json_response({"error": error}, status=401)
        return None

    async def _models(self, request: web.Request) -> web.Response:
        self.looks += 1
        return self._refuses(request) or web.json_response({"object": "list", "data": []})

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=picture_of(int(request.match_info["color"]), "64x64"))

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._refuses(request)) is not None:
            return refusal
        wanted = await request.json()
        self.requests.append(wanted)
        words = wanted["prompt"]
        if words == "stop after one" and self.billed:
            words = "busy"
        if words in ERRORS:
            status, code, message = ERRORS[words]
            return web.json_response({"error": {"message": message, "code": code, "type": code}}, status=status)
        self.billed += 1
        if words == "wait":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.gone.set()
                raise
        if words == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        data = b"no picture" if words == "garbage" else picture_of(self.billed, wanted["size"])
        if wanted.get("stream"):
            return await self._stream(request, wanted, data)
        if words == "by address":
            return web.json_response({"created": 1, "data": [{"url": f"http://127.0.0.1:{self.port}/files/9"}]})
        return web.json_response({"created": 1, "data": [{"b64_json": base64.b64encode(data).decode()}]})

    async def _stream(self, request: web.Request, wanted: dict[str, Any], data: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        text = base64.b64encode(data).decode()
        facts = {"b64_json": text, "background": "auto", "created_at": 1, "output_format": "png", "quality": "low"}
        facts |= {"size": wanted["size"]}
        for index in range(wanted["partial_images"]):
            await _say(response, {"type": "image_generation.partial_image", "partial_image_index": index, **facts})
        await _say(response, {"type": "image_generation.completed", **facts})
        return response


async def _say(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


def picture_of(color: int, size: str) -> bytes:
    """A picture of one color."""
    width, _, height = size.partition("x")
    data = io.BytesIO()
    Image.new("RGB", (int(width), int(height)), (color % 256, 120, 80)).save(data, "PNG")
    return data.getvalue()


@contextlib.asynccontextmanager
async def small_openai(key: str | None = None) -> AsyncGenerator[SmallOpenAI]:
    """A started service."""
    service = SmallOpenAI(key)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()
