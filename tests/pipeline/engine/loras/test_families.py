"""A tag on every family that takes LoRAs, against diffusers with merged weights, in float64, on tiny random models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from benchmarks.families import grids, packed
from pipeline.protocol.catalogue.networks import Family
from pipeline.protocol.requests import GenerationRequest
from tests.lora_files import every_module, merge, write_lora
from tests.pipeline.engine.conftest import Studio
from tests.pipeline.engine.reference import TOLERANCE, final_latents
from tests.pipeline.engine.tiny import catalogue_of, in_float64, pass_of, stable_diffusion_3, stable_diffusion_xl

DENOISER_SCALE, TEXT_SCALE = 0.75, 0.5


@pytest.mark.parametrize(
    ("family", "build", "denoiser", "way", "scheduler_name"),
    [
        ("sdxl", stable_diffusion_xl, "unet", "kohya", "Euler"),
        ("sdxl", stable_diffusion_xl, "unet", "diffusers", "Euler"),
        ("sd3", stable_diffusion_3, "transformer", "peft", "Flow Euler"),
        ("z-image", grids.z_image, "transformer", "peft", "Flow Euler"),
        ("flux", packed.flux_dev, "transformer", "peft", "Flow Euler"),
    ],
)
def test_a_lora_on_every_part_equals_merged_weights(
    request_: GenerationRequest,
    tmp_path: Path,
    family: Family,
    build: Callable[..., Any],
    denoiser: str,
    way: str,
    scheduler_name: str,
) -> None:
    pipeline = build()
    pipeline.save_pretrained(tmp_path / "model")
    texts = {"z-image": (), "flux": ("text_encoder",)}.get(family, ("text_encoder", "text_encoder_2"))
    modules = {name: getattr(pipeline, name) for name in (denoiser, *texts)}
    folder = tmp_path / "loras"
    folder.mkdir()
    names = {name: _named(module) for name, module in modules.items()}
    deltas = write_lora(folder / "fur.safetensors", modules, names, way=way)
    studio = Studio(catalogue_of(tmp_path / "model", family, scheduler_name), folder)
    request = msgspec.structs.replace(
        request_,
        model_key="tiny",
        scheduler_name=scheduler_name,
        negative_prompt="rain",
        num_images=2,
        num_inference_steps=3,
    )
    tagged = msgspec.structs.replace(request, prompt=f"{request.prompt}<lora:fur:{TEXT_SCALE}:{DENOISER_SCALE}>")
    plain, drawn = studio.draw(request), studio.draw(tagged)
    assert not [notice for notice in studio.encoded(tagged).notices if "lora" in notice.key]
    assert studio.draw(request).equal(plain), "what was encoded with a LoRA is known apart"
    spacing = studio.model.adapter.spacing(pass_of(request.num_inference_steps, request.width))
    reference = in_float64(pipeline)
    expected = {}
    for component in ("", *modules):
        # One part after the other, so that each of them is seen to count.
        if component:
            merge(modules[component], deltas[component], DENOISER_SCALE if component == denoiser else TEXT_SCALE)
        expected[component] = final_latents(reference, request, spacing)
    *fewer, whole = expected
    assert (drawn - expected[whole]).abs().max().item() <= TOLERANCE
    for component in fewer:
        assert (drawn - expected[component]).abs().max().item() > 10 * TOLERANCE
    assert plain.sub(expected[""]).abs().max().item() <= TOLERANCE


def _named(module: Any) -> list[str]:
    """Modules of all kinds, but not the projection, which no trainer touches."""
    return [name for name in every_module(module) if "text_projection" not in name]
