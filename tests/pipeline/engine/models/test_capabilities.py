"""What a model's own files take from what its family can do."""

from pathlib import Path
from typing import Any

import diffusers
import msgspec
import pytest

from pipeline.engine.families.pipeline_classes import class_for, lacks_of_class
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.models.capabilities import lacks_of
from pipeline.engine.models.offering import check_models
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.networks import Family
from tests.pipeline.engine.tiny import catalogue_of, flux, flux_2_klein, latent_consistency, stable_diffusion

NEGATIVE, GUIDANCE = (Capability.NEGATIVE_PROMPT,), (Capability.GUIDANCE,)
START, MASK = (Capability.INIT_IMAGE,), (Capability.MASK,)
WORDS, EDIT, STRENGTH = (Capability.TEXT_TO_IMAGE,), (Capability.EDIT,), (Capability.EDIT_STRENGTH,)
SEVERAL, ROW = (Capability.SEVERAL_PICTURES,), (Capability.UNCONDITIONAL_ROW,)
NO_EDIT = (*EDIT, *SEVERAL, *STRENGTH)


@pytest.mark.parametrize(
    ("name", "lacks"),
    [
        ("PixArtSigmaPipeline", (*START, *MASK, *NO_EDIT)),
        ("QwenImagePipeline", NO_EDIT),
        ("FluxPipeline", (*NEGATIVE, *NO_EDIT, *ROW)),  # reads one only with a true scale above 1, and its default is 1
        ("LatentConsistencyModelPipeline", (*NEGATIVE, *MASK, *NO_EDIT, *ROW)),
        ("HunyuanImagePipeline", (*START, *MASK, *NO_EDIT)),  # its guidance is a component
        ("FluxKontextPipeline", (*NEGATIVE, *START, *SEVERAL, *STRENGTH, *ROW)),
        ("Flux2Pipeline", (*NEGATIVE, *START, *MASK, *STRENGTH, *ROW)),
        ("Flux2KleinPipeline", (*NEGATIVE, *START, *STRENGTH)),
        ("OmniGenPipeline", (*NEGATIVE, *START, *MASK, Capability.UNGUIDED)),
        ("QwenImageEditPlusPipeline", (*START, *MASK, *WORDS, *STRENGTH)),
        ("StableDiffusionInstructPix2PixPipeline", (*START, *MASK, *WORDS, *SEVERAL)),
        ("StableDiffusionInpaintPipeline", (*START, *WORDS, *NO_EDIT)),
        ("StableDiffusionImg2ImgPipeline", (*MASK, *WORDS, *NO_EDIT)),
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
    [("sd", False, ()), ("sd", True, NEGATIVE), ("pipeline", True, (*NEGATIVE, *MASK, *NO_EDIT, *ROW))],
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


@pytest.mark.parametrize(("is_distilled", "lacks"), [(False, NEGATIVE), (True, (*NEGATIVE, *GUIDANCE))])
def test_a_distilled_pipeline_has_no_guidance(
    tmp_path: Path, lacks: tuple[Capability, ...], *, is_distilled: bool
) -> None:
    flux_2_klein(is_distilled=is_distilled).save_pretrained(tmp_path)
    offer = check_models([catalogue_of(tmp_path, "pipeline", "Model's own").default], None)
    assert offer.missing == {}
    assert {*offer.lacks["tiny"]} == {*lacks, *START, *STRENGTH}


@pytest.mark.parametrize("is_schnell", [False, True])
def test_a_transformer_without_a_scale_as_input_has_no_guidance(tmp_path: Path, *, is_schnell: bool) -> None:
    pipeline = flux()
    pipeline.transformer.register_to_config(guidance_embeds=not is_schnell)
    pipeline.save_pretrained(tmp_path)
    lacks = lacks_of(tmp_path, FAMILIES["pipeline"])
    assert (Capability.GUIDANCE in lacks) is is_schnell


@pytest.mark.parametrize(("channels", "edits"), [(8, True), (8, False), (4, True), (9, True)])
def test_the_entry_of_an_instruct_model_says_that_it_edits(tmp_path: Path, channels: int, *, edits: bool) -> None:
    stable_diffusion(in_channels=channels).save_pretrained(tmp_path)
    spec = msgspec.structs.replace(catalogue_of(tmp_path, "sd").default, edits=edits)
    offer = check_models([spec], None)
    if channels == 8 and edits:
        assert offer.missing == {}
        return
    assert ("leave out edits" if edits else "write edits = true") in offer.missing["tiny"]
