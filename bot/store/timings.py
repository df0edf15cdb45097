"""Learnt durations of jobs, of worker starts and of model loads on this computer."""

from typing import Final, Literal

import msgspec

from bot.store.sqlite.database import Database

_NEWEST_SHARE: Final = 0.2
"""Weight of the newest job in the moving average. With few samples, the weight is 1 / samples."""

LEARN: Final = """
INSERT INTO timings (kind, model_key, size, row_s, rest_s, samples) VALUES (:kind, :model, :size, :row, :rest, 1)
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
SELECT size, row_s, rest_s FROM timings WHERE kind = :kind AND model_key = :model
ORDER BY abs(size - :size) LIMIT 1
"""


Preparation = Literal["start", "load"]
"""`start` is a start of the worker with its first model; `load` is a later load of another model."""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that a job's duration depends on. Jobs of one kind, model and size share an average.

    Attributes:
        kind: kind of the request.
        model_key: key of its model.
        size: size of one output, such as its pixels, at least 1; durations are proportional to it.
        rows: rows of all forward passes of the whole job, or other repeated work, at least 1.
        outputs: number of outputs, at least 1.
    """

    kind: str
    model_key: str
    size: int
    rows: int
    outputs: int


class TimingRepository:
    """Moving averages of the seconds of one row, and of the rest of one output, by kind, model and size."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def learn(self, work: Workload, *, denoise_s: float, total_s: float) -> None:
        """Add a finished job's measured seconds to the average."""
        values = {
            "kind": work.kind,
            "model": work.model_key,
            "size": work.size,
            "row": denoise_s / work.rows,
            "rest": max(0.0, total_s - denoise_s) / work.outputs,
            "share": _NEWEST_SHARE,
        }
        await self._database.change(LEARN, values)

    async def expected_s(self, work: Workload) -> float | None:
        """Expected seconds of a job, scaled from the nearest known size; None if unknown."""
        values = {"kind": work.kind, "model": work.model_key, "size": work.size}
        row = await self._database.fetch_one(NEAREST, values)
        if row is None:
            return None
        return work.size / row["size"] * (work.rows * row["row_s"] + work.outputs * row["rest_s"])

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
