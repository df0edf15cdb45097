"""Which control nets and reference adapters fit which models of their family, as far as their files show it.

Stable Diffusion 1.x and 2.x are one family. Their U-Nets read text of other widths, so a network that was trained for
one does not fit the other.
"""

import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from pipeline.engine.models.offering import Offer
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import GuideSpec

log = logging.getLogger(__name__)

_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {768: "Stable Diffusion 1.x", 1024: "Stable Diffusion 2.x", 2048: "Stable Diffusion XL"}
)
"""Models by the width of the text that their U-Net reads."""


def leave_out_unfit(offer: Offer, guides: Iterable[GuideSpec]) -> None:
    """Write into an offer which guides fit only some models, and why others fit none.

    A guide or model whose width is unknown fits: a hub's files are only there after their download, and a job checks it
    then.

    Args:
        offer: what the files showed.
        guides: control nets and reference adapters.
    """
    for guide in guides:
        width = offer.text_features.get(guide.key)
        family = [each for each in offer.models.values() if each.family == guide.family]
        models = [each for each in family if each.key not in offer.missing]
        others = [each for each in models if width not in (None, offer.text_features.get(each.key, width))]
        if guide.key in offer.missing or width is None or not others:
            continue
        made_for = f"{guide.title} is made for {_name(width)}"
        if len(others) == len(models):
            offer.missing[guide.key] = f"{made_for}, and no model here is: {_listed(others, offer)}."
            continue
        sentence = f"{made_for}, so it is not offered for {_listed(others, offer)}."
        log.warning("%s: %s", guide.key, sentence)
        offer.unfit[guide.key] = tuple(each.key for each in others)
        offer.remarks[guide.key] = " ".join(filter(None, [offer.remarks.get(guide.key), sentence]))


def _name(width: int) -> str:
    features = f"{width} text features"
    return f"{_NAMES[width]} ({features})" if width in _NAMES else f"models with {features}"


def _listed(models: Iterable[ModelSpec], offer: Offer) -> str:
    return ", ".join(f"{each.title} (it reads {offer.text_features[each.key]})" for each in models)
