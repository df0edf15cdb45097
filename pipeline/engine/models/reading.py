"""Reads a diffusers pipeline from a folder, a one-file checkpoint or the download of a hub.

diffusers does not read three kinds of components by itself: a VAE that the catalogue names, weights that exist only as
a variant such as fp16, and float8 weights with scales. This module reads them and passes them to diffusers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers.pipelines
import torch
from diffusers.loaders.single_file import load_single_file_sub_model
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors.torch import load_file

from pipeline.engine.device.placement import Placement
from pipeline.engine.families.pipeline_blocks import class_named
from pipeline.engine.families.registry import FamilyParts, parts_of
from pipeline.engine.models.index import listed_components, network_in_a_file, read_index
from pipeline.engine.models.sources import (
    components_with_weights,
    config_folder,
    left_out,
    vae_class,
    vae_config,
)
from pipeline.engine.weights.components import find_weights, has_weights, part_of
from pipeline.engine.weights.gguf_files import load_gguf
from pipeline.engine.weights.headers import read_tensors
from pipeline.engine.weights.hub import folder_of
from pipeline.engine.weights.quantised import is_scaled, take_scales
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource
from pipeline.protocol.catalogue.pipelines import INDEX


def read_pipeline(spec: ModelSpec, placement: Placement, cache_directory: str | None) -> Any:
    """Read a model into host memory, after `check_source`.

    Args:
        spec: the catalogue's entry.
        placement: gives the precision.
        cache_directory: folder for downloads from a model hub.

    Returns:
        A diffusers pipeline.

    Raises:
        Exception: any exception of a library that cannot read a file.
    """
    with torch.inference_mode(mode=False):
        source = spec.source
        given = {} if spec.vae is None else {"vae": _read_vae(spec, placement, cache_directory)}
        if isinstance(source, FileSource) and parts_of(spec).has_network_files and source.config is not None:
            given |= _read_network(Path(source.path), Path(source.config), parts_of(spec), placement)
            return _read_folder(source.config, parts_of(spec), placement, given)
        if isinstance(source, FileSource):
            return _read_file(source, spec, placement, cache_directory, given)
        folder = folder_of(source, cache_directory, spec.title, spec.key)
        return _read_folder(str(folder), parts_of(spec), placement, given)


def _read_folder(folder: str, parts: FamilyParts, placement: Placement, given: Mapping[str, Any]) -> Any:
    """Read a folder; components that exist only as a variant are read one by one."""
    shared: dict[str, Any] = {"dtype": placement.dtype, "use_safetensors": True, "local_files_only": True}
    ours = dict(given)
    for component, some_class in components_with_weights(Path(folder), parts).items():
        if component not in ours:
            variant = find_weights(Path(folder) / component, some_class).variant
            if variant is not None:
                ours[component] = some_class.from_pretrained(Path(folder) / component, variant=variant, **shared)
    if not (Path(folder) / INDEX).is_file():
        return _read_blocks(Path(folder), parts, shared, ours)
    absent = left_out(Path(folder), parts)
    return parts.pipeline_class.from_pretrained(folder, **shared, **parts.options, **absent, **ours)


def _read_blocks(folder: Path, parts: FamilyParts, shared: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """Read a pipeline that diffusers builds of blocks. Its own loading leaves out what it cannot read."""
    ours = dict(given)
    for component, some_class in listed_components(folder, parts).items():
        if component not in ours:
            options = shared if has_weights(some_class) else {"local_files_only": True}
            ours[component] = some_class.from_pretrained(folder / component, **options)
    index = read_index(folder)
    return class_named(str(index["_class_name"]))(index, **ours)


def _read_file(
    source: FileSource, spec: ModelSpec, placement: Placement, cache_directory: str | None, given: Mapping[str, Any]
) -> Any:
    parts, path = parts_of(spec), Path(source.path)
    config = config_folder(source, spec, cache_directory)
    ours = dict(given)
    if is_scaled(read_tensors(path)):
        ours |= _unscaled(path, config, parts, placement, ours)
    return parts.pipeline_class.from_single_file(
        source.path,
        config=str(config),
        local_files_only=True,
        cache_dir=cache_directory,
        dtype=placement.dtype,
        **parts.options,
        **left_out(config, parts),
        **ours,
    )


def _read_network(path: Path, config: Path, parts: FamilyParts, placement: Placement) -> dict[str, Any]:
    """Denoising network from a file of its own, by its component's name."""
    name, some_class = network_in_a_file(config, parts)
    if path.suffix == ".gguf":
        return {name: load_gguf(path, some_class, config / name, placement.dtype)}
    where = f"The file {path.name}"
    is_in_float8 = is_scaled(read_tensors(path))
    weights: Any = take_scales(load_file(path), where, placement.dtype) if is_in_float8 else str(path)
    shared: dict[str, Any] = {"dtype": placement.dtype, "local_files_only": True}
    return {name: some_class.from_single_file(weights, config=str(config / name), **shared)}


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
    shared: dict[str, Any] = {"dtype": placement.dtype, "local_files_only": True}
    if source is None:
        raise AssertionError("The catalogue names no VAE.")
    if isinstance(source, FileSource):
        config = vae_config(source, spec, cache_directory)
        return AutoencoderKL.from_single_file(source.path, config=str(config), **shared)
    folder = part_of(folder_of(source, cache_directory, f"The VAE of {spec.title}", spec.key), "vae")
    some_class = vae_class(folder)
    variant = find_weights(folder, some_class).variant
    return some_class.from_pretrained(folder, variant=variant, use_safetensors=True, **shared)
