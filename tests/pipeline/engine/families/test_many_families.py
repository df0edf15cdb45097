"""Whole pipelines of many families: guidance, sizes, latents and steps as members mean them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from benchmarks.families import grids, others, packed
from benchmarks.families.drawing import Stand
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import InvalidRequest, ModelUnavailable
from pipeline.engine.families.any_pipeline import AnyPipeline
from pipeline.engine.families.pipeline_run import PipelineRun
from pipeline.engine.models.capabilities import check_call
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.sources import check_source
from pipeline.engine.pixels.previews import images_in
from pipeline.engine.sampling.latents import generators_for
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import CallValue, ModelSpec
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.tiny import catalogue_of, single_answer_autoencoder

pytestmark = [
    # diffusers' combined pipeline passes this argument itself.
    pytest.mark.filterwarnings("ignore:`callback_steps` is deprecated:FutureWarning"),
    # NucleusMoEImageTransformer2DModel makes layers without features when it has no experts.
    pytest.mark.filterwarnings("ignore:Initializing zero-element tensors:UserWarning"),
]
PLACEMENT = choose_placement("cpu", "float32")
HEIGHT, WIDTH = 64, 128
OWNERS_CALL = "[model.call]\ncfg_normalization = true\n"
STEPS = 2


@pytest.fixture
def asked(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(
        request_, prompt="a star", height=HEIGHT, width=WIDTH, num_images=1, num_inference_steps=STEPS
    )


def _loaded(build: Callable[[], Any]) -> AnyPipeline:
    pipeline = build()
    pipeline.set_progress_bar_config(disable=True)
    return AnyPipeline(pipeline, PLACEMENT)


def _drawn(whole: AnyPipeline, request: GenerationRequest) -> torch.Tensor:
    run = whole.begin(request, generators_for(request))
    while run.advance():
        pass
    assert run.pictures is not None
    return run.pictures


def _own(whole: AnyPipeline, request: GenerationRequest, **arguments: Any) -> torch.Tensor:
    """What diffusers' own call answers."""
    answer = whole.pipeline(
        prompt=request.prompt,
        num_inference_steps=STEPS,
        height=HEIGHT,
        width=WIDTH,
        generator=generators_for(request),
        output_type="np",
        **arguments,
    )
    return torch.from_numpy(np.asarray(answer[0])).permute(0, 3, 1, 2)


