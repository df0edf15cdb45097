"""The request to make the background of a picture transparent."""

from bot.errors import Refused
from bot.requests.options.takes import GivenPicture
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.networks import CutoutSpec
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import CutoutRequest


def cutout_network_of(catalogue: Catalogue, key: str | None) -> CutoutSpec:
    """The network with this key; without a key, the first one that can be used.

    Raises:
        Refused: the owner offers none, or not this one.
    """
    offered = {name: spec for name, spec in catalogue.cutouts.items() if name not in catalogue.missing}
    if key is not None and key not in offered:
        raise Refused("refused-model-unavailable", model=key)
    found = offered[key] if key is not None else next(iter(offered.values()), None)
    if found is None:
        raise Refused("refused-cutout-nowhere")
    return found


def cutout_request(picture: GivenPicture, spec: CutoutSpec) -> CutoutRequest:
    """The request for a kept picture, whose sides are known.

    Raises:
        Refused: they are not, so nothing could be checked.
    """
    if picture.sides is None:
        raise Refused("refused-image-gone")
    width, height = picture.sides
    source = Input(role=InputRole.SOURCE, sha256=picture.sha256)
    return CutoutRequest(width=width, height=height, model_key=spec.key, inputs=(source,))
