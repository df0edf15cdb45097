"""The shipped picture classifier: what it says of harmless pictures, and that its layers are its makers'."""

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from pipeline.engine.device.placement import choose_placement
from pipeline.engine.pixels import picture_classifier
from pipeline.engine.pixels.picture_classifier import WEIGHTS, classify
from pipeline.protocol.wire.settings import Acceleration


def gradient() -> Image.Image:
    """A color of skin on the right that becomes a dark one at the bottom left."""
    across, down = np.linspace(0, 1, 256)[None, :, None], np.linspace(0, 1, 256)[:, None, None]
    pixels = np.array([230, 180, 150.0]) * across + np.array([120, 70, 50.0]) * (1 - across) * down
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def test_a_gradient_gets_the_classes_that_the_makers_network_gives_it() -> None:
    (classes,) = classify([gradient()])
    assert classes.drawing == pytest.approx(0.810, abs=0.02)
    assert classes.neutral == pytest.approx(0.156, abs=0.02)
    assert classes.hentai == pytest.approx(0.022, abs=0.01)


def test_each_picture_is_judged_by_itself_whatever_its_size_and_mode() -> None:
    gray = Image.new("L", (40, 900), 200)
    alone, together = classify([gray]), classify([gradient(), gray])
    assert together[1] == alone[0]
    assert sum(getattr(alone[0], each) for each in alone[0].__struct_fields__) == pytest.approx(1)


def pictures() -> list[Image.Image]:
    """Gradients and noise of several sizes, so that every class gets some of them."""
    generator = np.random.default_rng(5)
    noise = [generator.integers(0, 256, (side, 96, 3)).astype(np.uint8) for side in (48, 224, 400)]
    return [gradient(), *map(Image.fromarray, noise), Image.new("RGB", (64, 64), (230, 180, 150))]


@torch.inference_mode()
def test_folded_layers_judge_as_the_makers_layers() -> None:
    plain = picture_classifier._Network()
    plain.load_state_dict(load_file(WEIGHTS), strict=False)
    plain.float().eval()
    for picture in pictures():
        pixels = picture_classifier._pixels(picture)
        assert (picture_classifier._network()(pixels) - plain(pixels)).abs().max() < 1e-5


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="openvino is an optional package")
def test_openvino_judges_as_torch() -> None:
    placement = choose_placement("cpu", "float32", Acceleration(accelerator="openvino"))
    quick, plain = classify(pictures(), placement), classify(pictures())
    runner: Any = picture_classifier._runner(placement)
    assert runner.copies == 1
    for one, other in zip(quick, plain, strict=True):
        for name in one.__struct_fields__:
            assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-5)
