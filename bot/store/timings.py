"""How long jobs take here, learnt from those that were done."""

from typing import Final

import msgspec

from bot.quotas.pricing import rows
from bot.store.database import Database
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

NEAREST: Final = """
SELECT width * height AS pixels, row_s, rest_s FROM timings WHERE model_key = ?
ORDER BY abs(width * height - ?) LIMIT 1
"""


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
