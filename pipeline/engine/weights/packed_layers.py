"""Linear layers whose weights are kept in 4 or 8 bits: bitsandbytes' NF4, and int8 of torchao.

Only weights are kept so. A layer multiplies in the precision of the forward pass, and computes each row by itself. Ways
that round the inputs too, such as LLM.int8, choose by all rows of a batch; a picture would depend on its company.
"""

import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import nn

from pipeline.protocol.catalogue.networks import WeightStorage

PACKAGES: Final[Mapping[WeightStorage, str]] = {"nf4": "bitsandbytes", "int8": "torchao"}
"""Package of each way to keep weights, if it needs one."""
_NF4_BLOCK: Final = 64
"""Numbers that share a scale in NF4, as QLoRA has it. A processor's kernels want multiples of it as a layer's sides."""
_SCALE_BYTES: Final = 4
HEAD: Final = "lm_head"
"""Layer of a language model that shares its weights with the table of words."""
TABLE: Final = re.compile(r"(^|\.)(shared|wte|embed_tokens|relative_attention_bias|(token|position|word)_embeddings?)$")
"""Names of tables of words and positions, which are no linear layers."""


def pack(module: nn.Module, storage: WeightStorage, device: torch.device, dtype: torch.dtype) -> None:
    """Keep the weights of a network's linear layers in fewer bits, in place.

    The layers move to the device one by one, so that it never holds all of the larger ones.

    Args:
        module: a network of diffusers or transformers, in the precision of the forward pass.
        storage: `nf4` or `int8`.
        device: device of the layers afterwards.
        dtype: precision of the forward pass.
    """
    _PACKERS[storage](module, _left_alone(type(module)), device, dtype)


def packed_bytes(name: str, shape: torch.Size, storage: WeightStorage, dtype: torch.dtype, some_class: Any) -> int:
    """Bytes of a tensor of a file once it is loaded; only weights of linear layers become smaller."""
    layer, _, kind = name.rpartition(".")
    is_linear = kind == "weight" and len(shape) == len(("out", "in")) and not TABLE.search(layer)
    if not is_linear or not _is_fit(shape, storage) or _is_left(layer, _left_alone(some_class)):
        return shape.numel() * dtype.itemsize
    if storage == "nf4":
        return shape.numel() // 2 + shape.numel() // _NF4_BLOCK * _SCALE_BYTES
    return shape.numel() + shape[0] * _SCALE_BYTES


def _to_nf4(module: nn.Module, left: tuple[str, ...], device: torch.device, dtype: torch.dtype) -> None:
    layers: Any = importlib.import_module("bitsandbytes.nn")
    found: list[tuple[str, Any]] = [*module.named_modules()]
    for name, layer in found:
        if not _is_packed(layer, name, left) or not _is_fit(layer.weight.shape, "nf4"):
            continue
        parent, _, own = name.rpartition(".")
        packed = layers.Linear4bit(
            layer.in_features,
            layer.out_features,
            bias=layer.bias is not None,
            compute_dtype=dtype,
            compress_statistics=False,
            quant_type="nf4",
            device="meta",
        )
        packed.weight = layers.Params4bit(
            layer.weight.data,
            requires_grad=False,
            blocksize=_NF4_BLOCK,
            compress_statistics=False,
            quant_type="nf4",
            module=packed,
        )
        packed.bias = layer.bias
        setattr(module.get_submodule(parent), own, packed.to(device).eval())


def _to_int8(module: nn.Module, left: tuple[str, ...], device: torch.device, _dtype: torch.dtype) -> None:
    torchao: Any = importlib.import_module("torchao.quantization")
    how = torchao.Int8WeightOnlyConfig(set_inductor_config=False)
    torchao.quantize_(module, how, lambda layer, name: _is_packed(layer, name, left), device=device)


_PACKERS: Final[Mapping[WeightStorage, Callable[[nn.Module, tuple[str, ...], torch.device, torch.dtype], None]]] = {
    "nf4": _to_nf4,
    "int8": _to_int8,
}


def _is_packed(layer: Any, name: str, left: tuple[str, ...]) -> bool:
    # A subclass may hand its weights on, as the last layer of torch's attention does.
    return type(layer) is nn.Linear and not _is_left(name, left)


def _is_fit(shape: torch.Size, storage: WeightStorage) -> bool:
    return storage != "nf4" or not any(side % _NF4_BLOCK for side in shape)


def _is_left(name: str, left: tuple[str, ...]) -> bool:
    return any(part in left for part in name.split("."))


def _left_alone(some_class: Any) -> tuple[str, ...]:
    """Names of the layers that a class wants in full, such as `wo` of T5, whose weights it reads itself."""
    return (HEAD, *(getattr(some_class, "_keep_in_fp32_modules", None) or ()))
