"""Estimates a model's memory from its files before it is loaded."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
import torch
from transformers import CLIPVisionModelWithProjection

from pipeline.engine.device.group_offload import Groups, bytes_at_once
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.models.index import network_in_a_file
from pipeline.engine.models.memory import budget_bytes, has_own_memory
from pipeline.engine.models.networks import CacheEntry, ControlNetworkSpec, ImageEncoderSpec
from pipeline.engine.models.sources import components_with_weights
from pipeline.engine.weights.checkpoints import share_of
from pipeline.engine.weights.components import find_weights
from pipeline.engine.weights.gguf_files import gguf_bytes, is_gguf
from pipeline.engine.weights.headers import count_numbers, read_tensors
from pipeline.engine.weights.hub import folder_of
from pipeline.engine.weights.quantised import quantisation_of
from pipeline.engine.weights.storage import kept_bytes, parts_in_ram, stored_bytes
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import (
    ControlSpec,
    CutoutSpec,
    FaceSpec,
    FileSource,
    FolderSource,
    ReferenceSpec,
    Source,
    UpscalerSpec,
)
from pipeline.protocol.downloads import downloaded
from pipeline.protocol.wire.settings import EngineOptions

_GIB: Final = 1 << 30
_CHOSEN: Final = (
    "Its text encoders wait in RAM and come to the device layer by layer, because the whole model takes {needed:.1f} "
    "GiB and models may take {budget:.1f} GiB there (text_encoder_rests)."
)
_NO_EFFECT: Final = "Its {name} has no effect, because the device shares the computer's memory."


def expected_bytes(spec: CacheEntry, placement: Placement, cache_directory: str | None) -> int | None:
    """Bytes of a model's weights in the placement's precision; None when files are missing or broken.

    The preview decoder is small and not counted. After loading, the measured size includes it.
    """
    try:
        if isinstance(spec, UpscalerSpec | FaceSpec):
            return count_numbers(Path(spec.path)) * torch.float32.itemsize
        if isinstance(spec, CutoutSpec):
            return _cutout_bytes(spec, placement)
        if isinstance(spec, ReferenceSpec | ImageEncoderSpec | ControlSpec | ControlNetworkSpec):
            return _guide_bytes(spec, placement, cache_directory)
        if not has_own_memory(placement.device):
            spec = msgspec.structs.replace(spec, text_encoder_rests=False, offload=None)
        found = _model_bytes(spec, placement.dtype, cache_directory)
        enlarger = 0 if spec.enlarger is None else count_numbers(Path(spec.enlarger.path))
    except ModelUnavailable:
        return None
    return None if found is None else found + enlarger * torch.float32.itemsize


def with_choice(spec: ModelSpec, placement: Placement, options: EngineOptions) -> tuple[ModelSpec, str]:
    """The entry with a choice whether its text encoders wait in RAM, and a sentence for the owner about that.

    Where the entry leaves it to the worker, they do so if the device's budget is too short for all of the model.

    Args:
        spec: the catalogue's entry.
        placement: device and precision.
        options: settings of the engine, which give the budget.
    """
    if not has_own_memory(placement.device):
        said = {"text_encoder_rests": spec.text_encoder_rests, "offload": spec.offload}
        return spec, " ".join(_NO_EFFECT.format(name=name) for name, value in said.items() if value)
    needed = None if spec.text_encoder_rests is not None else expected_bytes(spec, placement, options.cache_directory)
    budget = budget_bytes(placement, options.model_memory_mb)
    if needed is None or needed <= budget:
        return spec, ""
    sentence = _CHOSEN.format(needed=needed / _GIB, budget=budget / _GIB)
    return msgspec.structs.replace(spec, text_encoder_rests=True), sentence


def _guide_bytes(
    spec: ReferenceSpec | ImageEncoderSpec | ControlSpec | ControlNetworkSpec,
    placement: Placement,
    cache_directory: str | None,
) -> int | None:
    match spec:
        case ReferenceSpec():
            return count_numbers(Path(spec.source.path)) * placement.dtype.itemsize
        case ImageEncoderSpec():
            return _encoder_bytes(spec, placement, cache_directory)
        case ControlSpec():
            # A preprocessor computes in float32.
            model = spec.preprocessor_model
            return 0 if model is None else _bytes_in(model, torch.float32, cache_directory)
        case ControlNetworkSpec():
            return _bytes_in(spec.source, placement.dtype, cache_directory)


def _cutout_bytes(spec: CutoutSpec, placement: Placement) -> int:
    """Bytes of a network on the processor, which needs memory of the device only where both are one."""
    path = Path(spec.path)
    return 0 if has_own_memory(placement.device) or not path.is_file() else path.stat().st_size


def _encoder_bytes(spec: ImageEncoderSpec, placement: Placement, cache_directory: str | None) -> int:
    folder = folder_of(spec.source, cache_directory, spec.title, spec.entry_key)
    files = find_weights(folder, CLIPVisionModelWithProjection).files
    return sum(map(count_numbers, files)) * placement.dtype.itemsize


def _bytes_in(source: Source, dtype: torch.dtype, cache_directory: str | None) -> int | None:
    """Bytes of all numbers of a source in a precision; None while they are not downloaded."""
    if isinstance(source, FileSource):
        return count_numbers(Path(source.path)) * dtype.itemsize
    folder = Path(source.path) if isinstance(source, FolderSource) else downloaded(source, cache_directory)
    return None if folder is None else sum(map(count_numbers, folder.rglob("*.safetensors"))) * dtype.itemsize


def _model_bytes(spec: ModelSpec, dtype: torch.dtype, cache_directory: str | None) -> int | None:
    source, parts = spec.source, FAMILIES[spec.family]
    if isinstance(source, FileSource):
        if not parts.has_network_files or source.config is None:
            return _checkpoint_bytes(Path(source.path), spec, dtype)
        # The file holds the denoising network, and this folder the rest.
        rest = Path(source.config)
        name, some_class = network_in_a_file(rest, parts)
        path = Path(source.path)
        sizes = {} if is_gguf(source) else stored_bytes(path, spec.weights.get(name), dtype, some_class)
        network = gguf_bytes(path, dtype) if is_gguf(source) else _there(sizes, parts_in_ram(spec, [name]).get(name))
        return network + _bytes_of(rest, spec, dtype, without=name)
    folder = Path(source.path) if isinstance(source, FolderSource) else downloaded(source, cache_directory)
    return None if folder is None else _bytes_of(folder, spec, dtype)


def _bytes_of(folder: Path, spec: ModelSpec, dtype: torch.dtype, without: str = "") -> int:
    components, found = components_with_weights(folder, FAMILIES[spec.family]), 0
    in_ram = parts_in_ram(spec, components)
    for name, some_class in components.items():
        files = find_weights(folder / name, some_class).files if name != without else ()
        if quantisation_of(folder / name) is not None:
            # These are what the library makes of them, whatever the precision of the forward pass is.
            found += sum(tensor.nbytes for file in files for tensor in read_tensors(file).values())
            continue
        sizes = [stored_bytes(file, spec.weights.get(name), dtype, some_class) for file in files]
        found += _there({key: size for each in sizes for key, size in each.items()}, in_ram.get(name))
    return found


def _checkpoint_bytes(path: Path, spec: ModelSpec, dtype: torch.dtype) -> int:
    """Bytes of a file with all components, of which some stay in RAM or are kept in fewer bits."""
    tensors = read_tensors(path)
    sizes = kept_bytes(tensors, None, dtype)
    for name, storage in spec.weights.items():
        sizes |= kept_bytes(share_of(tensors, name), storage, dtype)
    found = sum(sizes.values())
    for name, groups in parts_in_ram(spec, FAMILIES[spec.family].in_a_file).items():
        share = share_of(sizes, name)
        found -= _there(share, None) - _there(share, groups)
    return found


def _there(sizes: Mapping[str, int], groups: Groups | None) -> int:
    """Bytes on the device of a network whose tensors have these sizes; without groups, all of it is there."""
    return sum(sizes.values()) if groups is None else bytes_at_once(sizes, groups)
