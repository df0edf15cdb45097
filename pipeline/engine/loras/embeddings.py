"""Embeddings from textual inversion: a file's vectors replace words of a prompt.

Four layouts of tensor names are known: A1111's (`emb_params`, `string_to_param.*`), diffusers' (one tensor, named by
its token), that of models with two text encoders (`clip_l`, `clip_g`), and each of these inside a LoRA's file
(`bundle_emb.NAME.…`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import torch

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.loras.contents import Contents, Header
from pipeline.engine.loras.kinds import is_adapter

MAX_VECTORS: Final = 75
"""Greatest number of vectors: the tokens that a CLIP text encoder reads at once."""
NO_EMBEDDINGS: Final = "this kind of model takes no embeddings"
_BUNDLE: Final = "bundle_emb"
_NAMES: Final[Mapping[str, int]] = {
    "emb_params": 0,
    "string_to_param.*": 0,
    "string_to_param": 0,
    "*": 0,
    "clip_l": 0,
    "clip_g": 1,
}
"""Index of the text encoder that a tensor belongs to, by the tensor's name."""
_FLOATS: Final = ("F64", "F32", "F16", "BF16")


class EmbeddingUnfit(Exception):
    """The embedding cannot be used with this model; the message is a short phrase with the reason."""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Tensors of an embedding in a file.

    Attributes:
        keys: tensor names, one for each text encoder in the model's order.
        widths: length of the vectors in each of these tensors.
        token: the trainer's name for the embedding; empty when the file has none.
    """

    keys: tuple[str, ...]
    widths: tuple[int, ...]
    token: str = ""

    @property
    def family(self) -> str:
        """Family of the models that it may fit, as in `ModelSpec.family`."""
        return "sd" if len(self.keys) == 1 else "sdxl"


class Embedding(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Vectors that replace a word.

    Attributes:
        digest: SHA-256 of the file.
        vectors: [n, features] for each text encoder in the model's order, on the CPU.
    """

    digest: str
    vectors: tuple[torch.Tensor, ...]

    @property
    def count(self) -> int:
        """Number of tokens that the vectors replace."""
        return len(self.vectors[0])


def layout_of(header: Header, name: str) -> Layout | None:
    """Layout of the embedding in a file; None when the file is no embedding.

    Args:
        header: header of the file.
        name: name of the file.

    Raises:
        ModelUnavailable: no text encoder can read the embedding; the message is one sentence.
    """
    entries = {key: entry for key, entry in header.items() if key != "__metadata__"}
    if entries.keys() <= _NAMES.keys():
        return _layout(entries, name)
    if len(entries) == 1:
        ((key, entry),) = entries.items()
        if _is_token(key) and len(entry["shape"]) in (1, 2):
            return _layout(entries, name)
    return None


def bundled(header: Header, name: str) -> dict[str, Layout]:
    """Layouts of the embeddings in a LoRA's file, by embedding name.

    Unusable embeddings are skipped, because the LoRA itself is still usable.

    Args:
        header: header of the file.
        name: name of the file.
    """
    groups: dict[str, dict[str, Any]] = {}
    for key, entry in header.items():
        group, _, rest = key.partition(".")
        if group == _BUNDLE:
            token = next((rest.removesuffix(f".{known}") for known in _NAMES if rest.endswith(f".{known}")), rest)
            groups.setdefault(token, {})[key] = entry
    found: dict[str, Layout] = {}
    for token, entries in groups.items():
        try:
            found[token] = _layout(entries, name, f"{_BUNDLE}.{token}.")
        except ModelUnavailable:
            continue
    return found


def without_bundled(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors of a LoRA's file without its embeddings."""
    return {key: tensor for key, tensor in tensors.items() if not key.startswith(f"{_BUNDLE}.")}


def embedding_in(contents: Contents, layout: Layout) -> Embedding:
    """Embedding from the tensors that a layout names."""
    tensors = [contents.tensors[key].float() for key in layout.keys]
    return Embedding(digest=contents.digest, vectors=tuple(torch.atleast_2d(tensor) for tensor in tensors))


def check_fits(embedding: Embedding, widths: Sequence[int]) -> None:
    """Check that a model's text encoders can read an embedding.

    Args:
        embedding: the embedding.
        widths: length of a token's vector in each text encoder; empty when the model takes no embeddings.

    Raises:
        EmbeddingUnfit: the vectors have another length, or the model takes no embeddings.
    """
    if not widths:
        raise EmbeddingUnfit(NO_EMBEDDINGS)
    has = [tensor.shape[1] for tensor in embedding.vectors]
    if has != list(widths):
        raise EmbeddingUnfit(f"its vectors have {_sizes(has)} numbers and those of this model's words {_sizes(widths)}")


def _layout(entries: Mapping[str, Any], name: str, before: str = "") -> Layout:
    placed = {_NAMES.get(key.removeprefix(before), 0): key for key in entries}
    keys = tuple(placed[place] for place in sorted(placed))
    shapes = [entries[key]["shape"] for key in keys]
    counts = {shape[0] if len(shape) > 1 else 1 for shape in shapes}
    is_whole = sorted(placed) == list(range(len(entries))) and len(counts) == 1
    if not is_whole or any(len(shape) not in (1, 2) or 0 in shape for shape in shapes):
        raise ModelUnavailable(f"The file {name} is an embedding whose parts do not go together; download it again.")
    if any(entries[key]["dtype"] not in _FLOATS for key in keys):
        raise ModelUnavailable(f"The file {name} is an embedding of whole numbers, which no text encoder reads.")
    if max(counts) > MAX_VECTORS:
        raise ModelUnavailable(
            f"The file {name} is an embedding of {max(counts)} vectors; a text encoder reads {MAX_VECTORS} at once."
        )
    token = "" if keys[0].removeprefix(before) in _NAMES else keys[0]
    return Layout(keys=keys, widths=tuple(shape[-1] for shape in shapes), token=token)


def _is_token(key: str) -> bool:
    """True when a tensor's name is a token: module names contain dots, and LoRA matrices have known endings."""
    return key.startswith("<") or ("." not in key and not is_adapter({key: None}))


def _sizes(widths: Iterable[int]) -> str:
    return " and ".join(map(str, widths))
