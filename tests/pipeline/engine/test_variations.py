"""Pictures beside a picture, and the same picture larger."""

import io
from typing import Any

import msgspec
import pytest
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import StableDiffusionImg2ImgPipeline
from PIL import Image
from torch.nn.functional import interpolate

from config.catalogue import Catalogue
from pipeline.engine.sampling.latents import slerp
from pipeline.engine.sampling.schedulers import build_scheduler
from pipeline.protocol.requests import GenerationRequest, Upscale, Variation, narrowed
from pipeline.protocol.samplers.table import SAMPLERS
from pipeline.protocol.wire.messages import Progress
from pipeline.protocol.wire.outputs import ImageFile
from tests.pipeline.engine.conftest import Beside, Studio

TOLERANCE = 1e-8


def varied(request: GenerationRequest, *steps: tuple[int, float], images: int = 1, **changes: Any) -> GenerationRequest:
    variations = tuple(Variation(seed=seed, strength=strength) for seed, strength in steps)
    return msgspec.structs.replace(request, variations=variations, num_images=images, **changes)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return (one - other).abs().mean().item()


def test_turned_noise_keeps_its_length_and_meets_both_ends() -> None:
    generator = torch.Generator().manual_seed(0)
    start, end = (torch.randn((2, 4, 16, 16), generator=generator, dtype=torch.float64) for _ in range(2))
    assert slerp(start, end, 0.0).equal(start)
    assert (slerp(start, end, 1.0) - end).abs().max().item() < 1e-12
    for amount in (0.1, 0.5, 0.9):
        turned = slerp(start, end, amount)
        lengths = turned.flatten(1).norm(dim=1) / start.flatten(1).norm(dim=1)
        assert (lengths - 1).abs().max().item() < 0.05
        angle = torch.cosine_similarity(turned.flatten(1), start.flatten(1)).acos()
        whole = torch.cosine_similarity(end.flatten(1), start.flatten(1)).acos()
        assert (angle - amount * whole).abs().max().item() < 0.01  # their lengths differ a little
    assert slerp(start, start, 0.5).isfinite().all()


def test_the_stronger_the_further_and_none_is_the_same(studio: Studio, request_: GenerationRequest) -> None:
    base = studio.draw(request_)
    assert studio.draw(varied(request_, (99, 0.0))).equal(base)
    distances = [distance(studio.draw(varied(request_, (99, strength))), base) for strength in (0.1, 0.3, 0.6, 1.0)]
    assert distances == sorted(distances)
    assert 0 < distances[0] < distances[-1] / 2
    other = studio.draw(msgspec.structs.replace(request_, seed=99))
    assert distance(studio.draw(varied(request_, (99, 1.0))), other) < 1e-9


@pytest.mark.parametrize("scheduler_name", ["DPM++ 2M Karras", "Euler a"])
@pytest.mark.parametrize("steps", [(), ((50, 0.3),), ((50, 0.3), (60, 0.2))])
def test_each_image_can_be_drawn_alone_and_then_varied(
    tiny: Beside, request_: GenerationRequest, steps: tuple[tuple[int, float], ...], scheduler_name: str
) -> None:
    studio = tiny.studio
    request = varied(request_, *steps, images=3, scheduler_name=scheduler_name, model_key="tiny")
    together = studio.draw(request)
    assert distance(together[0], together[1]) > 1e-3
    for index in range(3):
        assert distance(studio.draw(request.single(index))[0], together[index]) <= TOLERANCE
    second = request.single(1)
    near = msgspec.structs.replace(second, variations=(*second.variations, Variation(seed=1, strength=0.0)))
    assert distance(studio.draw(near)[0], together[1]) <= TOLERANCE


def test_a_file_says_how_it_was_varied(studio: Studio, request_: GenerationRequest) -> None:
    finished = studio.pictures(varied(request_, (50, 0.25), images=2))
    texts = [Image.open(io.BytesIO(image.data)).info["parameters"] for image in finished.outputs]
    assert [narrowed(image, ImageFile).seed for image in finished.outputs] == [50, 51]
    assert "Seed: 7, " in texts[1]
    assert "Variation seed: 51, Variation seed strength: 0.25" in texts[1]


@pytest.fixture(scope="module")
def image_to_image(reference: Any) -> Any:
    pipeline: Any = StableDiffusionImg2ImgPipeline(**reference.components, requires_safety_checker=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("scheduler_name", ["Euler", "Heun", "DPM++ 2M Karras", "DDIM", "UniPC", "DEIS"])
def test_the_second_pass_equals_image_to_image_of_diffusers(
    studio: Studio, reference: Any, image_to_image: Any, request_: GenerationRequest, scheduler_name: str
) -> None:
    request = msgspec.structs.replace(
        request_, scheduler_name=scheduler_name, num_inference_steps=4, upscale=Upscale(scale=2, strength=0.5)
    )
    adapter = studio.model.adapter
    enlarger = studio.model.enlarger
    assert enlarger is not None
    first = studio.draw(msgspec.structs.replace(request, upscale=None))
    pixels = interpolate(enlarger.enlarge(adapter.decode(first)), (128, 128), mode="bicubic", antialias=True)
    image_to_image.scheduler = build_scheduler(SAMPLERS[scheduler_name], reference.own_scheduler_config, 4, [])
    generator = torch.Generator().manual_seed(request.seed)
    torch.randn(tuple(first.shape), generator=generator, dtype=torch.float64)  # what the first pass drew
    expected = image_to_image(
        prompt=request.prompt,
        image=pixels.clamp(0, 1).double(),
        strength=0.5,
        num_inference_steps=4,
        guidance_scale=request.guidance_scale,
        generator=[generator],
        output_type="latent",
    ).images
    assert (studio.draw(request) - expected).abs().max().item() <= TOLERANCE


def test_an_upscaled_picture_is_the_same_one_larger(module_catalogue: Catalogue, request_: GenerationRequest) -> None:
    studio = Studio(module_catalogue)
    pictures: dict[str, Image.Image] = {}
    for name, upscale in {
        "plain": None,
        "resampled": Upscale(scale=2, strength=0.0),
        "refined": Upscale(scale=2, strength=0.3),
    }.items():
        finished = studio.pictures(msgspec.structs.replace(request_, num_inference_steps=10, upscale=upscale))
        pictures[name] = Image.open(io.BytesIO(finished.outputs[0].data)).convert("RGB")
        steps = [event.step for event in studio.events if isinstance(event, Progress) and event.phase == "running"]
        assert steps == list(range(14 if name == "refined" else 11))
    assert [picture.size for picture in pictures.values()] == [(256, 256), (512, 512), (512, 512)]
    wanted = pictures["plain"].resize((512, 512), Image.Resampling.LANCZOS)
    assert wanted.tobytes() == pictures["resampled"].tobytes()
    assert _difference(wanted, pictures["refined"]) < 24
    assert _difference(wanted, pictures["refined"]) > 0


def _difference(one: Image.Image, other: Image.Image) -> float:
    first, second = (
        torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8).float() for picture in (one, other)
    )
    return (first - second).abs().mean().item()
