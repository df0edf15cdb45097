"""The shipped picture classifier: what it says of harmless pictures, and that its layers are its makers'."""

import numpy as np
import pytest
from PIL import Image

from pipeline.engine.pixels.picture_classifier import classify


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
