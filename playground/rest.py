"""Discord's REST interface and CDN over HTTP, answered by SimCord."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import BodyPartReader, web

from playground.bridge import Answer, Upload, dispatch
from playground.faults import FaultKind
from playground.limits import mistake_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from playground.bridge import LocalBackend
    from playground.faults import Fault, Faults

API_PREFIX = "/api/v10"
REQUESTS_KEPT = 10_000
LARGEST_JSON_BODY_BYTES = 64 * 1024 * 1024

UNAUTHORIZED = Answer(401, {"message": "401: Unauthorized", "code": 0})
BLOCK_HEADERS = {"Server": "cloudflare"}
"""Headers of Cloudflare's page. They lack the `Via` of Discord's own proxy."""
TOO_LARGE = Answer(413, {"message": "Request entity too large", "code": 40005})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One REST request of the bot. Its times are `time.monotonic()` of this process."""

    method: str
    path: str
    status: int | None
    """None if a fault broke the connection before an answer."""
    received_at: float
    answered_at: float
    fault: FaultKind | None = None


@dataclass(frozen=True)
class Body:
    """A request's JSON and files."""

    json: Any
    uploads: list[Upload]


class Rest:
    """Serves `/api/v10` and `/cdn`, and records every request."""

    def __init__(
        self,
        backend: LocalBackend,
        *,
        token: str,
        gateway_url: str,
        faults: Faults,
        on_change: Callable[[], None],
    ) -> None:
        self._backend = backend
        self._token = token
        self._gateway_url = gateway_url
        self._faults = faults
        self._on_change = on_change
        self.requests: deque[RequestRecord] = deque(maxlen=REQUESTS_KEPT)
        self.gaps: deque[str] = deque(maxlen=REQUESTS_KEPT)
        self._by_nonce: dict[tuple[str, str], Answer] = {}

    def application(self, gateway: Callable[[web.Request], Any]) -> web.Application:
        """Build the web application, with the gateway on the same port."""
        app = web.Application(client_max_size=LARGEST_JSON_BODY_BYTES)
        app.router.add_get("/gateway", gateway)
        app.router.add_get("/cdn/{path:.*}", self._cdn)
        app.router.add_route("*", API_PREFIX + "/{path:.*}", self._api)
        return app

    async def _cdn(self, request: web.Request) -> web.Response:
        path = request.rel_url.raw_path.removeprefix("/cdn")
        found = self._backend.cdn.fetch(path, request.rel_url.raw_query_string)
        if found is None:
            return web.Response(status=404, text="This content is no longer available.")
        data, content_type = found
        return web.Response(body=data, headers={"Content-Type": content_type})

    async def _api(self, request: web.Request) -> web.Response:
        received_at = time.monotonic()
        path = request.rel_url.raw_path.removeprefix(API_PREFIX)
        body = await read_body(request, self._backend.attachment_size_limit)
        fault = self._faults.take(request.method, path)
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
        answer = self._answer(request, path, body, fault)
        if answer is None and request.transport is not None:
            request.transport.abort()
        self.requests.append(
            RequestRecord(
                method=request.method,
                path=path,
                status=None if answer is None else answer.status,
                received_at=received_at,
                answered_at=time.monotonic(),
                fault=None if fault is None else fault.kind,
            )
        )
        self._on_change()
        # Nobody reads this answer after an abort, but aiohttp needs one.
        return web.Response() if answer is None else respond(answer, fault)

    def _answer(self, request: web.Request, path: str, body: Body | None, fault: Fault | None) -> Answer | None:
        """Return the answer, or None if a fault breaks the connection."""
        kind = None if fault is None else fault.kind
        if fault is not None and kind in (FaultKind.STATUS, FaultKind.RATE_LIMIT, FaultKind.ADDRESS_BLOCK):
            return fault_answer(fault)
        if kind is FaultKind.RESET_BEFORE:
            return None
        answer = self._apply(request, path, body)
        if kind is FaultKind.RESET_AFTER:
            return None
        if fault is not None and kind is FaultKind.APPLIED_STATUS:
            return fault_answer(fault)
        return answer

    def _apply(self, request: web.Request, path: str, body: Body | None) -> Answer:
        if needs_token(path) and request.headers.get("Authorization") != f"Bot {self._token}":
            return UNAUTHORIZED
        if body is None:
            return TOO_LARGE
        if (mistake := mistake_in(request.method, path, body.json, len(body.uploads))) is not None:
            return invalid_form(mistake)
        if path in ("/gateway", "/gateway/bot"):
            return Answer(200, self._gateway_info())
        nonce = nonce_of(request.method, path, body.json)
        if nonce in self._by_nonce:
            return self._by_nonce[nonce]
        answer = dispatch(
            self._backend,
            request.method,
            path,
            body=body.json,
            query=request.query,
            uploads=body.uploads,
            reason=request.headers.get("X-Audit-Log-Reason"),
        )
        if answer.gap is not None:
            self.gaps.append(answer.gap)
        if nonce is not None and answer.status == web.HTTPOk.status_code:
            self._by_nonce[nonce] = answer
        is_bare_callback = path.endswith("/callback") and request.query.get("with_response") != "1"
        return Answer(204) if is_bare_callback and answer.status == web.HTTPOk.status_code else answer

    def _gateway_info(self) -> dict[str, Any]:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self._gateway_url, "shards": 1, "session_start_limit": limit}


