"""Decodes, encodes and enlarges pictures, with fallbacks when the device is out of memory."""

import gc
import logging
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec
import torch

from pipeline.engine.device.fallbacks import Fallback
from pipeline.engine.device.placement import Placement, release_memory
from pipeline.engine.device.state_file import StateFile, key_of
from pipeline.engine.failures import reason_of
from pipeline.engine.families.autoencoder import Posterior
from pipeline.engine.models.loading import LoadedModel
from pipeline.protocol.errors import FailureReason

_T = TypeVar("_T")

log = logging.getLogger(__name__)

_IN_WORDS: Final[dict[Fallback, str]] = {
    "direct": "in one piece",
    "tiled": "in tiles",
    "cpu": "on the processor, which is slow: a smaller bounds.max_pixels for this model spares that",
}


class _Learnt(msgspec.Struct, frozen=True):
    """First fallback that fitted the memory."""

    fallback: Fallback


class Decoder:
    """Runs the VAE and the enlarger. One thread calls all methods.

    When the device is out of memory, the next fallback is tried. Later pictures of that model and size start with the
    fallback that worked.

    Args:
        placement: the device.
        directory: folder of `fallbacks.json`; None keeps nothing on disk.
    """

    def __init__(self, placement: Placement, directory: str | None) -> None:
        self._placement = placement
        self._learnt = StateFile(directory, "fallbacks.json", _Learnt)

    def decode(self, model: LoadedModel, latents: torch.Tensor) -> torch.Tensor:
        """Decode finished latents [n, c, h, w] to pixels [n, 3, H, W] from 0 to 1, float32.

        Raises:
            BrokenImage: the result is no picture; see `Autoencoder.decode`.
            torch.OutOfMemoryError: no fallback fits the memory.
        """
        adapter = model.adapter
        height, width = (side * adapter.scale_factor for side in latents.shape[2:])
        fallbacks = adapter.fallbacks(height, width)
        return self._with_fallbacks(
            "decoded", model, (height, width), fallbacks, lambda how: adapter.decode(latents, how)
        )

    def encode(self, model: LoadedModel, pixels: torch.Tensor) -> torch.Tensor:
        """Encode pixels [n, 3, H, W] from 0 to 1 to latents [n, c, h, w].

        Raises:
            BrokenImage: the latents hold NaN or infinity.
            torch.OutOfMemoryError: no fallback fits the memory.
        """
        adapter = model.adapter
        height, width = pixels.shape[2:]
        fallbacks = adapter.fallbacks(height, width)
        return self._with_fallbacks(
            "encoded", model, (height, width), fallbacks, lambda how: adapter.encode(pixels, how)
        )

    def posterior(self, model: LoadedModel, pixels: torch.Tensor) -> Posterior:
        """Encode the pixels of one picture, [1, 3, H, W] from 0 to 1 in float32, to the distribution of its latents.

        Raises:
            BrokenImage: the distribution holds NaN or infinity.
            torch.OutOfMemoryError: no fallback fits the memory.
        """
        adapter = model.adapter
        height, width = pixels.shape[2:]
        fallbacks = adapter.fallbacks(height, width)
        return self._with_fallbacks(
            "encoded", model, (height, width), fallbacks, lambda how: adapter.posterior(pixels, how)
        )

    def enlarge(self, model: LoadedModel, pixels: torch.Tensor) -> torch.Tensor:
        """Enlarge pixels [n, 3, h, w] with the model's enlarger; a model without one returns them unchanged.

        Raises:
            BrokenImage: the enlarged pixels hold NaN or infinity.
            torch.OutOfMemoryError: no fallback fits the memory.
        """
        enlarger = model.enlarger
        if enlarger is None:
            return pixels
        height, width = pixels.shape[2:]
        fallbacks = enlarger.fallbacks(height, width)
        return self._with_fallbacks(
            "enlarged", model, (height, width), fallbacks, lambda how: enlarger.enlarge(pixels, how)
        )

    def _with_fallbacks(
        self,
        done: str,
        model: LoadedModel,
        size: tuple[int, int],
        fallbacks: Sequence[Fallback],
        work: Callable[[Fallback], _T],
    ) -> _T:
        key = key_of(self._placement, work=done, model=model.spec.key, size=size)
        learnt = self._learnt.get(key)
        known = "direct" if learnt is None or learnt.fallback not in fallbacks else learnt.fallback
        left = fallbacks[fallbacks.index(known) :]
        for fallback in left[:-1]:
            result = _tried(work, fallback)
            if result is not None:
                self._remember(key, fallback, known)
                return result
            # This runs outside the exception handler, because its traceback keeps the failed tensors alive.
            gc.collect()
            release_memory(self._placement.device)
            then = _IN_WORDS[left[left.index(fallback) + 1]]
            height, width = size
            log.warning(
                "The device is full: pictures of %s at %d x %d are %s %s.", model.spec.key, width, height, done, then
            )
        result = work(left[-1])
        self._remember(key, left[-1], known)
        return result

    def _remember(self, key: str, fallback: Fallback, known: Fallback) -> None:
        if fallback != known:
            self._learnt.put(key, _Learnt(fallback))


def _tried(work: Callable[[Fallback], _T], fallback: Fallback) -> _T | None:
    """Result of `work` with a fallback; None when memory runs out."""
    try:
        return work(fallback)
    # torch reports out-of-memory with several exception classes.
    except (RuntimeError, MemoryError) as error:
        if reason_of(error) is not FailureReason.OUT_OF_MEMORY:
            raise
        return None
