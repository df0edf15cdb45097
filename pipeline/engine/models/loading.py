"""Loads a model of the catalogue onto the device."""

import logging
import time
import warnings
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers.utils.logging as diffusers_logging
import huggingface_hub.utils
import torch
import transformers.utils.logging as transformers_logging
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import nn

from pipeline.engine.device.group_offload import Groups, keep_in_ram
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable, blaming
from pipeline.engine.families.any_pipeline import AnyPipeline
from pipeline.engine.families.base import StepAdapter, modules_of
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.capabilities import check_edits
from pipeline.engine.models.memory import has_own_memory, restore
from pipeline.engine.models.reading import read_pipeline
from pipeline.engine.models.sources import Look, check_source
from pipeline.engine.pixels.previews import PreviewDecoder, PreviewMap
from pipeline.engine.pixels.upscaler import LoadedEnlarger
from pipeline.engine.sampling.noise import change_scheduler, read_schedule, schedule_changes
from pipeline.engine.weights.fingerprints import Weights, weights_of
from pipeline.engine.weights.finite import check_numbers
from pipeline.engine.weights.hub import folder_of
from pipeline.engine.weights.storage import parts_in_ram, precision_of, store
from pipeline.protocol.catalogue.models import ModelSpec

log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True, kw_only=True)
class LoadedModel:
    """A model on its device.

    Attributes:
        spec: the catalogue's entry.
        weights: the weight files that were read, with their identities.
        drawing: a step adapter for the step loop, or a whole pipeline that runs its own steps.
        preview: linear map from latents to colors; None when the pipeline's latents cannot be decoded.
        preview_decoder: small decoder for previews; None when there is none.
        enlarger: network that enlarges finished pictures; None when there is none.
    """

    spec: ModelSpec
    weights: Weights
    drawing: StepAdapter | AnyPipeline
    preview: PreviewMap | None
    preview_decoder: PreviewDecoder | None
    enlarger: LoadedEnlarger | None

    @property
    def adapter(self) -> StepAdapter:
        """Step adapter; only for models that are no whole pipeline."""
        if isinstance(self.drawing, AnyPipeline):
            raise AssertionError("A whole pipeline has no rows.")  # noqa: TRY004 - a programming error, as elsewhere
        return self.drawing

    @property
    def any_pipeline(self) -> AnyPipeline:
        """Whole pipeline; only for models that run one job at a time."""
        if not isinstance(self.drawing, AnyPipeline):
            raise AssertionError("The model is no whole pipeline.")  # noqa: TRY004 - as above
        return self.drawing

    @property
    def network_name(self) -> str:
        """Name of its denoising network in what is learnt about the device: its key, and how its weights are kept."""
        return precision_of(self.spec.key, self.spec) + (" from RAM" if self.spec.offload else "")

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights, for measuring and moving."""
        helpers = [helper.module for helper in (self.preview_decoder, self.enlarger) if helper is not None]
        return *self.drawing.modules, *helpers


def quiet_libraries() -> None:
    """Silence progress bars and warnings of libraries that are useless in the worker's log.

    The warning about prompts over 77 tokens is one of them: the requester gets a notice instead. Another one comes from
    torchsde: DPM++ SDE rounds its first and last sigma beyond the noise's range, and torchsde corrects that itself.
    """
    warnings.filterwarnings("ignore", "Should have t[ab][<>]=t[01]", UserWarning)
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    huggingface_hub.utils.disable_progress_bars()


def load_model(
    spec: ModelSpec,
    placement: Placement,
    cache_directory: str | None,
    note_progress: Callable[[], None],
    loras: LoraFolder | None = None,
) -> LoadedModel:
    """Load a model with its preview decoder and enlarger.

    Args:
        spec: the catalogue's entry.
        placement: device and precision.
        cache_directory: folder for downloads from a model hub; None is the library's default.
        note_progress: called after each component as a sign of progress.
        loras: the owner's LoRA folder; None offers no LoRA.

    Raises:
        ModelUnavailable: files are missing or broken, or not downloaded yet.
    """
    look = check_source(spec, cache_directory)
    started = time.monotonic()
    with blaming(f"The model {spec.title} cannot be loaded"):
        folder = loras or LoraFolder(None)
        if spec.lora is not None:
            folder = folder.beside(Path(spec.lora.path), spec.lora.scale)
        model = _loaded(spec, look, placement, cache_directory, note_progress, folder)
    log.info("Loaded the model %s in %.1f s.", spec.key, time.monotonic() - started)
    return model


def _loaded(
    spec: ModelSpec,
    look: Look,
    placement: Placement,
    cache_directory: str | None,
    note_progress: Callable[[], None],
    loras: LoraFolder,
) -> LoadedModel:
    weights = weights_of(spec)
    pipeline = read_pipeline(spec, placement, cache_directory)
    note_progress()
    if spec.weights:
        # Cast before they move, so that the device never holds the larger ones. A later cast would undo it.
        _cast(pipeline, placement.dtype)
        check_numbers(pipeline.components, f"of {spec.title}")
        store(pipeline.components, spec, placement)
    in_ram = _parts_in_ram(pipeline, spec, placement)
    _place(pipeline, spec, placement, in_ram)
    if weights_of(spec) != weights:
        raise ModelUnavailable(f"The files of {spec.title} were replaced while they were read; try again.")
    if not spec.weights:
        check_numbers(pipeline.components, f"of {spec.title}")
    if spec.facts.kind != "own":
        change_scheduler(pipeline.scheduler, schedule_changes(spec, look.marks))
        read_schedule(spec.facts.kind, pipeline.scheduler.config)
    drawing = _drawing(spec, look, pipeline, placement, loras)
    # Later than the adapter, which replaces layers' forwards.
    for part, groups in in_ram.items():
        keep_in_ram(part, groups, placement.device)
    note_progress()
    decoding = drawing.latents if isinstance(drawing, AnyPipeline) else drawing
    preview = None if decoding is None else PreviewMap(decoding, placement.device, placement.latents_dtype)
    note_progress()
    enlarger = None if spec.enlarger is None else LoadedEnlarger(spec.enlarger, placement)
    channels = None if decoding is None else decoding.latent_channels
    decoder = _preview_decoder(spec, pipeline, placement, cache_directory, channels)
    return LoadedModel(
        spec=spec, weights=weights, drawing=drawing, preview=preview, preview_decoder=decoder, enlarger=enlarger
    )


def _drawing(
    spec: ModelSpec, look: Look, pipeline: Any, placement: Placement, loras: LoraFolder
) -> StepAdapter | AnyPipeline:
    """What draws with a pipeline, as its entry says."""
    clip_skip = look.marks.clip_skip if spec.clip_skip is None else spec.clip_skip
    drawing = FAMILIES[spec.family].adapter(pipeline, placement, loras, clip_skip)
    if isinstance(drawing, StepAdapter):
        check_edits(spec, is_editing=drawing.is_editing)
    elif spec.first_block_cache is not None:
        drawing.cache_blocks(spec.first_block_cache)
    return drawing


def _parts_in_ram(pipeline: Any, spec: ModelSpec, placement: Placement) -> dict[nn.Module, Groups]:
    """Components that wait in RAM, if the device has memory of its own, and the groups in which they come."""
    if not has_own_memory(placement.device):
        return {}
    found: dict[nn.Module, Groups] = {}
    for name, groups in parts_in_ram(spec, pipeline.components).items():
        part = pipeline.components[name]
        if isinstance(part, nn.Module) and not getattr(part, "is_quantized", False):
            found[part] = groups
    return found


def _cast(pipeline: Any, dtype: torch.dtype) -> None:
    """Bring a pipeline to the precision of the forward pass. Networks of quantised files came in it, and stay so."""
    for part in modules_of(pipeline):
        if not getattr(part, "is_quantized", False):
            part.to(dtype=dtype)


def _place(pipeline: Any, spec: ModelSpec, placement: Placement, in_ram: Container[nn.Module]) -> None:
    """Bring a pipeline to its device, in the precision of the forward pass unless it is kept in another one."""
    if not spec.weights:
        _cast(pipeline, placement.dtype)
    for part in modules_of(pipeline):
        if part not in in_ram:
            part.to(placement.device)
    if placement.device.type == "cpu":
        # On a CPU the weights are memory-mapped files: a later write to a file would change the loaded model.
        restore(modules_of(pipeline), placement.device)


def _preview_decoder(
    spec: ModelSpec, pipeline: Any, placement: Placement, cache_directory: str | None, channels: int | None
) -> PreviewDecoder | None:
    """Preview decoder that the catalogue names, or the model's own VAE if it is an AutoencoderTiny.

    Its latents have these channels; None when they cannot be shown.
    """
    vae: Any = getattr(pipeline, "vae", None)
    source = spec.preview_decoder
    if source is None:
        return PreviewDecoder(vae) if isinstance(vae, AutoencoderTiny) else None
    shared: dict[str, Any] = {"dtype": placement.dtype, "use_safetensors": True}
    with blaming(f"The preview decoder of {spec.title} cannot be loaded"), torch.inference_mode(mode=False):
        folder = folder_of(source, cache_directory, "It", spec.key)
        decoder: Any = AutoencoderTiny.from_pretrained(folder, local_files_only=True, **shared)
        check_numbers({"preview_decoder": decoder}, f"of {spec.title}")
    if decoder.config.latent_channels != channels:
        raise ModelUnavailable(f"The preview decoder of {spec.title} is made for other latents.")
    return PreviewDecoder(decoder.to(placement.device).eval().requires_grad_(False))
