"""Which control net or reference adapter of the catalogue heeds a picture."""

from bot.errors import Refused
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import GuideSpec
from pipeline.protocol.inputs import Use


def guide_for(use: Use, network: str, spec: ModelSpec, catalogue: Catalogue) -> GuideSpec:
    """The network by which a model heeds a picture.

    Args:
        use: a use that the model has by networks.
        network: key or title of one; empty for the first of the catalogue.
        spec: the model.
        catalogue: the networks.

    Raises:
        Refused: the model has no such network for this use; the sentence names those that it has.
    """
    fitting = catalogue.guides_for(spec, use)
    wanted = network.casefold()
    for names in ([each.key for each in fitting], [each.title.casefold() for each in fitting]):
        if wanted in names:
            return fitting[names.index(wanted)]
    if network:
        known = ", ".join(each.key for each in fitting)
        raise Refused("refused-use-network", network=network[:80], use=use.value, model=spec.title, known=known)
    return fitting[0]


def usable_guide(network: str, use: Use, spec: ModelSpec, catalogue: Catalogue) -> str:
    """The key of an earlier job's network; empty if the model cannot take it for this use."""
    return network if any(each.key == network for each in catalogue.guides_for(spec, use)) else ""


def rival_guides(use: Use, spec: ModelSpec, catalogue: Catalogue) -> tuple[GuideSpec, ...]:
    """The networks among which members choose for a use; none if a model has only one."""
    fitting = catalogue.guides_for(spec, use)
    return fitting if len(fitting) > 1 else ()
