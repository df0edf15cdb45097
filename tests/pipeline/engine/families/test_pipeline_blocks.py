"""Pipelines that diffusers builds of blocks run as all other whole pipelines do."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from diffusers.guiders.classifier_free_guidance import ClassifierFreeGuidance
from diffusers.modular_pipelines.modular_pipeline import ModularPipeline
from PIL import Image

from benchmarks.families import blocks
from benchmarks.families.parts import save
from pipeline.engine.device.placement import choose_placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.any_pipeline import AnyPipeline, PipelineImages
from pipeline.engine.families.pipeline_blocks import class_named
from pipeline.engine.families.pipeline_classes import free_arguments
from pipeline.engine.models.loading import load_model
from pipeline.engine.models.memory import size_of
from pipeline.engine.models.sizes import expected_bytes
from pipeline.engine.models.sources import check_source
from pipeline.engine.sampling.latents import generators_for
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from tests.pipeline.engine.tiny import catalogue_of

PLACEMENT = choose_placement("cpu", "float32")
SIDE = 64


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("anima")
    save(blocks.anima(), path)
    # What the index names elsewhere is read from the folder nevertheless.
    index = path / "modular_model_index.json"
    index.write_text(index.read_text().replace(str(path), "some/where"))
    return path


@pytest.fixture(scope="module")
def spec(folder: Path) -> ModelSpec:
    return catalogue_of(folder, "pipeline", "Model's own").default


@pytest.fixture(scope="module")
def whole(spec: ModelSpec) -> AnyPipeline:
    return load_model(spec, PLACEMENT, None, lambda: None).any_pipeline


@pytest.fixture
def asked(request_: GenerationRequest) -> GenerationRequest:
    return msgspec.structs.replace(request_, prompt="a star", width=SIDE, height=SIDE, num_inference_steps=3)


def drawn(whole: AnyPipeline, request: GenerationRequest, **more: Any) -> torch.Tensor:
    run = whole.begin(request, generators_for(request), **more)
    while run.advance():
        pass
    assert run.pictures is not None
    return run.pictures


@pytest.mark.parametrize(("scale", "negative"), [(1.0, ""), (4.5, ""), (4.5, "red")])
def test_it_draws_what_its_blocks_draw(
    whole: AnyPipeline, folder: Path, asked: GenerationRequest, scale: float, negative: str
) -> None:
    request = msgspec.structs.replace(asked, guidance_scale=scale, negative_prompt=negative, num_images=2)
    theirs: Any = ModularPipeline.from_pretrained(str(folder))
    theirs.load_components(dtype=torch.float32)
    theirs.update_components(guider=ClassifierFreeGuidance(guidance_scale=scale, enabled=scale > 1))
    passes: list[int] = []
    whole.pipeline.transformer.register_forward_hook(lambda *_: passes.append(1))
    pictures = theirs(
        prompt="a star",
        negative_prompt=negative or None,
        num_inference_steps=3,
        height=SIDE,
        width=SIDE,
        num_images_per_prompt=2,
        generator=generators_for(request),
        output_type="np",
        output="images",
    )
    theirs = torch.from_numpy(np.asarray(pictures)).permute(0, 3, 1, 2)
    assert (drawn(whole, request) - theirs).abs().max().item() < 1e-5
    assert len(passes) == (3 if scale <= 1 else 6)


def test_it_starts_from_a_picture(whole: AnyPipeline, asked: GenerationRequest) -> None:
    request = msgspec.structs.replace(
        asked, inputs=(Input(role=InputRole.INIT_IMAGE, sha256="a", strength=0.6),), num_images=2
    )
    pictures = PipelineImages(init_image=Image.new("RGB", (SIDE, SIDE), "red"))
    both = drawn(whole, request, images=pictures, steps=2)
    alone = msgspec.structs.replace(request, num_images=1)
    assert torch.allclose(both[:1], drawn(whole, alone, images=pictures, steps=2), atol=1 / 255)
    assert not torch.allclose(both[0], both[1], atol=0.01)


def test_its_files_are_checked_and_measured(spec: ModelSpec, folder: Path) -> None:
    look = check_source(spec)
    assert (look.unread, {*look.lacks}) == (
        (),
        {Capability.MASK, Capability.EDIT, Capability.SEVERAL_PICTURES, Capability.EDIT_STRENGTH},
    )
    model = load_model(spec, PLACEMENT, None, lambda: None)
    assert expected_bytes(spec, PLACEMENT, None) == pytest.approx(size_of(model.modules), rel=0.01)
    (folder / "text_conditioner" / "config.json").rename(folder / "away")
    try:
        with pytest.raises(ModelUnavailable, match=r"no text_conditioner/config\.json"):
            check_source(spec)
    finally:
        (folder / "away").rename(folder / "text_conditioner" / "config.json")


def test_no_module_is_imported_because_an_index_names_it(spec: ModelSpec, folder: Path) -> None:
    file = folder / "modular_model_index.json"
    before = file.read_text()
    index = json.loads(before)
    index["vae"][2]["type_hint"] = ["nntplib_of_strangers", "Code"]
    file.write_text(json.dumps(index))
    try:
        assert load_model(spec, PLACEMENT, None, lambda: None).any_pipeline.pipeline.vae is not None
    finally:
        file.write_text(before)


def in_another_folder(index: dict[str, Any]) -> None:
    index["vae"][2]["subfolder"] = "other"


def of_videos(index: dict[str, Any]) -> None:
    index["_class_name"] = "WanModularPipeline"


def without_transformer(index: dict[str, Any]) -> None:
    del index["transformer"]


def of_nobody(index: dict[str, Any]) -> None:
    index["_class_name"] = "MyModularPipeline"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (in_another_folder, "has its vae in some/where"),
        (of_videos, "A WanModularPipeline draws no pictures from words"),
        (without_transformer, "has no transformer in its modular_model_index"),
        (of_nobody, "which diffusers does not have"),
    ],
)
def test_what_cannot_run_is_a_sentence(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    index = json.loads((folder / "modular_model_index.json").read_text())
    change(index)
    (tmp_path / "modular_model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelUnavailable, match=sentence):
        check_source(catalogue_of(tmp_path, "pipeline", "Model's own").default)


def test_the_steps_of_blocks_are_their_own(folder: Path) -> None:
    with pytest.raises(ModelUnavailable, match='diffusers builds of blocks; say family = "pipeline"'):
        check_source(catalogue_of(folder, "z-image", "Flow Euler").default)


def test_nobody_writes_the_prompt_anew() -> None:
    """FLUX.3 would have a language model do it, after the rules of words have read the member's words."""
    assert "max_new_tokens" not in free_arguments(class_named("Flux3ModularPipeline"))


def test_several_pictures_change_what_blocks_draw(tmp_path: Path, asked: GenerationRequest) -> None:
    save(blocks.flux_3(), tmp_path)
    spec = catalogue_of(tmp_path, "pipeline", "Model's own").default
    assert Capability.SEVERAL_PICTURES not in check_source(spec).lacks
    flux = load_model(spec, PLACEMENT, None, lambda: None).any_pipeline
    first, second = Image.new("RGB", (SIDE, SIDE), "red"), Image.new("RGB", (SIDE, 2 * SIDE), "blue")
    found = [drawn(flux, asked, images=PipelineImages(edited=edited)) for edited in ((), (first,), (first, second))]
    assert {picture.shape[2:] for picture in found} == {(SIDE, SIDE)}
    assert all((one - other).abs().max() > 1e-4 for one, other in itertools.pairwise(found))