def _rows(network: Any) -> list[int]:
    """Numbers of rows of the network's forwards; they are added while it runs."""
    rows: list[int] = []

    def count(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        del module
        rows.append(len(given[0] if given else named["hidden_states"]))

    network.register_forward_pre_hook(count, with_kwargs=True)
    return rows


@pytest.mark.parametrize("build", [grids.z_image, packed.krea])
def test_cfg_is_the_scale_and_one_more_where_a_pipeline_guides_from_zero_on(
    build: Callable[[], Any], asked: GenerationRequest
) -> None:
    whole = _loaded(build)
    guided = msgspec.structs.replace(asked, guidance_scale=4.0, negative_prompt="rain")
    assert torch.equal(_drawn(whole, guided), _own(whole, guided, guidance_scale=3.0, negative_prompt="rain"))
    rows = _rows(whole.pipeline.transformer)
    _drawn(whole, msgspec.structs.replace(asked, guidance_scale=1.0))
    assert sum(rows) == STEPS


def test_a_component_that_guides_gets_the_scale(asked: GenerationRequest) -> None:
    whole = _loaded(others.hunyuan_image)
    pictures = [_drawn(whole, msgspec.structs.replace(asked, guidance_scale=scale)) for scale in (3.0, 6.0)]
    assert not torch.equal(*pictures)
    rows = _rows(whole.pipeline.transformer)
    _drawn(whole, msgspec.structs.replace(asked, guidance_scale=1.0))
    assert sum(rows) == STEPS


@pytest.mark.parametrize(
    ("build", "arguments"),
    [
        (others.deepfloyd, {"guidance_scale": 4.0}),
        (others.kandinsky_2, {"guidance_scale": 4.0, "prior_guidance_scale": 4.0}),
        (others.kandinsky_3, {"guidance_scale": 4.0}),
    ],
)
def test_pictures_have_the_colors_of_the_pipeline_s_own(
    build: Callable[[], Any], arguments: dict[str, Any], asked: GenerationRequest
) -> None:
    whole, request = _loaded(build), msgspec.structs.replace(asked, guidance_scale=4.0)
    assert torch.equal(_drawn(whole, request), _own(whole, request, **arguments))


@pytest.mark.parametrize("build", [others.kandinsky_5, others.hidream])
def test_a_pipeline_with_sizes_of_its_own_draws_the_size_that_was_asked_for(
    build: Callable[[], Any], asked: GenerationRequest
) -> None:
    assert _drawn(_loaded(build), asked).shape == (1, 3, HEIGHT, WIDTH)


@pytest.mark.parametrize(
    "build",
    [
        packed.flux_dev,
        packed.klein,
        packed.qwen_image,
        packed.krea,
        packed.ernie,
        packed.longcat,
        packed.nucleus,
        grids.sana,
        grids.z_image,
        others.hunyuan_image,
        others.kandinsky_3,
        others.kandinsky_5,
        others.deepfloyd,
    ],
)
def test_the_last_preview_shows_the_finished_picture(build: Callable[[], Any], asked: GenerationRequest) -> None:
    whole = _loaded(build)
    run, latents = whole.begin(asked, generators_for(asked)), whole.latents
    assert latents is not None
    last: torch.Tensor | None = None
    while run.advance():
        assert run.latents is not None
        last = latents.grid(run.latents, HEIGHT, WIDTH)
    assert last is not None
    assert run.pictures is not None
    assert last.shape[1] == latents.latent_channels
    assert last.shape[2] * latents.scale_factor == HEIGHT
    assert (latents.decode(last) - run.pictures).abs().max().item() < 1e-3


def _run(whole: AnyPipeline, request: GenerationRequest) -> PipelineRun:
    return whole.begin(request, generators_for(request))


def test_a_pipeline_without_a_callback_waits_after_each_step(asked: GenerationRequest) -> None:
    whole = _loaded(packed.longcat)
    run, seen = _run(whole, asked), list[int]()
    rows = _rows(whole.pipeline.transformer)
    while run.advance():
        seen.append(run.steps_done)
    assert seen == [1, 2]
    run = _run(whole, asked)
    assert run.advance()
    before = len(rows)
    run.close()
    assert len(rows) == before
    assert "step" not in vars(whole.pipeline.scheduler)


def test_a_prior_waits_too_and_its_steps_are_not_counted(asked: GenerationRequest) -> None:
    whole = _loaded(others.kandinsky_2)
    run, seen = _run(whole, asked), list[int]()
    while run.advance():
        seen.append(run.steps_done)
    assert seen.count(0) > STEPS
    assert seen[-STEPS:] == [1, 2]


def test_limits_of_a_pipeline_are_a_sentence(asked: GenerationRequest) -> None:
    run = _run(_loaded(others.lcm), msgspec.structs.replace(asked, num_inference_steps=60))
    with pytest.raises(InvalidRequest, match="A LatentConsistencyModelPipeline refuses this: "):
        run.advance()


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_sana_sprint_draws_with_any_number_of_steps(steps: int, asked: GenerationRequest) -> None:
    whole = _loaded(grids.sana_sprint)
    assert _drawn(whole, msgspec.structs.replace(asked, num_inference_steps=steps)).isfinite().all()


def test_a_distilled_model_without_a_guider_reads_no_negative_prompt(tmp_path: Path) -> None:
    for build, is_distilled in ((others.hunyuan_image, False), (others.hunyuan_image_distilled, True)):
        build().save_pretrained(tmp_path)
        lacks = check_source(catalogue_of(tmp_path, "pipeline", sampler="Model's own").default).lacks
        assert (Capability.NEGATIVE_PROMPT in lacks) is is_distilled
        assert Capability.GUIDANCE not in lacks


def _listed(folder: Path, **call: CallValue) -> ModelSpec:
    """The entry of a saved Z-Image with `[model.call]`."""
    spec = catalogue_of(folder, "pipeline", sampler="Model's own").default
    return msgspec.structs.replace(spec, title="Z-Image", call=call)


def test_a_schedule_of_guidance_does_not_stand_in_the_way_of_cfg(asked: GenerationRequest) -> None:
    whole, guided = _loaded(others.ideogram_4), msgspec.structs.replace(asked, guidance_scale=4.0)
    run = whole.begin(guided, generators_for(guided), call={"max_sequence_length": 32})
    while run.advance():
        pass
    assert run.pictures is not None
    arguments = {"guidance_scale": 4.0, "guidance_schedule": None, "max_sequence_length": 32}
    assert torch.equal(run.pictures, _own(whole, guided, **arguments))


def test_the_catalogue_gives_further_arguments(asked: GenerationRequest) -> None:
    whole, guided = _loaded(grids.z_image), msgspec.structs.replace(asked, guidance_scale=4.0)
    run = whole.begin(guided, generators_for(guided), call={"cfg_normalization": True})
    while run.advance():
        pass
    assert run.pictures is not None
    assert torch.equal(run.pictures, _own(whole, guided, guidance_scale=3.0, cfg_normalization=True))
    assert not torch.equal(run.pictures, _drawn(whole, guided))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ({"cfg_normalisation": True}, "cfg_normalisation in .* a ZImagePipeline takes cfg_normalization, cfg_trunc"),
        ({"guidance_scale": 3.0}, "besides what Easel itself gives"),
        ({"cfg_normalization": 1}, "a value such as False there"),
        ({"max_sequence_length": 64.5}, "a value such as 512 there"),
        ({"cfg_truncation": "no"}, "a value such as 1.0 there"),
    ],
)
def test_an_argument_that_the_call_does_not_take_is_a_sentence(
    call: dict[str, CallValue], sentence: str, tmp_path: Path
) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "ZImagePipeline"}', encoding="utf-8")
    with pytest.raises(ModelUnavailable, match=sentence):
        check_call(tmp_path, _listed(tmp_path, **call))
    check_call(tmp_path, _listed(tmp_path, cfg_truncation=1, max_sequence_length=64))


