"""Checks that a model's files exist and are complete, before memory is allocated for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

from pipeline.engine.failures import ModelUnavailable, blaming
from pipeline.engine.families.registry import FamilyParts, parts_of
from pipeline.engine.loras.kinds import check_is_lora
from pipeline.engine.models.capabilities import check_cache, check_call, check_folder_edits, lacks_of
from pipeline.engine.models.index import configurations, listed_components, network_in_a_file
from pipeline.engine.pixels.upscaler import read_enlarger
from pipeline.engine.sampling.noise import read_schedule, schedule_changes
from pipeline.engine.weights.checkpoints import absent, check_checkpoint, check_family, check_vae_file, holds
from pipeline.engine.weights.completeness import check_component, check_tokenizer
from pipeline.engine.weights.components import component_class, find_weights, has_weights, part_of, read_json
from pipeline.engine.weights.formats import check_suffix, network_tensors
from pipeline.engine.weights.headers import read_header, read_tensors, text_features_in
from pipeline.engine.weights.hub import configurations_for, folder_of
from pipeline.engine.weights.marks import NO_MARKS, Marks, read_marks
from pipeline.engine.weights.quantised import check_formats, check_quantisation, quantisation_of, take_scales
from pipeline.engine.weights.storage import check_parts, check_storage
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FileSource, FolderSource, HubSource
from pipeline.protocol.samplers.sampler import NoiseSchedule

_Components = Mapping[str, Any]
"""Classes by component name in the index; None when the library no longer has the class."""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """Result of checking a model's files.

    Attributes:
        schedule: noise schedule that a sampler must support; None for whole pipelines.
        lacks: capabilities of the family that the model does not have.
        marks: the checkpoint's own statements about its training.
        unread: names of tensors that no component reads.
        text_features: width of the text that its U-Net reads; None without a U-Net.
    """

    schedule: NoiseSchedule | None = None
    lacks: tuple[Capability, ...] = ()
    marks: Marks = NO_MARKS
    unread: tuple[str, ...] = ()
    text_features: int | None = None


def check_source(spec: ModelSpec, cache_directory: str | None = None) -> Look:
    """Check without loading that a model can be offered. A model of a hub must be downloaded.

    Args:
        spec: the catalogue's entry.
        cache_directory: folder for downloads from a model hub; None is the library's default.

    Raises:
        ModelUnavailable: a file is missing or broken; the message is one sentence about it.
    """
    with blaming(f"The files of {spec.title} cannot be looked through"):
        look = _checked(spec, cache_directory)
        if spec.vae is not None:
            check_vae(spec, cache_directory)
        if spec.preview_decoder is not None:
            _check_decoder(spec.preview_decoder, spec, cache_directory)
        if spec.lora is not None:
            check_is_lora(read_header(Path(spec.lora.path)), Path(spec.lora.path).name)
        if spec.enlarger is not None:
            read_enlarger(spec.enlarger)
        return look


def _checked(spec: ModelSpec, cache_directory: str | None) -> Look:
    if isinstance(spec.source, FileSource):
        return _check_file(spec.source, spec, cache_directory)
    return check_folder(folder_of(spec.source, cache_directory, spec.title, spec.key), spec)


def _check_decoder(source: FolderSource | HubSource, spec: ModelSpec, cache_directory: str | None) -> None:
    folder = folder_of(source, cache_directory, f"The preview decoder of {spec.title}", spec.key)
    try:
        check_component("preview_decoder", AutoencoderTiny, folder, find_weights(folder, AutoencoderTiny))
    except ModelUnavailable as error:
        raise ModelUnavailable(f"The preview decoder of {spec.title} cannot be loaded: {error}") from error


def check_folder(folder: Path, spec: ModelSpec, without: str = "") -> Look:
    """Check that a diffusers folder completely holds the components of its index, and that the family's are listed.

    Args:
        folder: the folder.
        spec: the catalogue's entry.
        without: a component whose weights are elsewhere.

    Raises:
        ModelUnavailable: a component is missing or broken; the message is one sentence about it.
    """
    if not folder.is_dir():
        raise ModelUnavailable(f"There is no folder {folder}.")
    components = _check_configurations(folder, spec)
    unread: list[str] = []
    for component, some_class in components.items():
        if has_weights(some_class) and component != without:
            check_quantisation(spec, component, folder / component)
            weights = find_weights(folder / component, some_class)
            found = check_component(component, some_class, folder / component, weights)
            unread += [f"{component}/{name}" for name in found if not name.endswith("position_ids")]
    _check_tokenizers(folder, components)
    check_storage(spec, components)
    networks = [name for name, found in components.items() if has_weights(found)]
    check_parts(spec, [name for name in networks if quantisation_of(folder / name) is None])
    check_folder_edits(folder, spec)
    check_call(folder, spec)
    check_cache(spec, components)
    lacks = lacks_of(folder, parts_of(spec))
    features = _text_features(folder)
    return Look(schedule=_schedule(folder, spec, NO_MARKS), lacks=lacks, unread=tuple(unread), text_features=features)


def components_with_weights(folder: Path, parts: FamilyParts) -> dict[str, Any]:
    """Classes of the components that have weights, by component name.

    Raises:
        ModelUnavailable: the folder holds no diffusers model, or one of another family.
    """
    return {name: found for name, found in listed_components(folder, parts).items() if has_weights(found)}


def left_out(folder: Path, parts: FamilyParts) -> dict[str, None]:
    """Optional components that the folder's model lacks, each as None: arguments for diffusers' loading functions."""
    listed = listed_components(folder, parts)
    return {name: None for name in parts.omissible if name not in listed}


def check_vae(spec: ModelSpec, cache_directory: str | None) -> None:
    """Check that the VAE that the catalogue names exists and is complete.

    Raises:
        ModelUnavailable: a file is missing or broken; the message is one sentence about it.
    """
    source = spec.vae
    if isinstance(source, FileSource):
        path = Path(source.path)
        check_suffix(path)
        check_vae_file(path, read_tensors(path), vae_config(source, spec, cache_directory))
    elif source is not None:
        folder = part_of(folder_of(source, cache_directory, f"The VAE of {spec.title}", spec.key), "vae")
        some_class = vae_class(folder)
        check_component("vae", some_class, folder, find_weights(folder, some_class))


def config_folder(source: FileSource, spec: ModelSpec, cache_directory: str | None) -> Path:
    """Folder with the configurations of a checkpoint: the one that the catalogue names, or that of a hub.

    Raises:
        ModelUnavailable: it is on a hub and not downloaded, or nothing tells which one it is.
    """
    if source.config is not None:
        return Path(source.config)
    return folder_of(_configuration_for(source), cache_directory, f"The configuration of {spec.title}", spec.key)


def configuration_of(spec: ModelSpec) -> HubSource | None:
    """Repository with the configurations for the file of an entry; None if it needs none, or nothing tells which."""
    needed = [each for each in (spec.source, spec.vae) if isinstance(each, FileSource) and each.config is None]
    try:
        return _configuration_for(needed[0]) if needed else None
    except ModelUnavailable:
        return None


def _configuration_for(source: FileSource) -> HubSource:
    path = Path(source.path)
    with blaming(f"Nothing tells which configuration the file {path.name} needs; name it in config"):
        return configurations_for(read_tensors(path))


def vae_config(source: FileSource, spec: ModelSpec, cache_directory: str | None) -> Path:
    """Folder with the configuration for a VAE file: its own, or the model's, or that of a hub.

    Raises:
        ModelUnavailable: it is on a hub and not downloaded, or nothing tells which one it is.
    """
    folder = source.config
    if folder is None and isinstance(spec.source, FolderSource):
        folder = spec.source.path
    if folder is None and isinstance(spec.source, FileSource):
        folder = spec.source.config
    found = config_folder(source, spec, cache_directory) if folder is None else Path(folder)
    return part_of(found, "vae")


def vae_class(folder: Path) -> Any:
    """Class of the VAE in a folder.

    Raises:
        ModelUnavailable: the configuration cannot be read, or names no VAE for images.
    """
    name = str(read_json(folder / "config.json").get("_class_name", AutoencoderKL.__name__))
    if not name.startswith("Autoencoder") or not has_weights(component_class("diffusers", name)):
        raise ModelUnavailable(f"The folder {folder} holds a {name[:60]}, which is no VAE.")
    return component_class("diffusers", name)


def _check_file(source: FileSource, spec: ModelSpec, cache_directory: str | None) -> Look:
    path, parts = Path(source.path), parts_of(spec)
    if parts.has_network_files:
        return _check_network_file(path, source.config, spec)
    check_suffix(path)
    check_formats(path)
    tensors = take_scales(read_tensors(path), f"The file {path.name}")
    marks = read_marks(path, spec)
    check_family(path, tensors, spec.family)
    for component in parts.in_a_file:
        if not holds(tensors, component):
            raise ModelUnavailable(absent(path, component))
    look = check_file_with(path, config_folder(source, spec, cache_directory), spec, tensors, marks)
    return msgspec.structs.replace(look, text_features=text_features_in(tensors))


def _text_features(folder: Path) -> int | None:
    """Width of the text that the U-Net of a diffusers folder reads; None if it has none or does not say it."""
    file = folder / "unet" / "config.json"
    width = read_json(file).get("cross_attention_dim") if file.is_file() else None
    return width if isinstance(width, int) else None


def _check_network_file(path: Path, config: str | None, spec: ModelSpec) -> Look:
    """Check the file of a denoising network, and the folder with the rest of its model."""
    if config is None:
        raise ModelUnavailable(
            f"The file {path.name} holds a part of a model; name the diffusers folder with the rest in config."
        )
    folder, tensors = Path(config), network_tensors(path)
    name, some_class = network_in_a_file(folder, parts_of(spec))
    unread = check_checkpoint(path, tensors, {name: some_class}, folder)
    look = check_folder(folder, spec, without=name)
    return msgspec.structs.replace(look, unread=(*look.unread, *unread))


def check_file_with(path: Path, config: Path, spec: ModelSpec, tensors: Any, marks: Marks) -> Look:
    """Check that a checkpoint file fits the configurations of its components.

    Raises:
        ModelUnavailable: a tensor is missing or broken; the message is one sentence about it.
    """
    components = _check_configurations(config, spec)
    in_file = {name: found for name, found in components.items() if has_weights(found)}
    for component in parts_of(spec).omissible:
        if component in in_file and not holds(tensors, component):
            some_class = in_file.pop(component)
            check_component(component, some_class, config / component, find_weights(config / component, some_class))
    unread = check_checkpoint(path, tensors, in_file, config)
    _check_tokenizers(config, components)
    check_storage(spec, components)
    check_parts(spec, components)
    check_folder_edits(config, spec)
    lacks = lacks_of(config, parts_of(spec))
    return Look(schedule=_schedule(config, spec, marks), lacks=lacks, marks=marks, unread=tuple(unread))


def _schedule(folder: Path, spec: ModelSpec, marks: Marks) -> NoiseSchedule | None:
    if spec.facts.kind == "own":
        return None
    config = read_json(folder / "scheduler" / "scheduler_config.json")
    return read_schedule(spec.facts.kind, config | schedule_changes(spec, marks))


def _check_tokenizers(folder: Path, components: _Components) -> None:
    for name, some_class in components.items():
        if name.startswith("tokenizer") and some_class is not None:
            encoder = folder / name.replace("tokenizer", "text_encoder") / "config.json"
            config = read_json(encoder) if encoder.is_file() else {}
            rows = config.get("vocab_size", config.get("text_config", {}).get("vocab_size"))
            check_tokenizer(name, some_class, folder / name, rows if isinstance(rows, int) else None)


def _check_configurations(folder: Path, spec: ModelSpec) -> dict[str, Any]:
    """Classes of the components to load, after a check that each has its configuration file."""
    components = listed_components(folder, parts_of(spec))
    if spec.vae is not None:
        components.pop("vae", None)
    for component, some_class in components.items():
        names = configurations(some_class)
        if not any((folder / component / name).is_file() for name in names):
            raise ModelUnavailable(f"The folder {folder} has no {component}/{names[0]}.")
    return components
