"""Determines from the files which models and samplers a worker can offer, before any model is loaded."""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.models.sources import Look, check_source
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec

log = logging.getLogger(__name__)

_NAMED: Final = 3
"""Greatest number of tensor names in a sentence."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Models and samplers that can be offered.

    Attributes:
        models: every model by its key, with the samplers that support its noise schedule, and with its capabilities.
        missing: the reason why a model cannot be offered, by model key.
        samplers: supported samplers by model key, only where they are fewer than in the catalogue.
        lacks: capabilities that a model's files do not give it, by model key.
        remarks: sentences for the owner, by model key.
        text_features: width of the text that the U-Net of a model reads, or that a guide was trained for, by its key;
            only where the files show it.
        unfit: keys of the models of its family that a guide does not fit, by the guide's key.
    """

    models: Mapping[str, ModelSpec]
    missing: dict[str, str]
    samplers: dict[str, tuple[str, ...]]
    lacks: dict[str, tuple[Capability, ...]]
    remarks: dict[str, str]
    text_features: dict[str, int]
    unfit: dict[str, tuple[str, ...]]


def check_models(specs: Iterable[ModelSpec], cache_directory: str | None) -> Offer:
    """Check the files of every model.

    Args:
        specs: entries of the catalogue.
        cache_directory: folder for downloads from a model hub.
    """
    offer = Offer(models={}, missing={}, samplers={}, lacks={}, remarks={}, text_features={}, unfit={})
    models: dict[str, ModelSpec] = {}
    for spec in specs:
        models[spec.key] = spec
        try:
            look = check_source(spec, cache_directory)
            fitting = _fitting(spec, look)
        except ModelUnavailable as error:
            offer.missing[spec.key] = str(error)
            continue
        if fitting != spec.offered_samplers:
            offer.samplers[spec.key] = fitting
        if look.text_features is not None:
            offer.text_features[spec.key] = look.text_features
        if look.lacks:
            offer.lacks[spec.key] = look.lacks
        models[spec.key] = spec.narrowed(offer.samplers.get(spec.key), look.lacks)
        remark = " ".join(_remarks(spec, models[spec.key], look))
        if remark:
            log.warning("%s: %s", spec.key, remark)
            offer.remarks[spec.key] = remark
    return msgspec.structs.replace(offer, models=models)


def _fitting(spec: ModelSpec, look: Look) -> tuple[str, ...]:
    if look.schedule is None:
        return spec.offered_samplers
    fitting = spec.fitting_samplers(look.schedule)
    if not fitting:
        raise ModelUnavailable(
            f"None of the samplers that the catalogue names for {spec.title} can honour how it was trained; "
            "leave samplers out to offer those that can."
        )
    return fitting


def _remarks(spec: ModelSpec, narrowed: ModelSpec, look: Look) -> Iterable[str]:
    if look.unread:
        names = ", ".join(look.unread[:_NAMED])
        more = len(look.unread) - _NAMED
        yield f"Nobody reads {names}{f' and {more} more' if more > 0 else ''} in its files."
    if look.marks.prediction not in (None, spec.prediction):
        yield f"Its file says that it predicts {look.marks.prediction}, and is drawn so unless prediction is set."
    lost = [name for name in spec.offered_samplers if name not in narrowed.offered_samplers]
    if lost:
        yield f"These samplers cannot honour how it was trained and are not offered: {', '.join(lost)}."
    if narrowed.defaults.sampler != spec.defaults.sampler:
        yield f"Its usual sampler is {narrowed.defaults.sampler} therefore."
