"""How long jobs take here, and what must be loaded before them, learnt from those that were done."""

from typing import Final, Literal

import msgspec

from bot.quotas.pricing import rows
from bot.store.sqlite.database import Database
from pipeline.protocol.requests import GenerationRequest

_NEWEST_SHARE: Final = 0.2
"""Weight of the newest job in the moving average, once there are a few."""

LEARN: Final = """
INSERT INTO timings (model_key, width, height, row_s, rest_s, samples) VALUES (:model, :width, :height, :row, :rest, 1)
ON CONFLICT DO UPDATE SET
    row_s = row_s + (excluded.row_s - row_s) * max(:share, 1.0 / (samples + 1)),
    rest_s = rest_s + (excluded.rest_s - rest_s) * max(:share, 1.0 / (samples + 1)),
    samples = samples + 1
"""

LEARN_PREPARATION: Final = """
INSERT INTO preparations (kind, model_key, mean_s, samples) VALUES (:kind, :model, :seconds, 1)
ON CONFLICT DO UPDATE SET
    mean_s = mean_s + (excluded.mean_s - mean_s) * max(:share, 1.0 / (samples + 1)),
    samples = samples + 1
"""

NEAREST: Final = """
SELECT width * height AS pixels, row_s, rest_s FROM timings WHERE model_key = ?
ORDER BY abs(width * height - ?) LIMIT 1
"""


Preparation = Literal["start", "load"]
"""A start of the worker, which loads a model too, or the loading of another one by a worker that is ready."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of one pass of one row through the network, and of all else for one image."""

    row_s: float
    rest_s: float


class TimingRepository:
    """Moving averages by model and size; steps, guidance, sampler and images are counted in rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learn(self, request: GenerationRequest, *, denoise_s: float, total_s: float) -> None:
        """Take a finished job's measured seconds into the average."""
        values = {
            "model": request.model_key,
            "width": request.width,
            "height": request.height,
            "row": denoise_s / rows(request),
            "rest": max(0.0, total_s - denoise_s) / request.num_images,
            "share": _NEWEST_SHARE,
        }
        await self._database.change(LEARN, values)

    async def expected_s(self, request: GenerationRequest) -> float | None:
        """Seconds that a job may run; from the nearest known size, in proportion to the pixels. None: unknown."""
        pixels = request.width * request.height
        row = await self._database.fetch_one(NEAREST, (request.model_key, pixels))
        if row is None:
            return None
        scale = pixels / row["pixels"]
        return scale * (rows(request) * row["row_s"] + request.num_images * row["rest_s"])

    async def learn_preparation(self, kind: Preparation, model_key: str, seconds: float) -> None:
        """Take a measured start or loading into its average."""
        values = {"kind": kind, "model": model_key, "seconds": seconds, "share": _NEWEST_SHARE}
        await self._database.change(LEARN_PREPARATION, values)

    async def preparation_s(self, kind: Preparation, model_key: str) -> float | None:
        """Seconds that such a start or loading takes. None: unknown."""
        row = await self._database.fetch_one(
            "SELECT mean_s FROM preparations WHERE kind = ? AND model_key = ?", (kind, model_key)
        )
        return None if row is None else float(row["mean_s"])
