"""Tiles of an enlarged picture: no seams, fallbacks without memory, and a network of any scale."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from config.catalogue import Catalogue
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.pixels.enlarging import BLENDED, Enlarging, Pixels
from pipeline.engine.pixels.upscaler import LoadedEnlarger


def photo(width: int, height: int, seed: int = 0) -> Pixels:
    dice = np.random.default_rng(seed)
    small = Image.fromarray(dice.integers(0, 256, (max(2, height // 16), max(2, width // 16), 3), dtype=np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def enlarged(network: Any, picture: Pixels, scale: int, side: int) -> Pixels:
    enlarging = Enlarging(cast("LoadedEnlarger", network), picture, scale, (side,))
    while enlarging.advance():
        pass
    assert enlarging.done == 1
    return enlarging.larger


def apart(first: Pixels, second: Pixels) -> int:
    return int(np.abs(first.astype(int) - second.astype(int)).max())


class Network:
    """Repeats pixels, and cannot hold a tile of more than `room` pixels."""

    device = torch.device("cpu")

    def __init__(self, scale: int, room: int = 1 << 30, shift: Iterator[float] | None = None) -> None:
        self.scale = scale
        self.sizes: list[tuple[int, ...]] = []
        self._room = room
        self._shift = shift

    def enlarge(self, pixels: torch.Tensor, fallback: str) -> torch.Tensor:
        self.sizes.append(tuple(pixels.shape[2:]))
        if fallback == "direct" and pixels[0, 0].numel() > self._room:
            raise torch.OutOfMemoryError("out of memory")
        larger = interpolate(pixels, scale_factor=self.scale, mode="nearest")
        return larger if self._shift is None else larger + next(self._shift)


@pytest.mark.parametrize("scale", [2, 4])
def test_the_shipped_network_leaves_no_seams(catalogue: Catalogue, scale: int) -> None:
    (spec,) = catalogue.upscalers.values()
    network = LoadedEnlarger(spec, choose_placement("cpu", "float32"))
    picture = photo(100, 84)
    whole = enlarged(network, picture, scale, 128)
    tiles = enlarged(network, picture, scale, 32)
    assert whole.shape == (84 * scale, 100 * scale, 3)
    assert apart(whole, tiles) <= 1


@pytest.mark.parametrize(("network", "wanted"), [(2, 4), (4, 2), (4, 4), (3, 2), (3, 4), (8, 4)])
def test_a_network_of_any_scale_gives_the_wanted_one(network: int, wanted: int) -> None:
    picture = np.full((70, 90, 3), 200, np.uint8)
    picture[:, 45:] = 20
    larger = enlarged(Network(network), picture, wanted, 32)
    assert larger.shape == (70 * wanted, 90 * wanted, 3)
    assert apart(larger, enlarged(Network(network), picture, wanted, 128)) <= 1
    assert {int(larger[5, 5, 0]), int(larger[-5, -5, 0])} == {200, 20}


def test_tiles_that_disagree_are_blended() -> None:
    # Each tile is a little brighter than the one before.
    shift = iter([each / 255 for each in range(0, 90, 10)])
    larger = enlarged(Network(2, shift=shift), np.full((90, 90, 3), 50, np.uint8), 2, 32)[..., 0].astype(int)
    assert int(np.abs(np.diff(larger, axis=1)).max()) <= 1
    assert int(np.abs(np.diff(larger, axis=0)).max()) <= 1
    assert set(larger[2 * (16 - BLENDED), [10, 100, 170]]) == {50, 60, 70}


def test_a_full_device_takes_smaller_tiles_and_goes_on_in_the_same_row() -> None:
    picture = photo(200, 150)
    network = Network(2, room=120**2)
    enlarging = Enlarging(cast("LoadedEnlarger", network), picture, 2, (128, 64))
    parts = [enlarging.done]
    while enlarging.advance():
        parts.append(enlarging.done)
    assert apart(enlarging.larger, enlarged(Network(2), picture, 2, 256)) == 0
    assert parts == sorted(parts)
    assert len([size for size in network.sizes if size[0] * size[1] > 120**2]) == 1


def test_memory_that_runs_out_in_the_middle_of_a_row_spoils_no_border() -> None:
    picture = photo(200, 150)
    network = Network(2)
    enlarging = Enlarging(cast("LoadedEnlarger", network), picture, 2, (96, 48))
    for _ in range(4):
        enlarging.advance()
    vars(network)["_room"] = 110**2
    while enlarging.advance():
        pass
    assert apart(enlarging.larger, enlarged(Network(2), picture, 2, 256)) == 0


def test_where_no_tile_fits_the_processor_helps_or_the_job_ends() -> None:
    picture = photo(100, 80)
    network = Network(2, room=10)
    with pytest.raises(torch.OutOfMemoryError):
        enlarged(network, picture, 2, 64)
    on_device = SimpleNamespace(scale=2, device=torch.device("meta"), enlarge=network.enlarge)
    assert apart(enlarged(on_device, picture, 2, 64), enlarged(Network(2), picture, 2, 64)) == 0
