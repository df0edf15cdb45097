"""Reads a file of tensors as a whole, with its identity and hash, and caches the results by identity, not by name.

The owner may replace or overwrite a file at any time. A cached result is used only while the file is unchanged. All
tensors come from a single read. So no picture mixes an old file with a new one.
"""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.file_identity import Identity, identity_in, identity_of
from pipeline.engine.weights.headers import header_in, opened

_T = TypeVar("_T")
Header = Mapping[str, Any]
"""Result of `headers.read_header`."""
Check = Callable[[Header, str], None]
"""Function of a header and the file's name; it raises when the file must not be read."""
_TRIES: Final = 3
"""Attempts at reading a file that changes during the read."""


def anything(header: Header, name: str) -> None:
    """Check that accepts every file."""
    del header, name


class BrokenNumbers(ModelUnavailable):
    """The file holds NaN or infinity."""


class Contents(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A file's whole contents.

    Attributes:
        name: name of the file.
        identity: identity of the file that was read.
        digest: SHA-256 of the file's bytes, as hexadecimal digits.
        header: the checked header.
        tensors: tensors by name, on the CPU.
    """

    name: str
    identity: Identity
    digest: str
    header: Header
    tensors: dict[str, torch.Tensor]


def read_contents(path: Path, check: Check) -> Contents:
    """Read a whole file.

    Args:
        path: a `.safetensors` file.
        check: checks the header before the tensors are read.

    Raises:
        ModelUnavailable: the file is broken, holds NaN or infinity, or is being written; the message is one sentence.
        Exception: any exception of `check`.
    """
    for _ in range(_TRIES):
        with opened(path) as file:
            identity = identity_in(os.fstat(file.fileno()))
            header = header_in(file, path.name)
            check(header, path.name)
            file.seek(0)
            data = file.read()
            is_settled = identity_in(os.fstat(file.fileno())) == identity
        if is_settled:
            return Contents(
                name=path.name,
                identity=identity,
                digest=hashlib.sha256(data).hexdigest(),
                header=header,
                tensors=_tensors_in(data, path.name),
            )
    raise ModelUnavailable(f"The file {path.name} is being written; use it when that is done.")


def _tensors_in(data: bytes, name: str) -> dict[str, torch.Tensor]:
    try:
        tensors = load(data)
    except SafetensorError as error:
        raise ModelUnavailable(f"The file {name} cannot be read; download it again.") from error
    for tensor in tensors.values():
        # torch has no `isfinite` for 8-bit floats, so the tensor is converted first.
        if tensor.is_floating_point() and not tensor.float().isfinite().all():
            raise BrokenNumbers(f"The file {name} holds NaN or infinity; download it again, or take it away.")
    return tensors


class Made(msgspec.Struct, Generic[_T], frozen=True, eq=False):
    """Result for a file, with the file's identity and digest."""

    identity: Identity
    digest: str
    result: _T


class MadeOfFiles(Generic[_T]):
    """Cache of results for the files used last; a changed file is read again.

    Args:
        make: makes the result from a file's contents; its exceptions are not cached.
        check: see `read_contents`.
        most: greatest number of files in the cache.
    """

    def __init__(self, make: Callable[[Contents], _T], check: Check, most: int) -> None:
        self._make = make
        self._check = check
        self._most = most
        self._made: OrderedDict[Path, Made[_T]] = OrderedDict()

    def of(self, path: Path) -> Made[_T]:
        """Result for the file that has this path now.

        Raises:
            ModelUnavailable: see `read_contents`.
            Exception: any exception of `make`.
        """
        made = self._made.pop(path, None)
        if made is None or made.identity != identity_of(path):
            contents = read_contents(path, self._check)
            made = Made(contents.identity, contents.digest, self._make(contents))
        self._made[path] = made
        if len(self._made) > self._most:
            self._made.popitem(last=False)
        return made
