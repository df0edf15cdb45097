"""Control nets and reference adapters of a catalogue."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from config.loading import ConfigError
from config.sources import absolute
from pipeline.protocol.catalogue.networks import ControlSpec, GuideSpec, ReferenceSpec

_FROM_MODELS: Final = ("depth", "pose")
"""Preprocessors that are models of the owner's."""


def uses_of(spec: GuideSpec) -> tuple[str, ...]:
    """What members may use a picture for, by a control net or a reference adapter."""
    return (spec.use,) if isinstance(spec, ControlSpec) else spec.uses


def read_guides(
    controls: Sequence[ControlSpec], references: Sequence[ReferenceSpec], path: Path, taken: Collection[str]
) -> list[GuideSpec]:
    """The control nets and reference adapters of a file, with absolute paths.

    Args:
        controls: control nets as in the file.
        references: reference adapters as in the file.
        path: the file.
        taken: keys of other entries.

    Raises:
        ConfigError: an entry is wrong, or its key is taken.
    """
    keys = set(taken)
    found: list[GuideSpec] = []
    for spec in (*controls, *references):
        if spec.key in keys:
            raise ConfigError(f"The model catalogue {path} has two entries with the key '{spec.key}'.")
        keys.add(spec.key)
        mistake = next(_mistakes(spec), None)
        if mistake is not None:
            what = "control net" if isinstance(spec, ControlSpec) else "reference adapter"
            raise ConfigError(f"The {what} '{spec.key}' in {path} is wrong: {mistake}.")
        found.append(_absolute(spec, path.parent.resolve()))
    return found


def _mistakes(spec: GuideSpec) -> Iterator[str]:
    """Facts that types cannot express, each as the end of a sentence."""
    if not spec.title.strip():
        yield "its title is empty; members read it"
    if spec.start >= spec.end:
        yield f"its start {spec.start:g} is not below its end {spec.end:g}"
    if isinstance(spec, ReferenceSpec):
        if len({*spec.uses}) < len(spec.uses):
            yield "it lists a use twice"
        return
    if spec.preprocessor in _FROM_MODELS and spec.preprocessor_model is None:
        yield f"the preprocessor {spec.preprocessor} needs a preprocessor_model; or say 'none', to take ready-made maps"
    if spec.preprocessor not in _FROM_MODELS and spec.preprocessor_model is not None:
        yield f"the preprocessor {spec.preprocessor} needs no model, so leave out preprocessor_model"
    if (spec.kind == "controlnet-union") != (spec.union_type is not None):
        yield "union_type is for the kind controlnet-union, which needs it"
    if spec.kind == "t2i-adapter" and spec.guess:
        yield "a T2I-Adapter has no guess mode, so leave out guess"


def _absolute(spec: GuideSpec, base: Path) -> GuideSpec:
    source = absolute(spec.source, base)
    if isinstance(spec, ReferenceSpec):
        return msgspec.structs.replace(spec, source=source, encoder=absolute(spec.encoder, base))
    model = spec.preprocessor_model
    return msgspec.structs.replace(
        spec, source=source, preprocessor_model=None if model is None else absolute(model, base)
    )
