"""Weights that are kept in fewer bits than they are multiplied in: diffusers' layerwise casting, and packed layers.

Each layer's weights become the precision of the forward pass while the layer runs, and fewer bits again after it. A row
sees the same weights whoever is drawn beside it, so its bits do not depend on company.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from diffusers.hooks.layerwise_casting import DEFAULT_SKIP_MODULES_PATTERN, apply_layerwise_casting
from diffusers.models.modeling_utils import ModelMixin
from transformers import PreTrainedModel

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.components import text_encoders_in
from pipeline.engine.weights.gguf_files import is_gguf
from pipeline.engine.weights.headers import count_numbers, read_tensors
from pipeline.engine.weights.packages import need_package
from pipeline.engine.weights.packed_layers import PACKAGES, pack, packed_bytes
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import WeightStorage

_DTYPES: Final[Mapping[WeightStorage, torch.dtype]] = {"float8": torch.float8_e4m3fn}


def check_storage(spec: ModelSpec, components: Mapping[str, Any]) -> None:
    """Check that the catalogue names networks that can be kept so, and that the packages for it are installed.

    Raises:
        ModelUnavailable: it names another component, or a package is missing.
    """
    for name, storage in spec.weights.items():
        # Text encoders would hand float8 on to what reads them.
        kinds = (ModelMixin,) if storage in _DTYPES else (ModelMixin, PreTrainedModel)
        known = [name for name, found in components.items() if isinstance(found, type) and issubclass(found, kinds)]
        if name not in known:
            raise ModelUnavailable(
                f"{spec.title} has {name} in [model.weights], and only these can be kept in {storage}: "
                f"{', '.join(known)}."
            )
        if is_gguf(spec.source) and name in ("transformer", "unet"):
            raise ModelUnavailable(
                f"{spec.title} has {name} in [model.weights], and its GGUF file says how it is kept; leave it out."
            )
        if storage in PACKAGES:
            need_package(PACKAGES[storage], f"{spec.title} keeps {name} in {storage}, which")


def check_resting(spec: ModelSpec, components: Iterable[str]) -> None:
    """Check that a model whose text encoders shall wait in RAM has one that can.

    Raises:
        ModelUnavailable: it has none.
    """
    if spec.text_encoder_rests and not resting_in(spec, components):
        raise ModelUnavailable(
            f"{spec.title} has text_encoder_rests in its entry and no text encoder outside of [model.weights]; "
            "leave it out."
        )


def resting_in(spec: ModelSpec, components: Iterable[str]) -> list[str]:
    """Names of the text encoders that wait in RAM. Those that are kept in fewer bits are small, and do not."""
    if not spec.text_encoder_rests:
        return []
    return [name for name in text_encoders_in(components) if name not in spec.weights]


def store(components: Mapping[str, Any], spec: ModelSpec, placement: Placement) -> None:
    """Keep weights as the catalogue says, in place.

    Args:
        components: components of a pipeline by name.
        spec: the catalogue's entry.
        placement: device and precision of the forward pass.
    """
    for name, storage in spec.weights.items():
        module = components[name]
        if storage in PACKAGES:
            with torch.inference_mode(mode=False):
                pack(module, storage, placement.device, placement.dtype)
            continue
        apply_layerwise_casting(
            module,
            storage_dtype=_DTYPES[storage],
            compute_dtype=placement.dtype,
            skip_modules_pattern=_left_alone(type(module)),
        )


def stored_bytes(path: Path, storage: WeightStorage | None, dtype: torch.dtype, some_class: Any = None) -> int:
    """Expected bytes of a file's tensors once they are loaded; see `kept_bytes`.

    Raises:
        ModelUnavailable: the file is missing or broken.
    """
    if storage is None:
        return count_numbers(path) * dtype.itemsize
    return kept_bytes(read_tensors(path), storage, dtype, some_class)


def kept_bytes(
    tensors: Mapping[str, torch.Tensor], storage: WeightStorage, dtype: torch.dtype, some_class: Any = None
) -> int:
    """Expected bytes of a network's tensors once they are loaded.

    Args:
        tensors: the tensors by name.
        storage: how they are kept.
        dtype: precision of the forward pass.
        some_class: class of the network; None if it is not known.
    """
    if storage in PACKAGES:
        return sum(packed_bytes(name, tensor.shape, storage, dtype, some_class) for name, tensor in tensors.items())
    skipped, small = _left_alone(some_class), _DTYPES[storage]
    found = 0
    for name, tensor in tensors.items():
        is_left = any(re.search(pattern, name.rpartition(".")[0]) for pattern in skipped)
        found += tensor.numel() * (dtype if is_left else small).itemsize
    return found


def _left_alone(some_class: Any) -> tuple[str, ...]:
    """Patterns of the layers that a class keeps in the precision of the forward pass."""
    return (*DEFAULT_SKIP_MODULES_PATTERN, *(getattr(some_class, "_skip_layerwise_casting_patterns", None) or ()))


def is_kept_apart(spec: ModelSpec) -> bool:
    """True when weights of a model are kept in another form than the precision of the forward pass."""
    return bool(spec.weights) or is_gguf(spec.source)


def precision_of(dtype_name: str, spec: ModelSpec) -> str:
    """The precision of a model's pictures in words: that of the forward pass, and what is kept in fewer bits."""
    kept = [f"{name} in {storage}" for name, storage in sorted(spec.weights.items())]
    return ", ".join((dtype_name, *kept, *(("weights of a GGUF file",) if is_gguf(spec.source) else ())))
