"""Labels of LoRAs and embeddings, from the file's metadata and from the owner's optional file beside it."""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from pipeline.engine.failures import ModelUnavailable
from pipeline.prompts.tags import MAX_LORA_SCALE

_MOST_CHARACTERS: Final = 100
"""Greatest length of a title and of a trigger word, as in Discord's autocomplete."""
_MOST_WORDS: Final = 8
_MOST_COMMON_TAGS: Final = 3
_MOST_BESIDE_CHARACTERS: Final = 1_000_000
_NEGATIVE: Final = re.compile(r"^bad|negative|[-_]neg", re.IGNORECASE)
"""Pattern of names of embeddings for the negative prompt, such as EasyNegative, bad-hands-5, BadDream."""

# Families by the start of the name that trainers write. SDXL stands first, because its names too contain
# "stable-diffusion".
_FAMILIES: Final = (
    ("stable-diffusion-xl", "sdxl"),
    ("stable-diffusion-3", "sd3"),
    ("stable-diffusion-v", "sd"),
    ("flux2", "flux2"),
    ("flux-2", "flux2"),
    ("flux.2", "flux2"),
    ("flux", "flux"),
    ("z-image", "z-image"),
    ("zimage", "z-image"),
    ("sdxl", "sdxl"),
    ("sd3", "sd3"),
    ("sd_v", "sd"),
)


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """Description of a LoRA or embedding.

    Attributes:
        title: the name that members see.
        trigger_words: words to add to a prompt.
        scale: recommended weight.
        family: family of the models that it is made for; empty when unknown.
        is_negative: True when it is known to be for negative prompts.
    """

    title: str
    trigger_words: tuple[str, ...]
    scale: float
    family: str
    is_negative: bool


def read_label(path: Path, metadata: Mapping[str, Any]) -> Label:
    """Read title, trigger words, weight and family; the owner's file beside the LoRA overrides its metadata.

    Args:
        path: path of the LoRA or embedding; the owner's file is `name.toml` or `name.json` beside it.
        metadata: `__metadata__` of the header, with the keys of modelspec and of kohya's trainer.

    Raises:
        ModelUnavailable: the owner's file cannot be read; the message is one sentence.
    """
    beside = _read_beside(path)
    titles = (beside.get("title"), metadata.get("modelspec.title"), metadata.get("ss_output_name"), path.stem)
    # "activation text" and "preferred weight" are the keys in A1111's file of the same name.
    words = _words(beside.get("trigger_words", beside.get("activation text")))
    words = words or _words(metadata.get("modelspec.trigger_phrase")) or _words_of_every_caption(metadata)
    scale = beside.get("scale", beside.get("preferred weight")) or 1.0
    if not isinstance(scale, (int, float)) or not -MAX_LORA_SCALE <= scale <= MAX_LORA_SCALE:
        raise ModelUnavailable(
            f"The weight beside {path.name} is no number from -{MAX_LORA_SCALE:g} to {MAX_LORA_SCALE:g}."
        )
    is_negative = beside.get("negative", bool(_NEGATIVE.search(path.stem)))
    if not isinstance(is_negative, bool):
        raise ModelUnavailable(f"What stands for `negative` beside {path.name} is neither true nor false.")
    return Label(
        title=next(filter(None, map(_text, titles))),
        trigger_words=words,
        scale=float(scale),
        family=_family(metadata),
        is_negative=is_negative,
    )


def _read_beside(path: Path) -> dict[str, Any]:
    for suffix, read in ((".toml", tomllib.loads), (".json", json.loads)):
        beside = path.with_suffix(suffix)
        if not beside.is_file():
            continue
        try:
            with beside.open(encoding="utf-8-sig") as file:
                # The limit guards against huge files. A file that is cut off is no valid JSON or TOML.
                found: Any = read(file.read(_MOST_BESIDE_CHARACTERS))
        except (OSError, ValueError, RecursionError) as error:
            raise ModelUnavailable(f"The file {beside.name} cannot be read; mend it or take it away.") from error
        if not isinstance(found, dict):
            raise ModelUnavailable(f"The file {beside.name} holds no names and values; mend it or take it away.")
        return dict[str, Any](found)
    return {}


def _text(value: object) -> str:
    return " ".join(value.split())[:_MOST_CHARACTERS] if isinstance(value, str) else ""


def _words(value: object) -> tuple[str, ...]:
    """Words or phrases from a list or from comma-separated text."""
    found: list[Any] = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(word for word in map(_text, found) if word)[:_MOST_WORDS]


def _words_of_every_caption(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Words in the captions of all training pictures; rarer words would only be a guess."""
    try:
        counts: Any = json.loads(metadata["ss_tag_frequency"])
        folders: Any = json.loads(metadata["ss_dataset_dirs"])
        found = [
            tag.strip()
            for name, folder in folders.items()
            for tag, count in counts.get(name, {}).items()
            if count >= folder["img_count"] > 1
        ]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return ()
    return _words(list(dict.fromkeys(found)))[:_MOST_COMMON_TAGS]


def _family(metadata: Mapping[str, Any]) -> str:
    told = _text(metadata.get("modelspec.architecture")) or _text(metadata.get("ss_base_model_version"))
    return next((family for beginning, family in _FAMILIES if told.casefold().startswith(beginning)), "")
