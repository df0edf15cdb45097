"""Control pictures: diffusers' latents in a batch with other jobs, and bits that do not depend on the others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
import pytest
import torch
from diffusers.pipelines.controlnet.pipeline_controlnet import StableDiffusionControlNetPipeline
from diffusers.pipelines.controlnet.pipeline_controlnet_img2img import StableDiffusionControlNetImg2ImgPipeline
from diffusers.pipelines.controlnet.pipeline_controlnet_inpaint import StableDiffusionControlNetInpaintPipeline
from diffusers.pipelines.controlnet.pipeline_controlnet_sd_xl import StableDiffusionXLControlNetPipeline
from diffusers.pipelines.controlnet.pipeline_controlnet_union_sd_xl import StableDiffusionXLControlNetUnionPipeline
from diffusers.pipelines.t2i_adapter.pipeline_stable_diffusion_adapter import StableDiffusionAdapterPipeline
from diffusers.pipelines.t2i_adapter.pipeline_stable_diffusion_xl_adapter import StableDiffusionXLAdapterPipeline

from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.messages import Submit
from tests.pipeline.engine.control_nets import adapter, control_net, job, spec_of, steered, union_net
from tests.pipeline.engine.given_pictures import blot, from_picture, photo, redrawn
from tests.pipeline.engine.reference import TOLERANCE, final_latents
from tests.pipeline.engine.scenes import Scene
from tests.pipeline.engine.tiny import stable_diffusion, stable_diffusion_xl

SIZE = (64, 80)


class Controlled(NamedTuple):
    """A scene whose model has control nets, and the nets for diffusers' own pipelines."""

    scene: Scene
    nets: Mapping[str, Any]

    @classmethod
    def of(cls, family: Family, pipeline: Any, nets: Mapping[str, Any], folder: Path, **options: Any) -> Self:
        """These nets, saved in the folder; `options` are fields of their entries by key."""
        specs = {key: spec_of(net, folder, key, family=family, **options.get(key, {})) for key, net in nets.items()}
        return cls(Scene(family, pipeline, folder, specs), {key: net.to(torch.float64) for key, net in nets.items()})

    def expected(self, some_class: Any, submit: Submit, nets: Mapping[str, Any], **options: Any) -> torch.Tensor:
        """Final latents of one of diffusers' pipelines with these nets, alone."""
        drawing = self.scene.pipeline(some_class, **nets)
        return final_latents(drawing, narrowed(submit.request, GenerationRequest), **options)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Controlled:
    pipeline = stable_diffusion()
    nets = {
        "lines": control_net(pipeline.unet, 1),
        "depth": control_net(pipeline.unet, 2, controlnet_conditioning_channel_order="bgr"),
        "shuffle": control_net(pipeline.unet, 3, global_pool_conditions=True),
    }
    return Controlled.of("sd", pipeline, nets, tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def scene_xl(tmp_path_factory: pytest.TempPathFactory) -> Controlled:
    pipeline = stable_diffusion_xl()
    nets = {
        "lines": control_net(pipeline.unet, 1),
        "union": union_net(pipeline.unet, 2),
        "adapter": adapter("full_adapter_xl", 3, downscale_factor=8),
    }
    options = {"union": {"kind": "controlnet-union", "union_type": 3}, "adapter": {"kind": "t2i-adapter"}}
    return Controlled.of("sdxl", pipeline, nets, tmp_path_factory.mktemp("xl"), **options)


@pytest.fixture
def tiny_request(request_: GenerationRequest) -> GenerationRequest:
    width, height = SIZE
    return msgspec.structs.replace(
        request_, model_key="tiny", width=width, height=height, num_inference_steps=5, scheduler_name="Euler"
    )


def agree(scene: Controlled, jobs: Mapping[int, tuple[Submit, torch.Tensor]], others: Any, patch: Any) -> None:
    """Draw all jobs and the others in one batch, and compare those with an expectation."""
    latents = scene.scene.mixed.draw([*(submit for submit, _ in jobs.values()), *others], patch)
    for job_id, (submit, expected) in jobs.items():
        difference = (latents[job_id] - expected).abs().max().item()
        assert difference <= TOLERANCE, (job_id, submit.request, difference)


def test_controls_of_stable_diffusion_draw_what_diffusers_draws(
    scene: Controlled, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [photo(*SIZE, seed) for seed in range(4)]
    nets, pair = scene.nets, [scene.nets["lines"], scene.nets["depth"]]
    guided = {"guidance_scale": 6.0, "negative_prompt": "red, rain"}
    jobs: dict[int, tuple[Submit, torch.Tensor]] = {}

    def add(submit: Submit, some_class: Any, given: Any, **options: Any) -> None:
        jobs[submit.job_id] = submit, scene.expected(some_class, submit, {"controlnet": given}, **options)

    words = StableDiffusionControlNetPipeline
    plain = steered(job(tiny_request, 1, seed=1, num_images=2, **guided), {"lines": pictures[0]}, strength=0.7)
    add(plain, words, nets["lines"], image=pictures[0], controlnet_conditioning_scale=0.7)
    window = steered(job(tiny_request, 2, seed=2, guidance_scale=1.0), {"lines": pictures[1]}, start=0.2, end=0.6)
    bounds = {"control_guidance_start": 0.2, "control_guidance_end": 0.6}
    add(window, words, nets["lines"], image=pictures[1], **bounds)
    heun = steered(
        job(tiny_request, 3, seed=3, scheduler_name="Heun", **guided), {"depth": pictures[1]}, end=0.5, is_guess=True
    )
    add(heun, words, nets["depth"], image=pictures[1], control_guidance_end=0.5, guess_mode=True)
    two = steered(
        job(tiny_request, 4, seed=4, scheduler_name="Euler a", **guided),
        {"lines": pictures[2], "depth": pictures[3]},
        strength=[1.2, 0.4],
        start=[0.0, 0.2],
        end=[0.8, 1.0],
    )
    each = {"control_guidance_start": [0.0, 0.2], "control_guidance_end": [0.8, 1.0]}
    add(two, words, pair, image=pictures[2:], controlnet_conditioning_scale=[1.2, 0.4], **each)
    shuffled = steered(job(tiny_request, 5, seed=5, **guided), {"shuffle": pictures[0]}, strength=0.9)
    add(shuffled, words, nets["shuffle"], image=pictures[0], controlnet_conditioning_scale=0.9)

    started = from_picture(msgspec.structs.replace(tiny_request, seed=6, **guided), pictures[0], 0.7, 6)
    later = steered(started, {"lines": pictures[1]}, end=0.5)
    options = {"image": pictures[0], "control_image": pictures[1], "strength": 0.7}
    img2img = StableDiffusionControlNetImg2ImgPipeline
    add(later, img2img, nets["lines"], **options, controlnet_conditioning_scale=1.0, control_guidance_end=0.5)
    mask = blot(*SIZE)
    inpainted = steered(
        redrawn(from_picture(msgspec.structs.replace(tiny_request, seed=7), pictures[2], 0.6, 7), mask),
        {"depth": pictures[3]},
    )
    options = {"image": pictures[2], "mask_image": mask, "control_image": pictures[3], "strength": 0.6}
    inpaint = StableDiffusionControlNetInpaintPipeline
    add(inpainted, inpaint, nets["depth"], **options, controlnet_conditioning_scale=1.0)
    others = [job(tiny_request, 20, seed=20, **guided), job(tiny_request, 21, seed=21, scheduler_name="Heun")]
    agree(scene, jobs, others, monkeypatch)


def test_controls_of_stable_diffusion_xl_draw_what_diffusers_draws(
    scene_xl: Controlled, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [photo(*SIZE, seed) for seed in range(4)]
    nets = scene_xl.nets
    guided = {"guidance_scale": 6.0, "negative_prompt": "red, rain"}
    jobs: dict[int, tuple[Submit, torch.Tensor]] = {}
    plain = steered(job(tiny_request, 1, seed=1, num_images=2, **guided), {"lines": pictures[0]}, strength=0.7, end=0.6)
    options = {"controlnet_conditioning_scale": 0.7, "control_guidance_end": 0.6}
    given = {"controlnet": nets["lines"]}
    jobs[1] = plain, scene_xl.expected(StableDiffusionXLControlNetPipeline, plain, given, image=pictures[0], **options)
    some_class: Any = StableDiffusionXLControlNetUnionPipeline
    # With guidance, guess mode of diffusers' union gives the kinds of twice as many rows as there are.
    for job_id, given_guidance, is_guess in ((2, guided, False), (4, {"guidance_scale": 1.0}, True)):
        wanted = job(tiny_request, job_id, seed=job_id, **given_guidance)
        union = steered(wanted, {"union": pictures[1]}, strength=0.8, start=0.2, is_guess=is_guess)
        options = {"controlnet_conditioning_scale": 0.8, "control_mode": 3, "control_guidance_start": 0.2}
        given = {"controlnet": nets["union"]}
        options = {**options, "control_image": pictures[1], "guess_mode": is_guess}
        jobs[job_id] = union, scene_xl.expected(some_class, union, given, **options)
    adapted = steered(
        job(tiny_request, 3, seed=3, num_images=2, **guided), {"adapter": pictures[2]}, strength=0.6, end=0.6
    )
    given, options = (
        {"adapter": nets["adapter"]},
        {"adapter_conditioning_scale": 0.6, "adapter_conditioning_factor": 0.6},
    )
    some_class = StableDiffusionXLAdapterPipeline
    jobs[3] = adapted, scene_xl.expected(some_class, adapted, given, image=pictures[2], **options)
    both = steered(job(tiny_request, 30, seed=30), {"union": pictures[0], "adapter": pictures[1]}, start=[0.0, 0.4])
    agree(scene_xl, jobs, [job(tiny_request, 20, seed=20, **guided), both], monkeypatch)


def test_adapters_of_stable_diffusion_draw_what_diffusers_draws(
    tmp_path: Path, tiny_request: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = stable_diffusion(
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")
    )
    nets = {
        "color": adapter("full_adapter", 1, downscale_factor=4),
        "second": adapter("full_adapter", 3, downscale_factor=4),
        "gray": adapter("light_adapter", 2, downscale_factor=4, in_channels=1),
    }
    scene = Controlled.of("sd", pipeline, nets, tmp_path, **{key: {"kind": "t2i-adapter"} for key in nets})
    pictures = [photo(*SIZE, seed) for seed in range(2)]
    guided = {"guidance_scale": 6.0, "negative_prompt": "red, rain"}
    one = steered(job(tiny_request, 1, seed=1, num_images=2, **guided), {"gray": pictures[0]}, strength=0.7)
    some_class: Any = StableDiffusionAdapterPipeline
    given, gray = {"adapter": scene.nets["gray"]}, pictures[0].convert("L")
    jobs = {1: (one, scene.expected(some_class, one, given, image=gray, adapter_conditioning_scale=0.7))}
    # diffusers keeps the weights of several adapters in float32, so they are numbers that it has exactly.
    two = steered(job(tiny_request, 2, seed=2), {"color": pictures[0], "second": pictures[1]}, strength=[0.75, 0.5])
    given = {"adapter": [scene.nets["color"], scene.nets["second"]]}
    expected = scene.expected(some_class, two, given, image=[*pictures], adapter_conditioning_scale=[0.75, 0.5])
    jobs[2] = two, expected
    agree(scene, jobs, [job(tiny_request, 20, seed=20, **guided)], monkeypatch)
