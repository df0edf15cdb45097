"""Reads the owner's models for depth, people and poses with transformers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import torch
from transformers import AutoImageProcessor

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable, blaming
from pipeline.engine.weights.completeness import check_component
from pipeline.engine.weights.components import component_class, find_weights, read_json
from pipeline.engine.weights.finite import check_numbers

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


def read_estimator(folder: Path, model_types: ModelTypes, placement: Placement) -> tuple[Any, Any]:
    """Read a model in float32 onto the device, and its image processor.

    Args:
        folder: folder of the model.
        model_types: types that are known to give what is needed.
        placement: the device.

    Raises:
        ModelUnavailable: it is a model of another type, or holds NaN.
    """
    check_folder(folder, model_types)
    with torch.inference_mode(mode=False):
        some_class = _class_of(read_json(folder / "config.json").get("model_type"), str(folder), model_types)
        processor: Any = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
        model: Any = some_class.from_pretrained(
            folder, use_safetensors=True, dtype=torch.float32, local_files_only=True
        )
    check_numbers({"preprocessor": model}, f"in {folder}")
    return model.to(placement.device).eval().requires_grad_(False), processor


def _class_of(found: object, place: str, model_types: ModelTypes) -> Any:
    name = model_types.get(str(found))
    if name is None:
        raise ModelUnavailable(
            f"The preprocessor in {place} is a model of the type {found!r}; these types are read: "
            f"{', '.join(sorted(model_types))}."
        )
    return component_class("transformers", name)
