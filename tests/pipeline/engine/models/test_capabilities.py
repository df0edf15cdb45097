"""What a model's own files take from what its family can do."""

from pathlib import Path
from typing import Any

import diffusers
import pytest

from pipeline.engine.families.pipeline_classes import class_for, lacks_of_class
from pipeline.engine.models.offering import check_models
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.networks import Family
from tests.pipeline.engine.tiny import catalogue_of, latent_consistency, stable_diffusion

NEGATIVE = (Capability.NEGATIVE_PROMPT,)
START, MASK = (Capability.INIT_IMAGE,), (Capability.MASK,)


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("PixArtSigmaPipeline", (*START, *MASK)),
        ("QwenImagePipeline", ()),
        ("FluxPipeline", NEGATIVE),  # reads one only with a true scale above 1, and its default is 1
        ("LatentConsistencyModelPipeline", (*NEGATIVE, *MASK)),
        ("HunyuanImagePipeline", (Capability.GUIDANCE, *START, *MASK)),
        ("FluxKontextPipeline", (*NEGATIVE, *START)),
        ("StableDiffusionInpaintPipeline", START),
        ("StableDiffusionImg2ImgPipeline", MASK),
    ],
)
def test_a_pipeline_can_do_what_its_call_has_arguments_for(name: str, lacks: tuple[Capability, ...]) -> None:
    assert lacks_of_class(getattr(diffusers, name)) == lacks


@pytest.mark.parametrize(
    ("name", "start", "mask"),
    [
        # As `AutoPipelineForImage2Image` and `AutoPipelineForInpainting` of diffusers name them.
        ("FluxPipeline", "FluxImg2ImgPipeline", "FluxInpaintPipeline"),
        ("QwenImagePipeline", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline"),
        ("QwenImageEditPipeline", None, "QwenImageEditInpaintPipeline"),
        ("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline"),
        ("StableDiffusion3PAGPipeline", "StableDiffusion3PAGImg2ImgPipeline", None),
        ("KolorsPipeline", "KolorsImg2ImgPipeline", None),
        ("Kandinsky3Pipeline", "Kandinsky3Img2ImgPipeline", None),
        # They know no twin of these, but diffusers has it.
        ("ChromaPipeline", "ChromaImg2ImgPipeline", "ChromaInpaintPipeline"),
        ("Flux2KleinPipeline", None, "Flux2KleinInpaintPipeline"),
        # The catalogue may name a twin itself, which starts from a picture or draws a part anew, but not both.
        ("FluxImg2ImgPipeline", "FluxImg2ImgPipeline", None),
        ("FluxFillPipeline", None, "FluxFillPipeline"),
    ],
)
def test_a_pipeline_has_the_twins_that_diffusers_has(name: str, start: str | None, mask: str | None) -> None:
    found = [class_for(getattr(diffusers, name), capability) for capability in (*START, *MASK)]
    assert [each and each.__name__ for each in found] == [start, mask]


@pytest.mark.parametrize(
    ("family", "is_distilled", "lacks"),
    [("sd", False, ()), ("sd", True, NEGATIVE), ("pipeline", True, (*NEGATIVE, *MASK))],
)
def test_a_worker_offers_a_model_without_what_its_files_lack(
    tmp_path: Path, family: Family, lacks: tuple[Capability, ...], *, is_distilled: bool
) -> None:
    unet: dict[str, Any] = {"time_cond_proj_dim": 16} if is_distilled else {}
    pipeline: Any = latent_consistency() if family == "pipeline" else stable_diffusion(**unet)
    pipeline.save_pretrained(tmp_path)
    sampler = "Model's own" if family == "pipeline" else "Euler"
    spec = catalogue_of(tmp_path, family, sampler).default
    offer = check_models([spec], None)
    assert offer.missing == {}
    assert offer.lacks == ({"tiny": lacks} if lacks else {})
    assert offer.models["tiny"].capabilities == spec.capabilities.difference(lacks)
