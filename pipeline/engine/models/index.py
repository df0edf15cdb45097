"""Reads the index of a diffusers folder: which components a model has, of which classes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import diffusers
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES
from diffusers.schedulers.scheduling_utils import SchedulerMixin
from transformers.tokenization_utils_base import PreTrainedTokenizerBase

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.pipeline_blocks import blocks_of, class_named
from pipeline.engine.families.registry import FamilyParts
from pipeline.engine.weights.components import component_class, has_weights, read_json
from pipeline.protocol.catalogue.pipelines import BLOCKS_INDEX, INDEX

_LIGHT: Final = ("scheduler", "tokenizer", "feature_extractor", "processor")
"""Parts of names of components without weights, whose class a newer library may have renamed."""
_DRAWING: Final = "text2image"
"""Name of the way through blocks that draws from words alone, where blocks have several."""
_NETWORKS: Final = ("transformer", "unet")
_TOKENIZER: Final = "tokenizer_config.json"
_PROCESSOR: Final = ("preprocessor_config.json", "processor_config.json", "config.json")


def configurations(some_class: Any) -> tuple[str, ...]:
    """Names of a component's configuration file, of which one must be there; its class says them."""
    if has_weights(some_class):
        return ("config.json",)
    if some_class is None:
        return (SchedulerMixin.config_name, _TOKENIZER, *_PROCESSOR)
    # Schedulers and guiders of diffusers say the name themselves.
    own = getattr(some_class, "config_name", None)
    if isinstance(own, str):
        return (own,)
    return (_TOKENIZER,) if issubclass(some_class, PreTrainedTokenizerBase) else _PROCESSOR


def read_index(folder: Path) -> dict[str, Any]:
    """Content of a folder's index, which pipelines of blocks have under another name; empty without one.

    Raises:
        ModelUnavailable: it cannot be read.
    """
    found = next((folder / name for name in (INDEX, BLOCKS_INDEX) if (folder / name).is_file()), None)
    return {} if found is None else read_json(found)


def listed_components(folder: Path, parts: FamilyParts) -> dict[str, Any]:
    """Classes of the components in a folder's index by their names, without those that Easel never loads.

    A class is None when it has no weights and this version of its library lacks it.

    Raises:
        ModelUnavailable: the folder holds no diffusers model, one of another family, or one that wants foreign code.
    """
    index = _checked_index(folder, parts)
    listed: dict[str, Any] = {}
    for name, value in index.items():
        # A component is [library, class], and a missing one is [null, null]. Other lists are settings.
        if name not in parts.options and isinstance(value, list) and _are_names(value):
            try:
                listed[name] = component_class(*value)
            except ValueError as error:
                raise ModelUnavailable(
                    f"The folder {folder} wants code of {value[0]!r} to be run; Easel runs none of it."
                ) from error
            if listed[name] is None and not any(part in name for part in _LIGHT):
                raise ModelUnavailable(f"The folder {folder} wants {value[1]} of {value[0]}, which has no such class.")
    found = index.get("_class_name")
    if parts.classes and found not in parts.classes:
        known = " or ".join(parts.classes)
        raise ModelUnavailable(f"The folder {folder} is for a pipeline {found!r}, and its family wants {known}.")
    missing = [name for name in parts.needed if name not in listed]
    if missing:
        lacks = " and ".join(missing)
        raise ModelUnavailable(f"The folder {folder} has no {lacks} in its {INDEX}; it is a model of another family.")
    return listed


def _checked_index(folder: Path, parts: FamilyParts) -> Mapping[str, Any]:
    """A folder's index, whose class diffusers has."""
    index = read_index(folder)
    if not index:
        raise ModelUnavailable(f"The folder {folder} has no {INDEX}.")
    if parts.reads_class:
        _check_pipeline(folder, index)
    if (folder / INDEX).is_file():
        return index
    if not parts.reads_class:
        raise ModelUnavailable(
            f"The folder {folder} is for a {index.get('_class_name')}, which diffusers builds of blocks; "
            'say family = "pipeline".'
        )
    return _components_of_blocks(folder, index)


def network_in_a_file(folder: Path, parts: FamilyParts) -> tuple[str, Any]:
    """Name and class of the denoising network of a model, if diffusers reads it from one file.

    Raises:
        ModelUnavailable: the folder holds no diffusers model, or one whose network is not read from one file.
    """
    listed = listed_components(folder, parts)
    name = next((name for name in _NETWORKS if name in listed), "")
    some_class = listed.get(name)
    if some_class is None or some_class.__name__ not in SINGLE_FILE_LOADABLE_CLASSES:
        found = "model without transformer" if some_class is None else some_class.__name__
        raise ModelUnavailable(f"diffusers reads no {found} from one file; take the model's diffusers folder.")
    return name, some_class


def _components_of_blocks(folder: Path, index: Mapping[str, Any]) -> Mapping[str, Any]:
    """An index of blocks as others are: there, components have a place beside library and class.

    Raises:
        ModelUnavailable: a component that drawing from words needs is missing, or is not in the subfolder of its name.
    """
    name = str(index.get("_class_name"))
    blocks = blocks_of(getattr(diffusers, name))
    drawing = blocks.get_workflow(_DRAWING) if _DRAWING in blocks.available_workflows else blocks
    listed: dict[str, Any] = {key: value for key, value in index.items() if isinstance(value, list)}
    for part in drawing.expected_components:
        if part.default_creation_method == "from_pretrained" and part.name not in listed:
            raise ModelUnavailable(
                f"The folder {folder} has no {part.name} in its {BLOCKS_INDEX}, and a {name} needs one."
            )
    kept: dict[str, Any] = {"_class_name": name}
    for part in blocks.expected_components:
        library, some_class, place = listed.get(part.name, (None, None, {}))
        if library is not None and place.get("subfolder") != part.name:
            there = place.get("pretrained_model_name_or_path")
            raise ModelUnavailable(
                f"The folder {folder} has its {part.name} in {there}; put it into the subfolder {part.name}, "
                f"and name that in {BLOCKS_INDEX}."
            )
        kept[part.name] = [library, some_class]
    return kept


def _are_names(value: Any) -> bool:
    return len(value) == 2 and all(isinstance(each, str) for each in value)  # noqa: PLR2004 - library and class


def _check_pipeline(folder: Path, index: Mapping[str, Any]) -> None:
    """Check that the index names a pipeline class of diffusers: an index could name foreign code."""
    name = index.get("_class_name")
    if not isinstance(name, str) or not name.isidentifier() or not hasattr(diffusers, name):
        raise ModelUnavailable(f"The folder {folder} is for a pipeline {name!r}, which diffusers does not have.")
    class_named(name)
