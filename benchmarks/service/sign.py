"""Time and bytes that a signature adds to a picture of 1,024 by 1,024, beside the time that writing its file takes.

The process that parses pictures and the key that it does not have are those of the bot.
"""

import asyncio
import statistics
import time
from datetime import UTC, datetime
from typing import Final

import numpy as np
from PIL import Image

from benchmarks.report import Report
from pipeline.images.encode import encode
from pipeline.protocol.wire.outputs import ImageFile
from pipeline.protocol.wire.settings import ImageFormat, ImageOutput
from provenance.keys import Root, SigningKey
from provenance.manifests import trial_manifest
from provenance.messages import Refusal, Sign
from provenance.process import Child, ChildFailed

GOAL_MS: Final = 40.0
GOAL_BYTES: Final = 13_000
SIDE: Final = 1_024
REPEATS: Final = 15
FORMATS: Final[tuple[ImageFormat, ...]] = ("png", "webp", "jpeg")
_PATIENCE_S: Final = 30.0


def run() -> Report:
    """Measure each format; the slowest counts."""
    return asyncio.run(_run())


async def _run() -> Report:
    now = datetime.now(UTC)
    key = Root.make("Benchmark", now).issue(now)
    child = await Child.start("sign")
    sign_ms: dict[str, list[float]] = {}
    encode_ms: dict[str, float] = {}
    added: dict[str, int] = {}
    try:
        for name in FORMATS:
            started = time.perf_counter()
            drawn = encode(_picture(), "a star\nSteps: 6, Seed: 7", ImageOutput(image_format=name), index=0, seed=7)
            encode_ms[name] = (time.perf_counter() - started) * 1_000
            await _signed(child, key, drawn)
            times, signed = [], drawn.data
            for _ in range(REPEATS):
                started = time.perf_counter()
                signed = await _signed(child, key, drawn)
                times.append((time.perf_counter() - started) * 1_000)
            sign_ms[name], added[name] = times, len(signed) - len(drawn.data)
    finally:
        await child.close()
    medians = {name: statistics.median(times) for name, times in sign_ms.items()}
    worst = max(medians.values())
    return Report(
        name="sign",
        goal=f"a signature takes at most {GOAL_MS:g} ms and {GOAL_BYTES:,} bytes for {SIDE} by {SIDE} pixels",
        value=worst,
        holds=worst <= GOAL_MS and max(added.values()) <= GOAL_BYTES,
        median=statistics.median(medians.values()),
        minimum=min(map(min, sign_ms.values())),
        pairs=REPEATS,
        detail={
            **{f"{name}_ms": median for name, median in medians.items()},
            **{f"{name}_of_encoding": median / encode_ms[name] for name, median in medians.items()},
            **{f"{name}_bytes": count for name, count in added.items()},
        },
    )


def _picture() -> Image.Image:
    """Soft patches of color with some noise, as a drawn picture compresses."""
    rng = np.random.default_rng(7)
    patches = Image.fromarray(rng.integers(0, 256, (12, 12, 3), np.uint8)).resize((SIDE, SIDE))
    noise = rng.normal(0, 4, (SIDE, SIDE, 3))
    return Image.fromarray(np.clip(np.asarray(patches) + noise, 0, 255).astype(np.uint8))


async def _signed(child: Child, key: SigningKey, drawn: ImageFile) -> bytes:
    """The signed file.

    Raises:
        ChildFailed: the process refused it.
    """
    order = Sign(
        data=drawn.data,
        media_type=drawn.media_type,
        manifest=trial_manifest(datetime.now(UTC)),
        ingredients=(),
        chain=key.chain,
    )
    answer = await child.sign(order, key.seal, _PATIENCE_S)
    if isinstance(answer, Refusal):
        raise ChildFailed(answer.detail)
    return answer.data
