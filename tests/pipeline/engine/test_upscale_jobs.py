"""Jobs that enlarge a picture, in an engine beside jobs that draw."""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image
from spandrel import ImageModelDescriptor, ModelTiling

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loop import Engine
from pipeline.engine.models.upscalers import check_upscalers
from pipeline.engine.pixels import enlarging
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.engine.pixels.upscaler import LoadedEnlarger, read_enlarger
from pipeline.protocol.catalogue.networks import FaceSpec, UpscalerSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest, UpscaleRequest
from pipeline.protocol.wire.messages import Cancel, Failed, Finished, JobEvent, Progress, Submit
from pipeline.protocol.wire.outputs import ImageFile, UpscaledFile
from pipeline.protocol.wire.settings import Checking, EngineOptions, ImageOutput
from tests.pipeline.engine.pixels.test_enlarging import photo
from tests.pipeline.engine.pixels.test_faces import large_portrait, portrait, tiny, write_nearest

__all__ = ["tiny"]


class Hides:
    """A safety checker that hides everything after some first pictures, and what it saw."""

    def __init__(self, after: int) -> None:
        self.seen: list[tuple[int, int]] = []
        self._after = after

    def flagged(self, pictures: Sequence[Image.Image]) -> list[bool]:
        self.seen += [picture.size for picture in pictures]
        return [len(self.seen) > self._after for _ in pictures]


class Shop:
    """An engine with the shipped model and the shipped upscaler or another one, and what it said."""

    def __init__(
        self,
        catalogue: Catalogue,
        checker: Any = None,
        faces: Sequence[FaceSpec] = (),
        upscaler: UpscalerSpec | None = None,
        **output: Any,
    ) -> None:
        self.events: list[JobEvent] = []
        (shipped,) = catalogue.upscalers.values()
        self.spec = upscaler or shipped
        self.engine = Engine(
            models={**catalogue.entries, **{spec.key: spec for spec in (self.spec, *faces)}},
            placement=choose_placement("cpu", "float32"),
            options=EngineOptions(max_running=3, output=ImageOutput(**output)),
            image_check=None if checker is None else ImageCheck(None, checker),
            emit=self.events.append,
            activity=Activity(),
        )

    def order(self, picture: np.ndarray[Any, Any], scale: int = 2, **changes: Any) -> Submit:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        data = file.getvalue()
        sha256 = hashlib.sha256(data).hexdigest()
        request = UpscaleRequest(
            scale=scale,
            width=picture.shape[1],
            height=picture.shape[0],
            model_key=self.spec.key,
            inputs=(Input(role=InputRole.SOURCE, sha256=sha256),),
        )
        request = msgspec.structs.replace(request, **changes)
        return Submit(job_id=1, attempt=1, request=request, pictures={sha256: data})

    def run(self, *orders: Submit) -> list[JobEvent]:
        for order in orders:
            self.engine.submit(order)
        self.engine.run_until_idle()
        return self.events

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def pixels_of(file: UpscaledFile) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(file.data)).convert("RGB"))


def test_a_picture_is_enlarged_with_its_facts_and_progress(catalogue: Catalogue) -> None:
    shop = Shop(catalogue)
    picture = photo(140, 136)
    shop.run(shop.order(picture))
    (finished,) = shop.of(Finished)
    (file,) = finished.outputs
    assert isinstance(file, UpscaledFile)
    assert (file.width, file.height, file.index, file.media_type) == (280, 272, 0, "image/png")
    shrunk = np.asarray(Image.fromarray(pixels_of(file)).resize((140, 136), Image.Resampling.BOX)).astype(int)
    assert np.abs(shrunk - picture).mean() < 10
    assert "Postprocess upscale by: 2" in Image.open(io.BytesIO(file.data)).info["parameters"]
    assert finished.recipe is not None
    assert len(finished.recipe.model_hash) == 10
    assert set(finished.recipe.versions) == {"torch", "spandrel", "pillow"}
    steps = [event.step for event in shop.of(Progress)]
    assert steps == sorted(steps)
    assert len(set(steps)) == 4
    assert {event.total_steps for event in shop.of(Progress)} == {100}


