"""Which files of a repository Easel reads."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from bot.cli.models.failing import ModelsFailed

_PICKLES: Final = (".bin", ".ckpt", ".pt", ".pth")
_NEVER: Final = (*_PICKLES, ".gguf", ".h5", ".msgpack", ".onnx", ".onnx_data", ".pb", ".py", ".xml")
"""Endings of weights of other programs, and of code."""
_SAFE: Final = ".safetensors"
_STEMS: Final = ("diffusion_pytorch_model", "model")
_WEIGHTS: Final = re.compile(
    r"(?P<stem>\w+?)(?:\.(?P<variant>[\w-]+?))?(?:-\d{5}-of-\d{5})?"
    r"\.safetensors(?:\.index(?:\.(?P<of_index>[\w-]+))?\.json)?"
)
"""Names of weights in the diffusers layout: a whole file, a shard, or an index of shards; each may be of a variant."""
_LIKED: Final = ("fp16", "bf16", "fp32")


def select(files: Iterable[str], folders: Sequence[str], *, has_weights: bool = True) -> list[str]:
    """Names of the files that Easel reads from these folders of a repository.

    Of the weights these are the .safetensors files without a variant in their names, as the worker prefers them, or
    those of one variant.

    Args:
        files: names of all files.
        folders: names of folders; an empty one is the repository's own.
        has_weights: False for the configurations alone.

    Raises:
        ModelsFailed: a folder has weights that are only pickled.
    """
    wanted: list[str] = []
    for folder in folders:
        names = [name for name in files if name.rpartition("/")[0] == folder]
        weights = _weights(names) if has_weights else []
        if has_weights and not weights and any(name.endswith(_PICKLES) for name in names):
            raise ModelsFailed(
                f"{folder or 'The repository'} has only pickled weights, which may run foreign code, and Easel reads "
                "only safetensors; choose another revision, or download one file yourself and see `easel convert`."
            )
        wanted += [name for name in names if not name.endswith(_NEVER) and _SAFE not in name]
        wanted += weights
    return wanted


def _weights(names: Iterable[str]) -> list[str]:
    """The weights in one folder that the worker reads."""
    found: dict[str, list[str]] = {}
    for name in names:
        match = _WEIGHTS.fullmatch(name.rpartition("/")[2])
        if match is not None and match["stem"] in _STEMS:
            found.setdefault(match["variant"] or match["of_index"] or "", []).append(name)
    best = next((variant for variant in ("", *_LIKED, *found) if variant in found), None)
    return [] if best is None else found[best]
