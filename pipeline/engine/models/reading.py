"""Reads a diffusers pipeline from a folder, a one-file checkpoint or a hub.

diffusers does not read three kinds of components by itself: a VAE that the catalogue names, weights that exist only as
a variant such as fp16, and float8 weights with scales. This module reads them and passes them to diffusers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers.pipelines
import torch
from diffusers.loaders.single_file import load_single_file_sub_model
from diffusers.loaders.single_file_utils import fetch_diffusers_config
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from huggingface_hub import snapshot_download
from safetensors.torch import load_file

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.registry import FamilyParts, parts_of
from pipeline.engine.models.index import network_in_a_file
from pipeline.engine.models.sources import (
    Look,
    check_file_with,
    check_folder,
    check_vae,
    components_with_weights,
    left_out,
    vae_class,
    vae_config,
)
from pipeline.engine.weights.components import find_weights, part_of
from pipeline.engine.weights.headers import read_tensors
from pipeline.engine.weights.quantised import is_scaled, take_scales
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, HubSource

_CONFIGURATIONS = ("**/*.json", "*.json", "*.txt", "**/*.txt", "**/*.model")
"""Patterns for the files of a repository that hold no weights."""


def read_pipeline(spec: ModelSpec, look: Look, placement: Placement, cache_directory: str | None) -> tuple[Any, Look]:
    """Read a model into host memory.

    Args:
        spec: the catalogue's entry.
        look: result of the check before the download from a hub.
        placement: gives the precision.
        cache_directory: folder for downloads from a model hub.

    Returns:
        A diffusers pipeline, and the result of the check after the download.

    Raises:
        Exception: any exception of a library that cannot read a file.
    """
    with torch.inference_mode(mode=False):
        source = spec.source
        given = {} if spec.vae is None else {"vae": _read_vae(spec, placement, cache_directory)}
        if isinstance(source, FileSource) and parts_of(spec).has_network_files and source.config is not None:
            given |= _read_network(Path(source.path), Path(source.config), parts_of(spec), placement)
            return _read_folder(source.config, parts_of(spec), placement, given), look
        if isinstance(source, FileSource):
            return _read_file(source, spec, look, placement, cache_directory, given)
        folder = source.path if isinstance(source, FolderSource) else _fetch(source, spec, cache_directory)
        if isinstance(source, HubSource):
            look = check_folder(Path(folder), spec)
        return _read_folder(folder, parts_of(spec), placement, given), look


def _fetch(source: HubSource, spec: ModelSpec, cache_directory: str | None) -> str:
    parts = parts_of(spec)
    return parts.pipeline_class.download(
        source.repo_id,
        revision=source.revision,
        cache_dir=cache_directory,
        use_safetensors=True,
        **parts.options,
    )


def _read_folder(folder: str, parts: FamilyParts, placement: Placement, given: Mapping[str, Any]) -> Any:
    """Read a folder; components that exist only as a variant are read one by one."""
    shared: dict[str, Any] = {"dtype": placement.dtype, "use_safetensors": True, "local_files_only": True}
    ours = dict(given)
    for component, some_class in components_with_weights(Path(folder), parts).items():
        if component not in ours:
            variant = find_weights(Path(folder) / component, some_class).variant
            if variant is not None:
                ours[component] = some_class.from_pretrained(Path(folder) / component, variant=variant, **shared)
    absent = left_out(Path(folder), parts)
    return parts.pipeline_class.from_pretrained(folder, **shared, **parts.options, **absent, **ours)


def _read_file(
    source: FileSource,
    spec: ModelSpec,
    look: Look,
    placement: Placement,
    cache_directory: str | None,
    given: Mapping[str, Any],
) -> tuple[Any, Look]:
    parts, path = parts_of(spec), Path(source.path)
    header = read_tensors(path)
    config = source.config
    if config is None:
        config = _fetch_configurations(header, cache_directory)
        look = check_file_with(path, Path(config), spec, take_scales(header, f"The file {path.name}"), look.marks)
    ours = dict(given)
    if is_scaled(header):
        ours |= _unscaled(path, Path(config), parts, placement, ours)
    pipeline = parts.pipeline_class.from_single_file(
        source.path,
        config=config,
        local_files_only=True,
        cache_dir=cache_directory,
        dtype=placement.dtype,
        **parts.options,
        **left_out(Path(config), parts),
        **ours,
    )
    return pipeline, look


def _read_network(path: Path, config: Path, parts: FamilyParts, placement: Placement) -> dict[str, Any]:
    """Denoising network from a file of its own, by its component's name."""
    name, some_class = network_in_a_file(config, parts)
    where = f"The file {path.name}"
    is_in_float8 = is_scaled(read_tensors(path))
    weights: Any = take_scales(load_file(path), where, placement.dtype) if is_in_float8 else str(path)
    shared: dict[str, Any] = {"dtype": placement.dtype, "local_files_only": True}
    return {name: some_class.from_single_file(weights, config=str(config / name), **shared)}


def _fetch_configurations(header: Mapping[str, Any], cache_directory: str | None) -> str:
    """Folder with configurations that match a checkpoint's header; from the cache, or downloaded from the hub."""
    repository: str = fetch_diffusers_config(header)["pretrained_model_name_or_path"]
    return snapshot_download(repository, cache_dir=cache_directory, allow_patterns=list(_CONFIGURATIONS))


def _unscaled(
    path: Path, config: Path, parts: FamilyParts, placement: Placement, given: Mapping[str, Any]
) -> dict[str, Any]:
    """Networks of a file with float8 weights, with the scales multiplied into the weights."""
    checkpoint = take_scales(load_file(path), f"The file {path.name}", placement.dtype)
    return {
        component: load_single_file_sub_model(
            library_name=some_class.__module__.partition(".")[0],
            class_name=some_class.__name__,
            name=component,
            checkpoint=checkpoint,
            pipelines=diffusers.pipelines,
            is_pipeline_module=False,
            cached_model_config_path=str(config),
            local_files_only=True,
            torch_dtype=placement.dtype,
        )
        for component, some_class in components_with_weights(config, parts).items()
        if component not in given
    }


def _read_vae(spec: ModelSpec, placement: Placement, cache_directory: str | None) -> Any:
    """Read the VAE that the catalogue names."""
    source = spec.vae
    shared: dict[str, Any] = {"dtype": placement.dtype}
    if isinstance(source, HubSource):
        source = FolderSource(
            path=snapshot_download(
                source.repo_id,
                revision=source.revision,
                cache_dir=cache_directory,
                allow_patterns=["*.json", "*.safetensors", "vae/*.json", "vae/*.safetensors"],
            )
        )
        check_vae(source, spec)
    if isinstance(source, FileSource):
        config = vae_config(source, spec)
        return AutoencoderKL.from_single_file(source.path, config=None if config is None else str(config), **shared)
    if source is None:
        raise AssertionError("The catalogue names no VAE.")
    folder = part_of(Path(source.path), "vae")
    some_class = vae_class(folder)
    variant = find_weights(folder, some_class).variant
    return some_class.from_pretrained(folder, variant=variant, use_safetensors=True, local_files_only=True, **shared)
