"""The mask of what words name: CLIPSeg's own answer at the picture's size, and a sentence for each fault."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate
from transformers import CLIPSegForImageSegmentation, CLIPSegProcessor

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.pixels.text_mask import TextMask
from pipeline.images.png import png_bytes
from pipeline.protocol.catalogue.networks import TextMaskSpec
from pipeline.protocol.wire.messages import FindPart
from tests.text_masks import save_text_mask

PICTURE = Image.effect_noise((60, 40), 90).resize((90, 60)).convert("RGB")


def probabilities(folder: Path, words: str) -> np.ndarray[Any, Any]:
    """The model's own answer, [height, width] of the picture."""
    processor: Any = CLIPSegProcessor.from_pretrained(folder)
    model: Any = CLIPSegForImageSegmentation.from_pretrained(folder)
    with torch.inference_mode():
        answer = model(**processor(text=[words], images=[PICTURE], return_tensors="pt")).logits
    return interpolate(answer[None], (60, 90), mode="bilinear")[0, 0].sigmoid().numpy()


def test_what_words_name_is_white(tmp_path: Path) -> None:
    expected = probabilities(save_text_mask(tmp_path), "a red hat")
    threshold = float(np.median(expected))
    finder = TextMask(TextMaskSpec(path=str(tmp_path), license="MIT", threshold=threshold))
    found = finder.find(FindPart(question=7, picture=png_bytes(PICTURE, ""), words="a red hat"))
    mask = np.asarray(Image.open(io.BytesIO(found.mask)))
    assert (found.question, found.is_seen, found.detail) == (7, True, "")
    assert ((mask == 255).all(axis=2) == (expected >= threshold)).all()
    assert 0.3 < (mask == 255).mean() < 0.7
    assert set(np.unique(mask)) == {0, 255}


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    threshold = float(probabilities(save_text_mask(tmp_path), "x").max()) + 1e-4
    finder = TextMask(TextMaskSpec(path=str(tmp_path), license="MIT", threshold=threshold))
    found = finder.find(FindPart(question=1, picture=png_bytes(PICTURE, ""), words="x"))
    assert found.mask
    assert not found.is_seen


def test_more_words_than_it_reads_are_cut(tmp_path: Path) -> None:
    finder = TextMask(TextMaskSpec(path=str(save_text_mask(tmp_path)), license="MIT"))
    assert finder.find(FindPart(question=1, picture=png_bytes(PICTURE, ""), words="hat " * 50)).mask


def test_a_fault_is_an_answer_and_a_broken_folder_a_sentence(tmp_path: Path) -> None:
    finder = TextMask(TextMaskSpec(path=str(save_text_mask(tmp_path)), license="MIT"))
    found = finder.find(FindPart(question=2, picture=b"no picture", words="a hat"))
    assert (found.mask, found.is_seen) == (b"", False)
    assert "cannot be read" in found.detail
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelUnavailable, match=r"holds no \.safetensors file"):
        TextMask(TextMaskSpec(path=str(tmp_path), license="MIT"))
    with pytest.raises(ModelUnavailable, match="There is no folder"):
        TextMask(TextMaskSpec(path=str(tmp_path / "nothing"), license="MIT"))
