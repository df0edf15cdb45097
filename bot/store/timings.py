"""Learnt durations of jobs, of worker starts and of model loads on this computer."""

from typing import Final, Literal

import msgspec

from bot.quotas.pricing import rows
from bot.store.sqlite.database import Database
from pipeline.protocol.requests import Request

_NEWEST_SHARE: Final = 0.2
"""Weight of the newest job in the moving average. With few samples, the weight is 1 / samples."""

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
"""`start` is a start of the worker with its first model; `load` is a later load of another model."""


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds for one pass of one row through the network, and seconds for the rest of one image."""

    row_s: float
    rest_s: float


class TimingRepository:
    """Moving averages by model and size. Steps, guidance, sampler and images count as rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learn(self, request: Request, *, denoise_s: float, total_s: float) -> None:
        """Add a finished job's measured seconds to the average."""
        values = {
            "model": request.model_key,
            "width": request.width,
            "height": request.height,
            "row": denoise_s / rows(request),
            "rest": max(0.0, total_s - denoise_s) / request.output_count,
            "share": _NEWEST_SHARE,
        }
        await self._database.change(LEARN, values)

    async def expected_s(self, request: Request) -> float | None:
        """Expected seconds of a job, scaled by the pixels from the nearest known size; None if unknown."""
        pixels = request.width * request.height
        row = await self._database.fetch_one(NEAREST, (request.model_key, pixels))
        if row is None:
            return None
        scale = pixels / row["pixels"]
        return scale * (rows(request) * row["row_s"] + request.output_count * row["rest_s"])

    async def learn_preparation(self, kind: Preparation, model_key: str, seconds: float) -> None:
        """Add a measured start or load to its average."""
        values = {"kind": kind, "model": model_key, "seconds": seconds, "share": _NEWEST_SHARE}
        await self._database.change(LEARN_PREPARATION, values)

    async def preparation_s(self, kind: Preparation, model_key: str) -> float | None:
        """Expected seconds of a start or load; None if unknown."""
        row = await self._database.fetch_one(
            "SELECT mean_s FROM preparations WHERE kind = ? AND model_key = ?", (kind, model_key)
        )
        return None if row is None else float(row["mean_s"])
