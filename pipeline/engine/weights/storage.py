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

from pipeline.engine.device.group_offload import Groups
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.gguf_files import is_gguf
from pipeline.engine.weights.headers import read_tensors
from pipeline.engine.weights.packages import need_package
from pipeline.engine.weights.packed_layers import HEAD, PACKAGES, TABLE, pack, packed_bytes
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import WeightStorage

NETWORKS: Final = ("transformer", "unet")
"""Names of components that denoise; a pipeline has one of them."""
_TEXT_ENCODER: Final = "text_encoder"
"""Part of the names of text encoders; some models have several, or one of a prior."""
_DTYPES: Final[Mapping[WeightStorage, torch.dtype]] = {"float8": torch.float8_e4m3fn}


def check_storage(spec: ModelSpec, components: Mapping[str, Any]) -> None:
    """Check that the catalogue names networks that can be kept so, and that the packages for it are installed.

    Raises:
        ModelUnavailable: it names another component, or a package is missing.
    """
    for name, storage in spec.weights.items():
        kinds = (ModelMixin, PreTrainedModel)
        known = [name for name, found in components.items() if isinstance(found, type) and issubclass(found, kinds)]
        if name not in known:
            raise ModelUnavailable(
                f"{spec.title} has {name} in [model.weights], and only these can be kept in {storage}: "
                f"{', '.join(known)}."
            )
        if is_gguf(spec.source) and name in NETWORKS:
            raise ModelUnavailable(
                f"{spec.title} has {name} in [model.weights], and its GGUF file says how it is kept; leave it out."
            )
        if storage in PACKAGES:
            need_package(PACKAGES[storage], f"{spec.title} keeps {name} in {storage}, which")


def parts_in_ram(spec: ModelSpec, components: Iterable[str]) -> dict[str, Groups]:
    """Names of the components that wait in RAM on a device with memory of its own, and the groups in which they come.

    Args:
        spec: the catalogue's entry.
        components: names of all components.
    """
    # Layers of packages, and those of GGUF files, keep more about their weights than tensors that hooks could move.
    known = [name for name in components if spec.weights.get(name) not in PACKAGES]
    found: dict[str, Groups] = {}
    if spec.text_encoder_rests:
        found |= {name: "layers" for name in known if _TEXT_ENCODER in name}
    if spec.offload == "blocks" and not is_gguf(spec.source):
        found |= {name: "blocks" for name in known if name in NETWORKS}
    return found


def check_parts(spec: ModelSpec, components: Iterable[str]) -> None:
    """Check that a model has the parts that shall wait in RAM, and that they can.

    Raises:
        ModelUnavailable: it has none that can.
    """
    ways = {*parts_in_ram(spec, components).values()}
    if spec.text_encoder_rests and "layers" not in ways:
        raise ModelUnavailable(
            f"{spec.title} has text_encoder_rests in its entry, and no text encoder that [model.weights] leaves in "
            "floats; leave one out."
        )
    if spec.offload and "blocks" not in ways:
        raise ModelUnavailable(
            f"{spec.title} has offload in its entry, and no transformer or U-Net that its file and [model.weights] "
            "leave in floats; leave offload out."
        )


def store(components: Mapping[str, Any], spec: ModelSpec, placement: Placement) -> None:
    """Keep weights as the catalogue says, in place.

    Args:
        components: components of a pipeline by name.
        spec: the catalogue's entry.
        placement: device and precision of the forward pass.

    Raises:
        ModelUnavailable: a network reads its precision from weights that would be kept so.
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
        if module.dtype != placement.dtype:
            raise ModelUnavailable(
                f"{spec.title} has {name} in [model.weights]. A {type(module).__name__} in {storage} would hand that "
                "precision on to what it computes; leave it out."
            )


def stored_bytes(
    path: Path, storage: WeightStorage | None, dtype: torch.dtype, some_class: Any = None
) -> dict[str, int]:
    """Expected bytes of each tensor of a file once it is loaded, by its name there; see `kept_bytes`.

    Raises:
        ModelUnavailable: the file is missing or broken.
    """
    return kept_bytes(read_tensors(path), storage, dtype, some_class)


def kept_bytes(
    tensors: Mapping[str, torch.Tensor], storage: WeightStorage | None, dtype: torch.dtype, some_class: Any = None
) -> dict[str, int]:
    """Expected bytes of each tensor of a network once it is loaded.

    Args:
        tensors: the tensors by name.
        storage: how they are kept; None is the precision of the forward pass.
        dtype: that precision.
        some_class: class of the network; None if it is not known.
    """
    if storage is None:
        return {name: tensor.numel() * dtype.itemsize for name, tensor in tensors.items()}
    if storage in PACKAGES:
        return {name: packed_bytes(name, tensor.shape, storage, dtype, some_class) for name, tensor in tensors.items()}
    skipped, small = _left_alone(some_class), _DTYPES[storage]
    found: dict[str, int] = {}
    for name, tensor in tensors.items():
        is_left = any(re.search(pattern, name.rpartition(".")[0]) for pattern in skipped)
        found[name] = tensor.numel() * (dtype if is_left else small).itemsize
    return found


def _left_alone(some_class: Any) -> tuple[str, ...]:
    """Patterns of the layers that a class keeps in the precision of the forward pass.

    Text encoders take theirs from the table of words, whose weights the last layer may share, and T5's also from `wo`.
    """
    named = getattr(some_class, "_skip_layerwise_casting_patterns", None) or ()
    if isinstance(some_class, type) and issubclass(some_class, ModelMixin):
        return (*DEFAULT_SKIP_MODULES_PATTERN, *named)
    whole = (HEAD, *(getattr(some_class, "_keep_in_fp32_modules", None) or ()))
    return (*DEFAULT_SKIP_MODULES_PATTERN, TABLE.pattern, *(rf"(^|\.){re.escape(name)}$" for name in whole))


def is_kept_apart(spec: ModelSpec) -> bool:
    """True when weights of a model are kept in another form than the precision of the forward pass."""
    return bool(spec.weights) or is_gguf(spec.source)


def precision_of(dtype_name: str, spec: ModelSpec) -> str:
    """The precision of a model's pictures in words: that of the forward pass, and what is kept in fewer bits."""
    kept = [f"{name} in {storage}" for name, storage in sorted(spec.weights.items())]
    of_file = ["weights of a GGUF file"] if is_gguf(spec.source) else []
    cached = [] if spec.first_block_cache is None else [f"first block cached up to {spec.first_block_cache:g}"]
    return ", ".join((dtype_name, *kept, *of_file, *cached))
