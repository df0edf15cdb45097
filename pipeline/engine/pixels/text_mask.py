"""Marks the part of a picture that words name, with CLIPSeg."""

from pathlib import Path
from typing import Any, Final

import torch
from PIL import Image
from torch.nn.functional import interpolate
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from pipeline.engine.failures import blaming
from pipeline.engine.weights.completeness import check_component
from pipeline.engine.weights.components import find_weights
from pipeline.engine.weights.finite import check_numbers
from pipeline.images.decode import read_png
from pipeline.images.png import png_bytes
from pipeline.protocol.catalogue.networks import TextMaskSpec
from pipeline.protocol.wire.messages import FindPart, FoundPart

_WHITE: Final = 255


class TextMask:
    """A CLIPSeg model. It runs on the processor in float32: it is asked seldom, and a device's memory is for pictures.

    Args:
        spec: the catalogue's entry.

    Raises:
        ModelUnavailable: a file is missing or broken; the message is one sentence about it.
    """

    def __init__(self, spec: TextMaskSpec) -> None:
        self._spec = spec
        folder = Path(spec.path)
        with blaming(f"The text mask model in {folder} cannot be loaded"):
            found = find_weights(folder, CLIPSegForImageSegmentation)
            check_component("text_mask", CLIPSegForImageSegmentation, folder, found)
        self._loaded: tuple[Any, Any] | None = None

    def find(self, asked: FindPart) -> FoundPart:
        """The answer to a question; the weights are read for the first one."""
        try:
            mask = self._mask(read_png(asked.picture), asked.words)
        # Whatever goes wrong, the member gets an answer, and no job ends.
        except Exception as error:  # noqa: BLE001 - see above
            return FoundPart(question=asked.question, detail=f"{type(error).__name__}: {error}"[:500])
        is_seen = mask.getbbox() is not None
        return FoundPart(question=asked.question, mask=png_bytes(mask, ""), is_seen=is_seen)

    @torch.inference_mode()
    def _mask(self, picture: Image.Image, words: str) -> Image.Image:
        """RGB mask of an RGB picture, white where the model's probability reaches the threshold."""
        processor, model = self._parts()
        given = processor(text=[words], images=[picture], return_tensors="pt", truncation=True)
        # The answer [1, H, W] has the model's own size, 352 for the published ones.
        logits: torch.Tensor = model(**given).logits[:, None]
        found = interpolate(logits, (picture.height, picture.width), mode="bilinear").sigmoid()[0, 0]
        marked = (found >= self._spec.threshold).to(torch.uint8).mul(_WHITE)
        return Image.fromarray(marked.numpy()).convert("RGB")

    def _parts(self) -> tuple[Any, Any]:
        if self._loaded is None:
            folder = self._spec.path
            with blaming(f"The text mask model in {folder} cannot be loaded"), torch.inference_mode(mode=False):
                processor: Any = CLIPSegProcessor.from_pretrained(folder, local_files_only=True)
                model: Any = CLIPSegForImageSegmentation.from_pretrained(
                    folder, use_safetensors=True, local_files_only=True, dtype=torch.float32
                )
                check_numbers({"text_mask": model}, f"in {folder}")
            self._loaded = processor, model.eval().requires_grad_(False)
        return self._loaded
