"""What a model's configuration files take from it, as far as the bot can read that without the model's libraries."""

from pathlib import Path
from typing import Any

import msgspec

from config.reading import NotReadable, read_text
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import FolderSource
from pipeline.protocol.catalogue.pipelines import (
    BLOCKS_INDEX,
    GUIDED_BY_COMPONENT,
    INDEX,
    LACKED_BY_CLASS,
    SCALE_AS_INPUT,
    lacks_in_steps,
)


def lacks_of_files(spec: ModelSpec) -> tuple[Capability, ...]:
    """Capabilities that a model in a diffusers folder lacks; none for other sources, and for files that say nothing.

    The worker reads the same from all sources and says what is wrong with them. Until it is ready, this is known.
    """
    if not isinstance(spec.source, FolderSource) or spec.drawn_by is not None:
        return ()
    folder = Path(spec.source.path)
    index = _index(folder)
    if spec.family != "pipeline":
        return lacks_in_steps(
            index, _read(folder / "unet" / "config.json"), _read(folder / "transformer" / "config.json")
        )
    name = pipeline_class_of(spec)
    lacks = LACKED_BY_CLASS.get(name, ())
    if name in GUIDED_BY_COMPONENT and not any(index.get("guider") or ()):
        lacks = (*lacks, Capability.NEGATIVE_PROMPT, Capability.UNCONDITIONAL_ROW)
    is_blind = name in SCALE_AS_INPUT and _read(folder / "transformer" / "config.json").get("guidance_embeds") is False
    if index.get("is_distilled") or is_blind:
        return tuple(dict.fromkeys((*lacks, Capability.GUIDANCE, Capability.NEGATIVE_PROMPT)))
    return lacks


def pipeline_class_of(spec: ModelSpec) -> str:
    """Name of the pipeline class of a model in a diffusers folder; empty for other sources and if no file says it."""
    if not isinstance(spec.source, FolderSource) or spec.drawn_by is not None:
        return ""
    return str(_index(Path(spec.source.path)).get("_class_name", ""))


def _index(folder: Path) -> dict[str, Any]:
    return _read(folder / INDEX) or _read(folder / BLOCKS_INDEX)


def _read(path: Path) -> dict[str, Any]:
    try:
        return msgspec.json.decode(read_text(path), type=dict[str, Any])
    except (NotReadable, msgspec.DecodeError):
        return {}
