"""From a tag in a prompt to latents, against diffusers with merged weights, in float64."""

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch

from config.catalogue import Catalogue
from pipeline.engine.sampling.schedulers import build_scheduler
from pipeline.engine.steps.batching import shapes
from pipeline.engine.steps.batching.shapes import Shapes
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.samplers.table import SAMPLERS
from tests.lora_files import Deltas, attention, every_module, merge, write_lora
from tests.pipeline.engine.conftest import Studio

TOLERANCE = 1e-8
SCALES = {"unet": 0.75, "text_encoder": 0.5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("loras")


@pytest.fixture(scope="module")
def deltas(folder: Path, reference: Any) -> dict[str, Deltas]:
    modules = {"unet": reference.unet, "text_encoder": reference.text_encoder}
    names = {"unet": attention(reference.unet), "text_encoder": every_module(reference.text_encoder)}
    write_lora(folder / "eyes.safetensors", modules, {"text_encoder": names["text_encoder"][:4]}, way="peft", seed=1)
    write_lora(
        folder / "wide.safetensors",
        {"unet": torch.nn.ModuleDict({"conv_in": torch.nn.Conv2d(9, 64, 3)})},
        {"unet": ["conv_in"]},
    )
    return write_lora(folder / "fur.safetensors", modules, names)


@pytest.fixture(scope="module")
def studio(small_catalogue: Catalogue, folder: Path, deltas: dict[str, Deltas]) -> Studio:
    assert deltas
    return Studio(small_catalogue, folder)


def _merged(reference: Any, deltas: dict[str, Deltas], request: GenerationRequest) -> torch.Tensor:
    """What diffusers draws with the LoRA merged into both models' weights."""
    generators = [torch.Generator().manual_seed(request.seed + index) for index in range(request.num_images)]
    reference.scheduler = build_scheduler(
        SAMPLERS[request.scheduler_name], reference.own_scheduler_config, request.num_inference_steps, generators
    )
    models = {"unet": reference.unet, "text_encoder": reference.text_encoder}
    for component, model in models.items():
        merge(model, deltas[component], SCALES[component])
    try:
        return reference(
            prompt=request.prompt,
            negative_prompt=request.negative_prompt,
            num_inference_steps=request.num_inference_steps,
            guidance_scale=request.guidance_scale,
            height=request.height,
            width=request.width,
            num_images_per_prompt=request.num_images,
            generator=generators,
            output_type="latent",
        ).images
    finally:
        for component, model in models.items():
            merge(model, deltas[component], -SCALES[component])


def difference(one: torch.Tensor, other: torch.Tensor) -> float:
    return (one - other).abs().max().item()


def test_a_tag_draws_as_merged_weights_and_leaves_nothing_behind(
    studio: Studio, reference: Any, deltas: dict[str, Deltas], request_: GenerationRequest
) -> None:
    request = msgspec.structs.replace(request_, num_images=2, negative_prompt="rain")
    plain = studio.draw(request)
    tagged = msgspec.structs.replace(request, prompt=f"{request.prompt}<lora:Fur:0.5:0.75>")
    drawn = studio.draw(tagged)
    assert difference(drawn, _merged(reference, deltas, request)) <= TOLERANCE
    assert difference(drawn, plain) > 1e-3
    assert studio.draw(request).equal(plain)
    assert studio.draw(tagged).equal(drawn), "text that was encoded with a LoRA is known again"
    assert studio.draw(msgspec.structs.replace(request, prompt=f"<lora:fur:0>{request.prompt}")).equal(plain)
    only_text = studio.draw(msgspec.structs.replace(request, prompt=f"{request.prompt}<lora:eyes:1>"))
    assert difference(only_text, plain) > 1e-6


def test_a_recipe_names_the_files_of_its_loras(studio: Studio, request_: GenerationRequest, folder: Path) -> None:
    tagged = msgspec.structs.replace(request_, prompt="<lora:Fur:0.5> an apple <lora:gone:1>", num_inference_steps=1)
    digits = hashlib.sha256((folder / "fur.safetensors").read_bytes()).hexdigest()[:10]
    plain = msgspec.structs.replace(tagged, prompt="an apple")
    recipes = [studio.pictures(request).recipe for request in (tagged, plain)]
    assert [recipe and recipe.loras for recipe in recipes] == [{"fur": digits}, {}]


def test_a_device_that_loras_fill_forgets_no_shape(
    studio: Studio, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter, rows = studio.model.adapter, list[int]()
    predict = adapter.predict

    def full(latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Any, loras: Any, *rest: Any) -> torch.Tensor:
        rows.append(len(latents))
        if any(loras) and len(latents) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return predict(latents, timesteps, conditioning, loras, *rest)

    monkeypatch.setattr(adapter, "predict", full)
    # Measured, a busy computer may be left with larger ones alone. No other test draws this size.
    monkeypatch.setattr(shapes, "measure", lambda *_: Shapes({2: 0.1, 4: 0.1}))
    request = msgspec.structs.replace(request_, num_images=2, num_inference_steps=2, width=88)
    tagged = msgspec.structs.replace(request, prompt="<lora:fur:0.75> an apple")
    studio.draw(request)
    before = rows.copy()
    assert set(before) == {4}
    rows.clear()
    studio.draw(tagged)
    assert rows[-1] == 2
    rows.clear()
    studio.draw(request)
    assert rows == before


def test_the_same_lora_twice_is_its_weights_together(studio: Studio, request_: GenerationRequest) -> None:
    once = msgspec.structs.replace(request_, prompt="<lora:fur:0.75> an apple")
    twice = msgspec.structs.replace(request_, prompt="<lora:fur:0.25><lora:FUR:0.5> an apple")
    assert studio.draw(once).equal(studio.draw(twice))


def test_what_adds_nothing_is_told(studio: Studio, request_: GenerationRequest) -> None:
    prompt = "an apple <lora:furr:1> <lora:wide:1> <lora:eyes:9> <lora:blue:1> <hypernet:x:1>"
    request = msgspec.structs.replace(request_, prompt=prompt, negative_prompt="<lora:fur:1>")
    notices = {notice.key: notice.values for notice in studio.encoded(request).notices}
    assert notices["notice-lora-unfit"]["name"] == "wide"
    assert "conv_in is 16x4x3x3 in this model and 64x9x3x3" in str(notices["notice-lora-unfit"]["reason"])
    assert notices["notice-lora-clamped"] == {"tags": "<lora:eyes:9>", "limit": "5"}
    assert notices["notice-tags-ignored"] == {"tags": "<lora:fur:1>"}
    unknown = [notice.values for notice in studio.encoded(request).notices if notice.key == "notice-lora-unknown"]
    assert unknown == [{"name": "furr", "near": "fur"}, {"name": "blue", "near": "none"}]
