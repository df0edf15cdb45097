"""What the models of a catalogue can do with pictures, and the sentences about what they cannot."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from bot.errors import Refused
from config.catalogue import Catalogue
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import USES, InputRole, Use

ROLES: Final[Mapping[Use, InputRole]] = MappingProxyType({use: role for role, uses in USES.items() for use in uses})
"""The part that a picture plays for each use."""
FROM_NETWORKS: Final = (InputRole.CONTROL, InputRole.REFERENCE)
"""Parts of pictures that need a network beside the model."""
BLENDED: Final[Mapping[Use, str]] = MappingProxyType(
    {
        Use.SUBJECT: "high quality",
        Use.STYLE: "high quality",
        Use.COMPOSITION: "high quality",
        Use.EDIT: "combine these pictures into one",
    }
)
"""Uses by which several pictures are blended, the best first, and the prompt of a blend without words.

A reference adapter shows what to draw, so its prompt only says how well, as in the examples of its publisher.
"""
_CAPABILITIES: Final = MappingProxyType(
    {
        InputRole.INIT_IMAGE: Capability.INIT_IMAGE,
        InputRole.CONTROL: Capability.CONTROL,
        InputRole.REFERENCE: Capability.REFERENCE,
        InputRole.EDIT: Capability.EDIT,
    }
)
_NO_START: Final = ("refused-image-model", "refused-image-nowhere")
_NO_USE: Final = ("refused-use-model", "refused-use-nowhere")
_NO_MASK: Final = ("refused-mask-model", "refused-mask-nowhere")
"""Sentences about a model without a capability: other models have it; none has it."""


def uses_for(spec: ModelSpec, catalogue: Catalogue) -> tuple[Use, ...]:
    """The uses that a model has for pictures, in the order of `Use`."""
    return tuple(
        use
        for use in Use
        if spec.can(_CAPABILITIES[ROLES[use]]) and (ROLES[use] not in FROM_NETWORKS or catalogue.guides_for(spec, use))
    )


def default_use(spec: ModelSpec) -> Use:
    """The use of a picture for which a member names none."""
    return Use.EDIT if spec.can(Capability.EDIT) and not spec.can(Capability.INIT_IMAGE) else Use.START


def blend_use(spec: ModelSpec, catalogue: Catalogue) -> Use | None:
    """The use by which a model blends several pictures; None if it cannot."""
    able = [use for use in BLENDED if use in uses_for(spec, catalogue)]
    if not spec.can(Capability.SEVERAL_PICTURES):
        able = [use for use in able if use is not Use.EDIT]
    return next(iter(able), None)


def blending(catalogue: Catalogue) -> dict[str, tuple[ModelSpec, Use]]:
    """The models that blend several pictures, each with the use for that."""
    found = {key: (spec, blend_use(spec, catalogue)) for key, spec in catalogue.models.items()}
    return {key: (spec, use) for key, (spec, use) in found.items() if use is not None}


def refuse_without(capability: Capability, spec: ModelSpec, catalogue: Catalogue) -> None:
    """Check that a model can draw a part of a picture anew (`MASK`).

    Raises:
        Refused: it cannot; the sentence names the models that can.
    """
    if not spec.can(capability):
        known = [each.title for each in catalogue.models.values() if each.can(capability)]
        raise refusal(_NO_MASK, spec, known)


def refuse_use(use: Use, spec: ModelSpec, catalogue: Catalogue) -> None:
    """Check that a model has this use for a picture.

    Raises:
        Refused: it has not; the sentence names the models that have.
    """
    if use not in uses_for(spec, catalogue):
        known = [each.title for each in catalogue.models.values() if use in uses_for(each, catalogue)]
        raise refusal(_NO_START if use is Use.START else _NO_USE, spec, known, use=use.value)


def refusal(keys: tuple[str, str], spec: ModelSpec, known: Sequence[str], **values: str) -> Refused:
    """A refusal that names the models that can: its two sentences are for some of them, and for none."""
    another, nowhere = keys
    if not known:
        return Refused(nowhere, **values)
    return Refused(another, model=spec.title, known=", ".join(known), **values)
