"""A part of a picture that a member names in words, where the owner has a text mask model."""

import structlog

from bot.errors import Refused
from bot.interactions.services import Services
from pipeline.backends.base import WorkerUnavailable

_log = structlog.get_logger(__name__)


def can_find_parts(services: Services) -> bool:
    """Whether words can name a part now: there is a model, and no worker has found a fault in it."""
    ready = services.backend.status.ready
    return services.catalogue.text_mask is not None and (ready is None or not ready.text_mask_fault)


async def find_part(services: Services, sha256: str, words: str) -> str:
    """Keep the mask of what words name in a kept picture; returns the mask's hash.

    Raises:
        Refused: the picture shows no such thing, the worker cannot tell now, or the disk takes nothing.
    """
    if not can_find_parts(services):
        raise Refused("refused-part-nowhere")
    try:
        found = await services.backend.find_part(await services.receiving.read(sha256), words)
    except WorkerUnavailable as error:
        raise Refused("refused-part-later") from error
    if not found.mask:
        _log.warning("part not found out", action="part_failed", detail=found.detail)
        raise Refused("refused-part-later")
    if not found.is_seen:
        raise Refused("refused-part-unseen", words=words)
    return await services.receiving.adopt(found.mask)
