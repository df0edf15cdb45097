"""Reads the owner's models for depth, people and poses with transformers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from transformers import AutoConfig, AutoImageProcessor

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable, blaming
from pipeline.engine.weights.completeness import check_component
from pipeline.engine.weights.components import component_class, find_weights, read_json
from pipeline.engine.weights.finite import check_numbers
from pipeline.protocol.catalogue.networks import FolderSource, HubSource

ModelTypes: TypeAlias = Mapping[str, str]
"""Types of models that are known to give what is needed, with the class of transformers that reads each."""


def check_folder(folder: Path, model_types: ModelTypes) -> None:
    """Check without loading that a folder holds a model of one of these types, with all its weights and its processor.

    Raises:
        ModelUnavailable: it does not; the message is one sentence.
    """
    some_class = _class_of(read_json(folder / "config.json").get("model_type"), str(folder), model_types)
    read_json(folder / "preprocessor_config.json")
    with blaming(f"The preprocessor in {folder} cannot be read"):
        check_component("preprocessor", some_class, folder, find_weights(folder, some_class))


def read_estimator(
    source: FolderSource | HubSource,
    model_types: ModelTypes,
    placement: Placement,
    cache: str | None,
) -> tuple[Any, Any]:
    """Read a model in float32 onto the device, and its image processor.

    Args:
        source: place of the model.
        model_types: types that are known to give what is needed.
        placement: the device.
        cache: folder for downloads from a hub; None is the library's default.

    Raises:
        ModelUnavailable: it is a model of another type, or holds NaN.
    """
    if isinstance(source, FolderSource):
        check_folder(Path(source.path), model_types)
        path, where = source.path, {"local_files_only": True}
    else:
        path, where = source.repo_id, {"revision": source.revision, "cache_dir": cache}
    with torch.inference_mode(mode=False):
        config: Any = AutoConfig.from_pretrained(path, **where)
        some_class = _class_of(config.model_type, path, model_types)
        processor: Any = AutoImageProcessor.from_pretrained(path, **where)
        model: Any = some_class.from_pretrained(path, use_safetensors=True, dtype=torch.float32, **where)
    check_numbers({"preprocessor": model}, f"in {path}")
    return model.to(placement.device).eval().requires_grad_(False), processor


def _class_of(found: object, place: str, model_types: ModelTypes) -> Any:
    name = model_types.get(str(found))
    if name is None:
        raise ModelUnavailable(
            f"The preprocessor in {place} is a model of the type {found!r}; these types are read: "
            f"{', '.join(sorted(model_types))}."
        )
    return component_class("transformers", name)
