"""Table of model families: the diffusers pipeline that reads their files, and the step adapter that runs them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.pipelines.stable_diffusion_3.pipeline_stable_diffusion_3 import StableDiffusion3Pipeline
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.pipelines.z_image.pipeline_z_image import ZImagePipeline

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.any_pipeline import AnyPipeline
from pipeline.engine.families.base import StepAdapter
from pipeline.engine.families.flow.flux import flux_adapter
from pipeline.engine.families.flow.flux2 import Flux2
from pipeline.engine.families.flow.sd3 import StableDiffusion3
from pipeline.engine.families.flow.z_image import ZImage
from pipeline.engine.families.sd import StableDiffusion
from pipeline.engine.families.sdxl import StableDiffusionXL
from pipeline.engine.loras.folder import LoraFolder
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import Family


class FamilyParts(msgspec.Struct, frozen=True, kw_only=True):
    """Classes and components of a family.

    Attributes:
        pipeline_class: diffusers pipeline that reads folders, single files and hubs.
        adapter: makes the step adapter from a loaded pipeline, a placement, the LoRA folder and the text encoders'
            layer (see `ModelSpec.clip_skip`).
        classes: names of the pipeline classes of which a folder's index must name one; empty for any.
        reads_class: True when a folder's index names the pipeline class.
        has_network_files: True when a one-file source holds the transformer alone, beside a folder with the rest.
        needed: components that a model must have.
        omissible: components that a model may lack.
        in_a_file: components that a one-file checkpoint holds.
        options: further arguments for loading; components named here are not loaded.
    """

    pipeline_class: Any
    adapter: Callable[[Any, Placement, LoraFolder, int | None], StepAdapter | AnyPipeline]
    needed: tuple[str, ...]
    omissible: tuple[str, ...] = ()
    in_a_file: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    reads_class: bool = False
    has_network_files: bool = False
    options: Mapping[str, Any] = MappingProxyType({})


FAMILIES: Final[Mapping[Family, FamilyParts]] = MappingProxyType(
    {
        "sd": FamilyParts(
            pipeline_class=StableDiffusionPipeline,
            adapter=StableDiffusion,
            needed=("scheduler", "text_encoder", "tokenizer", "unet", "vae"),
            in_a_file=("unet", "text_encoder", "vae"),
            # The model's own safety checker does not affect the picture and doubles the download.
            options=MappingProxyType(
                {"safety_checker": None, "feature_extractor": None, "requires_safety_checker": False}
            ),
        ),
        "sdxl": FamilyParts(
            pipeline_class=StableDiffusionXLPipeline,
            adapter=StableDiffusionXL,
            needed=("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "unet", "vae"),
            in_a_file=("unet", "text_encoder", "text_encoder_2", "vae"),
            # The watermark would name another program and change the picture.
            options=MappingProxyType({"add_watermarker": False}),
        ),
        "sd3": FamilyParts(
            pipeline_class=StableDiffusion3Pipeline,
            adapter=StableDiffusion3,
            needed=("scheduler", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "transformer", "vae"),
            in_a_file=("transformer", "text_encoder", "text_encoder_2", "vae"),
            omissible=("text_encoder_3", "tokenizer_3"),
        ),
        "z-image": FamilyParts(
            pipeline_class=ZImagePipeline,
            adapter=ZImage,
            needed=("scheduler", "text_encoder", "tokenizer", "transformer", "vae"),
            has_network_files=True,
        ),
        "flux2": FamilyParts(
            pipeline_class=DiffusionPipeline,
            classes=("Flux2KleinPipeline", "Flux2Pipeline"),
            adapter=Flux2,
            needed=("scheduler", "text_encoder", "tokenizer", "transformer", "vae"),
            has_network_files=True,
        ),
        "flux": FamilyParts(
            pipeline_class=DiffusionPipeline,
            classes=("FluxPipeline", "ChromaPipeline"),
            adapter=flux_adapter,
            needed=("scheduler", "text_encoder", "tokenizer", "transformer", "vae"),
            has_network_files=True,
        ),
        "pipeline": FamilyParts(
            pipeline_class=DiffusionPipeline,
            adapter=lambda pipeline, placement, _loras, _clip_skip: AnyPipeline(pipeline, placement),
            needed=(),
            reads_class=True,
            has_network_files=True,
        ),
    }
)


def parts_of(spec: ModelSpec) -> FamilyParts:
    """Parts of a model's family, without the VAE when the catalogue names one."""
    parts = FAMILIES[spec.family]
    if spec.vae is None:
        return parts
    return msgspec.structs.replace(
        parts,
        needed=tuple(name for name in parts.needed if name != "vae"),
        in_a_file=tuple(name for name in parts.in_a_file if name != "vae"),
    )