def test_it_takes_turns_with_pictures_that_are_drawn_and_leaves_their_bits(
    catalogue: Catalogue, request_: GenerationRequest
) -> None:
    drawn = Submit(job_id=2, attempt=1, request=msgspec.structs.replace(request_, num_inference_steps=6, num_images=1))
    alone, both = Shop(catalogue), Shop(catalogue)
    alone.run(drawn)
    both.run(both.order(photo(280, 136)), drawn)
    (expected,) = alone.of(Finished)
    files = {event.job_id: event.outputs[0] for event in both.of(Finished)}
    assert isinstance(files[2], ImageFile)
    assert files[2].data == expected.outputs[0].data
    order = [event.job_id for event in both.of(Progress) if event.step]
    first, last = order.index(2), len(order) - 1 - order[::-1].index(2)
    assert 1 in order[first:last] or order.index(1) < last


def test_it_is_cancelled_between_two_tiles(catalogue: Catalogue) -> None:
    shop = Shop(catalogue)
    shop.engine.submit(shop.order(photo(400, 136)))
    for _ in range(3):
        shop.engine.tick()
    assert shop.of(Finished) == shop.of(Failed) == []
    assert 0 < max(event.step for event in shop.of(Progress)) < 100
    shop.engine.cancel(Cancel(job_id=1, attempt=1))
    shop.engine.run_until_idle()
    assert [event.reason for event in shop.of(Failed)] == [FailureReason.CANCELLED]
    assert shop.of(Finished) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"width": 41},
        {"scale": 3},
        {"scale": 8},
        {"inputs": ()},
        {"inputs": (Input(role=InputRole.SOURCE, sha256="missing"),)},
        {"width": 2_048, "height": 2_048, "scale": 4},
    ],
)
def test_a_request_that_cannot_be_is_refused(catalogue: Catalogue, changes: dict[str, Any]) -> None:
    shop = Shop(catalogue)
    shop.run(shop.order(photo(40, 40), **changes))
    assert [event.reason for event in shop.of(Failed)] == [FailureReason.INVALID_REQUEST]


def test_the_safety_checker_sees_it_and_hides_it(catalogue: Catalogue) -> None:
    checker = Hides(after=1)
    shop = Shop(catalogue, checker)
    shop.run(msgspec.structs.replace(shop.order(photo(40, 24)), checking=Checking(mode="hide")))
    assert [event.outputs for event in shop.of(Finished)] == [()]
    assert checker.seen == [(40, 24)] * 2


def test_a_flagged_picture_is_not_enlarged(catalogue: Catalogue) -> None:
    shop = Shop(catalogue, Hides(after=0))
    shop.run(msgspec.structs.replace(shop.order(photo(40, 24)), checking=Checking(mode="hide")))
    assert [event.reason for event in shop.of(Failed)] == [FailureReason.FLAGGED_INPUT]
    assert shop.of(Progress) == shop.of(Finished) == []


@pytest.mark.parametrize(("image_format", "opened"), [("webp", "WEBP"), ("jpeg", "JPEG")])
def test_it_has_the_owners_format(catalogue: Catalogue, image_format: str, opened: str) -> None:
    shop = Shop(catalogue, image_format=image_format)
    shop.run(shop.order(photo(40, 24)))
    ((file,),) = [event.outputs for event in shop.of(Finished)]
    picture = Image.open(io.BytesIO(file.data))
    assert (picture.format, picture.size) == (opened, (80, 48))


