"""The request to enlarge a picture: its bounds, and the scale of a member who names none."""

from typing import Final

from bot.errors import Refused
from bot.requests.options.takes import GivenPicture
from config.catalogue import Catalogue
from pipeline.protocol import limits
from pipeline.protocol.catalogue.networks import UpscalerSpec
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import UpscaleRequest

_MILLION: Final = 1_000_000


def upscaler_of(catalogue: Catalogue, key: str | None) -> UpscalerSpec:
    """The upscaler with this key; without a key, the catalogue's first one.

    Raises:
        Refused: the owner offers none, or not this one.
    """
    if key is not None and key not in catalogue.upscalers:
        raise Refused("refused-model-unavailable", model=key)
    found = catalogue.upscalers.get(key) if key else next(iter(catalogue.upscalers.values()), None)
    if found is None:
        raise Refused("refused-upscale-nowhere")
    return found


def faces_of(catalogue: Catalogue, key: str | None) -> str:
    """The key of the network that repairs faces, or an empty text for None.

    Raises:
        Refused: the owner does not offer it.
    """
    if key is not None and key not in catalogue.faces:
        raise Refused("refused-model-unavailable", model=key)
    return key or ""


def sides_of(picture: GivenPicture, scale: int | None, *, was_shrunk: bool) -> tuple[int, int]:
    """Width and height of a picture that is to be enlarged; the arguments are those of `upscale_request`.

    Raises:
        Refused: the scale is not offered, or the picture is too large.
    """
    if scale is not None and scale not in limits.UPSCALES:
        raise Refused("refused-upscale-scale", given=scale, known=", ".join(map(str, limits.UPSCALES)))
    if was_shrunk or picture.sides is None:
        raise Refused("refused-upscale-picture", limit=limits.MAX_INPUT_SIDE)
    return picture.sides


def upscale_request(
    picture: GivenPicture,
    scale: int | None,
    spec: UpscalerSpec,
    *,
    was_shrunk: bool = False,
    prompt: str = "",
    faces: str = "",
) -> UpscaleRequest:
    """The request for a kept picture.

    Args:
        picture: the picture.
        scale: factor between the sides; None is the greatest that the bounds allow.
        spec: the upscaler.
        was_shrunk: whether the picture was made smaller when it was read.
        prompt: the words that it was drawn from.
        faces: key of the network that repairs faces; empty repairs none.

    Raises:
        Refused: the scale is not offered, or the picture or the result is too large.
    """
    width, height = sides_of(picture, scale, was_shrunk=was_shrunk)
    fitting = [each for each in limits.UPSCALES if width * height * each**2 <= limits.MAX_UPSCALED_PIXELS]
    wanted = max(fitting) if scale is None and fitting else scale or max(limits.UPSCALES)
    if wanted not in fitting:
        raise Refused(
            "refused-upscale-result",
            width=width * wanted,
            height=height * wanted,
            limit=limits.MAX_UPSCALED_PIXELS // _MILLION,
            fitting=str(max(fitting, default="none")),
        )
    source = Input(role=InputRole.SOURCE, sha256=picture.sha256)
    return UpscaleRequest(
        prompt=prompt,
        scale=wanted,
        width=width,
        height=height,
        model_key=spec.key,
        inputs=(source,),
        faces=faces,
    )
