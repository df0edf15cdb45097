"""Attached pictures: seconds until a job with one is accepted, seconds of the reading process, and the bot's memory."""

import asyncio
import io
import json
import statistics
import time
from pathlib import Path
from typing import Any, Final

import psutil
from PIL import Image

from benchmarks.report import Report
from benchmarks.running_bot import RunningBot, percentile, running_bot
from bot.pictures.reading import read_file
from pipeline.protocol.reading import Wanted

ACCEPTED_GOAL_S: Final = 0.400
READ_GOAL_S: Final = 0.250
GROWTH_GOAL_MB: Final = 40.0
SAMPLES: Final = 20
_SIDES: Final = (4_000, 3_000)
_ATTACHMENT_BYTES: Final = 10 * 2**20
_MB: Final = 1e6


def run() -> Report:
    """Read a photograph alone, then attach one of 10 MiB to commands, one after another."""
    photograph = _photograph(quality=88)
    heavy = _photograph(quality=97)
    heavy += bytes(max(0, _ATTACHMENT_BYTES - len(heavy)))  # what stands behind a picture is read and ignored
    read_s = asyncio.run(_read(photograph))
    accepted_s, growth_mb = asyncio.run(_attach(heavy[:_ATTACHMENT_BYTES]))
    p95, median_read_s = percentile(accepted_s, 95), statistics.median(read_s)
    return Report(
        name="pictures",
        goal=f"10 MiB are accepted, p95 <= {ACCEPTED_GOAL_S * 1_000:.0f} ms; a JPEG of 12 megapixels is read in "
        f"{READ_GOAL_S * 1_000:.0f} ms; the bot grows by at most {GROWTH_GOAL_MB:.0f} MB",
        value=p95,
        holds=p95 <= ACCEPTED_GOAL_S and median_read_s <= READ_GOAL_S and growth_mb <= GROWTH_GOAL_MB,
        median=statistics.median(accepted_s),
        minimum=min(accepted_s),
        pairs=SAMPLES,
        detail={
            "read_median_ms": median_read_s * 1_000,
            "read_min_ms": min(read_s) * 1_000,
            "photograph_mb": len(photograph) / _MB,
            "bot_growth_mb": growth_mb,
        },
    )


def _photograph(quality: int) -> bytes:
    """A JPEG of 12 megapixels with as much detail as a photograph."""
    small = (_SIDES[0] // 3, _SIDES[1] // 3)
    bands = [Image.effect_noise(small, 40 + 20 * band).resize(_SIDES, Image.Resampling.BICUBIC) for band in range(3)]
    file = io.BytesIO()
    Image.merge("RGB", bands).save(file, "JPEG", quality=quality)
    return file.getvalue()


async def _read(data: bytes) -> list[float]:
    """Seconds of the reading process, from its start to its end."""
    seconds: list[float] = []
    for _ in range(SAMPLES):
        started_at = time.perf_counter()
        await read_file(data, Wanted.PICTURE)
        seconds.append(time.perf_counter() - started_at)
    return seconds


async def _attach(data: bytes) -> tuple[list[float], float]:
    """Seconds to the acceptance of each job, and the growth of the bot's highest memory in MB."""
    async with running_bot(threads=1) as running:
        await _ask(running, seed=1, image=None)
        before_mb = running.bot.memory_info().rss / _MB
        _forget_peak(running.bot)
        accepted_s = [await _ask(running, seed=seed, image=data) for seed in range(2, SAMPLES + 2)]
        return accepted_s, _peak_mb(running.bot) - before_mb


async def _ask(running: RunningBot, *, seed: int, image: bytes | None) -> float:
    """Seconds to the acceptance of a job, which is waited for until its end."""
    local = running.local
    options: dict[str, Any] = {} if image is None else {"image": ("a.jpg", image), "strength": 0.05}
    result = await local.member.slash(
        local.channel, "imagine", prompt="a red apple", steps=2, seed=seed, size="64x64", **options
    )
    seconds = local.acknowledged_in_s(result)
    await local.wait_for_message(lambda message: f"seed {seed} " in json.dumps(message["components"]), 60)
    return float("inf") if seconds is None else seconds


def _forget_peak(process: psutil.Process) -> None:
    """Let Linux count the highest memory anew."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")


def _peak_mb(process: psutil.Process) -> float:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    peak_kib = next(line for line in lines if line.startswith("VmHWM")).split()[1]
    return int(peak_kib) * 1_024 / _MB
