"""Memory and seams of a picture that is enlarged in tiles: 1,024 x 1,024 pixels by 4, with the shipped upscaler."""

import multiprocessing
import time
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image

from benchmarks.report import Report
from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.engine.device.placement import choose_placement, rss_bytes
from pipeline.engine.pixels.enlarging import PROCESSOR_SIDES, Enlarging, Pixels
from pipeline.engine.pixels.upscaler import LoadedEnlarger
from pipeline.images.encode import encode_rows
from pipeline.protocol.wire.settings import ImageOutput

SIDE: Final = 1_024
SCALE: Final = 4
PEAK_GOAL: Final = 1.5
SEAM_GOAL: Final = 1
_MB: Final = 1e6


def run() -> Report:
    """Enlarge in tiles in a new process, whose memory is measured, and once more in one piece."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        facts = pool.apply(_measured)
    peak, seam = facts["peak_of_output"], facts["seam_of_255"]
    return Report(
        name="enlarge",
        goal=f"peak <= {PEAK_GOAL:g} x the output's pixels, seams <= {SEAM_GOAL} of 255",
        value=peak,
        holds=peak <= PEAK_GOAL and seam <= SEAM_GOAL,
        median=peak,
        minimum=peak,
        pairs=1,
        detail={**facts},
    )


def _measured() -> dict[str, float]:
    torch.set_num_threads(2)
    catalogue = load_catalogue(PipelineSettings().catalogue, "pocket")
    network = LoadedEnlarger(next(iter(catalogue.upscalers.values())), choose_placement("cpu", "float32"))
    picture = _photo()
    _finish(Enlarging(network, picture[:200, :200], SCALE, PROCESSOR_SIDES))  # loads what torch loads once
    before = _peak_from_here()
    started = time.perf_counter()
    tiled = _finish(Enlarging(network, picture, SCALE, PROCESSOR_SIDES))
    tiled_s = time.perf_counter() - started
    tiles_peak = _peak() - before
    size = len(encode_rows(tiled, "", ImageOutput()).data)
    with_file_peak = _peak() - before
    started = time.perf_counter()
    whole = _finish(Enlarging(network, picture, SCALE, (SIDE,)))
    whole_s = time.perf_counter() - started
    apart = max(int(np.abs(first.astype(np.int16) - second).max()) for first, second in zip(tiled, whole, strict=True))
    return {
        "peak_of_output": tiles_peak / tiled.nbytes,
        "peak_with_file_of_output": with_file_peak / tiled.nbytes,
        "peak_in_one_piece_of_output": (_peak() - before) / tiled.nbytes,
        "seam_of_255": float(apart),
        "output_mb": tiled.nbytes / _MB,
        "file_mb": size / _MB,
        "tiles_to_one_piece_s": tiled_s / whole_s,
        "tiled_s": tiled_s,
    }


def _photo() -> Pixels:
    dice = np.random.default_rng(1)
    small = Image.fromarray(dice.integers(0, 256, (SIDE // 16, SIDE // 16, 3), dtype=np.uint8))
    return np.asarray(small.resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def _finish(enlarging: Enlarging) -> Pixels:
    while enlarging.advance():
        pass
    return enlarging.larger


def _peak_from_here() -> float:
    """Forget the peak of this process so far, and return its memory in bytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return float(rss_bytes())


def _peak() -> float:
    """Greatest resident memory of this process in bytes since `_peak_from_here`."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) * 1_024 for line in lines if line.startswith("VmHWM"))
