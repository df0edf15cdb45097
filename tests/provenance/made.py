"""Keys, pictures and signatures for tests of provenance."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image, PngImagePlugin

from pipeline.protocol.requests import Request
from provenance.keys import Root, SigningKey
from provenance.manifests import manifest_of
from provenance.messages import Ingredient, Reading, Sign, Signed
from provenance.process import Child, read_once

NOW: Final = datetime.now(UTC)
WORDS: Final = "a cat ü\nSteps: 4, Sampler: Euler, Seed: 7"
PATIENCE_S: Final = 30.0
CHILDREN: Final = Path(__file__).parent / "children"


def key_of(organization: str = "Ada's Easel", now: datetime = NOW) -> SigningKey:
    return Root.make(organization, now).issue(now)


def picture(side: int = 96, seed: int = 0) -> Image.Image:
    """Soft patches of color: neither noise nor plain, so that a look means something."""
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 6, 3), np.uint8))
    return small.resize((side, side), Image.Resampling.BICUBIC)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(image: Image.Image, words: str = WORDS) -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", words)
    return saved(image, "PNG", pnginfo=texts)


async def signed(
    data: bytes,
    media_type: str,
    key: SigningKey,
    request: Request,
    ingredients: tuple[Ingredient, ...] = (),
    timestamp_url: str = "",
) -> Signed:
    """A file that the real process signed with a key."""
    child = await Child.start("stamp" if timestamp_url else "sign")
    try:
        order = Sign(
            data=data,
            media_type=media_type,
            manifest=manifest_of(request, "easel-1-1.png", NOW, has_parent=bool(ingredients)),
            ingredients=ingredients,
            chain=key.chain,
            timestamp_url=timestamp_url,
        )
        answer = await child.sign(order, key.seal, PATIENCE_S)
    finally:
        await child.close()
    assert isinstance(answer, Signed), answer
    return answer


async def reading_of(data: bytes, key: SigningKey | None) -> Reading:
    """What the real process reads in a file, with a key's root as the anchor."""
    answer = await read_once(data, "" if key is None else key.anchor)
    assert isinstance(answer, Reading), answer
    return answer
