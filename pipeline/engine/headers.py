"""A look at a .safetensors file before a library reads it: broken downloads get a plain sentence."""

import json
import math
import struct
from pathlib import Path
from typing import Any, Final

from pipeline.engine.failures import ModelUnavailable

MAX_HEADER_BYTES: Final = 100_000_000
"""What the safetensors library itself accepts."""

_LENGTH = struct.Struct("<Q")


def check_safetensors(path: Path) -> None:
    """See that the header is whole and that every tensor lies inside the file.

    Raises:
        ModelUnavailable: one sentence about what is wrong.
    """
    header, data_bytes = _read(path)
    _check_offsets(path, header, data_bytes)


def count_numbers(path: Path) -> int:
    """How many numbers all tensors of a file have together.

    Raises:
        ModelUnavailable: see `check_safetensors`.
    """
    header, data_bytes = _read(path)
    entries = _check_offsets(path, header, data_bytes)
    return sum(math.prod(entry.get("shape", ())) for name, entry in entries.items() if name != "__metadata__")


def _read(path: Path) -> tuple[bytes, int]:
    """The header, and the bytes behind it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            prefix = file.read(_LENGTH.size)
            if len(prefix) < _LENGTH.size:
                raise ModelUnavailable(f"The file {path.name} is empty or cut off; download it again.")
            (length,) = _LENGTH.unpack(prefix)
            if length > MAX_HEADER_BYTES or _LENGTH.size + length > size:
                raise ModelUnavailable(f"The file {path.name} is no .safetensors file, or is cut off.")
            header = file.read(length)
    except FileNotFoundError as error:
        raise ModelUnavailable(f"There is no file {path}.") from error
    except OSError as error:
        raise ModelUnavailable(f"The file {path.name} cannot be read: {error.strerror}.") from error
    return header, size - _LENGTH.size - length


def _check_offsets(path: Path, header: bytes, data_bytes: int) -> dict[str, Any]:
    """The entries of a header whose tensors are all there."""
    try:
        entries: Any = json.loads(header)
        ends = [
            int(entry["data_offsets"][1])
            for name, entry in entries.items()
            if name != "__metadata__" and 0 <= int(entry["data_offsets"][0]) <= int(entry["data_offsets"][1])
        ]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ModelUnavailable(f"The header of {path.name} is broken; download the file again.") from error
    tensors = len(entries) - ("__metadata__" in entries)
    if tensors == 0 or len(ends) != tensors:
        raise ModelUnavailable(f"The header of {path.name} is broken; download the file again.")
    if max(ends) > data_bytes:
        raise ModelUnavailable(f"The file {path.name} is cut off; download it again.")
    return entries