def test_an_owner_s_argument_is_checked_before_the_model_is_offered(tmp_path: Path) -> None:
    grids.z_image().save_pretrained(tmp_path)
    check_source(_listed(tmp_path, cfg_normalization=True))
    with pytest.raises(ModelUnavailable, match="Z-Image has seed"):
        check_source(_listed(tmp_path, seed=1))


def test_a_job_takes_the_catalogue_s_arguments(tmp_path: Path) -> None:
    plain, changed = (
        Stand(grids.z_image, tmp_path / name, call) for name, call in (("plain", ""), ("changed", OWNERS_CALL))
    )
    outputs = [stand.draw(guidance_scale=4.0).outputs[0].data for stand in (plain, changed)]
    assert outputs[0] != outputs[1]


@pytest.mark.parametrize(("build", "is_fit"), [(packed.flux_dev, True), (packed.qwen_image, False)])
def test_a_preview_decoder_is_for_the_unpacked_latents(
    build: Callable[[], Any], is_fit: bool, asked: GenerationRequest, tmp_path: Path
) -> None:
    build().save_pretrained(tmp_path / "model")
    single_answer_autoencoder(latent_channels=1).save_pretrained(tmp_path / "decoder")
    source = FolderSource(path=str(tmp_path / "decoder"))
    spec = msgspec.structs.replace(_listed(tmp_path / "model"), preview_decoder=source)
    if not is_fit:
        with pytest.raises(ModelUnavailable, match="is made for other latents"):
            load_model(spec, PLACEMENT, None, lambda: None)
        return
    model = load_model(spec, PLACEMENT, None, lambda: None)
    run, latents = _run(model.any_pipeline, asked), model.any_pipeline.latents
    assert run.advance()
    assert run.latents is not None
    assert latents is not None
    grid = latents.grid(run.latents, HEIGHT, WIDTH)
    run.close()
    assert grid is not None
    assert model.preview_decoder is not None
    (shown,) = images_in(model.preview_decoder.draw(grid), 1)
    assert shown.width == 2 * shown.height
