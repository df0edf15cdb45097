"""What a model's own files take from what its family can do."""

from pathlib import Path
from typing import Any

import diffusers
import pytest

from pipeline.engine.families.any_pipeline import lacks_of_class
from pipeline.engine.models.offering import check_models
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.models import Family
from tests.pipeline.engine.tiny import catalogue_of, latent_consistency, stable_diffusion

NEGATIVE = (Capability.NEGATIVE_PROMPT,)


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("PixArtSigmaPipeline", ()),
        ("QwenImagePipeline", ()),
        ("FluxPipeline", NEGATIVE),  # reads one only with a true scale above 1, and its default is 1
        ("LatentConsistencyModelPipeline", NEGATIVE),
        ("HunyuanImagePipeline", (Capability.GUIDANCE,)),
    ],
)
def test_a_pipeline_can_do_what_its_call_has_arguments_for(name: str, lacks: tuple[Capability, ...]) -> None:
    assert lacks_of_class(getattr(diffusers, name)) == lacks


@pytest.mark.parametrize(
    ("family", "is_distilled", "lacks"), [("sd", False, ()), ("sd", True, NEGATIVE), ("pipeline", True, NEGATIVE)]
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
