"""Pictures of which a part is drawn anew: diffusers' latents in a batch with other jobs, and untouched pixels."""

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from diffusers.pipelines.flux.pipeline_flux_inpaint import FluxInpaintPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import StableDiffusionInpaintPipeline
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3_inpaint import StableDiffusion3InpaintPipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl_inpaint import (
    StableDiffusionXLInpaintPipeline,
)
from diffusers.pipelines.z_image.pipeline_z_image_inpaint import ZImageInpaintPipeline
from PIL import Image

from config.catalogue import Catalogue
from pipeline.images.canvas import Mask, canvas_of, grown
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.inputs import Inpaint, Outpaint
from pipeline.protocol.requests import GenerationRequest, Upscale, narrowed
from pipeline.protocol.samplers.table import SAMPLERS
from pipeline.protocol.wire.messages import Failed, Finished, Progress, Submit
from tests.pipeline.engine.given_pictures import blot, from_picture, photo, redrawn
from tests.pipeline.engine.reference import TOLERANCE, final_latents
from tests.pipeline.engine.scenes import Mixed, Scene
from tests.pipeline.engine.test_batching import Shared as Exact
from tests.pipeline.engine.test_pictures_in import samplers_of
from tests.pipeline.engine.tiny import catalogue_of, stable_diffusion

FEATHER = 8
"""Pixels from the mask's white from which nothing changes."""


PIPELINES: Mapping[Family, Any] = MappingProxyType(
    {
        "sd": StableDiffusionInpaintPipeline,
        "sdxl": StableDiffusionXLInpaintPipeline,
        "sd3": StableDiffusion3InpaintPipeline,
        "z-image": ZImageInpaintPipeline,
        "flux": FluxInpaintPipeline,
    }
)


def expected(
    scene: Scene, request: GenerationRequest, picture: Image.Image, mask: Image.Image, strength: float
) -> torch.Tensor:
    """Final latents of diffusers' inpainting pipeline, alone; each image draws from its own generator."""
    drawing = scene.pipeline(PIPELINES[scene.family])
    images = [picture] * request.num_images
    spacing = scene.spacing(request)
    return final_latents(drawing, request, spacing, image=images, mask_image=mask, strength=strength)


OpenScene = Callable[..., Scene]


@pytest.fixture(scope="module")
def open_scene(tmp_path_factory: pytest.TempPathFactory) -> OpenScene:
    opened: dict[tuple[Family, int], Scene] = {}

    def open_once(family: Family, channels: int = 4) -> Scene:
        if (family, channels) not in opened:
            options: dict[str, Any] = {"in_channels": channels} if channels != 4 else {}
            opened[family, channels] = Scene.of(family, tmp_path_factory.mktemp("model"), **options)
        return opened[family, channels]

    return open_once


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, model_key="tiny", width=64, height=80, num_inference_steps=7)


