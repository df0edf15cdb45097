"""Reads the owner's models for depth, people and poses with transformers."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoImageProcessor

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.components import find_weights, read_json
from pipeline.engine.weights.finite import check_numbers
from pipeline.protocol.catalogue.networks import FolderSource, HubSource


def check_folder(folder: Path, model_types: Collection[str]) -> None:
    """Check without loading that a folder holds a model of one of these types, with its weights and its processor.

    Raises:
        ModelUnavailable: it does not; the message is one sentence.
    """
    _check_type(read_json(folder / "config.json").get("model_type"), str(folder), model_types)
    read_json(folder / "preprocessor_config.json")
    find_weights(folder, torch.nn.Module)


def read_estimator(
    source: FolderSource | HubSource,
    some_class: Any,
    model_types: Collection[str],
    placement: Placement,
    cache: str | None,
) -> tuple[Any, Any]:
    """Read a model in float32 onto the device, and its image processor.

    Args:
        source: place of the model.
        some_class: class of transformers that reads it.
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
        _check_type(config.model_type, path, model_types)
        processor: Any = AutoImageProcessor.from_pretrained(path, **where)
        model: Any = some_class.from_pretrained(path, use_safetensors=True, dtype=torch.float32, **where)
    check_numbers({"preprocessor": model}, f"in {path}")
    return model.to(placement.device).eval().requires_grad_(False), processor


def _check_type(found: object, place: str, model_types: Collection[str]) -> None:
    if found not in model_types:
        raise ModelUnavailable(
            f"The preprocessor in {place} is a model of the type {found!r}; these types are read: "
            f"{', '.join(sorted(model_types))}."
        )
