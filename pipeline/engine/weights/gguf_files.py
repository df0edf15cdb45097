"""GGUF files: a transformer whose weights are kept in blocks of few bits, as ComfyUI and diffusers read them.

A layer makes its weights larger while it runs, and multiplies in the precision of the forward pass. So each row is
computed by itself, as with any other weights.
"""

import functools
import importlib
from pathlib import Path
from typing import Any, Final

import torch
from diffusers.models.model_loading_utils import load_gguf_checkpoint
from diffusers.quantizers.quantization_config import GGUFQuantizationConfig

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.headers import opened
from pipeline.engine.weights.packages import need_package
from pipeline.protocol.catalogue.networks import FileSource, Source

_SUFFIX: Final = ".gguf"
_MAGIC: Final = b"GGUF"
_PLAIN: Final = ("F32", "F16")
"""Types of tensors that diffusers reads as numbers."""


def is_gguf(source: Source) -> bool:
    """True when a source is a GGUF file."""
    return isinstance(source, FileSource) and Path(source.path).suffix == _SUFFIX


def read_gguf(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a file by name, with the shapes that they have as numbers, but without data.

    Raises:
        ModelUnavailable: the file is missing, broken or cut off, or the package `gguf` is not installed.
    """
    return {
        each.name: torch.empty([int(side) for side in reversed(each.shape)], dtype=torch.float16, device="meta")
        for each in _tensors(path)
    }


def gguf_bytes(path: Path, dtype: torch.dtype) -> int:
    """Bytes of a file's tensors once they are loaded: matrices in blocks stay as they are.

    Args:
        path: the file.
        dtype: precision of the forward pass.

    Raises:
        ModelUnavailable: see `read_gguf`.
    """
    return sum(
        int(each.n_elements) * dtype.itemsize
        if each.tensor_type.name in _PLAIN or len(each.shape) == 1
        else int(each.n_bytes)
        for each in _tensors(path)
    )


def load_gguf(path: Path, some_class: Any, config: Path, dtype: torch.dtype) -> Any:
    """Read a network of diffusers; its linear layers keep their weights in blocks.

    Args:
        path: the file.
        some_class: class of the network.
        config: folder with its configuration.
        dtype: precision of the forward pass.
    """
    network = some_class.from_single_file(
        load_gguf_checkpoint(str(path)),
        config=str(config),
        quantization_config=GGUFQuantizationConfig(compute_dtype=dtype),
        dtype=dtype,
        local_files_only=True,
    )
    # diffusers makes numbers of blocks in the weights of linear layers alone. Elsewhere it would compute with bytes.
    tools: Any = importlib.import_module("diffusers.quantizers.gguf.utils")
    for part in network.modules():
        for name, tensor in [*part.named_parameters(recurse=False)]:
            is_weight = isinstance(part, tools.GGUFLinear) and name == "weight"
            if isinstance(tensor, tools.GGUFParameter) and not is_weight:
                numbers = tools.dequantize_gguf_tensor(tensor).to(dtype)
                setattr(part, name, torch.nn.Parameter(numbers, requires_grad=False))
    return network


def _tensors(path: Path) -> list[Any]:
    """What the header says about each tensor, after a check that all of them lie within the file."""
    what = f"The file {path.name}"
    with opened(path) as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise ModelUnavailable(f"{what} is no GGUF file; download it again.")
    need_package("gguf", what)
    try:
        found: list[Any] = _reader()(path).tensors
    except (ValueError, KeyError, IndexError, OverflowError, TypeError) as error:
        raise ModelUnavailable(f"{what} is broken or cut off ({error}); download it again.") from error
    known = importlib.import_module("diffusers.quantizers.gguf.utils").SUPPORTED_GGUF_QUANT_TYPES
    for each in found:
        if each.tensor_type not in known and each.tensor_type.name not in _PLAIN:
            raise ModelUnavailable(
                f"{what} keeps {each.name} as {each.tensor_type.name}, which diffusers does not read; take one as "
                "Q4_K_M or Q8_0."
            )
    return found


@functools.cache
def _reader() -> Any:
    """The package's reader, but it stops where the file ends; else it reads what the header says."""
    package: Any = importlib.import_module("gguf")

    class Reader(package.GGUFReader):
        def _get(self, offset: int, dtype: Any, count: int = 1, **order: Any) -> Any:
            found: Any = super()._get(offset, dtype, count, **order)
            if len(found) < count:
                raise ValueError(f"it ends before byte {offset}")
            return found

    return Reader
