"""Enlarges decoded pictures, with the untouched pixels of an init image in them."""

import torch

from pipeline.engine.finishing.decoding import Decoder
from pipeline.engine.models.loading import LoadedModel
from pipeline.images.pasting import Paste


def enlarged_pixels(model: LoadedModel, decoder: Decoder, pixels: torch.Tensor, paste: Paste | None) -> torch.Tensor:
    """Enlarge pixels [1, 3, h, w] with the model's enlarger, and paste an init image back.

    The enlarger sees the pasted picture, so that its own edges fit. The init image is then pasted again at the larger
    size, where it has all of its details.

    Args:
        model: the model.
        decoder: enlarges.
        pixels: a decoded picture.
        paste: the init image; None pastes nothing.

    Raises:
        BrokenImage: the enlarged pixels hold NaN or infinity.
        torch.OutOfMemoryError: no fallback fits the memory.
    """
    if paste is None:
        return decoder.enlarge(model, pixels)
    pasted = paste.onto(pixels)
    larger = decoder.enlarge(model, pasted)
    return paste.whole(pasted if larger is pasted else paste.onto(larger))
