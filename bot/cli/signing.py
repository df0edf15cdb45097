"""Signs the files of `easel imagine --sign`."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bot.cli.pictures import CannotDraw
from bot.provenance.key import NoKey, load_key
from bot.provenance.signing import START_S
from config.settings import Settings
from pipeline.protocol.requests import Request
from provenance.manifests import ingredients_of, manifest_of
from provenance.messages import Refusal, Sign
from provenance.process import Child, ChildFailed

_STAMP_S: Final = 60.0
"""Seconds for a file with a time stamp: c2pa waits half of it for an authority that is silent."""

Seals = Callable[[bytes, str, Path, Request], Coroutine[None, None, bytes]]
"""The signed file of a file, its media type, its path and its request.

Raises:
    CannotDraw: the file cannot be signed.
"""


@contextlib.asynccontextmanager
async def signing(settings: Settings, pictures: dict[str, bytes], say: Callable[[str], None]) -> AsyncGenerator[Seals]:
    """The way to sign files as the bot does.

    Args:
        settings: name the key.
        pictures: pictures that went in, as PNG files by their hashes.
        say: tells the owner a sentence.

    Raises:
        CannotDraw: there is no key that can be used.
    """
    try:
        key = load_key(settings)
    except NoKey as error:
        raise CannotDraw(f"Nothing was drawn, since --sign needs a key. {error}") from error
    url = settings.provenance.timestamp_url
    child = await Child.start("stamp" if url else "sign")
    files = {sha256: (png, "image/png") for sha256, png in pictures.items()}

    async def signed(data: bytes, media_type: str, path: Path, request: Request) -> bytes:
        ingredients = ingredients_of(request, files)
        has_parent = any(each.relationship == "parentOf" for each in ingredients)
        manifest = manifest_of(request, path.name, datetime.now(UTC), has_parent=has_parent)
        order = Sign(
            data=data,
            media_type=media_type,
            manifest=manifest,
            ingredients=ingredients,
            chain=key.chain,
            timestamp_url=url,
        )
        try:
            answer = await child.sign(order, key.seal, _STAMP_S if url else START_S)
        except ChildFailed as error:
            raise CannotDraw(f"The file {path} was not written, since it could not be signed: {error}") from error
        if isinstance(answer, Refusal):
            raise CannotDraw(f"The file {path} was not written, since it could not be signed: {answer.detail}")
        if answer.stamp_fault:
            say(f"The file {path} is signed without a time stamp, since {url} gave none: {answer.stamp_fault}.")
        return answer.data

    try:
        yield signed
    finally:
        await child.close()
