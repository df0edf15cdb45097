"""Pictures that are drawn by tiles (MultiDiffusion): their numbers, their mates, and their first enlargement."""

import hashlib
import io
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from config.catalogue import Catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.loop import Engine
from pipeline.engine.sampling.schedulers import build_scheduler
from pipeline.images.decode import fitted, to_pixels
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.inputs import Input, InputRole, Tiles
from pipeline.protocol.requests import GenerationRequest, Upscale, narrowed
from pipeline.protocol.samplers.table import SAMPLERS
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Submit
from pipeline.protocol.wire.settings import EngineOptions
from tests.pipeline.engine.given_pictures import from_picture, photo
from tests.pipeline.engine.reference import TOLERANCE
from tests.pipeline.engine.scenes import Scene
from tests.pipeline.engine.test_batching import Shared as Exact
from tests.pipeline.engine.test_pictures_in import expected, open_scene, run, tiny_request

__all__ = ["open_scene", "tiny_request"]
SMALL = Tiles(width=64, height=64, overlap=16)


@pytest.mark.parametrize("family", ["sd", "sdxl", "sd3"])
def test_one_tile_over_the_whole_picture_draws_what_diffusers_draws(
    open_scene: Callable[[Family], Scene],
    tiny_request: GenerationRequest,
    family: Family,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = open_scene(family)
    whole = Tiles(width=tiny_request.width, height=tiny_request.height, overlap=16)
    submits: list[Submit] = []
    for number, sampler in enumerate(["Flow Euler"] * 2 if family == "sd3" else ["Euler a", "DPM++ 2M", "Heun"]):
        like = msgspec.structs.replace(tiny_request, scheduler_name=sampler, num_images=1 + number % 2, seed=number)
        submits.append(from_picture(msgspec.structs.replace(like, tiles=whole), photo(64, 80), 0.5, 2 * number))
        submits.append(from_picture(like, photo(64, 80, seed=1), 0.8, 2 * number + 1))
    latents = scene.mixed.draw(submits, monkeypatch)
    for submit in submits[::2]:
        wanted = expected(scene, submit, photo(64, 80))
        assert (latents[submit.job_id] - wanted).abs().max() <= TOLERANCE, submit.request


def weight(position: int, tile: int, overlap: int) -> float:
    """How much a tile counts at one of its latents: less and less towards both edges."""
    return min(position + 0.5, tile - position - 0.5, overlap)


def averaged(predict: Callable[[torch.Tensor], torch.Tensor], latents: torch.Tensor) -> torch.Tensor:
    """The predictions of three tiles of 16 x 16 latents with an overlap of 4 in a picture 40 wide, latent by latent."""
    total, weights = torch.zeros_like(latents), torch.zeros_like(latents)
    for left in (0, 12, 24):
        predicted = predict(latents[..., left : left + 16])
        for row in range(16):
            for column in range(16):
                each = weight(row, 16, 4) * weight(column, 16, 4)
                total[..., row, left + column] += each * predicted[..., row, column]
                weights[..., row, left + column] += each
    return total / weights


def predicted(unet: Any, timestep: torch.Tensor, text: torch.Tensor, latents: torch.Tensor) -> torch.Tensor:
    """What the network says about one tile."""
    return unet(latents, timestep, text).sample


@torch.inference_mode()
def expected_in_tiles(scene: Scene, submit: Submit, picture: Image.Image) -> torch.Tensor:
    """Final latents of a loop over diffusers' own parts, with one forward pass for each tile and text."""
    request, pipeline = narrowed(submit.request, GenerationRequest), scene.reference
    assert request.init_image is not None
    generator = torch.Generator().manual_seed(request.seed)
    scheduler: Any = build_scheduler(
        SAMPLERS[request.scheduler_name],
        scene.reference.own_scheduler_config,
        request.num_inference_steps,
        [generator],
    )
    texts = pipeline.encode_prompt(request.prompt, "cpu", 1, True, request.negative_prompt)
    pixels = (to_pixels(picture) * 2 - 1).to(torch.float64)
    known = pipeline.vae.encode(pixels).latent_dist.sample(generator) * pipeline.vae.config.scaling_factor
    noise = torch.randn(known.shape, generator=generator, dtype=torch.float64)
    skipped = request.num_inference_steps - int(request.num_inference_steps * request.init_image.strength)
    scheduler.set_begin_index(skipped)
    latents = scheduler.add_noise(known, noise, scheduler.timesteps[skipped][None])
    for timestep in scheduler.timesteps[skipped:]:
        scaled = scheduler.scale_model_input(latents, timestep)
        predict = partial(predicted, pipeline.unet, timestep)
        with_words, without = (averaged(partial(predict, text), scaled) for text in texts)
        guided = without + request.guidance_scale * (with_words - without)
        latents = scheduler.step(guided, timestep, latents, generator=generator).prev_sample
    return latents


def test_overlapping_tiles_are_averaged_at_every_step(
    open_scene: Callable[[Family], Scene], tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = open_scene("sd")
    factor = scene.reference.vae_scale_factor
    like = msgspec.structs.replace(
        tiny_request,
        width=40 * factor,
        height=16 * factor,
        scheduler_name="Euler a",
        guidance_scale=5.0,
        negative_prompt="rain",
        tiles=Tiles(width=16 * factor, height=16 * factor, overlap=4 * factor),
    )
    picture = photo(like.width, like.height)
    submit = from_picture(like, picture, 0.6)
    latents = scene.mixed.draw([submit], monkeypatch)[1]
    assert (latents - expected_in_tiles(scene, submit, picture)).abs().max() <= TOLERANCE


@pytest.fixture(scope="module")
def loaded(module_catalogue: Catalogue) -> Exact:
    return Exact(module_catalogue)


@pytest.fixture
def shared(loaded: Exact, monkeypatch: pytest.MonkeyPatch) -> Exact:
    loaded.watch(monkeypatch)
    return loaded


def tiled(request: GenerationRequest, job_id: int = 1, strength: float = 0.5, **changes: Any) -> Submit:
    """A picture of 128 x 96 in tiles, as a job."""
    like = msgspec.structs.replace(request, width=128, height=96, num_inference_steps=6, tiles=SMALL)
    return from_picture(msgspec.structs.replace(like, **changes), photo(128, 96), strength, job_id)


def test_mates_change_no_bit_and_each_image_can_be_drawn_alone(shared: Exact, request_: GenerationRequest) -> None:
    two = tiled(request_, num_images=2, scheduler_name="Euler a")
    alone = run(shared, two)[1].clone()
    plain = msgspec.structs.replace(request_, num_inference_steps=6)
    mates = [Submit(job_id=2, attempt=1, request=plain), tiled(request_, 3, 0.9, seed=5)]
    again = msgspec.structs.replace(two, job_id=4)
    together = run(shared, *mates, again)
    assert together[4].equal(alone)
    single = narrowed(two.request, GenerationRequest).single(1)
    assert run(shared, msgspec.structs.replace(two, job_id=5, request=single))[5][0].equal(alone[1])


def test_a_second_pass_has_tiles_too(shared: Exact, request_: GenerationRequest) -> None:
    run(shared, tiled(request_, upscale=Upscale(scale=2, strength=0.4)))
    (finished,) = shared.of(Finished, 1)
    assert (finished.outputs[0].width, finished.outputs[0].height) == (1_024, 768)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"tiles": Tiles(width=136, height=64, overlap=8)}, "side of a tile is 136"),
        ({"tiles": Tiles(width=64, height=56, overlap=8)}, "side of a tile is 56"),
        ({"tiles": Tiles(width=64, height=64, overlap=64)}, "overlap of tiles is 64"),
        ({"tiles": Tiles(width=64, height=64, overlap=-8)}, "overlap of tiles is -8"),
        ({"tiles": Tiles(width=68, height=64, overlap=8)}, "A tile of 68 x 64 is no multiple of 8"),
        ({"tiles": Tiles(width=64, height=64, overlap=12)}, "overlap of tiles is no multiple of 8"),
        ({"tiles": Tiles(width=64, height=64, overlap=56), "width": 512, "height": 512}, "number of tiles is 3249"),
        ({"inputs": ()}, "Only a whole picture from an init image"),
    ],
)
def test_impossible_tiles_fail_their_job_alone(
    shared: Exact, request_: GenerationRequest, changes: dict[str, Any], sentence: str
) -> None:
    submit = tiled(request_)
    run(shared, msgspec.structs.replace(submit, request=msgspec.structs.replace(submit.request, **changes)))
    (failed,) = shared.of(Failed, 1)
    assert failed.reason is FailureReason.INVALID_REQUEST
    assert sentence in failed.detail
    assert shared.engine.is_idle


