"""The files of the local Discord, with signed addresses that expire.

SimCord gives uploads an address that no client can fetch, and no picture size. Here
each file has a signed address on this machine. A bot that cuts off the query fails
here as it would on Discord.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import mimetypes
import secrets
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from PIL import Image, UnidentifiedImageError
from simcord.backend.cdn import CDN_BASE, CdnStore

if TYPE_CHECKING:
    from collections.abc import Iterable

ICON = Path(__file__).parents[1] / "icon.png"
"""The icon of the bot and of the page."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
"""Picture formats with a size on Discord. Pillow reads forty more, and starts other programs for some of them."""

ADDRESS_LIFETIME_S = 24 * 3600
"""Seconds until an attachment's address expires: a day, as on Discord."""

RETIRED_FILES_KEPT = 64
"""Number of files without a message that clients can still fetch.

A preview is replaced every few seconds. Keeping all of them would fill the memory;
dropping each at once would break a client that is loading it.
"""


class LocalCdn(CdnStore):
    """Keeps uploads in memory, and gives them addresses that a client can fetch."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url
        self._secret = secrets.token_bytes(16)
        self._retired: deque[str] = deque()
        # Pillow loads its formats on first use. Without this call the first picture would take 40 ms longer.
        Image.preinit()

    def store_attachment(
        self, attachment_id: int, channel_id: int, filename: str, data: bytes, description: str | None
    ) -> dict[str, Any]:
        """Store a file and return Discord's attachment object for it."""
        path = f"/attachments/{channel_id}/{attachment_id}/{quote(filename)}"
        self._blobs[path] = data
        url = f"{self._base_url}{path}?{self._signature(path)}"
        attachment: dict[str, Any] = {
            "id": str(attachment_id),
            "filename": filename,
            "size": len(data),
            "url": url,
            "proxy_url": url,
            "content_type": mimetypes.guess_type(filename)[0] or "application/octet-stream",
            "content_scan_version": 0,
        }
        if description is not None:
            attachment["description"] = description
        if (size := image_size(data)) is not None:
            attachment["width"], attachment["height"] = size
        return attachment

    def store_avatar(self, user_id: int, data: bytes) -> str:
        """Store a user's avatar where SimCord looks for it. Return its hash, which is part of its address."""
        name = hashlib.md5(data, usedforsecurity=False).hexdigest()
        self._blobs[f"{CDN_BASE}/avatars/{user_id}/{name}.png"] = data
        return name

    def get(self, url: str) -> bytes | None:
        """Return a file by its address, without a check of the signature, for SimCord's own reads."""
        if not url.startswith(self._base_url):
            return super().get(url)
        return self._blobs.get(urlsplit(url).path.removeprefix(urlsplit(self._base_url).path))

    def fetch(self, path: str, query: str) -> tuple[bytes, str] | None:
        """Return bytes and content type for a client, or None for a 404."""
        given = {name: values[0] for name, values in parse_qs(query).items()}
        expires = given.get("ex", "")
        try:
            is_expired = int(expires, 16) < time.time()
        except ValueError:
            return None
        wanted = self._digest(path, expires, given.get("is", ""))
        if is_expired or not hmac.compare_digest(given.get("hm", ""), wanted):
            return None
        data = self._blobs.get(path)
        if data is None:
            return None
        return data, mimetypes.guess_type(path)[0] or "application/octet-stream"

    def retire(self, attachments: Iterable[dict[str, Any]]) -> None:
        """Retire files that no message shows any more; drop the oldest of them."""
        for attachment in attachments:
            self._retired.append(urlsplit(str(attachment["url"])).path)
        prefix = urlsplit(self._base_url).path
        while len(self._retired) > RETIRED_FILES_KEPT:
            self._blobs.pop(self._retired.popleft().removeprefix(prefix), None)

    def _signature(self, path: str) -> str:
        issued = format(int(time.time()), "x")
        expires = format(int(time.time()) + ADDRESS_LIFETIME_S, "x")
        return f"ex={expires}&is={issued}&hm={self._digest(path, expires, issued)}&"

    def _digest(self, path: str, expires: str, issued: str) -> str:
        return hmac.new(self._secret, f"{path}|{expires}|{issued}".encode(), hashlib.sha256).hexdigest()


def image_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height from an image's header, or None for other files."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError):
        return None
