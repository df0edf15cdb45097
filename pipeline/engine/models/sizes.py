"""Estimates a model's memory from its files before it is loaded."""

from pathlib import Path

import torch
from transformers import CLIPVisionModelWithProjection

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.registry import FAMILIES
from pipeline.engine.models.index import network_in_a_file
from pipeline.engine.models.memory import has_own_memory
from pipeline.engine.models.networks import CacheEntry, ControlNetworkSpec, ImageEncoderSpec
from pipeline.engine.models.sources import components_with_weights
from pipeline.engine.weights.components import find_weights
from pipeline.engine.weights.headers import count_numbers
from pipeline.engine.weights.hub import folder_of
from pipeline.engine.weights.storage import stored_bytes
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
        found = _model_bytes(spec, placement.dtype, cache_directory)
        enlarger = 0 if spec.enlarger is None else count_numbers(Path(spec.enlarger.path))
    except ModelUnavailable:
        return None
    return None if found is None else found + enlarger * torch.float32.itemsize


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
            # One file holds all components, so only their own share of it could be kept in fewer bits.
            return stored_bytes(Path(source.path), None, dtype)
        # The file holds the denoising network, and this folder the rest.
        rest = Path(source.config)
        name, some_class = network_in_a_file(rest, parts)
        network = stored_bytes(Path(source.path), spec.weights.get(name), dtype, some_class)
        return network + _bytes_of(rest, spec, dtype, without=name)
    folder = Path(source.path) if isinstance(source, FolderSource) else downloaded(source, cache_directory)
    return None if folder is None else _bytes_of(folder, spec, dtype)


def _bytes_of(folder: Path, spec: ModelSpec, dtype: torch.dtype, without: str = "") -> int:
    return sum(
        stored_bytes(file, spec.weights.get(name), dtype, some_class)
        for name, some_class in components_with_weights(folder, FAMILIES[spec.family]).items()
        if name != without
        for file in find_weights(folder / name, some_class).files
    )
