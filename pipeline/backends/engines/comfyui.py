"""A ComfyUI server: https://docs.comfy.org/development/comfyui-server/comms_routes.

A prompt is queued by HTTP. A WebSocket tells its progress, and its result stands in the history.
"""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from pipeline.backends.engines.server import DrawingFailed, Facts, Server, ServerAway, Tell
from pipeline.protocol.catalogue.engines import Workflow
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.reading import MAX_FILE_BYTES
from pipeline.protocol.requests import GenerationRequest

_CALL_S: Final = 15.0
"""Seconds that a call may take that draws nothing."""
_FETCH_S: Final = 60.0
_QUIET_S: Final = 5.0
"""Seconds without a word after which the history is read: a word may have been missed."""
_BEAT_S: Final = 10.0
_PREVIEW: Final = 1
_PREVIEW_WITH_FACTS: Final = 4
"""Kinds of binary frames, `BinaryEventTypes` in ComfyUI's protocol.py. The others are no previews."""
_NUMBER: Final = 4
_MAX_DETAIL: Final = 500
_BAD_REQUEST: Final = 400


class ComfyServer(Server):
    """One ComfyUI server.

    Args:
        url: its address, without a slash at the end.
        key: sent as a bearer token, for a server behind a proxy; None sends none.
        workflows: the workflow of each model that it draws, by the model's key.
        look_s: seconds between two looks at it.
    """

    def __init__(self, url: str, key: str | None, workflows: Mapping[str, Workflow], *, look_s: float = 10.0) -> None:
        self._look_s = look_s
        self._url = url
        self._key = key
        self._workflows = workflows
        self._opened: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return self._url

    @property
    def look_s(self) -> float:
        """Seconds between two looks at it."""
        return self._look_s

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:
            headers = {} if self._key is None else {"Authorization": f"Bearer {self._key}"}
            self._opened = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=_CALL_S))
        return self._opened

    async def close(self) -> None:
        """Let go of it."""
        if self._opened is not None:
            await self._opened.close()

    async def look(self) -> Facts:
        """Ask for its version and device, and whether it has the nodes of the workflows.

        Raises:
            ServerAway: it does not answer.
        """
        stats = await self._json("GET", "/system_stats")
        nodes = await self._json("GET", "/object_info")
        missing: dict[str, str] = {}
        for key, workflow in self._workflows.items():
            unknown = sorted(workflow.node_classes - nodes.keys())
            if unknown:
                missing[key] = f"The ComfyUI at {self._url} does not have the node {unknown[0]}; install it there."
        device = next(iter(stats.get("devices") or [{}]), {})
        version = (stats.get("system") or {}).get("comfyui_version", "?")
        return Facts(device=str(device.get("name", self._url)), version=f"ComfyUI {version}", missing=missing)

    async def draw(self, request: GenerationRequest, tell: Tell) -> bytes:
        """Draw one image.

        Raises:
            DrawingFailed: the workflow cannot run, or a node of it failed.
            ServerAway: it is not there any more.
        """
        prompt_id, client_id = str(uuid.uuid4()), uuid.uuid4().hex
        try:
            async with await self._socket(client_id) as socket:
                # Listened to before anything is queued, so that no word is missed.
                await self._queue(prompt_id, client_id, request)
                outcome = await self._outcome(socket, prompt_id, tell)
            while outcome is None:  # the socket broke; the prompt may still run
                async with await self._socket(client_id) as socket:
                    outcome = await self._outcome(socket, prompt_id, tell)
        except asyncio.CancelledError:
            with contextlib.suppress(ServerAway):
                await asyncio.shield(self._stop(prompt_id))
            raise
        picture = await self._fetch(_picture_in(outcome))
        with contextlib.suppress(ServerAway):  # members' words do not stay in its history
            await self._json("POST", "/history", {"delete": [prompt_id]})
        return picture

    async def _queue(self, prompt_id: str, client_id: str, request: GenerationRequest) -> None:
        body = {
            "prompt": self._workflows[request.model_key].filled(request),
            "client_id": client_id,
            "prompt_id": prompt_id,
        }
        answer = await self._json("POST", "/prompt", body)
        if answer.get("prompt_id") != prompt_id:
            raise DrawingFailed(
                FailureReason.ENGINE_FAILED,
                f"The ComfyUI at {self._url} gave the prompt a number of its own; it is too old, so update it.",
            )

    async def _stop(self, prompt_id: str) -> None:
        """Take a prompt out of the queue, or interrupt it if it runs. Prompts of others are left alone."""
        await self._json("POST", "/queue", {"delete": [prompt_id]})
        await self._json("POST", "/interrupt", {"prompt_id": prompt_id})

    async def _outcome(
        self, socket: aiohttp.ClientWebSocketResponse, prompt_id: str, tell: Tell
    ) -> Mapping[str, Any] | None:
        """What the history says of a prompt when it has ended; None if the socket ended before.

        Raises:
            DrawingFailed: a node failed.
            ServerAway: the server does not know the prompt any more.
        """
        step, total = 0, 0
        while True:
            try:
                frame = await socket.receive(timeout=_QUIET_S)
            except TimeoutError:
                if (ended := await self._ended(prompt_id)) is not None:
                    return ended
                continue
            if frame.type is aiohttp.WSMsgType.BINARY:
                if preview := _preview_in(frame.data):
                    tell(step, total, preview)
            elif frame.type is aiohttp.WSMsgType.TEXT:
                word = _decoded(frame.data)
                facts = word.get("data") or {}
                if facts.get("prompt_id") != prompt_id:
                    continue
                if word.get("type") == "progress":
                    step, total = int(facts.get("value", 0)), int(facts.get("max", 0))
                    tell(step, total, b"")
                elif _is_end(word, facts) and (ended := await self._ended(prompt_id)) is not None:
                    return ended
            else:
                return await self._ended(prompt_id)

    async def _ended(self, prompt_id: str) -> Mapping[str, Any] | None:
        """The history of a prompt; None if it waits or runs.

        Raises:
            DrawingFailed: a node failed, or somebody stopped it there.
            ServerAway: the server does not answer, or was started again and knows the prompt no more.
        """
        history = (await self._json("GET", f"/history/{prompt_id}")).get(prompt_id)
        if history is not None:
            _raise_failure(history)
            return history
        queue = await self._json("GET", "/queue")
        waiting = [*queue.get("queue_running", ()), *queue.get("queue_pending", ())]
        if any(prompt_id in item for item in waiting):
            return None
        # It may have ended between the two questions.
        history = (await self._json("GET", f"/history/{prompt_id}")).get(prompt_id)
        if history is None:
            raise ServerAway(f"The ComfyUI at {self._url} was started again while it drew.")
        _raise_failure(history)
        return history

    async def _socket(self, client_id: str) -> aiohttp.ClientWebSocketResponse:
        try:
            return await self._session.ws_connect(
                f"{self._url}/ws", params={"clientId": client_id}, heartbeat=_BEAT_S, max_msg_size=MAX_FILE_BYTES
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._away(error) from error

    async def _json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """The server's answer; nothing where it says nothing.

        Raises:
            DrawingFailed: it refuses a workflow.
            ServerAway: it does not answer as ComfyUI does.
        """
        try:
            async with self._session.request(method, f"{self._url}{path}", json=body) as response:
                text = await response.text()
                if response.status == _BAD_REQUEST and path == "/prompt":
                    raise _refusal(_decoded(text))
                response.raise_for_status()
        except (aiohttp.ClientError, OSError, TimeoutError, UnicodeDecodeError) as error:
            raise self._away(error) from error
        return _decoded(text)

    async def _fetch(self, place: Mapping[str, Any]) -> bytes:
        wanted = {name: str(place.get(name, "")) for name in ("filename", "subfolder", "type")}
        try:
            async with self._session.get(
                f"{self._url}/view", params=wanted, timeout=aiohttp.ClientTimeout(total=_FETCH_S)
            ) as response:
                response.raise_for_status()
                data = await response.content.read(MAX_FILE_BYTES + 1)
                while len(data) <= MAX_FILE_BYTES and (more := await response.content.read(MAX_FILE_BYTES)):
                    data += more
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._away(error) from error
        if len(data) > MAX_FILE_BYTES:
            raise DrawingFailed(FailureReason.ENGINE_FAILED, "The picture is larger than Easel reads.")
        return data

    def _away(self, error: Exception) -> ServerAway:
        if isinstance(error, aiohttp.ClientResponseError):
            return ServerAway(f"The ComfyUI at {self._url} answered {error.status}; check the address and the key.")
        return ServerAway(f"The ComfyUI at {self._url} cannot be reached ({type(error).__name__}); is it running?")


def _decoded(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_end(word: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    is_last = word.get("type") == "executing" and facts.get("node") is None
    return is_last or word.get("type") in ("execution_success", "execution_error", "execution_interrupted")


def _preview_in(frame: bytes) -> bytes:
    """The picture in a binary frame; no bytes if there is none."""
    kind, rest = int.from_bytes(frame[:_NUMBER]), frame[_NUMBER:]
    if kind == _PREVIEW:
        return rest[_NUMBER:]
    return rest[_NUMBER + int.from_bytes(rest[:_NUMBER]) :] if kind == _PREVIEW_WITH_FACTS else b""


def _picture_in(history: Mapping[str, Any]) -> Mapping[str, Any]:
    """Place of the picture that a prompt made: a saved one, or else one that a node only shows."""
    places = [
        place
        for output in (history.get("outputs") or {}).values()
        for place in output.get("images") or ()
        if isinstance(place, dict)
    ]
    saved = [place for place in places if place.get("type") == "output"]
    found = next(iter(saved or places), None)
    if found is None:
        raise DrawingFailed(FailureReason.ENGINE_FAILED, "The workflow made no picture; it needs a node SaveImage.")
    return found


def _raise_failure(history: Mapping[str, Any]) -> None:
    """Tell of a failure in the history of a prompt.

    Raises:
        DrawingFailed: there is one.
    """
    for kind, facts in (history.get("status") or {}).get("messages") or ():
        if kind == "execution_interrupted":
            raise DrawingFailed(FailureReason.ENGINE_FAILED, "Somebody interrupted it in ComfyUI.")
        if kind == "execution_error":
            exception, message = str(facts.get("exception_type", "")), str(facts.get("exception_message", ""))
            is_full = "OutOfMemory" in exception or "out of memory" in message.casefold()
            detail = f"The node {facts.get('node_type', '?')} failed: {exception}: {message}"[:_MAX_DETAIL]
            raise DrawingFailed(FailureReason.OUT_OF_MEMORY if is_full else FailureReason.ENGINE_FAILED, detail)


def _refusal(answer: Mapping[str, Any]) -> DrawingFailed:
    """Why ComfyUI does not queue a workflow: a file that a node names is missing there, or something else."""
    for number, node in (answer.get("node_errors") or {}).items():
        for error in node.get("errors") or ():
            where = f"{node.get('class_type', '?')} ({number})"
            is_missing = error.get("type") == "value_not_in_list"
            detail = f"ComfyUI's node {where}: {error.get('message', '')}: {error.get('details', '')}"[:_MAX_DETAIL]
            reason = FailureReason.MODEL_UNAVAILABLE if is_missing else FailureReason.ENGINE_FAILED
            return DrawingFailed(reason, detail)
    error = answer.get("error") or {}
    message = error.get("message", "") if isinstance(error, dict) else error
    return DrawingFailed(FailureReason.ENGINE_FAILED, f"ComfyUI refused the workflow: {message}"[:_MAX_DETAIL])
