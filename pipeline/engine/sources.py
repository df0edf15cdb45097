"""Whether a model's files are there and whole, before anything is allocated for them."""

import json
from pathlib import Path
from typing import Any, Final

import diffusers
import diffusers.pipelines

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.registry import FAMILIES, FamilyParts
from pipeline.engine.headers import check_safetensors
from pipeline.protocol.models import FileSource, FolderSource, ModelSpec

_INDEX: Final = "model_index.json"
_LIGHT: Final = {
    "scheduler": "scheduler_config.json",
    "tokenizer": "tokenizer_config.json",
    "feature_extractor": "preprocessor_config.json",
    "image_processor": "preprocessor_config.json",
}
"""The configuration of components without weights, by the start of their name."""

_CONFIGURATION: Final = "config.json"
"""The configuration of components with weights."""


def check_source(spec: ModelSpec) -> None:
    """See without loading whether a model can be offered; one on a hub is taken at its word until it is here.

    Raises:
        ModelUnavailable: one sentence about what is missing or broken.
    """
    source, parts = spec.source, FAMILIES[spec.family]
    if isinstance(source, FolderSource):
        check_folder(Path(source.path), parts)
    elif isinstance(source, FileSource):
        _check_file(source, parts)
    if spec.enlarger is not None:
        check_safetensors(Path(spec.enlarger.path))


def check_folder(folder: Path, parts: FamilyParts) -> None:
    """See that a diffusers folder holds what its index lists, and that its index lists what the family needs.

    Raises:
        ModelUnavailable: one sentence about what is missing or broken.
    """
    if not folder.is_dir():
        raise ModelUnavailable(f"There is no folder {folder}.")
    for component in _check_configurations(folder, parts):
        if _configuration(component) == _CONFIGURATION:
            _check_weights(folder / component)


def components_with_weights(folder: Path, parts: FamilyParts) -> list[str]:
    """Those that will be loaded.

    Raises:
        ModelUnavailable: the folder is none, or of another family.
    """
    return [name for name in _listed(folder, parts) if _configuration(name) == _CONFIGURATION]


def left_out(folder: Path, parts: FamilyParts) -> dict[str, None]:
    """What a model in this folder comes without, as diffusers wants to be told."""
    listed = _listed(folder, parts)
    return {name: None for name in parts.omissible if name not in listed}


def _check_file(source: FileSource, parts: FamilyParts) -> None:
    path = Path(source.path)
    if parts.reads_class:
        raise ModelUnavailable("A model of the family pipeline is read from a folder or from a hub, not from one file.")
    if path.suffix != ".safetensors":
        raise ModelUnavailable(f"The file {path.name} is no .safetensors file; others may run foreign code.")
    check_safetensors(path)
    if source.config is not None:
        _check_configurations(Path(source.config), parts)


def _check_configurations(folder: Path, parts: FamilyParts) -> list[str]:
    """The components that will be loaded, each with its configuration."""
    components = _listed(folder, parts)
    for component in components:
        name = f"{component}/{_configuration(component)}"
        if not (folder / name).is_file():
            raise ModelUnavailable(f"The folder {folder} has no {name}.")
    return components


def _configuration(component: str) -> str:
    return next((name for start, name in _LIGHT.items() if component.startswith(start)), _CONFIGURATION)


def _listed(folder: Path, parts: FamilyParts) -> list[str]:
    """What the folder's index says it is made of, without what is left out on purpose."""
    try:
        index: Any = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        listed = [
            name
            for name, value in index.items()
            # A component is [library, class]; one that is left out is [null, null].
            if isinstance(value, list) and value and value[0] is not None and name not in parts.options
        ]
    except FileNotFoundError as error:
        raise ModelUnavailable(f"The folder {folder} has no {_INDEX}.") from error
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise ModelUnavailable(f"The file {folder / _INDEX} cannot be read; download it again.") from error
    if parts.reads_class:
        _check_classes(folder, index)
    missing = [name for name in parts.needed if name not in listed]
    if missing:
        lacks = " and ".join(missing)
        raise ModelUnavailable(f"The folder {folder} has no {lacks} in its {_INDEX}; it is a model of another family.")
    return listed


def _check_classes(folder: Path, index: dict[str, Any]) -> None:
    """See that nothing but diffusers and transformers would run: an index may name code of its own."""
    name = index.get("_class_name")
    if not isinstance(name, str) or not name.isidentifier() or not hasattr(diffusers, name):
        raise ModelUnavailable(f"The folder {folder} is for a pipeline {name!r}, which diffusers does not have.")
    libraries = {value[0] for value in index.values() if isinstance(value, list) and value and value[0] is not None}
    foreign = sorted(
        str(library)
        for library in libraries
        if library not in ("diffusers", "transformers") and not hasattr(diffusers.pipelines, str(library))
    )
    if foreign:
        raise ModelUnavailable(f"The folder {folder} wants code of {foreign[0]!r} to be run; Easel runs none of it.")


def _check_weights(folder: Path) -> None:
    """See that every file of weights, in shards or whole, is there and not cut off."""
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ModelUnavailable(f"The folder {folder} holds no .safetensors file.")
    # The index of a variant (fp16) may lie there without its shards; it is not read.
    for index in sorted(folder.glob("*.safetensors.index.json")):
        try:
            content: Any = json.loads(index.read_text(encoding="utf-8"))
            shards = {str(name) for name in content["weight_map"].values()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ModelUnavailable(f"The file {index} cannot be read; download it again.") from error
        missing = sorted(shards - {file.name for file in weights})
        if missing:
            raise ModelUnavailable(f"The folder {folder} has no {missing[0]}; download it again.")
    for file in weights:
        check_safetensors(file)
