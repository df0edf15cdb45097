"""Pictures that engines of others drew are finished like our own."""

import io

import msgspec
import pytest
from PIL import Image, ImageStat

from pipeline.engine.finishing.drawn import DrawnFinisher
from pipeline.engine.pixels import image_check
from pipeline.engine.pixels.image_check import ImageCheck
from pipeline.engine.pixels.picture_classifier import Classes
from pipeline.images.png import png_bytes
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.finishing import FinishPictures
from pipeline.protocol.wire.outputs import Rating
from pipeline.protocol.wire.settings import NO_CHECKING, Checking, CheckMode, ImageOutput, ImageThresholds

PLAIN = Image.new("RGB", (64, 64), (10, 200, 30))
OTHER = Image.new("RGB", (64, 64), (200, 20, 30))


def asking(request: GenerationRequest, checking: Checking = NO_CHECKING) -> FinishPictures:
    two = msgspec.structs.replace(request, num_images=2)
    pictures = tuple(png_bytes(picture, "", "") for picture in (PLAIN, OTHER))
    return FinishPictures(question=3, request=two, title="Flux", pictures=pictures, checking=checking)


def test_each_file_has_its_own_seed_and_the_models_name(request_: GenerationRequest) -> None:
    finished = DrawnFinisher(ImageCheck(None), ImageOutput()).answer(asking(request_))
    assert (finished.question, finished.detail, finished.notices) == (3, "", ())
    assert [output.seed for output in finished.outputs] == [7, 8]
    for output, seed in zip(finished.outputs, (7, 8), strict=True):
        opened = Image.open(io.BytesIO(output.data))
        assert f"Seed: {seed}" in opened.info["parameters"]
        assert "Model: Flux" in opened.info["parameters"]
        assert output.fingerprint is not None
    assert Image.open(io.BytesIO(finished.outputs[1].data)).convert("RGB").getpixel((0, 0)) == (200, 20, 30)


def test_the_label_and_the_format_are_the_owners(request_: GenerationRequest) -> None:
    output = ImageOutput(image_format="webp", quality=100, has_parameters=False, has_label=True)
    (first, _) = DrawnFinisher(ImageCheck(None), output).answer(asking(request_)).outputs
    assert first.media_type == "image/webp"
    opened = Image.open(io.BytesIO(first.data)).convert("RGB")
    assert opened.getcolors(1) is None  # the label is in a corner


def test_what_the_check_hides_is_no_file(request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Classes(drawing=0, hentai=0, neutral=1, porn=0, sexy=0),
        Classes(drawing=0, hentai=0, neutral=0, porn=1, sexy=0),
    ]
    monkeypatch.setattr(image_check, "classify", lambda *_: found)
    finisher = DrawnFinisher(ImageCheck(ImageThresholds()), ImageOutput())
    finished = finisher.answer(asking(request_, Checking(mode="hide")))
    assert [output.index for output in finished.outputs] == [0]
    assert (finished.hidden, finished.scores) == ((Rating.SEXUAL,), (1,))
    assert [notice.key for notice in finished.notices] == ["notice-flagged"]
    strict = finisher.answer(asking(request_, Checking(mode="strict")))
    assert strict.outputs == ()


def test_without_a_check_there_is_no_file_and_a_reason(request_: GenerationRequest) -> None:
    finished = DrawnFinisher(ImageCheck(None), ImageOutput()).answer(asking(request_, Checking(mode="hide")))
    assert finished.outputs == ()
    assert "image check" in finished.detail


@pytest.mark.parametrize(
    ("mode", "porn", "colors"), [("none", 1.0, True), ("hide", 0.0, True), ("hide", 0.9, False), ("hide", 0.4, False)]
)
def test_a_preview_has_details_only_if_it_is_harmless(
    request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch, mode: CheckMode, porn: float, *, colors: bool
) -> None:
    found = [Classes(drawing=0, hentai=0, neutral=1 - porn, porn=porn, sexy=0)]
    monkeypatch.setattr(image_check, "classify", lambda *_: found)
    fine = Image.effect_noise((512, 512), 90).convert("RGB")
    asked = asking(request_, Checking(mode=mode)).previewing(png_bytes(fine, "", ""))
    preview = DrawnFinisher(ImageCheck(ImageThresholds()), ImageOutput()).answer(asked).preview
    opened = Image.open(io.BytesIO(preview))
    assert opened.size == (512, 512)
    # Of noise, hardly anything is left where twelve pixels were made large.
    assert (ImageStat.Stat(opened.convert("L")).stddev[0] > 20) is colors


def test_broken_bytes_are_told(request_: GenerationRequest) -> None:
    broken = msgspec.structs.replace(asking(request_), pictures=(b"none",))
    assert DrawnFinisher(ImageCheck(None), ImageOutput()).answer(broken).detail
