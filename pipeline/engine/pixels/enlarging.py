"""Enlarges a picture tile by tile, without seams and in bounded memory."""

import gc
import logging
from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from pipeline.engine.device.fallbacks import Fallback
from pipeline.engine.device.placement import release_memory
from pipeline.engine.failures import reason_of
from pipeline.engine.pixels.upscaler import LoadedEnlarger
from pipeline.protocol.catalogue.networks import rounds_to
from pipeline.protocol.errors import FailureReason

log = logging.getLogger(__name__)

SIDES: Final = (512, 256, 128, 64)
"""Sides of a tile in pixels, best first. A smaller one needs less memory and computes more pixels twice."""
PROCESSOR_SIDES: Final = (128, 64)
"""The same on a CPU, where the memory of a tile counts beside that of the picture: both stay below 1.5 times the
greatest result. A tile of 256 pixels halves the time and takes four times the memory."""
CONTEXT: Final = 20
"""Pixels around a written part of a tile that its network sees. The shipped one has 18 convolutions of 3 x 3, so that
no pixel further off changes its result. A network that sees further off differs slightly from tile to tile."""
BLENDED: Final = 8
"""Pixels on both sides of a border over which two tiles are blended, for networks that see further than `CONTEXT`."""

Pixels = NDArray[np.uint8]
"""An RGB picture, [h, w, 3]."""


class Enlarging:
    """One picture while it is enlarged. The result fills up row of tiles by row of tiles.

    Args:
        network: the network; it is applied again and again until its scale is reached, then a filter makes it smaller.
        picture: the picture.
        scale: factor between the sides of the result and those of the picture.
        sides: sides of a tile in pixels, best first. When the device is out of memory, the next one is tried, and at
            last the CPU.
    """

    def __init__(self, network: LoadedEnlarger, picture: Pixels, scale: int, sides: Sequence[int] = SIDES) -> None:
        self._network = network
        self.picture: Final = picture
        self._scale = scale
        self._sides = [*sides]
        self._how: Fallback = "direct"
        self._rounds = rounds_to(scale, network.scale)
        self._top = self._left = 0
        self._above: Pixels | None = None
        height, width, colors = picture.shape
        self.larger: Pixels = np.empty((scale * height, scale * width, colors), np.uint8)

    @property
    def done(self) -> float:
        """Finished part of the picture, from 0 to 1."""
        height, width, _ = self.picture.shape
        rows = min(self._sides[0], height - self._top)
        return (self._top * width + rows * self._left) / (height * width)

    def advance(self) -> bool:
        """Enlarge the next tile; False after the last one.

        Raises:
            BrokenImage: the result holds NaN or infinity.
            torch.OutOfMemoryError: not even the smallest tile fits the memory.
        """
        height, width, _ = self.picture.shape
        bottom, right = min(self._top + self._sides[0], height), min(self._left + self._sides[0], width)
        if self._left == 0 and self._top > 0:
            self._above = self._border().copy()
        written = (
            *(max(0, self._top - BLENDED), min(height, bottom + BLENDED)),
            *(max(0, self._left - BLENDED), min(width, right + BLENDED)),
        )
        tile = self._tile(*written)
        if tile is None:
            self._begin_row_again()
            return True
        self._write(tile, written)
        self._left = right
        if right == width:
            self._end_row(bottom)
        return self._top < height

    def _border(self) -> Pixels:
        """The pixels of the result that the present row of tiles shares with the one above."""
        return self.larger[self._scale * (self._top - BLENDED) : self._scale * (self._top + BLENDED)]

    def _tile(self, top: int, bottom: int, left: int, right: int) -> Pixels | None:
        """These rows and columns of the picture, enlarged; None after a fallback was taken.

        Raises:
            torch.OutOfMemoryError: no fallback is left.
        """
        is_last = self._how == "cpu" or (len(self._sides) == 1 and self._network.device.type == "cpu")
        try:
            return self._enlarged(top, bottom, left, right)
        # torch reports out-of-memory with several exception classes.
        except (RuntimeError, MemoryError) as error:
            if is_last or reason_of(error) is not FailureReason.OUT_OF_MEMORY:
                raise
        # This runs outside the exception handler, because its traceback keeps the failed tensors alive.
        gc.collect()
        release_memory(self._network.device)
        if len(self._sides) > 1:
            self._sides.pop(0)
        else:
            self._how = "cpu"
        log.warning("The device is full: a picture is enlarged %s.", self._in_words())
        return None

    def _in_words(self) -> str:
        return "on the processor, which is slow" if self._how == "cpu" else f"in tiles of {self._sides[0]} pixels"

    @torch.inference_mode()
    def _enlarged(self, top: int, bottom: int, left: int, right: int) -> Pixels:
        scale, context = self._scale, CONTEXT * self._rounds
        # All tiles have one size, also at the edges: tensors of other sizes leave gaps in the memory of the process.
        side = self._sides[0] + 2 * (BLENDED + context)
        height, width, _ = self.picture.shape
        first_row = max(0, min(top - context, height - side))
        first_column = max(0, min(left - context, width - side))
        around = self.picture[first_row : first_row + side, first_column : first_column + side]
        pixels = torch.from_numpy(around.astype(np.float32)).permute(2, 0, 1)[None] / 255
        for _ in range(self._rounds):
            pixels = self._network.enlarge(pixels, self._how)
        size = (scale * around.shape[0], scale * around.shape[1])
        if pixels.shape[2:] != size:
            pixels = interpolate(pixels, size, mode="bicubic", antialias=True)
        rows = slice(scale * (top - first_row), scale * (bottom - first_row))
        columns = slice(scale * (left - first_column), scale * (right - first_column))
        cut = pixels[0, :, rows, columns].clamp(0, 1).mul_(255).round_().to(torch.uint8)
        return cut.permute(1, 2, 0).cpu().numpy()

    def _write(self, tile: Pixels, written: tuple[int, int, int, int]) -> None:
        """Write a tile, and blend its first columns with those of its neighbor."""
        top, bottom, left, right = (self._scale * each for each in written)
        there = self.larger[top:bottom, left:right]
        shared = min(2 * BLENDED * self._scale, right - left) if self._left else 0
        there[:, :shared] = _blended(there[:, :shared], tile[:, :shared], axis=1)
        there[:, shared:] = tile[:, shared:]

    def _end_row(self, bottom: int) -> None:
        """Blend the first rows of a row of tiles with the last ones of the row above."""
        if self._above is not None:
            border = self._border()
            border[:] = _blended(self._above, border, axis=0)
            self._above = None
        self._top, self._left = bottom, 0

    def _begin_row_again(self) -> None:
        if self._above is not None:
            self._border()[:] = self._above
        self._left = 0


def _blended(first: Pixels, second: Pixels, axis: int) -> Pixels:
    """A linear transition from one picture [h, w, 3] to another along an axis."""
    count = first.shape[axis]
    weights = (np.arange(count, dtype=np.float32) + 0.5) / max(1, count)
    ramp = weights[:, None, None] if axis == 0 else weights[None, :, None]
    mixed: Pixels = (first * (1 - ramp) + second * ramp).round().astype(np.uint8)
    return mixed
