"""Upscaling networks: the enlarger of a model that draws small pictures, and the upscalers for any picture."""

import itertools
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

from pipeline.engine.device.fallbacks import TILE_SIDE, Fallback, fallbacks_for
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import BrokenImage, ModelUnavailable, blaming
from pipeline.engine.pixels.architectures import network_loader
from pipeline.engine.sampling.latents import is_finite
from pipeline.engine.weights.finite import check_numbers
from pipeline.engine.weights.headers import check_safetensors
from pipeline.protocol.catalogue.networks import Enlarger, UpscalerSpec

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

_COLORS: Final = 3

log = logging.getLogger(__name__)

_MARGIN: Final = 32
"""Margin around a tile in pixels, which is computed and cut away; pixels further off hardly affect the tile."""


class LoadedEnlarger:
    """Upscaling network on its device.

    Raises:
        ModelUnavailable: see `read_enlarger`.
    """

    def __init__(self, enlarger: Enlarger | UpscalerSpec, placement: Placement) -> None:
        self._enlarger = enlarger
        self._placement = placement
        model = read_enlarger(enlarger)
        is_half = placement.dtype is torch.float16 and model.supports_half
        # On a CPU this order saves a third of the memory and a quarter of the time. It changes the last bits, so that
        # the enlarger of a model keeps the other order, and pictures their bits.
        is_upscaler = isinstance(enlarger, UpscalerSpec) and placement.device.type == "cpu"
        self._order = torch.channels_last if is_upscaler else torch.contiguous_format
        self._model = model.to(placement.device, torch.float16 if is_half else torch.float32)
        self._twin: ImageModelDescriptor[Any] | None = None

    def fallbacks(self, height: int, width: int) -> tuple[Fallback, ...]:
        """Fallbacks for a picture of this size in pixels, best first."""
        return fallbacks_for(
            height,
            width,
            has_tiles=self._model.tiling.name == "SUPPORTED",
            is_on_processor=self._placement.device.type == "cpu",
        )

    @property
    def scale(self) -> int:
        """Factor between the sides of the network's result and those of its input."""
        return self._model.scale

    @property
    def device(self) -> torch.device:
        """The network's device."""
        return self._placement.device

    @property
    def module(self) -> nn.Module:
        """Module with the weights."""
        return self._model.model

    @torch.inference_mode()
    def enlarge(self, pixels: torch.Tensor, fallback: Fallback = "direct") -> torch.Tensor:
        """Enlarge pixels [n, 3, h, w] from 0 to 1 to [n, 3, scale * h, scale * w], float32.

        With the fallback `tiled`, the result is in host memory.

        Raises:
            BrokenImage: the result holds NaN or infinity, even in float32.
        """
        if fallback == "cpu":
            if self._twin is None:
                self._twin = read_enlarger(self._enlarger)
            larger = self._twin(pixels.to("cpu", torch.float32))
        else:
            larger = self._on_device(pixels, fallback)
            if self._model.dtype is torch.float16 and not is_finite(larger):
                log.warning("The enlarger left the range of float16 and runs in float32 from now on.")
                self._model = self._model.to(torch.float32)
                larger = self._on_device(pixels, fallback)
        if not is_finite(larger):
            raise BrokenImage("The enlarger left the range of numbers.")
        return larger

    def _on_device(self, pixels: torch.Tensor, fallback: Fallback) -> torch.Tensor:
        return self._in_tiles(pixels) if fallback == "tiled" else self._piece(pixels)

    def _piece(self, pixels: torch.Tensor) -> torch.Tensor:
        given = pixels.to(self._model.device, self._model.dtype).contiguous(memory_format=self._order)
        return self._model(given).float()

    def _in_tiles(self, pixels: torch.Tensor) -> torch.Tensor:
        """Enlarge tile by tile, each with a margin; the result is assembled in host memory."""
        scale = self._model.scale
        images, channels, height, width = pixels.shape
        larger = torch.empty((images, channels, scale * height, scale * width), dtype=torch.float32)
        for top, left in itertools.product(range(0, height, TILE_SIDE), range(0, width, TILE_SIDE)):
            bottom, right = min(top + TILE_SIDE, height), min(left + TILE_SIDE, width)
            first_row, first_column = max(0, top - _MARGIN), max(0, left - _MARGIN)
            around = pixels[:, :, first_row : bottom + _MARGIN, first_column : right + _MARGIN]
            rows = slice(scale * (top - first_row), scale * (bottom - first_row))
            columns = slice(scale * (left - first_column), scale * (right - first_column))
            tile = self._piece(around)[:, :, rows, columns]
            larger[:, :, scale * top : scale * bottom, scale * left : scale * right] = tile.cpu()
        return larger


def read_enlarger(enlarger: Enlarger | UpscalerSpec) -> "ImageModelDescriptor[Any]":
    """Read the network onto the CPU, in float32.

    Raises:
        ModelUnavailable: the file is missing or broken, does not match the catalogue, or enlarges nothing.
    """
    # Imported here, because spandrel imports all its architectures, and most models need none.
    from spandrel import ImageModelDescriptor  # noqa: PLC0415

    path = Path(enlarger.path)
    _check_kind(path)
    check_safetensors(path)
    with blaming(f"The enlarger {path.name} cannot be loaded; take a network that spandrel knows, or leave it out"):
        model = network_loader().load_from_file(path)
    if not isinstance(model, ImageModelDescriptor):
        raise ModelUnavailable(f"The enlarger {path.name} wants a mask beside the picture; take one that enlarges.")
    if isinstance(enlarger, UpscalerSpec):
        _check_upscaler(model, path)
    if model.scale != enlarger.scale:
        raise ModelUnavailable(
            f"The enlarger {path.name} does not enlarge {enlarger.scale} times but {model.scale}; "
            "set its scale in the catalogue."
        )
    if (model.input_channels, model.output_channels) != (_COLORS, _COLORS):
        raise ModelUnavailable(
            f"The enlarger {path.name} takes pictures of {model.input_channels} color channels and makes those of "
            f"{model.output_channels}; take one that enlarges pictures of {_COLORS}."
        )
    check_numbers({"network": model.model}, f"of the enlarger {path.name}")
    return model.float().eval()


def _check_kind(path: Path) -> None:
    if path.suffix != ".safetensors":
        raise ModelUnavailable(
            f"The enlarger {path.name} is no .safetensors file. Other files can run code when they are read; "
            f"convert it: easel convert {path.name}"
        )


def _check_upscaler(model: "ImageModelDescriptor[Any]", path: Path) -> None:
    """Check that an upscaler enlarges, and that tiles of a picture can be put together."""
    if model.scale < 2:  # noqa: PLR2004 - a network of scale 1 changes pixels only
        raise ModelUnavailable(f"The enlarger {path.name} leaves a picture as large as it is; take one that enlarges.")
    if model.tiling.name != "SUPPORTED":
        raise ModelUnavailable(
            f"The enlarger {path.name} must see a picture whole, which no memory bounds; take one that can work in "
            "tiles."
        )
