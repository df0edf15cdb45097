"""Converts a file of weights that Python pickled: `python -m pipeline.converting FD`.

A pickle can run code when it is read. So a process of its own reads it, without network and secrets, with bounded
memory and time, and with torch's reader that makes nothing but tensors. The file is its standard input. The
descriptor's file receives the weights as safetensors, and standard output a line of JSON.
"""

import os
import pickle
import resource
import sys
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

import msgspec
import torch
from safetensors.torch import save
from spandrel import UnsupportedModelError, canonicalize_state_dict

from pipeline.engine.pixels.architectures import NON_COMMERCIAL, network_loader
from pipeline.protocol.reading import Converted, ConvertingAnswer, NotConverted
from pipeline.reading.confinement import drop_rights, limit

LIMITS: Final = {
    resource.RLIMIT_AS: 32 << 30,
    resource.RLIMIT_CPU: 300,
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 16 << 30,
    resource.RLIMIT_NPROC: 0,
}
"""Limits by resource. Torch maps more memory than it uses."""


def main() -> None:
    """Convert standard input."""
    torch.set_num_threads(1)
    loader = network_loader()
    drop_rights("easel-convert")
    for kind, most in LIMITS.items():
        limit(kind, most)
    with os.fdopen(int(sys.argv[1]), "wb") as target:
        answer = convert(sys.stdin.buffer, target, loader)
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    sys.stdout.buffer.flush()


def convert(source: BinaryIO, target: BinaryIO, loader: Any) -> ConvertingAnswer:
    """Read weights and write them as safetensors; the answer names their network.

    Args:
        source: a file that `torch.save` wrote.
        target: receives the converted file.
        loader: spandrel's loader.
    """
    try:
        found = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        return NotConverted(sentence="The file holds more than weights, or is no file of torch; nothing in it was run.")
    # A damaged file raises whatever the parsers of its parts raise.
    except Exception as error:  # noqa: BLE001 - see above
        return NotConverted(sentence=f"The file is damaged, or is no file of torch ({type(error).__name__}).")
    weights = dict(_tensors(found))
    if not weights:
        return NotConverted(sentence="The file holds no weights.")
    answer, weights = _recognized(weights, found, loader)
    target.write(save({name: tensor.clone().contiguous() for name, tensor in weights.items()}))
    return answer


def _recognized(
    weights: Mapping[str, torch.Tensor], found: object, loader: Any
) -> tuple[Converted, Mapping[str, torch.Tensor]]:
    """The network of the weights, and the weights under the names that spandrel looks for."""
    try:
        canonical = canonicalize_state_dict(dict(found)) if isinstance(found, Mapping) else dict(weights)
        model = loader.load_from_state_dict({**canonical})
    # Weights of other kinds of networks break the parsers in many ways. They are converted as they are.
    except (UnsupportedModelError, Exception):  # noqa: BLE001 - see above
        return Converted(), weights
    name = model.architecture.id
    answer = Converted(network=name, purpose=model.purpose, scale=model.scale, license=NON_COMMERCIAL.get(name, ""))
    return answer, {key: tensor for key, tensor in canonical.items() if isinstance(tensor, torch.Tensor)}


def _tensors(found: object, prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """All tensors of nested dictionaries, with dots between the names."""
    if not isinstance(found, Mapping):
        return
    for name, value in found.items():
        if isinstance(value, torch.Tensor):
            yield f"{prefix}{name}", value
        else:
            yield from _tensors(value, f"{prefix}{name}.")


if __name__ == "__main__":
    main()
