"""Whole pipelines that change pictures as the words say: diffusers' own calls draw the same."""

import inspect
import itertools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import diffusers
import msgspec
import pytest
import torch
from diffusers.pipelines.flux.pipeline_flux_kontext import FluxKontextPipeline
from diffusers.pipelines.omnigen import pipeline_omnigen
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from PIL import Image

from benchmarks.families import grids
from bot.quotas.pricing import price
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import InvalidRequest
from pipeline.engine.families.any_pipeline import AnyPipeline, PipelineImages
from pipeline.engine.families.pipeline_classes import PipelineFacts, facts_of_class, lacks_of_class
from pipeline.engine.sampling.latents import generators_for
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.costs import Cost
from pipeline.protocol.catalogue.models import Defaults, ModelSpec
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.given_pictures import photo
from tests.pipeline.engine.tiny import flux, flux_2_klein, qwen_edit_plus

PLACEMENT = choose_placement("cpu", "float32")
WIDTH, HEIGHT = 64, 96
CHANGED, OTHER = photo(WIDTH, HEIGHT, 1), photo(112, 80, 2)
BUILDERS: Mapping[str, Any] = {
    "kontext": lambda: flux(FluxKontextPipeline),
    "klein": flux_2_klein,
    "qwen": qwen_edit_plus,
}
OWN: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "kontext": {"guidance_scale": 3.0, "max_area": WIDTH * HEIGHT, "_auto_resize": False, "image": CHANGED},
        "klein": {"guidance_scale": 3.0, "image": [CHANGED, OTHER]},
        "qwen": {"true_cfg_scale": 3.0, "negative_prompt": "rain", "image": [CHANGED, OTHER]},
    }
)
"""What a caller of diffusers writes for the same edit."""


@pytest.fixture(scope="module")
def pipelines() -> dict[str, Any]:
    built = {name: build() for name, build in BUILDERS.items()}
    for pipeline in built.values():
        pipeline.set_progress_bar_config(disable=True)
    return built