@pytest.fixture(scope="module")
def events() -> list[JobEvent]:
    return []


@pytest.fixture(scope="module")
def with_upscaler(module_catalogue: Catalogue, events: list[JobEvent]) -> Iterator[Engine]:
    """An engine with the shipped model and upscaler."""
    engine = Engine(
        models=module_catalogue.entries,
        placement=choose_placement("cpu", "float32"),
        options=EngineOptions(max_running=2),
        emit=events.append,
        activity=Activity(),
    )
    yield engine
    engine.close()


def from_upscaled(
    request: GenerationRequest, picture: Image.Image, network: str, strength: float = 0.1, **changes: Any
) -> Submit:
    file = io.BytesIO()
    picture.save(file, "PNG")
    key = hashlib.sha256(file.getvalue()).hexdigest()
    start = Input(role=InputRole.INIT_IMAGE, sha256=key, strength=strength, network=network)
    wanted = msgspec.structs.replace(
        request, **{"width": 128, "height": 96, "tiles": SMALL, "inputs": (start,), "guidance_scale": 1.0, **changes}
    )
    return Submit(job_id=1, attempt=1, request=wanted, pictures={key: file.getvalue()})


def pixels(event: Any, image: int = 0) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(event.outputs[image].data)).convert("RGB"), dtype=float)


