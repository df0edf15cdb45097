"""Jobs that make a background transparent, in an engine beside jobs that draw."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.loop import Engine
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.protocol.catalogue.networks import CutoutSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import CutoutRequest, GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Submit
from pipeline.protocol.wire.outputs import CutoutFile
from pipeline.protocol.wire.settings import Checking, EngineOptions, ImageOutput
from tests.pipeline.engine.pixels.tiny_onnx import save_red


class Hides:
    """A safety checker that hides everything after some first pictures."""

    def __init__(self, after: int) -> None:
        self.seen = 0
        self._after = after

    def flagged(self, pictures: Sequence[Image.Image]) -> list[bool]:
        self.seen += len(pictures)
        return [self.seen > self._after for _ in pictures]


def red_on_blue() -> Image.Image:
    picture = Image.new("RGB", (80, 60), (40, 90, 200))
    picture.paste((220, 30, 30), (20, 15, 60, 45))
    return picture


class Shop:
    """An engine with the shipped model and a network that finds what is red, and what it said."""

    def __init__(self, catalogue: Catalogue, directory: Path, checker: Any = None, **output: Any) -> None:
        self.events: list[JobEvent] = []
        save_red(directory / "red.onnx")
        self.spec = CutoutSpec(
            key="red", title="Red, small", path=str(directory / "red.onnx"), license="MIT", family="u2net"
        )
        self.engine = Engine(
            models={**catalogue.entries, "red": self.spec},
            placement=choose_placement("cpu", "float32"),
            options=EngineOptions(max_running=3, output=ImageOutput(**output)),
            image_check=None if checker is None else ImageCheck(None, checker),
            emit=self.events.append,
            activity=Activity(),
        )

    def order(self, **changes: Any) -> Submit:
        file = io.BytesIO()
        red_on_blue().save(file, "PNG")
        sha256 = hashlib.sha256(file.getvalue()).hexdigest()
        source = Input(role=InputRole.SOURCE, sha256=sha256)
        request = CutoutRequest(width=80, height=60, model_key="red", inputs=(source,))
        request = msgspec.structs.replace(request, **changes)
        return Submit(job_id=1, attempt=1, request=request, pictures={sha256: file.getvalue()})

    def run(self, *orders: Submit) -> list[JobEvent]:
        for order in orders:
            self.engine.submit(order)
        self.engine.run_until_idle()
        return self.events

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.mark.parametrize("image_format", ["png", "jpeg", "webp"])
def test_a_cutout_is_a_png_without_the_colors_of_its_background(
    catalogue: Catalogue, tmp_path: Path, image_format: str
) -> None:
    shop = Shop(catalogue, tmp_path, image_format=image_format)
    shop.run(shop.order())
    (finished,) = shop.of(Finished)
    (file,) = finished.outputs
    assert isinstance(file, CutoutFile)
    assert (file.width, file.height, file.media_type) == (80, 60, "image/png")
    opened = Image.open(io.BytesIO(file.data))
    assert opened.mode == "RGBA"
    assert opened.info["parameters"].startswith("Background removal: Red  small, Version: Easel")
    assert "compositeWithTrainedAlgorithmicMedia" in opened.info["XML:com.adobe.xmp"]
    pixels = np.asarray(opened)
    assert pixels[30, 40].tolist() == [220, 30, 30, 255]
    hidden = pixels[..., 3] == 0
    assert 2_000 < hidden.sum() < 3_600
    assert not pixels[hidden].any(), "the file does not say what the background was"
    assert finished.recipe is not None
    assert len(finished.recipe.model_hash) == 10
    assert (finished.recipe.device, set(finished.recipe.versions)) == ("CPU", {"openvino", "pillow"})


def test_the_bits_of_a_picture_beside_it_are_those_of_one_alone(
    catalogue: Catalogue, tmp_path: Path, request_: GenerationRequest
) -> None:
    drawn = Submit(job_id=2, attempt=1, request=request_)
    alone, both = Shop(catalogue, tmp_path), Shop(catalogue, tmp_path)
    alone.run(drawn)
    both.run(both.order(), drawn)
    (expected,) = alone.of(Finished)
    files = {event.job_id: event.outputs[0].data for event in both.of(Finished)}
    assert files[2] == expected.outputs[0].data
    assert set(files) == {1, 2}


@pytest.mark.parametrize("after", [0, 1])
def test_the_safety_checker_sees_the_picture_and_the_result(catalogue: Catalogue, tmp_path: Path, after: int) -> None:
    checker = Hides(after)
    shop = Shop(catalogue, tmp_path, checker)
    shop.run(msgspec.structs.replace(shop.order(), checking=Checking(mode="hide")))
    assert all(not event.outputs for event in shop.of(Finished))
    assert checker.seen == after + 1


@pytest.mark.parametrize(
    ("changes", "reason", "sentence"),
    [
        ({"width": 81}, FailureReason.INVALID_REQUEST, "has 80 x 60 pixels"),
        ({"width": 0}, FailureReason.INVALID_REQUEST, "width"),
        ({"model_key": "gone"}, FailureReason.MODEL_UNAVAILABLE, "no model 'gone'"),
    ],
)
def test_an_impossible_request_fails_alone(
    catalogue: Catalogue, tmp_path: Path, changes: dict[str, Any], reason: FailureReason, sentence: str
) -> None:
    shop = Shop(catalogue, tmp_path)
    shop.run(shop.order(**changes))
    (failed,) = shop.of(Failed)
    assert failed.reason is reason
    assert sentence in failed.detail
    assert shop.engine.is_idle


def test_a_missing_picture_fails(catalogue: Catalogue, tmp_path: Path) -> None:
    shop = Shop(catalogue, tmp_path)
    shop.run(msgspec.structs.replace(shop.order(), pictures={}))
    (failed,) = shop.of(Failed)
    assert "did not come with the request" in failed.detail
