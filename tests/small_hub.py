"""A small server that speaks the part of the Hugging Face hub's protocol that `easel models` uses."""

import hashlib
import json
import re
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from huggingface_hub import constants
from typing_extensions import override

COMMIT = "c0ffee" * 6 + "c0ff"
TOKEN = "hf_of-the-owner"
_LARGE = 1_000


class Asked(NamedTuple):
    method: str
    path: str
    range: str | None


class SmallHub:
    """Repositories by name, each with the files of one commit.

    Attributes:
        repositories: files by repository and name.
        license: what every page says.
        gated: repositories that need the owner's token.
        cut: bytes after which the connection breaks, by the name of a file, once each.
        down: names of files that the server does not give at present.
        lies: names of files whose hash is not the one that the server told.
        claimed: sizes that the server tells in the place of the true ones.
        asked: every request.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.repositories: dict[str, Mapping[str, bytes]] = {}
        self.license: Mapping[str, str] = {"license": "mit"}
        self.gated: set[str] = set()
        self.cut: dict[str, int] = {}
        self.down: set[str] = set()
        self.lies: set[str] = set()
        self.claimed: dict[str, int] = {}
        self.asked: list[Asked] = []

    def tree(self, repository: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for path, data in self.repositories[repository].items():
            size = self.claimed.get(path, len(data))
            entry: dict[str, Any] = {"type": "file", "path": path, "size": size, "oid": git_hash(data)}
            if is_large(data):
                told = hashlib.sha256(b"another" if path in self.lies else data).hexdigest()
                entry["lfs"] = {"oid": told, "size": size, "pointerSize": 130}
            found.append(entry)
        return found


def is_large(data: bytes) -> bool:
    return len(data) >= _LARGE


def git_hash(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    hub: SmallHub
    protocol_version = "HTTP/1.1"

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(Asked(self.command, path, self.headers.get("Range")))
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(revision|tree)/(.+)", path):
            self._describe(*found.groups())
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._give(found[1], found[3])
        else:
            self._refuse(404, "EntryNotFound")

    def _may(self, repository: str) -> bool:
        if repository not in self.hub.repositories:
            self._refuse(401, "RepoNotFound")
            return False
        if repository in self.hub.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse(403, "GatedRepo")
            return False
        return True

    def _describe(self, repository: str, what: str, revision: str) -> None:
        if not self._may(repository):
            return
        if revision not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound")
            return
        about = {"id": repository, "sha": COMMIT, "cardData": dict(self.hub.license), "siblings": [], "tags": []}
        body = json.dumps(about if what == "revision" else self.hub.tree(repository)).encode()
        self._send(200, body, {"Content-Type": "application/json"})

    def _give(self, repository: str, name: str) -> None:
        if not self._may(repository):
            return
        data = self.hub.repositories[repository].get(name)
        if data is None:
            self._refuse(404, "EntryNotFound")
            return
        if name in self.hub.down and self.command == "GET":
            self._refuse(503, "")
            return
        entry = next(each for each in self.hub.tree(repository) if each["path"] == name)
        about = {"X-Repo-Commit": COMMIT, "ETag": f'"{entry["lfs"]["oid"] if is_large(data) else entry["oid"]}"'}
        start = 0
        if found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
            start = int(found[1])
            about["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(206 if start else 200, data[start:], about, self.hub.cut.pop(name, None))

    def _send(self, status: int, body: bytes, headers: Mapping[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
        self.close_connection = self.close_connection or cut is not None

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, b"", {"X-Error-Code": code} if code else {})


@contextmanager
def small_hub() -> Generator[SmallHub]:
    class Handler(_Handler): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.hub = SmallHub(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield Handler.hub
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Generator[SmallHub]:
    with small_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.address)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", server.address + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield server