@pytest.fixture(autouse=True)
def small_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qwen-Image-Edit reads pictures of a million pixels, which takes seconds of a processor."""
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 64 * 64)
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "CONDITION_IMAGE_SIZE", 56 * 56)


@pytest.fixture
def like(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(
        request_,
        prompt="make it blue",
        negative_prompt="rain",
        width=WIDTH,
        height=HEIGHT,
        num_images=2,
        num_inference_steps=2,
        guidance_scale=3.0,
        inputs=(Input(role=InputRole.EDIT, sha256="", strength=0.55),),
    )


def drawn(pipeline: Any, request: GenerationRequest, *pictures: Image.Image) -> torch.Tensor:
    run = AnyPipeline(pipeline, PLACEMENT).begin(request, generators_for(request), PipelineImages(edited=pictures))
    while run.advance():
        pass
    assert run.pictures is not None
    return run.pictures


@pytest.mark.parametrize("name", BUILDERS)
def test_an_edit_is_that_of_diffusers_and_each_option_changes_it(
    pipelines: dict[str, Any], like: GenerationRequest, name: str
) -> None:
    pipeline = pipelines[name]
    pictures = (CHANGED,) if name == "kontext" else (CHANGED, OTHER)
    expected = pipeline(
        prompt="make it blue",
        num_inference_steps=2,
        width=WIDTH,
        height=HEIGHT,
        num_images_per_prompt=2,
        generator=generators_for(like),
        output_type="pt",
        **OWN[name],
    ).images
    found = drawn(pipeline, like, *pictures)
    assert found.shape == (2, 3, HEIGHT, WIDTH)
    assert (found - expected).abs().max().item() < 1e-5
    others: dict[str, tuple[GenerationRequest, tuple[Image.Image, ...]]] = {
        "picture": (like, (OTHER.resize((WIDTH, HEIGHT)), *pictures[1:])),
        "guidance": (msgspec.structs.replace(like, guidance_scale=6.0), pictures),
    }
    if name != "kontext":
        others["second picture"] = like, pictures[:1]
    if facts_of_class(type(pipeline)).reads_negative:
        others["negative prompt"] = msgspec.structs.replace(like, negative_prompt="snow"), pictures
    for what, (request, given) in others.items():
        assert (drawn(pipeline, request, *given) - found).abs().max().item() > 1e-4, f"no {what}"


@pytest.mark.parametrize(("name", "rows"), [("kontext", 1), ("klein", 2)])
def test_a_class_without_negative_prompts_has_the_rows_that_are_priced(
    pipelines: dict[str, Any], like: GenerationRequest, name: str, rows: int
) -> None:
    pipeline, seen = pipelines[name], list[int]()
    hook = pipeline.transformer.register_forward_pre_hook(
        lambda _module, _args, given: seen.append(len(given["hidden_states"])), with_kwargs=True
    )
    drawn(pipeline, like, CHANGED)
    hook.remove()
    assert sum(seen) == rows * like.num_images * like.num_inference_steps
    has_row = Capability.UNCONDITIONAL_ROW not in lacks_of_class(type(pipeline))
    assert has_row == (rows == 2)


@pytest.mark.parametrize(("pictures", "rows"), [((), 2), ((CHANGED,), 3), ((CHANGED, OTHER), 3)])
@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_a_class_that_guides_towards_the_picture_draws_the_rows_that_are_priced(
    like: GenerationRequest, pictures: tuple[Image.Image, ...], rows: int, scale: float
) -> None:
    """OmniGen draws them at CFG 1, too."""
    pipeline = grids.omnigen()
    pipeline.set_progress_bar_config(disable=True)
    seen = list[int]()
    pipeline.transformer.register_forward_pre_hook(
        lambda _module, _args, given: seen.append(len(given["hidden_states"])), with_kwargs=True
    )
    request = msgspec.structs.replace(like, guidance_scale=scale, inputs=like.inputs * len(pictures))
    drawn(pipeline, request, *pictures)
    assert seen == [rows * request.num_images] * request.num_inference_steps
    cost = Cost(row_constant=1.0, row_linear=1e-9, row_quadratic=0.0, decode=0.0, encode=0.0, text=0.0)
    source = FolderSource(path="/nowhere")
    spec = ModelSpec(key="tiny", title="Tiny", source=source, family="pipeline", license="", cost=cost)
    own = spec.narrowed(None, lacks_of_class(type(pipeline)))
    usual = Defaults(steps=1, cfg=1.0, sampler="Model's own")
    unit = msgspec.structs.replace(spec, key="unit", defaults=usual)
    asked = msgspec.structs.replace(request, scheduler_name="Model's own")
    assert price(asked, own, unit, "work") == sum(seen)


def test_the_true_scale_guides_without_a_negative_prompt_too(
    pipelines: dict[str, Any], like: GenerationRequest
) -> None:
    wordless = msgspec.structs.replace(like, negative_prompt="")
    found = [
        drawn(pipelines["qwen"], msgspec.structs.replace(wordless, guidance_scale=scale), CHANGED)
        for scale in (1.0, 3.0, 6.0)
    ]
    for one, other in itertools.pairwise(found):
        assert (one - other).abs().max().item() > 1e-4


def test_what_a_pipeline_cannot_do_with_pictures_is_refused(pipelines: dict[str, Any], like: GenerationRequest) -> None:
    for name, pictures, sentence in (
        ("kontext", (CHANGED, OTHER), "cannot do this with a picture"),
        ("qwen", (), "draws nothing without a picture"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            drawn(pipelines[name], like, *pictures)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("FluxPipeline", PipelineFacts(guidance="guidance_scale")),
        ("FluxImg2ImgPipeline", PipelineFacts(guidance="guidance_scale", needs_picture=True)),
        (
            "QwenImageEditPipeline",
            PipelineFacts(guidance="true_cfg_scale", reads_negative=True, edited="image", needs_picture=True),
        ),
        # Its only scale is the true one, although it is 1 by itself.
        (
            "QwenImage21Pipeline",
            PipelineFacts(guidance="true_cfg_scale", reads_negative=True, edited="image", takes_list=True),
        ),
        (
            "StableDiffusionInstructPix2PixPipeline",
            PipelineFacts(
                guidance="guidance_scale",
                reads_negative=True,
                edited="image",
                needs_picture=True,
                kept="image_guidance_scale",
            ),
        ),
        # It has a true scale, and guides by the other one.
        (
            "ChromaInpaintPipeline",
            PipelineFacts(guidance="guidance_scale", reads_negative=True, needs_picture=True),
        ),
        (
            "OmniGenPipeline",
            PipelineFacts(
                guidance="guidance_scale",
                has_second_row=True,
                guides_always=True,
                edited="input_images",
                takes_list=True,
                kept="img_guidance_scale",
                placeholder="<img><|image_{}|></img>",
            ),
        ),
        # A picture that is a map, or that is enlarged, is not edited.
        ("StableDiffusionControlNetPipeline", PipelineFacts(guidance="guidance_scale", reads_negative=True)),
        (
            "StableDiffusionUpscalePipeline",
            PipelineFacts(guidance="guidance_scale", reads_negative=True, needs_picture=True),
        ),
        ("PixArtSigmaPipeline", PipelineFacts(guidance="guidance_scale", reads_negative=True)),
    ],
)
def test_a_signature_and_the_table_say_what_a_class_does(name: str, facts: PipelineFacts) -> None:
    assert facts_of_class(getattr(diffusers, name)) == facts


def test_the_words_name_each_picture_where_the_pipeline_wants_it_and_the_strength_is_given(
    like: GenerationRequest,
) -> None:
    class OmniGenPipeline(DiffusionPipeline):
        """Takes a part of the call of diffusers' class, whose tokenizer cannot be made small, and keeps it."""

        def __init__(self) -> None:
            super().__init__()
            self.register_to_config()

        def __call__(self, prompt: str, input_images: Any = None, img_guidance_scale: float = 1.6) -> None:
            self.called = prompt, input_images, img_guidance_scale
            raise InvalidRequest("enough")

    ours, theirs = (
        inspect.signature(each.__call__).parameters for each in (OmniGenPipeline, pipeline_omnigen.OmniGenPipeline)
    )
    assert ours.keys() <= theirs.keys()
    pipeline: Any = OmniGenPipeline()
    with pytest.raises(InvalidRequest, match="enough"):
        drawn(pipeline, like, CHANGED, OTHER)
    assert pipeline.called == (
        "<img><|image_1|></img><img><|image_2|></img>make it blue",
        [CHANGED, OTHER],
        pytest.approx(1.5),
    )
