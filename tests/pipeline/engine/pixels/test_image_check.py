"""The image check: what it hides is never encoded, and nothing is shown where it cannot be done."""

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement, choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loop import Engine
from pipeline.engine.models import cache
from pipeline.engine.pixels import image_check
from pipeline.engine.pixels.image_check import ImageCheck, hidden
from pipeline.engine.pixels.picture_classifier import Classes
from pipeline.engine.pixels.previews import PreviewMap
from pipeline.engine.pixels.safety_checker import SafetyChecker
from pipeline.images.fingerprint import look
from pipeline.images.png import png_bytes
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.inputs import Inpaint, Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Submit
from pipeline.protocol.wire.outputs import Rated, Rating
from pipeline.protocol.wire.settings import Checking, CheckMode, EngineOptions, ImageThresholds
from tests.pipeline.engine.conftest import Studio
from tests.safety_checkers import save_checker

HIDE = Checking(mode="hide")
DRAWN = Image.effect_noise((64, 64), 40).convert("RGB").resize((256, 256))
PLACEMENT: Placement = choose_placement("cpu", "float64")


@pytest.fixture(scope="module")
def studio(module_catalogue: Catalogue) -> Studio:
    """With the shipped model: the pictures of random weights are too alike for a check."""
    return Studio(module_catalogue)


