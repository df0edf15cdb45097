"""Checks from headers alone that a component has all its weights, in the shapes of its configuration.

The library's own class is built without memory, on torch's device `meta`. The names in the files pass through the
library's own renaming, so that an old file is not mistaken for a broken one.
"""

import functools
import json
import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import torch
from accelerate import init_empty_weights
from diffusers.models.modeling_utils import ModelMixin
from transformers import PreTrainedModel

from pipeline.engine.failures import ModelUnavailable, blaming, detail_of
from pipeline.engine.weights.components import Weights, read_json, title_of
from pipeline.engine.weights.quantised import refuse_quantised

log = logging.getLogger(__name__)

Tensors = Mapping[str, torch.Tensor]
_FEW: Final = 1024
"""Upper limit of tokens that come from no merge: single characters, with and without word end, and special tokens."""
_LEAST_MERGES: Final = 0.9
_LEAST_WORDS: Final = 0.5


def check_component(component: str, some_class: Any, folder: Path, weights: Weights) -> tuple[str, ...]:
    """Check that a component's files are complete.

    Args:
        component: name of the component in the index.
        some_class: class of diffusers or transformers.
        folder: folder with the component's `config.json`.
        weights: the component's weight files.

    Returns:
        Tensor names in the files that the class does not know.

    Raises:
        ModelUnavailable: a tensor is missing or has another shape; the message is one sentence about it.
    """
    config = read_json(folder / "config.json")
    if "quantization_config" in config:
        # A quantisation library stores other tensors than the class has.
        return ()
    tensors = weights.tensors()
    refuse_quantised(tensors, f"The {title_of(component)} in {folder}")
    where = f"The {title_of(component)} in {folder}"
    if issubclass(some_class, ModelMixin):
        found: dict[str, torch.Tensor] = dict(tensors)
        if len(weights.files) == 1:
            network = _empty(some_class, _key_of(config))
            network._fix_state_dict_keys_on_load(found)  # noqa: SLF001 - the names of old VAEs
        return compare(where, expected_shapes(some_class, config), found)
    if issubclass(some_class, PreTrainedModel):
        return _tried(where, some_class, folder, tensors)
    return ()


def compare(where: str, expected: Mapping[str, torch.Size], found: Tensors) -> tuple[str, ...]:
    """Compare expected names and shapes with the tensors that were found.

    Args:
        where: subject of the message, such as "The VAE in FILE".
        expected: expected shapes by name.
        found: tensors by name.

    Returns:
        Names that were not expected.

    Raises:
        ModelUnavailable: a tensor is missing or has another shape; the message is one sentence about it.
    """
    check_none_missing(where, [name for name in expected if name not in found], len(expected))
    for name, shape in expected.items():
        if found[name].shape != shape:
            raise ModelUnavailable(_of_another_shape(where, name, found[name].shape, shape))
    return tuple(sorted(name for name in found if name not in expected))


def check_none_missing(where: str, missing: Collection[str], total: int) -> None:
    """Check that no weight is missing.

    Raises:
        ModelUnavailable: a weight is missing.
    """
    if missing:
        raise ModelUnavailable(
            f"{where} is not whole: {len(missing)} of its {total} weights are missing, {min(missing)} among them; "
            "download it again."
        )


def expected_shapes(some_class: Any, config: Mapping[str, Any]) -> Mapping[str, torch.Size]:
    """Shapes by name of all tensors in the files of a diffusers network."""
    return _expected(some_class, _key_of(config))


@functools.lru_cache(maxsize=64)
def _expected(some_class: Any, config: str) -> Mapping[str, torch.Size]:
    return {name: tensor.shape for name, tensor in _empty(some_class, config).state_dict().items()}


@functools.lru_cache(maxsize=4)
def _empty(some_class: Any, config: str) -> Any:
    """Build a diffusers network without allocating memory. Nobody may change it: the next check uses it again."""
    with init_empty_weights():
        return some_class.from_config(json.loads(config))


def _key_of(config: Mapping[str, Any]) -> str:
    return json.dumps(config, sort_keys=True)


def _tried(where: str, some_class: Any, folder: Path, tensors: Tensors) -> tuple[str, ...]:
    """Load tensors without data with transformers, and check its report; transformers applies its own renaming.

    Returns:
        Tensor names that the class does not know.

    Raises:
        ModelUnavailable: a tensor is missing or has another shape.
    """
    config: Any = some_class.config_class.from_pretrained(folder, local_files_only=True)
    try:
        model, told = some_class.from_pretrained(
            None,
            config=config,
            state_dict=dict(tensors),
            device_map="meta",
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    # Some classes cannot be loaded without data. The real loading checks them and reports their errors as sentences.
    except Exception as error:  # noqa: BLE001 - see above
        log.info("%s could not be looked through: %s", where, detail_of(error))
        return ()
    check_none_missing(where, told["missing_keys"], len(model.state_dict()))
    for name, found, expected in sorted(told["mismatched_keys"]):
        raise ModelUnavailable(_of_another_shape(where, name, found, expected))
    return tuple(sorted(told["unexpected_keys"]))


def _of_another_shape(where: str, name: str, found: torch.Size, expected: torch.Size) -> str:
    return (
        f"{where} is not the one of its configuration: {name} is {_sides(found)} and not {_sides(expected)}; "
        "its files belong to different models."
    )


def _sides(shape: torch.Size) -> str:
    return " x ".join(map(str, shape)) or "a single number"


def check_tokenizer(component: str, some_class: Any, folder: Path, rows: int | None) -> None:
    """Check that a tokenizer has its vocabulary, and that the text encoder's table has a row for each token.

    Args:
        component: name of the component in the index.
        some_class: class of transformers.
        folder: folder with the tokenizer's files.
        rows: number of rows of the text encoder's table; None when unknown.

    Raises:
        ModelUnavailable: the tokenizer is broken or does not fit; the message is one sentence about it.
    """
    title = f"The {title_of(component)} in {folder}"
    with blaming(f"{title} cannot be read; download it again"):
        tokenizer: Any = some_class.from_pretrained(folder, local_files_only=True)
        # FLUX.2 and Kandinsky 5 name a processor there, which holds the tokenizer.
        tokenizer = getattr(tokenizer, "tokenizer", tokenizer)
        words = len(tokenizer)
        # A slow tokenizer has no backend that could be inspected.
        backend: Any = getattr(tokenizer, "backend_tokenizer", None)
        content: Any = {} if backend is None else json.loads(backend.to_str())["model"]
    vocabulary, merges = len(content.get("vocab") or ()), len(content.get("merges") or ())
    is_short = content.get("type") == "BPE" and merges < _LEAST_MERGES * vocabulary - _FEW
    if rows is not None and words < _LEAST_WORDS * rows:
        raise ModelUnavailable(
            f"{title} is not whole: it knows {words} words and its text encoder {rows}; download it again."
        )
    if is_short:
        raise ModelUnavailable(
            f"{title} is not whole: it has {merges} merges for {vocabulary} words; download it again."
        )
    if rows is not None and words > rows:
        raise ModelUnavailable(
            f"{title} is not that of the text encoder: it knows {words} words and the text encoder only {rows}."
        )