def invalid_form(mistake: str) -> Answer:
    """Return Discord's answer to a body that it refuses as a whole."""
    return Answer(400, {"code": 50035, "message": "Invalid Form Body", "errors": {"_errors": [{"message": mistake}]}})


def needs_token(path: str) -> bool:
    """Whether a route needs the bot's token. Callbacks and webhooks have a token in their path instead."""
    parts = path.strip("/").split("/")
    return not (parts[0] == "interactions" or (parts[0] == "webhooks" and len(parts) > 2))  # noqa: PLR2004 - /webhooks/{id}/{token}


def nonce_of(method: str, path: str, body: Any) -> tuple[str, str] | None:
    """The key of a new message. Discord answers a repeated key with the earlier message, for some minutes.

    https://discord.com/developers/docs/resources/message#create-message
    """
    is_post = method == "POST" and path.startswith("/channels/") and path.endswith("/messages")
    if not is_post or not isinstance(body, dict) or not body.get("enforce_nonce") or "nonce" not in body:
        return None
    return path, str(body["nonce"])


async def read_body(request: web.Request, file_limit: int) -> Body | None:
    """Read JSON, or JSON and files from a form. Return None if a file exceeds the limit."""
    if request.content_type != "multipart/form-data":
        return Body(json.loads(await request.read() or b"null"), [])
    payload: Any = None
    fields: dict[str, str] = {}
    files: dict[int, tuple[str, bytes]] = {}
    is_too_large = False
    # A file over the limit is still read to its end. A client that is still sending would
    # see an early answer as a broken connection instead of a 413.
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        if part.name == "payload_json":
            payload = json.loads(await part.text())
        elif part.filename is None:
            fields[part.name] = await part.text()
        else:
            data = bytes(await part.read(decode=False))
            is_too_large |= len(data) > file_limit
            index = part.name.removeprefix("files[").removesuffix("]")
            files[int(index) if index.isdecimal() else len(files)] = (part.filename, data)
    if is_too_large:
        return None
    payload = payload if payload is not None else fields or None
    return Body(payload, name_uploads(files, payload))


def name_uploads(files: Mapping[int, tuple[str, bytes]], payload: Any) -> list[Upload]:
    """Sort the files, and give them the names and descriptions from the JSON."""
    message = payload if isinstance(payload, dict) else {}
    message = message.get("data", message) if "type" in message else message
    stated = {str(item.get("id")): item for item in message.get("attachments") or ()}
    uploads: list[Upload] = []
    for index in sorted(files):
        filename, data = files[index]
        about = stated.get(str(index), {})
        uploads.append(Upload(about.get("filename", filename), data, about.get("description")))
    return uploads


def fault_answer(fault: Fault) -> Answer:
    """Return the answer of Discord, or of the proxy before it, for this fault."""
    if fault.kind is FaultKind.RATE_LIMIT:
        return Answer(
            429,
            {
                "message": "You are being rate limited.",
                "retry_after": fault.retry_after_s,
                "global": fault.is_global,
            },
        )
    return Answer(fault.status, {"code": fault.code, "message": f"{fault.status}: fault injected"})


def respond(answer: Answer, fault: Fault | None) -> web.Response:
    """Write an answer in exactly Discord's form.

    discord.py compares the content type with ==, so no character set may follow it. It
    takes a 429 without a `Via` header for a ban.
    """
    if fault is not None and fault.kind is FaultKind.ADDRESS_BLOCK:
        page = f"<!DOCTYPE html><html><body>error code: 1015, in {fault.retry_after_s} s</body></html>"
        headers = {"Retry-After": str(fault.retry_after_s), **BLOCK_HEADERS}
        return web.Response(status=answer.status, headers=headers, text=page, content_type="text/html")
    headers = {"Via": "1.1 google"}
    if fault is not None and fault.kind is FaultKind.RATE_LIMIT:
        headers["Retry-After"] = str(fault.retry_after_s)
        headers["X-RateLimit-Scope"] = "global" if fault.is_global else "user"
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    headers["Content-Type"] = "application/json"
    return web.Response(status=answer.status, headers=headers, body=json.dumps(answer.body).encode())