def test_a_device_without_memory_fails_the_job_and_no_other(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(catalogue)

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    with monkeypatch.context() as context:
        context.setattr(enlarging.LoadedEnlarger, "enlarge", full)
        shop.run(shop.order(photo(40, 24)))
    assert [event.reason for event in shop.of(Failed)] == [FailureReason.OUT_OF_MEMORY]
    shop.run(shop.order(photo(40, 24)))
    assert len(shop.of(Finished)) == 1


def test_what_an_upscalers_file_says_is_told(catalogue: Catalogue, tmp_path: Path) -> None:
    (spec,) = catalogue.upscalers.values()
    gone = msgspec.structs.replace(spec, key="gone", path=str(tmp_path / "gone.safetensors"))
    pickled = msgspec.structs.replace(spec, key="pickled", path=str(tmp_path / "net.pth"))
    wrong = msgspec.structs.replace(spec, key="wrong", scale=2)
    offer = check_upscalers([spec, gone, pickled, wrong])
    assert offer.remarks == {spec.key: "It enlarges 4 times at once."}
    assert set(offer.missing) == {"gone", "pickled", "wrong"}
    assert "not enlarge 2 times but 4" in offer.missing["wrong"]
    assert "easel convert net.pth" in offer.missing["pickled"]


@pytest.mark.parametrize(
    ("fact", "value", "words"), [("scale", 1, "as large as it is"), ("tiling", ModelTiling.INTERNAL, "whole")]
)
def test_a_network_that_enlarges_nothing_or_only_in_one_piece_is_refused(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, fact: str, value: Any, words: str
) -> None:
    (spec,) = catalogue.upscalers.values()
    monkeypatch.setattr(ImageModelDescriptor, fact, property(lambda _: value, lambda *_: None), raising=False)
    with pytest.raises(ModelUnavailable, match=words):
        read_enlarger(spec)


def test_the_upscaler_is_loaded_at_its_own_scale(catalogue: Catalogue) -> None:
    (spec,) = catalogue.upscalers.values()
    assert LoadedEnlarger(spec, choose_placement("cpu", "float32")).scale == 4
    assert isinstance(spec, UpscalerSpec)


@pytest.fixture
def nearest(catalogue: Catalogue, tmp_path: Path) -> UpscalerSpec:
    """In place of the shipped upscaler, where it only costs time."""
    (shipped,) = catalogue.upscalers.values()
    write_nearest(tmp_path / "nearest.safetensors")
    return msgspec.structs.replace(shipped, path=str(tmp_path / "nearest.safetensors"))


def test_a_job_repairs_faces_after_its_tiles_and_says_how_many(
    catalogue: Catalogue, tiny: FaceSpec, nearest: UpscalerSpec
) -> None:
    plain, repaired = (Shop(catalogue, faces=faces, upscaler=nearest) for faces in ([], [tiny]))
    plain.run(plain.order(portrait()))
    repaired.run(repaired.order(portrait(), faces="tiny"))
    (without,), (with_faces,) = plain.of(Finished), repaired.of(Finished)
    (notice,) = with_faces.notices
    assert (notice.key, notice.values) == ("notice-faces", {"count": 1, "model": "Tiny"})
    assert without.notices == ()
    assert with_faces.recipe.model_hash.startswith(f"{without.recipe.model_hash} + ")
    first, second = (pixels_of(each.outputs[0]).astype(int) for each in (without, with_faces))
    assert np.abs(first[200:240, 150:200] - second[200:240, 150:200]).mean() > 3, "the face differs"
    assert (first[:, :8] == second[:, :8]).all(), "its surroundings do not"
    info = Image.open(io.BytesIO(with_faces.outputs[0].data)).info
    assert "Face restoration: Tiny" in info["parameters"]
    steps = [event.step for event in repaired.of(Progress)]
    assert steps == sorted(steps)


def test_a_large_sharp_face_is_told_of_beside_a_repaired_one(
    catalogue: Catalogue, tiny: FaceSpec, nearest: UpscalerSpec
) -> None:
    sharp = large_portrait(sharp=True)
    both = np.concatenate([sharp, np.zeros((560, 220, 3), np.uint8)], axis=1)
    both[100:300, 530:730] = portrait()
    shop = Shop(catalogue, faces=[tiny], upscaler=nearest)
    shop.run(shop.order(both, faces="tiny"))
    (finished,) = shop.of(Finished)
    told = [(notice.key, notice.values["count"]) for notice in finished.notices]
    assert told == [("notice-faces", 1), ("notice-faces-sharp", 1)]


def test_a_picture_without_faces_says_so_and_an_unknown_network_is_refused(
    catalogue: Catalogue, tiny: FaceSpec
) -> None:
    shop = Shop(catalogue, faces=[tiny])
    shop.run(shop.order(photo(60, 60), faces="tiny"))
    assert [notice.values["count"] for event in shop.of(Finished) for notice in event.notices] == [0]
    for wrong in ("nobody", shop.spec.key):
        shop.run(shop.order(photo(60, 60), faces=wrong))
    assert {event.reason for event in shop.of(Failed)} == {FailureReason.INVALID_REQUEST}
