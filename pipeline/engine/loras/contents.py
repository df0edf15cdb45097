"""A file of tensors as it was at one moment, with the hash of what was read, so that nothing is kept by a name.

A file may be replaced under its name at any time, in place or by another. What was made of it is used while the file is
the same one, and what was read together is used together: no picture is half of the old file and half of the new.
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
"""What `headers.read_header` gives."""
Check = Callable[[Header, str], None]
"""Takes a header and the file's name, and raises where it shows a file that shall not be read."""
_TRIES: Final = 3
"""Of reading a file that somebody writes meanwhile."""


def anything(header: Header, name: str) -> None:
    """The check of those who read whatever it is."""
    del header, name


class BrokenNumbers(ModelUnavailable):
    """A file holds NaN or infinity."""


class Contents(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """All of a file.

    Attributes:
        name: of the file.
        identity: of the file that was read.
        digest: SHA-256 of its bytes, as hexadecimal digits.
        header: checked.
        tensors: by name, on the CPU.
    """

    name: str
    identity: Identity
    digest: str
    header: Header
    tensors: dict[str, torch.Tensor]


def read_contents(path: Path, check: Check) -> Contents:
    """Read a file whole.

    Args:
        path: a `.safetensors` file.
        check: what must be true of its header.

    Raises:
        ModelUnavailable: it is broken, holds NaN or infinity, or is being written; one sentence.
        Exception: what `check` raises.
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
        # Numbers of eight bits cannot be asked themselves.
        if tensor.is_floating_point() and not tensor.float().isfinite().all():
            raise BrokenNumbers(f"The file {name} holds NaN or infinity; download it again, or take it away.")
    return tensors


class Made(msgspec.Struct, Generic[_T], frozen=True, eq=False):
    """What was made of a file, with the identity and the digest of what it was made of."""

    identity: Identity
    digest: str
    result: _T


class MadeOfFiles(Generic[_T]):
    """What was made of the files that were used last; once a file is another one it is made anew.

    Args:
        make: from all of a file to what is kept; what it raises is not kept.
        check: see `read_contents`.
        most: files.
    """

    def __init__(self, make: Callable[[Contents], _T], check: Check, most: int) -> None:
        self._make = make
        self._check = check
        self._most = most
        self._made: OrderedDict[Path, Made[_T]] = OrderedDict()

    def of(self, path: Path) -> Made[_T]:
        """What the file is good for that has this name now.

        Raises:
            ModelUnavailable: see `read_contents`.
        """
        made = self._made.pop(path, None)
        if made is None or made.identity != identity_of(path):
            contents = read_contents(path, self._check)
            made = Made(contents.identity, contents.digest, self._make(contents))
        self._made[path] = made
        if len(self._made) > self._most:
            self._made.popitem(last=False)
        return made