@pytest.fixture
def draw(module_catalogue: Catalogue, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Callable[..., JobEvent]:
    """Run one job on an engine with this checker and return its last word.

    Each engine has the model that is loaded already.
    """
    model = studio.model
    monkeypatch.setattr(cache, "load_model", lambda *_: model)

    def run(
        request: GenerationRequest,
        check: ImageCheck | SafetyChecker | None,
        *,
        checking: CheckMode | Checking = "hide",
        pictures: dict[str, bytes] | None = None,
    ) -> JobEvent:
        events: list[JobEvent] = []
        if isinstance(check, SafetyChecker):
            check = ImageCheck(None, check)
        engine = Engine(
            models=module_catalogue.models,
            placement=PLACEMENT,
            image_check=check,
            emit=events.append,
            activity=Activity(),
            options=EngineOptions(),
        )
        rule = checking if isinstance(checking, Checking) else Checking(mode=checking)
        submit = Submit(job_id=1, attempt=1, request=request, checking=rule, pictures=pictures or {})
        engine.submit(submit)
        engine.run_until_idle()
        return events[-1]

    return run


def test_a_flagged_picture_is_left_out_and_told(
    draw: Callable[..., JobEvent], studio: Studio, request_: GenerationRequest, tmp_path: Path
) -> None:
    three = msgspec.structs.replace(request_, num_images=3, num_inference_steps=2)
    unchecked = studio.pictures(three)
    middle = Image.open(io.BytesIO(unchecked.outputs[1].data))
    checker = SafetyChecker(save_checker(tmp_path, flagged=middle.convert("RGB")), PLACEMENT)

    checked = draw(three, checker)
    assert isinstance(checked, Finished)
    assert checked.outputs == (unchecked.outputs[0], unchecked.outputs[2])
    assert [image.index for image in checked.outputs] == [0, 2]
    (notice,) = checked.notices
    assert (notice.key, notice.values) == ("notice-flagged", {"count": 1, "asked": 3})

    free = draw(three, checker, checking="none")
    assert isinstance(free, Finished)
    assert (free.outputs, free.notices) == (unchecked.outputs, ())


SEXUAL_ALL, SUGGESTIVE_ALL = ImageThresholds(sexual=1e-12), ImageThresholds(suggestive=1e-12)
"""Thresholds at which the shipped classifier calls every picture so."""


@pytest.mark.parametrize(
    ("thresholds", "checking", "ratings"),
    [
        (ImageThresholds(), "hide", [Rating.HARMLESS]),
        (SUGGESTIVE_ALL, "hide", [Rating.SUGGESTIVE]),
        (SEXUAL_ALL, "rate", [Rating.SEXUAL]),
        (SEXUAL_ALL, "hide", []),
        (SEXUAL_ALL, "none", [Rating.HARMLESS]),
    ],
)
def test_the_classifier_rates_a_picture_and_hides_a_sexual_one(
    draw: Callable[..., JobEvent],
    request_: GenerationRequest,
    thresholds: ImageThresholds,
    checking: CheckMode,
    ratings: list[Rating],
) -> None:
    last = draw(request_, ImageCheck(thresholds), checking=checking)
    assert isinstance(last, Finished)
    assert [output.rating for output in last.outputs] == ratings


@pytest.mark.parametrize("mode", ["none", "rate", "hide", "strict"])
def test_a_blocked_picture_is_left_out_in_every_mode(
    draw: Callable[..., JobEvent], studio: Studio, request_: GenerationRequest, mode: CheckMode
) -> None:
    (drawn,) = studio.pictures(request_).outputs
    assert drawn.fingerprint is not None
    check = ImageCheck(ImageThresholds())
    last = draw(request_, check, checking=Checking(mode=mode, blocked=(bytes(32), drawn.fingerprint.look[:32])))
    assert isinstance(last, Finished)
    assert (last.outputs, last.hidden) == ((), (Rating.BLOCKED,))
    other = draw(request_, check, checking=Checking(mode=mode, blocked=(bytes(32),)))
    assert isinstance(other, Finished)
    assert [output.data for output in other.outputs] == [drawn.data]


@pytest.mark.parametrize(
    ("mode", "indexes"), [("none", {2}), ("rate", {2}), ("hide", {1, 2}), ("strict", {0, 1, 2, 3})]
)
def test_strictly_one_picture_takes_the_others_with_it(mode: CheckMode, indexes: set[int]) -> None:
    ratings = [Rating.HARMLESS, Rating.SEXUAL, Rating.BLOCKED, Rating.SUGGESTIVE]
    assert {
        *hidden({index: Rated(rating=rating) for index, rating in enumerate(ratings)}, Checking(mode=mode))
    } == indexes


@pytest.mark.parametrize("mode", ["none", "rate", "hide", "strict"])
def test_nothing_is_drawn_from_a_blocked_picture(
    draw: Callable[..., JobEvent], request_: GenerationRequest, mode: CheckMode
) -> None:
    bad, good = (Image.effect_noise((64, 64), spread).convert("RGB") for spread in (90, 20))
    blocked = (look(np.asarray(bad))[:32],)
    for picture, is_refused in ((bad, True), (bad.resize((96, 96)), True), (good, False)):
        request = msgspec.structs.replace(
            request_, inputs=(Input(role=InputRole.INIT_IMAGE, sha256="given", strength=0.5),)
        )
        last = draw(
            request,
            ImageCheck(ImageThresholds()),
            checking=Checking(mode=mode, blocked=blocked),
            pictures={"given": png_bytes(picture, "")},
        )
        assert isinstance(last, Failed) == is_refused
        if isinstance(last, Failed):
            assert last.reason is FailureReason.FLAGGED_INPUT


@pytest.mark.parametrize("owners", [None, ImageThresholds(sexual=1, suggestive=1), ImageThresholds()])
@pytest.mark.parametrize(
    ("classes", "rating", "score"),
    [
        (Classes(drawing=0, hentai=0.3, neutral=0.49, porn=0.21, sexy=0), Rating.SEXUAL, 0.51),
        (Classes(drawing=0, hentai=0, neutral=0.49, porn=0, sexy=0.51), Rating.SUGGESTIVE, 0.51),
        (Classes(drawing=0, hentai=0.2, neutral=0.53, porn=0.27, sexy=0), Rating.HARMLESS, 0),
    ],
)
def test_the_strict_mode_has_its_own_thresholds_whatever_the_owner_has(
    monkeypatch: pytest.MonkeyPatch, owners: ImageThresholds | None, classes: Classes, rating: Rating, score: float
) -> None:
    monkeypatch.setattr(image_check, "classify", lambda pictures, _: [classes] * len(pictures))
    check = ImageCheck(owners)
    assert check.can("strict")
    (found,) = check.ratings([Image.new("RGB", (8, 8))], Checking(mode="strict"))
    assert (found.rating, found.score) == (rating, pytest.approx(score))
    assert bool(hidden({0: found}, Checking(mode="strict"))) == (rating is not Rating.HARMLESS)


def test_lower_thresholds_of_the_owner_hold_in_the_strict_mode(
    draw: Callable[..., JobEvent], request_: GenerationRequest
) -> None:
    two = msgspec.structs.replace(request_, num_images=2)
    last = draw(two, ImageCheck(SUGGESTIVE_ALL), checking="strict")
    assert isinstance(last, Finished)
    assert last.outputs == ()
    assert last.hidden == (Rating.SUGGESTIVE,) * 2
    assert all(0 < score < 1 for score in last.scores)
    assert len(last.scores) == 2


@pytest.mark.parametrize(
    ("check", "checking", "is_judged", "is_shown"),
    [
        (ImageCheck(None), Checking(), None, None),
        (ImageCheck(ImageThresholds()), Checking(mode="rate"), None, None),
        (ImageCheck(ImageThresholds()), Checking(mode="hide"), True, True),
        (ImageCheck(SEXUAL_ALL), Checking(mode="hide"), True, False),
        (ImageCheck(None), Checking(mode="strict"), True, True),
        (ImageCheck(SUGGESTIVE_ALL), Checking(mode="strict"), True, False),
        (ImageCheck(SEXUAL_ALL), Checking(mode="rate", blocked=(bytes(32),)), True, True),
        (ImageCheck(None), Checking(blocked=(look(np.asarray(DRAWN))[:32],)), True, False),
    ],
)
def test_a_preview_is_judged_where_something_may_be_hidden(
    check: ImageCheck, checking: Checking, is_judged: bool | None, is_shown: bool | None
) -> None:
    assert check.judges_previews(checking) is is_judged
    if is_shown is not None:
        file = io.BytesIO()
        DRAWN.save(file, "WEBP", quality=80)
        assert check.is_harmless_preview(file.getvalue(), 1, checking) is is_shown


def test_the_stricter_of_both_decides(tmp_path: Path) -> None:
    picture = Image.new("RGB", (64, 64))
    flagging = SafetyChecker(save_checker(tmp_path), PLACEMENT)
    assert ImageCheck(ImageThresholds(), flagging).ratings([picture], HIDE) == [Rated(rating=Rating.SEXUAL)]
    passing = SafetyChecker(save_checker(tmp_path / "other", flagged=Image.new("RGB", (64, 64), "white")), PLACEMENT)
    (found,) = ImageCheck(SUGGESTIVE_ALL, passing).ratings([picture], HIDE)
    assert found.rating is Rating.SUGGESTIVE


def test_nothing_is_drawn_for_a_check_that_cannot_be_made(
    draw: Callable[..., JobEvent], request_: GenerationRequest
) -> None:
    last = draw(request_, None)
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.MODEL_UNAVAILABLE


def test_every_picture_may_be_flagged(
    draw: Callable[..., JobEvent], request_: GenerationRequest, tmp_path: Path
) -> None:
    last = draw(request_, SafetyChecker(save_checker(tmp_path), PLACEMENT))
    assert isinstance(last, Finished)
    assert last.outputs == ()


def test_nothing_is_drawn_from_a_flagged_picture(
    draw: Callable[..., JobEvent], request_: GenerationRequest, tmp_path: Path
) -> None:
    bad, good = (Image.effect_noise((64, 64), spread).convert("RGB") for spread in (90, 20))
    checker = SafetyChecker(save_checker(tmp_path, flagged=bad), PLACEMENT)
    files = {sha256: png_bytes(picture, "") for sha256, picture in (("bad", bad), ("good", good))}

    def from_pictures(first: str, mask: str, *, checking: CheckMode = "hide") -> JobEvent:
        inputs = (
            Input(role=InputRole.INIT_IMAGE, sha256=first, strength=0.5),
            Input(role=InputRole.MASK, sha256=mask),
        )
        request = msgspec.structs.replace(request_, inputs=inputs, inpaint=Inpaint())
        return draw(request, checker, checking=checking, pictures={name: files[name] for name in {first, mask}})

    last = from_pictures("bad", "good")
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.FLAGGED_INPUT
    # A mask says where, and shows nothing.
    for drawn in (from_pictures("good", "bad"), from_pictures("bad", "good", checking="none")):
        assert isinstance(drawn, Finished)
        assert len(drawn.outputs) == 1


def test_its_publisher_s_folder_will_do_and_a_broken_one_gets_a_sentence(tmp_path: Path) -> None:
    folder = save_checker(tmp_path / "model")
    flat = tmp_path / "flat"
    flat.mkdir()
    for file in [*folder.glob("*/*")]:
        file.rename(flat / file.name)
    assert SafetyChecker(flat, PLACEMENT).flagged([Image.new("RGB", (64, 64))]) == [True]
    (flat / "preprocessor_config.json").write_text("no JSON")
    with pytest.raises(ModelUnavailable, match="cannot be loaded"):
        SafetyChecker(flat, PLACEMENT)
    with pytest.raises(ModelUnavailable, match=r"There is no folder .*nothing"):
        SafetyChecker(tmp_path / "nothing", PLACEMENT)


def test_what_nobody_checked_yet_is_shown_without_its_forms(studio: Studio) -> None:
    model = studio.model
    preview = PreviewMap(model.adapter, PLACEMENT.device, PLACEMENT.latents_dtype)
    stripes = 2 * torch.ones(2, 4, 64, 64)
    stripes[..., ::2] = -2.0

    def contrast(data: bytes) -> int:
        with Image.open(io.BytesIO(data)) as picture:
            assert max(picture.size) == 512
            low, high = picture.convert("L").getextrema()
            return int(high) - int(low)  # pyright: ignore[reportArgumentType] - of one band they are numbers

    assert contrast(preview.draw(stripes)) > 50
    assert contrast(preview.draw(stripes, is_coarse=True)) < 10
