"""Capabilities of models, by which the bot offers, prices and refuses."""

from enum import StrEnum
from typing import Final


class Capability(StrEnum):
    """An ability that some models have. A family has it or not; the catalogue and the worker may take it from a model.

    Attributes:
        VARIATIONS: draws pictures close to a picture, from noise between two seeds.
        REFINING: draws an upscaled picture anew at its larger size.
        GUIDANCE: follows a guidance scale (CFG).
        NEGATIVE_PROMPT: reads a negative prompt.
        INIT_IMAGE: starts from a member's picture instead of noise (img2img).
        MASK: draws only a part of a member's picture anew (inpainting), or what lies around it (outpainting).
        CONTROL: follows the lines, the depth or the pose of a picture, by a control net of the catalogue.
        REFERENCE: takes style, subject, composition or face of a picture, by a reference adapter of the catalogue.
        EDIT: changes a picture as the prompt says.
        SEVERAL_PICTURES: takes more than one picture for an edit.
        EDIT_STRENGTH: an edit may keep more or less of its picture.
        TEXT_TO_IMAGE: draws from a prompt alone. A model without it needs a picture.
        UNCONDITIONAL_ROW: guides by a second row of each image. Of diffusers' pipelines, some do so without reading a
            negative prompt, and some only give the scale to their network. Elsewhere, `NEGATIVE_PROMPT` says it.
        UNGUIDED: draws without the rows of guidance at CFG 1. A few of diffusers' pipelines always draw them.
        STEPS: takes a number of steps. Some engines of others decide it themselves, as they do what follows.
        SAMPLER: takes a sampler.
        SEED: draws the same picture again from the same seed.
    """

    VARIATIONS = "variations"
    REFINING = "refining"
    GUIDANCE = "guidance"
    NEGATIVE_PROMPT = "negative-prompt"
    INIT_IMAGE = "init-image"
    MASK = "mask"
    CONTROL = "control"
    REFERENCE = "reference"
    EDIT = "edit"
    SEVERAL_PICTURES = "several-pictures"
    EDIT_STRENGTH = "edit-strength"
    TEXT_TO_IMAGE = "text-to-image"
    UNCONDITIONAL_ROW = "unconditional-row"
    UNGUIDED = "unguided"
    STEPS = "steps"
    SAMPLER = "sampler"
    SEED = "seed"


USUAL: Final = frozenset(
    {Capability.GUIDANCE, Capability.NEGATIVE_PROMPT, Capability.STEPS, Capability.SAMPLER, Capability.SEED}
)
"""Capabilities of most models."""
_EDITS: Final = frozenset({Capability.EDIT, Capability.EDIT_STRENGTH})
_DRAWS: Final = frozenset({Capability.TEXT_TO_IMAGE, Capability.INIT_IMAGE, Capability.MASK})
PIPELINES: Final = (
    USUAL | _DRAWS | _EDITS | {Capability.SEVERAL_PICTURES, Capability.UNCONDITIONAL_ROW, Capability.UNGUIDED}
)
"""Capabilities of diffusers pipelines; the worker finds those that one lacks."""
IN_STEPS: Final = USUAL | _DRAWS | {Capability.VARIATIONS, Capability.REFINING, Capability.UNGUIDED}
"""Capabilities of a model whose steps Easel runs itself."""
WITH_UNET: Final = IN_STEPS | {Capability.CONTROL, Capability.REFERENCE}
"""Capabilities of a model whose U-Net control nets and reference adapters are made for."""
EDITING: Final = USUAL | _EDITS | {Capability.VARIATIONS, Capability.UNGUIDED}
"""Capabilities of such a model that edits pictures (InstructPix2Pix)."""
