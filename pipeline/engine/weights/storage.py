"""Weights that are kept in fewer bits than they are multiplied in: diffusers' layerwise casting.

Each layer's weights become the precision of the forward pass while the layer runs, and float8 again after it. A row
sees the same weights whoever is drawn beside it, so its bits do not depend on company.
"""

import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN, apply_layerwise_casting
from diffusers.models.modeling_utils import ModelMixin

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.components import text_encoders_in
from pipeline.engine.weights.headers import count_numbers, read_tensors
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import WeightStorage

_DTYPES: Final[Mapping[WeightStorage, torch.dtype]] = {"float8": torch.float8_e4m3fn}


def check_storage(spec: ModelSpec, components: Mapping[str, Any]) -> None:
    """Check that the catalogue names networks of diffusers. Text encoders would hand float8 on to what reads them.

    Raises:
        ModelUnavailable: it names another component.
    """
    known = [name for name, found in components.items() if isinstance(found, type) and issubclass(found, ModelMixin)]
    for name in spec.weights:
        if name not in known:
            raise ModelUnavailable(
                f"{spec.title} has {name} in [model.weights], and only these can be kept so: {', '.join(known)}."
            )


def check_resting(spec: ModelSpec, components: Iterable[str]) -> None:
    """Check that a model whose text encoders shall wait in RAM has one.

    Raises:
        ModelUnavailable: it has none.
    """
    if spec.text_encoder_rests and not text_encoders_in(components):
        raise ModelUnavailable(f"{spec.title} has text_encoder_rests in its entry and no text encoder; leave it out.")


def store(components: Mapping[str, Any], spec: ModelSpec, dtype: torch.dtype) -> None:
    """Keep weights as the catalogue says, in place.

    Args:
        components: components of a pipeline by name.
        spec: the catalogue's entry.
        dtype: precision of the forward pass.
    """
    for name, storage in spec.weights.items():
        module = components[name]
        apply_layerwise_casting(
            module, storage_dtype=_DTYPES[storage], compute_dtype=dtype, skip_modules_pattern=_left_alone(type(module))
        )


def stored_bytes(path: Path, storage: WeightStorage | None, dtype: torch.dtype, some_class: Any = None) -> int:
    """Expected bytes of a file's tensors once they are loaded.

    Args:
        path: the file.
        storage: how they are kept; None is the precision of the forward pass.
        dtype: that precision.
        some_class: class of the network.

    Raises:
        ModelUnavailable: the file is missing or broken.
    """
    if storage is None:
        return count_numbers(path) * dtype.itemsize
    skipped, small = _left_alone(some_class), _DTYPES[storage]
    found = 0
    for name, tensor in read_tensors(path).items():
        is_left = any(re.search(pattern, name.rpartition(".")[0]) for pattern in skipped)
        found += math.prod(tensor.shape) * (dtype if is_left else small).itemsize
    return found


def _left_alone(some_class: Any) -> tuple[str, ...]:
    """Patterns of the layers that a class keeps in the precision of the forward pass."""
    return (*DEFAULT_SKIP_MODULES_PATTERN, *(getattr(some_class, "_skip_layerwise_casting_patterns", None) or ()))


def precision_of(dtype_name: str, spec: ModelSpec) -> str:
    """The precision of a model's pictures in words: that of the forward pass, and what is kept in fewer bits."""
    return ", ".join((dtype_name, *(f"{name} in {storage}" for name, storage in sorted(spec.weights.items()))))
