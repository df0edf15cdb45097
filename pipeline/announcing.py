"""What a worker finds in the files of its models, and announces when it is ready."""

import logging

import msgspec

from pipeline.engine.device.attention import remark_on
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import DeviceLost, ModelUnavailable, detail_of, drop_tracebacks, reason_of
from pipeline.engine.finishing.recipes import library_versions
from pipeline.engine.loop import Engine
from pipeline.engine.loras.folder import LoraFolder
from pipeline.engine.models.controls import check_controls
from pipeline.engine.models.cutouts import check_cutouts
from pipeline.engine.models.fitting import leave_out_unfit
from pipeline.engine.models.offering import Offer, check_models
from pipeline.engine.models.references import check_references
from pipeline.engine.models.sizes import with_choice
from pipeline.engine.models.upscalers import check_faces, check_upscalers
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.messages import (
    PROTOCOL_VERSION,
    Configure,
    Ready,
)
from pipeline.protocol.wire.settings import EngineOptions

log = logging.getLogger(__name__)


def offer_of(configure: Configure) -> Offer:
    """What the catalogue's files show before any of them is loaded."""
    offer = check_models(configure.models, configure.options.cache_directory)
    for found in (
        check_upscalers(configure.upscalers),
        check_faces(configure.faces),
        check_cutouts(configure.cutouts),
        check_controls(configure.controls, configure.options.cache_directory),
        check_references(configure.references, configure.options.cache_directory),
    ):
        offer.missing.update(found.missing)
        offer.remarks.update(found.remarks)
        offer.text_features.update(found.text_features)
    leave_out_unfit(offer, (*configure.controls, *configure.references))
    return offer


def placed(offer: Offer, placement: Placement, options: EngineOptions) -> Offer:
    """The offer with a choice for each model where its parts are kept, and with remarks about that."""
    models: dict[str, ModelSpec] = {}
    for key, spec in offer.models.items():
        models[key], choice = with_choice(spec, placement, options)
        remark = " ".join(filter(None, [choice, remark_on(placement.acceleration.attention, spec.family)]))
        if remark:
            log.info("%s: %s", key, remark)
            offer.remarks[key] = " ".join(filter(None, [offer.remarks.get(key), remark]))
    return msgspec.structs.replace(offer, models=models)


def preload(model_key: str | None, engine: Engine, offer: Offer) -> None:
    """Load the most used model in advance; if that fails, it counts as missing and the worker starts without it.

    Raises:
        DeviceLost: the device failed for good.
    """
    if model_key is None or model_key in offer.missing:
        return
    try:
        engine.preload(model_key)
    except ModelUnavailable as error:
        offer.missing[model_key] = str(error)
    # Any other error of one model must not stop the worker: it has other models, and the owner must see the error.
    except Exception as error:
        if reason_of(error) is FailureReason.DEVICE_ERROR:
            raise DeviceLost(detail_of(error)) from error
        spec = offer.models.get(model_key)
        title = model_key if spec is None else spec.title
        log.exception("The model %s cannot be made ready.", model_key)
        drop_tracebacks(error)
        is_full = reason_of(error) is FailureReason.OUT_OF_MEMORY
        offer.missing[model_key] = (
            f"The model {title} does not fit into the memory that is there; take a smaller one, or a shorter dtype."
            if is_full
            else f"The model {title} cannot be made ready: {detail_of(error)[:300]}."
        )


def ready_of(configure: Configure, placement: Placement, offer: Offer, loras: LoraFolder) -> Ready:
    """The message with everything that this worker offers."""
    return Ready(
        protocol_version=PROTOCOL_VERSION,
        device=placement.device.type,
        device_name=placement.name,
        dtype=placement.dtype_name,
        vram_bytes=placement.vram_bytes,
        models=tuple(
            spec.key
            for spec in (*configure.models, *configure.upscalers, *configure.faces, *configure.cutouts)
            if spec.key not in offer.missing
        ),
        missing=offer.missing,
        capacity=configure.options.max_running,
        versions=library_versions(),
        loras=loras.entries,
        embeddings=loras.embeddings,
        broken_loras=loras.broken,
        samplers=offer.samplers,
        lacks=offer.lacks,
        remarks=offer.remarks,
        unfit=offer.unfit,
    )
