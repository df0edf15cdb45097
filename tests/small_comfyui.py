"""A small ComfyUI server: its real HTTP and WebSocket interface, with a painter instead of models.

The words of a prompt say what happens to it: `wait` runs until it is interrupted, `fail` and `oom` raise in a node,
`nothing` makes no picture, `garbage` a file that is none. Others are drawn in as many steps as they ask for.
"""

import asyncio
import contextlib
import io
import json
import struct
from collections.abc import AsyncGenerator
from typing import Any

from aiohttp import web
from PIL import Image

WORKFLOW = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": "{seed}",
            "steps": "{steps}",
            "cfg": "{cfg}",
            "sampler_name": "{sampler}",
            "scheduler": "{scheduler}",
            "model": ["4", 0],
            "positive": ["6", 0],
            "negative": ["7", 0],
            "latent_image": ["5", 0],
        },
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "here.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": "{width}", "height": "{height}", "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "{prompt}", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "{negative}", "clip": ["4", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "easel", "images": ["8", 0]}},
}
NODES = ("KSampler", "CheckpointLoaderSimple", "EmptyLatentImage", "CLIPTextEncode", "VAEDecode", "SaveImage")


class SmallComfyUI:
    """The server; `port` is known once it is started."""

    def __init__(self, key: str | None = None) -> None:
        self.prompts: dict[str, Any] = {}
        """Every prompt that was ever queued, by its id."""
        self.interrupted: list[str] = []
        self.port = 0
        self._key = key
        self._pending: list[tuple[str, str]] = []
        self._running: str | None = None
        self._stop = asyncio.Event()
        self._history: dict[str, Any] = {}
        self._files: dict[str, bytes] = {}
        self._sockets: dict[str, web.WebSocketResponse] = {}
        self._work = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._worker: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def history(self) -> dict[str, Any]:
        """What it remembers of prompts that have ended."""
        return self._history

    async def start(self) -> None:
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get("/ws", self._listen),
                web.get("/system_stats", self._stats),
                web.get("/object_info", self._object_info),
                web.post("/prompt", self._queue_prompt),
                web.get("/queue", self._show_queue),
                web.post("/queue", self._delete),
                web.post("/interrupt", self._interrupt),
                web.get("/history/{prompt_id}", self._show_history),
                web.post("/history", self._forget),
                web.get("/view", self._view),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        addresses = self._runner.addresses
        self.port = addresses[0][1]
        self._worker = asyncio.create_task(self._work_forever())

    async def stop(self) -> None:
        """End it in the middle of everything; a later start remembers nothing."""
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        if self._runner is not None:
            for socket in [*self._sockets.values()]:
                await socket.close()
            await self._runner.cleanup()
        self._pending, self._running, self._history, self._files = [], None, {}, {}

    async def cut(self) -> None:
        """Close the sockets, as a proxy does that is started again."""
        for socket in [*self._sockets.values()]:
            await socket.close()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if self._key is not None and request.headers.get("Authorization") != f"Bearer {self._key}":
            return web.json_response({"error": "unauthorized"}, status=401)
        return await handler(request)

    async def _listen(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        client = request.query["clientId"]
        self._sockets[client] = socket
        await socket.send_json({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 0}}}})
        async for _ in socket:
            pass
        self._sockets.pop(client, None)
        return socket

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"system": {"comfyui_version": "0.9.2"}, "devices": [{"name": "cuda:0 Small GPU", "type": "cuda"}]}
        )

    async def _object_info(self, _: web.Request) -> web.Response:
        return web.json_response({name: {"input": {}} for name in NODES})

    async def _queue_prompt(self, request: web.Request) -> web.Response:
        body = await request.json()
        prompt_id, nodes = body["prompt_id"], body["prompt"]
        for number, node in nodes.items():
            if node["inputs"].get("ckpt_name", "here.safetensors") != "here.safetensors":
                error = {
                    "type": "value_not_in_list",
                    "message": "Value not in list",
                    "details": f"ckpt_name: '{node['inputs']['ckpt_name']}' not in ['here.safetensors']",
                }
                wrong = {number: {"errors": [error], "class_type": node["class_type"], "dependent_outputs": ["9"]}}
                outer = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"}
                return web.json_response({"error": outer, "node_errors": wrong}, status=400)
        self.prompts[prompt_id] = nodes
        self._pending.append((prompt_id, body["client_id"]))
        self._work.set()
        return web.json_response({"prompt_id": prompt_id, "number": 1, "node_errors": {}})

    async def _show_queue(self, _: web.Request) -> web.Response:
        running = [] if self._running is None else [[0, self._running, {}, {}, []]]
        return web.json_response(
            {"queue_running": running, "queue_pending": [[1, prompt_id, {}, {}, []] for prompt_id, _ in self._pending]}
        )

    async def _delete(self, request: web.Request) -> web.Response:
        wanted = (await request.json()).get("delete", [])
        self._pending = [each for each in self._pending if each[0] not in wanted]
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        prompt_id = (await request.json())["prompt_id"]
        if prompt_id == self._running:
            self.interrupted.append(prompt_id)
            self._stop.set()
        return web.Response()

    async def _show_history(self, request: web.Request) -> web.Response:
        prompt_id = request.match_info["prompt_id"]
        found = self._history.get(prompt_id)
        return web.json_response({} if found is None else {prompt_id: found})

    async def _forget(self, request: web.Request) -> web.Response:
        for prompt_id in (await request.json())["delete"]:
            self._history.pop(prompt_id, None)
        return web.Response()

    async def _view(self, request: web.Request) -> web.Response:
        data = self._files.get(request.query["filename"])
        return web.Response(status=404) if data is None else web.Response(body=data, content_type="image/png")

    async def _work_forever(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._pending:
                prompt_id, client = self._pending.pop(0)
                self._running = prompt_id
                self._stop.clear()
                await self._run(prompt_id, client)
                self._running = None

    async def _run(self, prompt_id: str, client: str) -> None:
        nodes = self.prompts[prompt_id]
        words = nodes["6"]["inputs"]["text"]
        await self._say(client, "execution_start", {"prompt_id": prompt_id})
        steps = int(nodes["3"]["inputs"]["steps"])
        for step in range(1, steps + 1):
            data = {"value": step, "max": steps, "prompt_id": prompt_id, "node": "3"}
            await self._say(client, "progress", data)
            await self._show(client, prompt_id, nodes)
            await asyncio.sleep(0)
        if words == "wait":
            await self._stop.wait()
            await self._end(prompt_id, client, "execution_interrupted", {"node_type": "KSampler"})
        elif words in ("fail", "oom"):
            kinds = {"fail": ("RuntimeError", "It fell."), "oom": ("torch.OutOfMemoryError", "CUDA out of memory.")}
            exception, message = kinds[words]
            facts = {"node_type": "KSampler", "exception_type": exception, "exception_message": message}
            await self._end(prompt_id, client, "execution_error", facts)
        else:
            name = f"{prompt_id}.png"
            self._files[name] = b"no picture" if words == "garbage" else picture_of(nodes)
            images = [] if words == "nothing" else [{"filename": name, "subfolder": "", "type": "output"}]
            await self._end(prompt_id, client, "execution_success", {}, images)

    async def _end(
        self, prompt_id: str, client: str, kind: str, facts: dict[str, Any], images: list[Any] | None = None
    ) -> None:
        is_good = kind == "execution_success"
        facts = {"prompt_id": prompt_id, **facts}
        self._history[prompt_id] = {
            "outputs": {"9": {"images": images}} if images else {},
            "status": {
                "status_str": "success" if is_good else "error",
                "completed": is_good,
                "messages": [["execution_start", {"prompt_id": prompt_id}], [kind, facts]],
            },
        }
        await self._say(client, kind, facts)
        await self._say(client, "executing", {"node": None, "prompt_id": prompt_id})

    async def _show(self, client: str, prompt_id: str, nodes: Any) -> None:
        """A preview, with facts before it."""
        facts = json.dumps({"node_id": "3", "prompt_id": prompt_id, "image_type": "image/jpeg"}).encode()
        frame = struct.pack(">II", 4, len(facts)) + facts + picture_of(nodes, "JPEG")
        socket = self._sockets.get(client)
        if socket is not None:
            with contextlib.suppress(ConnectionError):
                await socket.send_bytes(frame)

    async def _say(self, client: str, kind: str, data: dict[str, Any]) -> None:
        socket = self._sockets.get(client)
        if socket is not None:
            with contextlib.suppress(ConnectionError):
                await socket.send_json({"type": kind, "data": data})


def picture_of(nodes: Any, kind: str = "PNG") -> bytes:
    """A picture of one color, which the seed decides."""
    seed, size = int(nodes["3"]["inputs"]["seed"]), nodes["5"]["inputs"]
    picture = Image.new("RGB", (size["width"], size["height"]), (seed % 256, 120, 80))
    data = io.BytesIO()
    picture.save(data, kind)
    return data.getvalue()


@contextlib.asynccontextmanager
async def small_comfyui(key: str | None = None) -> AsyncGenerator[SmallComfyUI]:
    """A started server."""
    server = SmallComfyUI(key)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
