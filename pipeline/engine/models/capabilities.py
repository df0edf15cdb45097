"""Finds in a model's configuration the capabilities that its family has and the model does not."""

from pathlib import Path

import diffusers

from pipeline.engine.families.pipeline_classes import lacks_of_class
from pipeline.engine.families.registry import FamilyParts
from pipeline.engine.weights.components import read_json
from pipeline.protocol.capabilities import Capability


def lacks_of(folder: Path, parts: FamilyParts) -> tuple[Capability, ...]:
    """Capabilities of a family that the model in a diffusers folder lacks; none while its configuration is not there.

    Raises:
        ModelUnavailable: a configuration cannot be read.
    """
    index, unet = folder / "model_index.json", folder / "unet" / "config.json"
    if parts.reads_class:
        return lacks_of_class(getattr(diffusers, read_json(index)["_class_name"])) if index.is_file() else ()
    # A guidance-distilled U-Net takes the scale as an input, and has no row for a negative prompt.
    is_distilled = unet.is_file() and read_json(unet).get("time_cond_proj_dim") is not None
    return (Capability.NEGATIVE_PROMPT,) if is_distilled else ()