def test_a_small_picture_is_enlarged_by_its_upscaler_first(
    with_upscaler: Engine, events: list[JobEvent], module_catalogue: Catalogue, request_: GenerationRequest
) -> None:
    (key,) = module_catalogue.upscalers
    drawn: dict[str, Any] = {}
    for network in ("", key):
        events.clear()
        with_upscaler.submit(from_upscaled(request_, photo(64, 48), network))
        with_upscaler.run_until_idle()
        (drawn[network],) = [event for event in events if isinstance(event, Finished)]
    assert np.abs(pixels(drawn[""]) - pixels(drawn[key])).mean() > 0.1
    assert drawn[""].recipe.networks == {}
    assert [*drawn[key].recipe.networks] == [key]
    near = np.asarray(fitted(photo(64, 48), 512, 384), dtype=float)
    assert np.abs(pixels(drawn[key]) - near).mean() < 20


@pytest.mark.parametrize(
    ("network", "changes", "sentence"),
    [
        ("pocket", {}, "no upscaler 'pocket'"),
        ("gone", {}, "no upscaler 'gone'"),
        ("realesr-animevideov3", {"tiles": None}, "Only a picture that is drawn by tiles is enlarged first"),
    ],
)
def test_a_wrong_upscaler_fails_the_job(
    with_upscaler: Engine,
    events: list[JobEvent],
    request_: GenerationRequest,
    network: str,
    changes: dict[str, Any],
    sentence: str,
) -> None:
    events.clear()
    with_upscaler.submit(from_upscaled(request_, photo(64, 48), network, **changes))
    with_upscaler.run_until_idle()
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert sentence in failed.detail


def test_no_seam_shows_between_tiles(
    with_upscaler: Engine, events: list[JobEvent], request_: GenerationRequest
) -> None:
    """Steps between neighboring pixels are no larger where tiles begin and end than elsewhere.

    So much is drawn anew that every tile shows something else: without blending, the steps are 4 to 8 times the mean.
    """
    events.clear()
    sky = Image.fromarray(
        np.linspace((90, 160, 250), (200, 220, 250), 96).astype(np.uint8)[:, None].repeat(128, axis=1)
    )
    drawn = {"prompt": "a star", "num_inference_steps": 40, "guidance_scale": 3.0, "num_images": 2}
    with_upscaler.submit(from_upscaled(request_, sky, "", 0.6, **drawn))
    with_upscaler.run_until_idle()
    (finished,) = [event for event in events if isinstance(event, Finished)]
    steps = np.mean([np.abs(np.diff(pixels(finished, image), axis=1)).mean(axis=(0, 2)) for image in (0, 1)], axis=0)
    at_borders = np.concatenate([steps[4 * edge - 6 : 4 * edge + 6] for edge in (32, 64, 96)])
    assert at_borders.max() < 2 * steps.mean()
