"""Finds in a model's configuration what it cannot do although its family can, and whether it edits pictures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from diffusers.models.cache_utils import CacheMixin

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.pipeline_blocks import class_named, is_of_blocks
from pipeline.engine.families.pipeline_classes import (
    facts_of_class,
    free_arguments,
    lacks_of_class,
    takes_scale_as_input,
)
from pipeline.engine.families.registry import FamilyParts
from pipeline.engine.models.index import read_index
from pipeline.engine.weights.components import read_json
from pipeline.engine.weights.storage import NETWORKS
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.pipelines import INDEX, lacks_in_steps


def lacks_of(folder: Path, parts: FamilyParts) -> tuple[Capability, ...]:
    """Capabilities of a family that the model in a diffusers folder lacks; none while its configuration is not there.

    Raises:
        ModelUnavailable: a configuration cannot be read.
    """
    index = folder / INDEX
    if parts.reads_class:
        known = read_index(folder)
        return _lacks_of_pipeline(folder, known) if known else ()
    said = (index, folder / "unet" / "config.json", folder / "transformer" / "config.json")
    return lacks_in_steps(*(read_json(path) if path.is_file() else {} for path in said))


def _lacks_of_pipeline(folder: Path, index: Mapping[str, Any]) -> tuple[Capability, ...]:
    """What the class of a whole pipeline lacks, and guidance if the model is distilled to draw without it."""
    pipeline_class = class_named(str(index["_class_name"]))
    lacks = lacks_of_class(pipeline_class)
    transformer = folder / "transformer" / "config.json"
    config = read_json(transformer) if transformer.is_file() else {}
    # Blocks make their guider themselves.
    has_guider = is_of_blocks(pipeline_class) or any(index.get("guider") or ())
    if facts_of_class(pipeline_class).has_guider and not has_guider:
        lacks += (Capability.NEGATIVE_PROMPT, Capability.UNCONDITIONAL_ROW)
    # FLUX takes the scale as an input of its transformer, unless that was trained without it (schnell).
    is_blind = takes_scale_as_input(pipeline_class) and config.get("guidance_embeds") is False
    if index.get("is_distilled") or is_blind:
        lacks += tuple(each for each in (Capability.GUIDANCE, Capability.NEGATIVE_PROMPT) if each not in lacks)
    return lacks


def check_edits(spec: ModelSpec, *, is_editing: bool) -> None:
    """Check that the catalogue says of an instruct model that it edits pictures, and of no other.

    Raises:
        ModelUnavailable: entry and model differ.
    """
    if is_editing and not spec.edits:
        raise ModelUnavailable(f"{spec.title} changes pictures as the words say; write edits = true in its entry.")
    if spec.edits and not is_editing:
        raise ModelUnavailable(f"{spec.title} is no instruct model; leave out edits in its entry.")


def check_folder_edits(folder: Path, spec: ModelSpec) -> None:
    """The same check before the model is loaded; a missing configuration is checked when it is.

    Raises:
        ModelUnavailable: entry and model differ, or the model scales its pictures in a way of its own.
    """
    index, unet = folder / INDEX, folder / "unet" / "config.json"
    if spec.family == "pipeline" or not unet.is_file():
        return
    config = read_json(unet)
    # InstructPix2Pix reads the picture's latents beside those that it draws.
    check_edits(spec, is_editing=config.get("in_channels") == 2 * config.get("out_channels", 4))
    if spec.edits and index.is_file() and read_json(index).get("is_cosxl_edit"):
        raise ModelUnavailable(f'{spec.title} is a CosXL model; write family = "pipeline" in its entry, without edits.')


def check_cache(spec: ModelSpec, components: Mapping[str, Any]) -> None:
    """Check that diffusers can cache the blocks of a model whose entry says so.

    Raises:
        ModelUnavailable: it cannot; the message is one sentence about it.
    """
    found = [each for name, each in components.items() if name in NETWORKS and isinstance(each, type)]
    if spec.first_block_cache is not None and not any(issubclass(each, CacheMixin) for each in found):
        names = " and ".join(each.__name__ for each in found) or "a model without transformer"
        raise ModelUnavailable(
            f"{spec.title} has first_block_cache in its entry, and diffusers caches no blocks of {names}; leave it out."
        )


def check_call(folder: Path, spec: ModelSpec) -> None:
    """Check that the pipeline's call takes what the catalogue gives it; a missing index is checked when it is there.

    Raises:
        ModelUnavailable: it takes no such argument, or no such value; the message is one sentence about it.
    """
    index = read_index(folder)
    if not spec.call or not index:
        return
    name = str(index.get("_class_name"))
    free = free_arguments(class_named(name))
    for argument, value in spec.call.items():
        if argument not in free:
            names = ", ".join(sorted(free)) or "nothing"
            raise ModelUnavailable(
                f"{spec.title} has {argument} in [model.call]; besides what Easel itself gives, a {name} takes {names}."
            )
        kind = type(free[argument])
        fits = isinstance(value, int | float) and not isinstance(value, bool) if kind is float else type(value) is kind
        if free[argument] is not None and not fits:
            raise ModelUnavailable(
                f"{spec.title} has {argument} = {value!r} in [model.call]; a {name} takes a value such as "
                f"{free[argument]!r} there."
            )
