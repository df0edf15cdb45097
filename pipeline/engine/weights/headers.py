"""Reads and checks headers of .safetensors files before a library reads them, so that errors are plain sentences."""

import json
import math
import os
import stat
import struct
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch

from pipeline.engine.failures import ModelUnavailable

MAX_HEADER_BYTES: Final = 100_000_000
"""Greatest header size that the safetensors library accepts."""

_LENGTH = struct.Struct("<Q")
_LONGEST_MARK: Final = 64
_OTHER_KINDS: Final = (
    (b"version https://git-lfs", "is a Git LFS pointer and not the file itself; fetch that with `git lfs pull`."),
    (b"<!doctype", "is a web page and no .safetensors file; download it again, perhaps with an account."),
    (b"<html", "is a web page and no .safetensors file; download it again, perhaps with an account."),
    (b"gguf", "is a GGUF file and no .safetensors file."),
    (
        b"pk\x03\x04",
        "is a pickle or an archive under another name and no .safetensors file; others may run foreign code.",
    ),
    (b"\x80\x02", "is a pickle under another name and no .safetensors file; others may run foreign code."),
)
"""Kinds of files that downloads may really be, by their first bytes in lower case."""

_METADATA: Final = "__metadata__"
_READS_TEXT: Final = "attn2.to_k.weight"
_DTYPES: Final[Mapping[str, torch.dtype]] = MappingProxyType(
    {
        "BOOL": torch.bool,
        "U8": torch.uint8,
        "I8": torch.int8,
        "I16": torch.int16,
        "I32": torch.int32,
        "I64": torch.int64,
        "F8_E4M3": torch.float8_e4m3fn,
        "F8_E5M2": torch.float8_e5m2,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
        "F32": torch.float32,
        "F64": torch.float64,
    }
)
_NAMED_ALIKE: Final = ("model", "diffusion_pytorch_model")
"""Beginnings of the names that transformers and diffusers give to every file of weights in a folder."""


def check_safetensors(path: Path) -> None:
    """Check that the header is complete and that every tensor lies within the file.

    Raises:
        ModelUnavailable: the file is broken; the message is one sentence about it.
    """
    read_header(path)


def count_numbers(path: Path) -> int:
    """Number of elements in all tensors of a file.

    Raises:
        ModelUnavailable: see `check_safetensors`.
    """
    entries = read_header(path)
    return sum(math.prod(entry["shape"]) for name, entry in entries.items() if name != _METADATA)


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Tensors of a file by name, with shape and precision but without data (on torch's device `meta`).

    Raises:
        ModelUnavailable: see `check_safetensors`; also when a precision is unknown.
    """
    return {
        name: torch.empty(entry["shape"], dtype=_dtype(path, entry), device="meta")
        for name, entry in read_header(path).items()
        if name != _METADATA
    }


def text_features_in(tensors: Mapping[str, torch.Tensor]) -> int | None:
    """Width of the text that the cross attention of a U-Net or ControlNet reads; None if there is no single one."""
    widths = {tensor.shape[-1] for name, tensor in tensors.items() if name.endswith(_READS_TEXT) and tensor.ndim}
    return widths.pop() if len(widths) == 1 else None


def read_metadata(path: Path) -> dict[str, str]:
    """Metadata of a file; empty when it has none.

    Raises:
        ModelUnavailable: see `check_safetensors`.
    """
    metadata: Any = read_header(path).get(_METADATA)
    return {str(key): str(value) for key, value in metadata.items()} if isinstance(metadata, dict) else {}


def _dtype(path: Path, entry: Mapping[str, Any]) -> torch.dtype:
    name = entry["dtype"]
    dtype = _DTYPES.get(name)
    if dtype is None:
        raise ModelUnavailable(
            f"The file {_shown(path)} keeps numbers as {name}, which Easel does not read; take the model in float16."
        )
    return dtype


def read_header(path: Path) -> dict[str, Any]:
    """Read and check a header: `dtype`, `shape` and `data_offsets` of each tensor by name, and `__metadata__` if any.

    Raises:
        ModelUnavailable: the file is broken; the message is one sentence about it.
    """
    with opened(path) as file:
        return header_in(file, _shown(path))


def _shown(path: Path) -> str:
    """Name of a file in messages. Files that are named alike in every folder have their folder's name before it."""
    return f"{path.parent.name}/{path.name}" if path.name.startswith(_NAMED_ALIKE) else path.name


@contextmanager
def opened(path: Path) -> Generator[BufferedReader]:
    """Context with an open file.

    Raises:
        ModelUnavailable: the path is no regular file or cannot be read; the message is one sentence.
    """
    try:
        # Opening a pipe would block for ever.
        if not stat.S_ISREG(path.stat().st_mode):
            raise ModelUnavailable(f"{_shown(path)} is no file.")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError as error:
        raise ModelUnavailable(f"There is no file {path}.") from error
    except OSError as error:
        raise ModelUnavailable(f"The file {_shown(path)} cannot be read: {error.strerror}.") from error


def header_in(file: BufferedReader, name: str) -> dict[str, Any]:
    """Read and check a header like `read_header`, from the start of an open file.

    Raises:
        ModelUnavailable: the file is broken; the message is one sentence about it.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    prefix = file.read(_LENGTH.size)
    if len(prefix) < _LENGTH.size:
        raise ModelUnavailable(f"The file {name} is empty or cut off; download it again.")
    (length,) = _LENGTH.unpack(prefix)
    if length > MAX_HEADER_BYTES or _LENGTH.size + length > size:
        beginning = prefix + file.read(_LONGEST_MARK)
        raise ModelUnavailable(f"The file {name} {_other_kind(beginning)}")
    return _checked(name, file.read(length), size - _LENGTH.size - length)


def _other_kind(beginning: bytes) -> str:
    """End of a message about a file without a header, by its first bytes."""
    kinds = (kind for mark, kind in _OTHER_KINDS if beginning.lstrip().lower().startswith(mark))
    return next(kinds, "is no .safetensors file, or is cut off.")


def _checked(name: str, header: bytes, data_bytes: int) -> dict[str, Any]:
    try:
        entries: Any = json.loads(header)
        tensors = [entry for key, entry in entries.items() if key != _METADATA]
        is_whole = len(tensors) > 0 and all(map(_is_tensor, tensors))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelUnavailable(f"The header of {name} is broken; download the file again.") from error
    if not is_whole:
        raise ModelUnavailable(f"The header of {name} is broken; download the file again.")
    if max(entry["data_offsets"][1] for entry in tensors) > data_bytes:
        raise ModelUnavailable(f"The file {name} is cut off; download it again.")
    return entries


def _is_tensor(entry: Mapping[str, Any]) -> bool:
    """True when an entry has all required values, with the right types."""
    begin, end = entry["data_offsets"]
    numbers = [begin, end, *entry["shape"]]
    return (
        isinstance(entry["dtype"], str)
        and isinstance(entry["shape"], list)
        and all(type(number) is int and number >= 0 for number in numbers)
        and begin <= end
    )
