"""Entries of the catalogue that engines of others draw."""

from pathlib import Path
from typing import Final

import msgspec

from config.loading import ConfigError
from config.reading import NotReadable, read_text
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.engines import COMFY_SAMPLERS, OWN_SAMPLER, DrawnBy, Workflow, WorkflowFault
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import NO_SOURCE
from pipeline.protocol.samplers.table import SAMPLERS

_HEEDED: Final = frozenset(
    [
        "key",
        "title",
        "source",
        "family",
        "license",
        "description",
        "lacks",
        "defaults",
        "bounds",
        "samplers",
        "cost",
        "vocabulary",
        "drawn_by",
    ]
)
"""Fields that have an effect on models of engines of others. The rest is about weights."""


def mistakes_of_drawer(spec: ModelSpec) -> dict[str, bool]:
    """Whether each mistake is made in what says who draws a model."""
    drawn = spec.drawn_by
    is_ours = drawn is None
    written = msgspec.to_builtins(spec)
    usual = msgspec.to_builtins(ModelSpec(key=spec.key, title=spec.title, license=spec.license))
    vain = [name for name, value in written.items() if name not in _HEEDED and value != usual[name]]
    return {
        "it has neither a source and a family, nor drawn_by": is_ours
        and (spec.source == NO_SOURCE or spec.family in ("engine", "service")),
        "it has drawn_by, so leave out source and family": not is_ours
        and (spec.source != NO_SOURCE or spec.family != "engine"),
        "drawn_by needs either a workflow or a model": drawn is not None and bool(drawn.workflow) == bool(drawn.model),
        "a workflow has places, so leave out takes, sizes and previews of drawn_by": drawn is not None
        and bool(drawn.workflow and (drawn.takes or drawn.sizes or drawn.previews)),
        "its default size is not among the sizes of drawn_by": drawn is not None
        and bool(drawn.sizes)
        and f"{spec.defaults.width}x{spec.defaults.height}" not in drawn.sizes,
        "an engine of others guides by itself, so leave out defaults.guidance_start, _end and _rescale": not is_ours
        and (spec.defaults.guidance_start, spec.defaults.guidance_end, spec.defaults.guidance_rescale)
        != (0.0, 1.0, 0.0),
        f"an engine of others draws it, so leave out {', '.join(vain)}": not is_ours and bool(vain),
    }


def drawn_elsewhere(spec: ModelSpec, drawn_by: DrawnBy, base: Path) -> ModelSpec:
    """The entry with the samplers and capabilities that its workflow has places for, or its server takes.

    Raises:
        ConfigError: the workflow cannot be used.
    """
    if drawn_by.model:
        return msgspec.structs.replace(spec.narrowed((OWN_SAMPLER,), drawn_by.lacks), family="service")
    path = (base / drawn_by.workflow).resolve()
    lacks = read_workflow(path, spec.key).lacks
    offered = tuple(name for name in SAMPLERS if name in COMFY_SAMPLERS and name in (spec.samplers or COMFY_SAMPLERS))
    if Capability.SAMPLER in lacks:
        offered = (OWN_SAMPLER,)
    elif not offered:
        raise ConfigError(f"The model '{spec.key}' has no sampler that ComfyUI has; leave out samplers.")
    named = msgspec.structs.replace(drawn_by, workflow=str(path))
    return msgspec.structs.replace(spec.narrowed(offered, lacks), drawn_by=named)


def read_workflow(path: Path, key: str) -> Workflow:
    """The workflow of a model.

    Raises:
        ConfigError: the file cannot be read, or is none.
    """
    try:
        return Workflow(read_text(path))
    except NotReadable as error:
        raise ConfigError(f"The workflow {path} of the model '{key}' {error}.") from error
    except WorkflowFault as error:
        raise ConfigError(f"The workflow {path} of the model '{key}' {error}.") from error