def check(scene: Scene, like: GenerationRequest, samplers: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One job for each sampler, of several strengths, numbers of images and guidances, among jobs of other kinds."""
    submits: list[Submit] = []
    wanted: dict[int, tuple[Image.Image, Image.Image, float]] = {}
    for number, name in enumerate(samplers):
        request = msgspec.structs.replace(
            like,
            scheduler_name=name,
            seed=100 * number,
            num_images=1 + number % 2,
            guidance_scale=(1.0, 6.0)[number % 3 > 0],
            negative_prompt=("", "red, rain")[number % 2],
        )
        size = request.width, request.height
        picture, mask, strength = photo(*size, number), blot(*size, number), (1.0, 0.3, 0.75)[number % 3]
        wanted[number] = picture, mask, strength
        started = from_picture(request, picture, strength, number)
        submits.append(redrawn(started, mask))
        if number % 4 == 0:
            submits.append(Submit(job_id=1_000 + number, attempt=1, request=request))
        if number % 4 == 2:
            submits.append(msgspec.structs.replace(started, job_id=2_000 + number))
    latents = scene.mixed.draw(submits, monkeypatch)
    for submit in submits:
        if submit.job_id in wanted:
            drawn = expected(scene, narrowed(submit.request, GenerationRequest), *wanted[submit.job_id])
            difference = (latents[submit.job_id] - drawn).abs().max().item()
            assert difference <= TOLERANCE, (submit.request, difference)


@pytest.mark.parametrize(("family", "channels"), [*((family, 4) for family in PIPELINES), ("sd", 9), ("sdxl", 9)])
def test_samplers_draw_a_part_anew_as_diffusers_does(
    open_scene: OpenScene,
    tiny_request: GenerationRequest,
    family: Family,
    channels: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # StableDiffusionInpaintPipeline takes no timesteps, and so cannot draw with those of the beta schedule.
    samplers = [name for name in samplers_of(family) if SAMPLERS[name].timesteps != "beta"]
    if channels == 9 and family == "sd":  # the mask is then an input of the network, whatever the sampler does with it
        samplers = samplers[::3]
    check(open_scene(family, channels), tiny_request, samplers, monkeypatch)


@pytest.mark.parametrize("channels", [4, 9])
def test_a_small_part_is_drawn_in_its_window_as_diffusers_does(
    open_scene: OpenScene, tiny_request: GenerationRequest, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = open_scene("sd", channels)
    request = msgspec.structs.replace(tiny_request, scheduler_name="Euler a")
    picture, mask = photo(64, 80), Image.new("L", (64, 80))
    # With 8 pixels around it, the window has exactly the shape of the picture.
    mask.paste(255, (20, 28, 36, 52))
    submit = redrawn(from_picture(request, picture, 0.75), mask, inpaint=Inpaint(is_enlarged=True))
    (latents,) = scene.mixed.draw([submit], monkeypatch).values()
    steps: list[torch.Tensor] = []

    def note(_: Any, __: int, ___: Any, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        steps.append(tensors["latents"].clone())
        return tensors

    # diffusers gives the picture alone, pasted, and takes no list.
    drawing: Any = scene.pipeline(StableDiffusionInpaintPipeline)
    options: dict[str, Any] = {"output_type": "pil", "padding_mask_crop": 8, "callback_on_step_end": note}
    final_latents(drawing, request, image=picture, mask_image=mask, strength=0.75, **options)
    assert (latents - steps[-1]).abs().max().item() <= TOLERANCE


def test_a_vae_with_a_single_answer_draws_what_diffusers_draws(
    tiny_request: GenerationRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene.of("sd", tmp_path, has_single_answer=True)
    check(scene, tiny_request, ["Euler", "Euler a", "Heun", "DPM++ SDE"], monkeypatch)


def test_an_inpainting_model_draws_all_of_a_gray_picture_from_text_alone(
    open_scene: OpenScene, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = open_scene("sd", 9)
    request = msgspec.structs.replace(tiny_request, scheduler_name="Euler a", num_images=2)
    (latents,) = scene.mixed.draw([Submit(job_id=1, attempt=1, request=request)], monkeypatch).values()
    size = request.width, request.height
    # White is masked, so that the picture itself does not matter.
    drawn = expected(scene, request, photo(*size), Image.new("L", size, 255), 1.0)
    assert (latents - drawn).abs().max().item() <= TOLERANCE


def test_an_inpainting_model_refines_its_pictures(
    open_scene: OpenScene, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = open_scene("sd", 9)
    request = msgspec.structs.replace(tiny_request, upscale=Upscale(scale=2, strength=0.5))
    submit = redrawn(from_picture(request, photo(64, 80), 0.8), blot(64, 80))
    (latents,) = scene.mixed.draw([submit], monkeypatch).values()
    assert latents.shape[2:] == (2 * 80 // 4, 2 * 64 // 4)


@pytest.fixture(scope="module")
def loaded(module_catalogue: Catalogue) -> Exact:
    return Exact(module_catalogue)


@pytest.fixture
def shared(loaded: Exact, monkeypatch: pytest.MonkeyPatch) -> Exact:
    loaded.watch(monkeypatch)
    return loaded


def run(shared: Exact, *submits: Submit) -> dict[int, torch.Tensor]:
    for submit in submits:
        shared.engine.submit(submit)
    shared.engine.run_until_idle()
    return shared.latents


def file_of(shared: Exact, job_id: int, index: int = 0) -> Image.Image:
    """A finished picture."""
    (finished,) = shared.of(Finished, job_id)
    return Image.open(io.BytesIO(finished.outputs[index].data)).convert("RGB")


def changed(one: Image.Image, other: Image.Image) -> Mask:
    """Pixels that differ."""
    return (np.asarray(one) != np.asarray(other)).any(axis=2)


def test_mates_change_no_bit_and_each_image_can_be_drawn_alone(shared: Exact, request_: GenerationRequest) -> None:
    plain = msgspec.structs.replace(request_, num_inference_steps=5)
    beside = Submit(job_id=9, attempt=1, request=msgspec.structs.replace(plain, seed=77))
    like = msgspec.structs.replace(plain, num_images=3, scheduler_name="Euler a")
    three = redrawn(from_picture(like, photo(), 0.6), blot(64, 64))
    other = redrawn(from_picture(plain, photo(seed=1), 1.0, 2), inpaint=Inpaint(cells=(0, 4)))
    plain_alone, alone = run(shared, beside)[9].clone(), run(shared, three)[1].clone()
    together = run(shared, msgspec.structs.replace(beside, job_id=3), other, msgspec.structs.replace(three, job_id=4))
    assert together[3].equal(plain_alone)
    assert together[4].equal(alone)
    for index in range(3):
        single = msgspec.structs.replace(
            three, job_id=6, request=narrowed(three.request, GenerationRequest).single(index)
        )
        assert run(shared, single)[6][0].equal(alone[index])


@pytest.mark.parametrize("strength", [0.5, 1.0])
@pytest.mark.parametrize("size", [(64, 64), (256, 256), (300, 200)])
def test_pixels_away_from_the_mask_are_those_of_the_picture(
    shared: Exact, request_: GenerationRequest, size: tuple[int, int], strength: float
) -> None:
    picture, mask = photo(*size), blot(*size)
    request = msgspec.structs.replace(request_, num_inference_steps=4, num_images=2)
    run(shared, redrawn(from_picture(request, picture, strength), mask))
    # The enlarger delivers four times the sides.
    canvas = canvas_of(picture, mask, Inpaint(), 256, 256)
    near = grown(canvas.mask, FEATHER)
    assert 0.1 < near.mean() < 0.9
    for index in range(2):
        drawn = file_of(shared, 1, index)
        assert drawn.size == (256, 256)
        differs = changed(drawn, canvas.picture)
        assert not (differs & ~near).any()
        assert (differs & canvas.mask).sum() > 0.9 * canvas.mask.sum()


def test_a_small_part_is_drawn_larger_and_comes_back_small(shared: Exact, request_: GenerationRequest) -> None:
    picture = photo(256, 256)
    request = msgspec.structs.replace(request_, num_inference_steps=4)
    drawn: dict[bool, Image.Image] = {}
    for job_id, is_enlarged in enumerate((False, True)):
        inpaint = Inpaint(cells=(4,), is_enlarged=is_enlarged)
        run(shared, redrawn(from_picture(request, picture, 0.8), inpaint=inpaint, job_id=job_id))
        drawn[is_enlarged] = file_of(shared, job_id)
    canvas = canvas_of(picture, None, Inpaint(cells=(4,)), 256, 256)
    differs = changed(drawn[True], picture)
    assert not (differs & ~grown(canvas.mask, FEATHER)).any()
    assert (differs & canvas.mask).sum() > 0.9 * canvas.mask.sum()
    assert (changed(drawn[True], drawn[False]) & canvas.mask).sum() > 0.9 * canvas.mask.sum()


def test_an_upscaled_picture_keeps_the_untouched_part(shared: Exact, request_: GenerationRequest) -> None:
    picture = photo(256, 256)
    request = msgspec.structs.replace(request_, num_inference_steps=4, upscale=Upscale(scale=2, strength=0.0))
    run(shared, redrawn(from_picture(request, picture, 0.8), inpaint=Inpaint(cells=(0,))))
    expected = picture.resize((512, 512), Image.Resampling.LANCZOS)
    assert not changed(file_of(shared, 1), expected)[256:, 256:].any()


def test_a_refined_picture_is_drawn_anew_as_a_whole(shared: Exact, request_: GenerationRequest) -> None:
    picture = photo(256, 256)
    request = msgspec.structs.replace(request_, num_inference_steps=4, upscale=Upscale(scale=2, strength=0.25))
    run(shared, redrawn(from_picture(request, picture, 0.8), inpaint=Inpaint(cells=(0,))))
    drawn = file_of(shared, 1)
    assert drawn.size == (512, 512)
    kept = np.asarray(drawn.resize((256, 256), Image.Resampling.BOX), float)[128:, 128:]
    assert 0 < np.abs(kept - np.asarray(picture, float)[128:, 128:]).mean() < 20


@pytest.mark.parametrize(
    ("margins", "size", "inner"),
    [
        (Outpaint(left=0.5, top=0.5, right=0.5, bottom=0.5), (64, 64), (64, 64, 192, 192)),
        (Outpaint(right=0.5), (96, 64), (0, 0, 256, 256)),
        (Outpaint(left=0.5), (96, 64), (128, 0, 384, 256)),
        (Outpaint(top=1.0), (64, 128), (0, 256, 256, 512)),
    ],
)
def test_the_old_picture_is_inside_the_margins(
    shared: Exact,
    request_: GenerationRequest,
    margins: Outpaint,
    size: tuple[int, int],
    inner: tuple[int, int, int, int],
) -> None:
    picture = photo(256, 256)
    request = msgspec.structs.replace(request_, num_inference_steps=4, width=size[0], height=size[1])
    run(shared, redrawn(from_picture(request, picture, 1.0), inpaint=Inpaint(outpaint=margins)))
    drawn = file_of(shared, 1)
    assert drawn.size == (4 * size[0], 4 * size[1])
    left, top, right, bottom = inner
    expected = np.asarray(picture.resize((right - left, bottom - top), Image.Resampling.LANCZOS))
    differs = (np.asarray(drawn)[top:bottom, left:right] != expected).any(axis=2)
    assert not differs[FEATHER:-FEATHER, FEATHER:-FEATHER].any()
    # Where there is no margin, the picture reaches the edge unchanged.
    if margins == Outpaint(right=0.5):
        assert not differs[:, :-FEATHER].any()
    outside = np.ones(drawn.size[::-1], dtype=bool)
    outside[top:bottom, left:right] = False
    assert np.asarray(drawn)[outside].std() > 5


@pytest.mark.parametrize(
    ("margins", "size", "old", "whole"),
    [
        (Outpaint(right=0.5), (64, 64), (256, 256), (384, 256)),
        (Outpaint(left=1 / 3), (64, 64), (384, 256), (512, 256)),  # a picture that was made longer before
        (Outpaint(top=0.5), (96, 64), (384, 256), (384, 384)),
        (Outpaint(bottom=0.4), (64, 64), (250, 210), (250, 294)),  # a picture of another size than the model's
    ],
)
def test_a_window_of_a_longer_picture_is_drawn_and_every_old_pixel_stays(
    shared: Exact,
    request_: GenerationRequest,
    monkeypatch: pytest.MonkeyPatch,
    margins: Outpaint,
    size: tuple[int, int],
    old: tuple[int, int],
    whole: tuple[int, int],
) -> None:
    monkeypatch.setattr(shared.engine._preview_jobs, "_interval_s", 0.0001)
    picture = photo(*old)
    request = msgspec.structs.replace(request_, num_inference_steps=4, width=size[0], height=size[1], num_images=2)
    inpaint = Inpaint(outpaint=margins, whole=whole)
    run(shared, redrawn(from_picture(request, picture, 1.0), inpaint=inpaint))
    left, top = (whole[0] - old[0]) * (margins.left > 0), (whole[1] - old[1]) * (margins.top > 0)
    for index in range(2):
        drawn = file_of(shared, 1, index)
        assert drawn.size == whole
        differs = changed(drawn.crop((left, top, left + old[0], top + old[1])), picture)
        seam = np.zeros_like(differs)
        for margin, edge in ((margins.left, np.s_[:, :FEATHER]), (margins.right, np.s_[:, -FEATHER:])):
            seam[edge] |= margin > 0
        for margin, edge in ((margins.top, np.s_[:FEATHER]), (margins.bottom, np.s_[-FEATHER:])):
            seam[edge] |= margin > 0
        assert not (differs & ~seam).any()
        beside = np.ones(drawn.size[::-1], dtype=bool)
        beside[top : top + old[1], left : left + old[0]] = False
        assert np.asarray(drawn)[beside].std() > 5
    previews = [event.preview for event in shared.of(Progress, 1) if event.preview]
    assert previews
    for preview in previews:
        shown = Image.open(io.BytesIO(preview))
        assert shown.width / shown.height == pytest.approx(2 * whole[0] / whole[1], rel=0.02), "not the whole picture"


def test_the_window_of_a_longer_picture_shows_the_picture_beside_the_margin(
    shared: Exact, request_: GenerationRequest
) -> None:
    """Its half is known, so another picture there gives another margin, and one far from it does not."""
    request = msgspec.structs.replace(request_, num_inference_steps=4, width=64, height=64)
    inpaint = Inpaint(outpaint=Outpaint(right=0.25), whole=(640, 256))
    pictures = [photo(512, 256) for _ in range(3)]
    pictures[1].paste("red", (0, 0, 380, 256))
    pictures[2].paste("red", (400, 0, 512, 256))
    margins: list[bytes] = []
    for number, picture in enumerate(pictures):
        run(shared, redrawn(from_picture(request, picture, 1.0, number), inpaint=inpaint))
        margins.append(file_of(shared, number).crop((512, 0, 640, 256)).tobytes())
    assert margins[0] == margins[1]
    assert margins[0] != margins[2]


def test_the_kept_part_does_not_change_between_previews(
    shared: Exact, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []

    def watched(job: Any) -> bool:
        if job.can_preview:
            seen.append(job.likely_latents())
        return False

    monkeypatch.setattr(shared.engine._preview_jobs, "start_if_due", watched)
    request = msgspec.structs.replace(request_, num_inference_steps=6, scheduler_name="Heun")
    run(shared, redrawn(from_picture(request, photo(), 1.0), inpaint=Inpaint(cells=(0, 1, 2))))
    assert len(seen) == 5
    below = seen[0].shape[2] // 2
    for one, other in itertools.pairwise(seen):
        assert one[:, :, below:].equal(other[:, :, below:])
        assert not one[:, :, :4].equal(other[:, :, :4])


@pytest.mark.parametrize("count", [1, 3])
def test_previews_of_an_enlarged_part_show_it_within_the_whole_picture(
    shared: Exact, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(shared.engine._preview_jobs, "_interval_s", 0.0001)
    request = msgspec.structs.replace(request_, num_inference_steps=6, num_images=count)
    part = Inpaint(cells=(0,), is_enlarged=True)
    run(shared, redrawn(from_picture(request, photo(), 1.0), inpaint=part))
    previews = [event.preview for event in shared.of(Progress, 1) if event.preview]
    assert previews
    known = np.asarray(photo().convert("RGB").resize((64, 64)), dtype=float)
    for preview in previews:
        row = Image.open(io.BytesIO(preview)).convert("RGB").resize((64 * count, 64))
        for index in range(count):
            seen = np.asarray(row.crop((64 * index, 0, 64 * (index + 1), 64)), dtype=float)
            # The kept two thirds on the right and below are those of the photo.
            assert np.abs(seen - known)[32:, 32:].mean() < 10


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda _data: None, "The picture of the role mask did not come with the request"),
        (lambda data: data[:-40], "cannot be read"),
    ],
)
def test_a_mask_that_is_missing_or_broken_fails_its_job_alone(
    shared: Exact, request_: GenerationRequest, spoil: Callable[[bytes], bytes | None], sentence: str
) -> None:
    request = msgspec.structs.replace(request_, num_inference_steps=3)
    submit = redrawn(from_picture(request, photo(), 0.5), blot(64, 64))
    mask = narrowed(submit.request, GenerationRequest).mask
    assert mask is not None
    spoiled = {key: spoil(data) if key == mask.sha256 else data for key, data in submit.pictures.items()}
    pictures = {key: data for key, data in spoiled.items() if data is not None}
    run(shared, msgspec.structs.replace(submit, pictures=pictures), Submit(job_id=2, attempt=1, request=request))
    (failed,) = shared.of(Failed, 1)
    assert failed.reason is FailureReason.INVALID_REQUEST
    assert sentence in failed.detail
    assert shared.of(Finished, 2)


@pytest.mark.parametrize(
    ("mask", "inpaint"),
    [(Image.new("L", (64, 64)), None), (None, Inpaint(cells=(4,), grow=-0.25))],
)
def test_a_part_with_nothing_in_it_is_refused(
    shared: Exact, request_: GenerationRequest, mask: Image.Image | None, inpaint: Inpaint | None
) -> None:
    run(shared, redrawn(from_picture(request_, photo(), 0.5), mask, inpaint=inpaint))
    (failed,) = shared.of(Failed, 1)
    assert failed.reason is FailureReason.INVALID_REQUEST
    assert "Nothing is left of the part" in failed.detail


def test_a_unet_for_depth_is_refused(tmp_path: Path) -> None:
    stable_diffusion(in_channels=5).save_pretrained(tmp_path)
    with pytest.raises(Exception, match="made neither for text alone nor for inpainting"):
        Mixed(catalogue_of(tmp_path, "sd", "Euler"))
