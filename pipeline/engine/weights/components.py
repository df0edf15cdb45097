"""Components of a diffusers model: classes that the index names, titles for messages, and weight files."""

import importlib
import json
import re
from pathlib import Path
from typing import Any, Final

import diffusers.pipelines
import msgspec
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.headers import read_tensors

_TITLES: Final = {
    "unet": "U-Net",
    "vae": "VAE",
    "text_encoder": "text encoder",
    "text_encoder_2": "second text encoder",
    "text_encoder_3": "third text encoder",
    "tokenizer": "tokenizer",
    "tokenizer_2": "second tokenizer",
    "tokenizer_3": "third tokenizer",
}
_LIBRARIES: Final = ("diffusers", "transformers")
_PICKLES: Final = (".bin", ".ckpt", ".pt", ".pth")
_SHARD: Final = re.compile(r"-\d{5}-of-\d{5}$")
_LIKED_VARIANTS: Final = ("fp16", "bf16", "fp32")


def title_of(component: str) -> str:
    """Title of a component in messages for the owner, such as for `text_encoder_2`."""
    return _TITLES.get(component, component.replace("_", " "))


def component_class(library: str, name: str) -> Any:
    """Class that an index names; None when this version of the library has no such class.

    Raises:
        ValueError: Easel runs no code of this library.
    """
    if library in _LIBRARIES:
        return getattr(importlib.import_module(library), name, None)
    if hasattr(diffusers.pipelines, library):
        return getattr(getattr(diffusers.pipelines, library), name, None)
    raise ValueError(library)


def has_weights(some_class: Any) -> bool:
    """True for the class of a network; False for tokenizers, schedulers and processors."""
    return isinstance(some_class, type) and issubclass(some_class, nn.Module)


def part_of(folder: Path, component: str) -> Path:
    """Folder of a component's files: a subfolder of the model, or `folder` itself when it has no such subfolder."""
    inner = folder / component
    return inner if inner.is_dir() else folder


def read_json(path: Path) -> dict[str, Any]:
    """Read a configuration file.

    Raises:
        ModelUnavailable: the file does not exist or cannot be read.
    """
    if not path.is_file():
        raise ModelUnavailable(f"There is no file {path}.")
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelUnavailable(f"The file {path} cannot be read; download it again.") from error
    if not isinstance(content, dict):
        raise ModelUnavailable(f"The file {path} cannot be read; download it again.")
    return {str(key): value for key, value in content.items()}  # pyright: ignore[reportUnknownVariableType] - JSON


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """Weight files of one component.

    Attributes:
        files: all shards, or the single file.
        variant: variant in the file names, such as `fp16`; None without one.
    """

    files: tuple[Path, ...]
    variant: str | None

    def tensors(self) -> dict[str, Any]:
        """All tensors without their data; see `read_tensors`."""
        return {name: tensor for file in self.files for name, tensor in read_tensors(file).items()}


def find_weights(folder: Path, some_class: Any) -> Weights:
    """Find the weight files to load from a component's folder; files without a variant are preferred.

    Raises:
        ModelUnavailable: there are no weight files, or a shard is missing.
    """
    stem = "diffusion_pytorch_model" if issubclass(some_class, ModelMixin) else "model"
    plain = _files(folder, stem, None)
    if plain:
        return Weights(files=plain, variant=None)
    variants = _variants(folder, stem)
    for variant in (*(liked for liked in _LIKED_VARIANTS if liked in variants), *variants):
        found = _files(folder, stem, variant)
        if found:
            return Weights(files=found, variant=variant)
    raise ModelUnavailable(_nothing_there(folder, stem))


def _variants(folder: Path, stem: str) -> list[str]:
    found: set[str] = set()
    for file in folder.glob(f"{stem}.*safetensors*"):
        name = file.name.removeprefix(f"{stem}.")
        if name.endswith(".safetensors"):
            found.add(_SHARD.sub("", name.removesuffix(".safetensors")))
        elif name.startswith("safetensors.index.") and name.endswith(".json"):
            found.add(name.removeprefix("safetensors.index.").removesuffix("json").removesuffix("."))
    return sorted(found - {""})


def _files(folder: Path, stem: str, variant: str | None) -> tuple[Path, ...]:
    whole = folder / (f"{stem}.safetensors" if variant is None else f"{stem}.{variant}.safetensors")
    if whole.is_file():
        return (whole,)
    index = folder / f"{stem}.safetensors.index{'' if variant is None else f'.{variant}'}.json"
    if not index.is_file():
        return ()
    try:
        shards = sorted({str(name) for name in read_json(index)["weight_map"].values()})
    except (KeyError, AttributeError) as error:
        raise ModelUnavailable(f"The file {index} cannot be read; download it again.") from error
    for shard in shards:
        if not (folder / shard).is_file():
            raise ModelUnavailable(f"The folder {folder} has no {shard}; download it again.")
    return tuple(folder / shard for shard in shards)


def _nothing_there(folder: Path, stem: str) -> str:
    if not folder.is_dir():
        return f"There is no folder {folder}."
    names = sorted(file.name for file in folder.iterdir())
    if any(name.endswith(".safetensors") for name in names):
        return f"The folder {folder} has .safetensors files, but none is {stem}.safetensors or all of its parts."
    if any(name.endswith(_PICKLES) for name in names):
        return f"The folder {folder} holds no .safetensors file; its others may run foreign code, so convert them."
    return f"The folder {folder} holds no .safetensors file."
