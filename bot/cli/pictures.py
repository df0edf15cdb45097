"""Pictures that `easel imagine` is given, and the part of one that it draws anew."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec

from bot.pictures.reading import read_file
from bot.pictures.telling import notices, refusal, too_large
from bot.requests.derived.inpainting import OUTPAINT_STRENGTH, pan_of, zoomed_out
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture, PictureWeight
from bot.requests.resolving import Resolved
from bot.requests.uses import STRENGTHS
from config.settings import LimitSettings
from pipeline.protocol import limits as hard
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.inputs import Inpaint, Input, InputRole, Outpaint
from pipeline.protocol.reading import MAX_FILE_BYTES, CleanPicture, Parameters, Wanted
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

_MAX_ZOOM: Final = 1 + 2 * hard.MAX_MARGIN
_SIDES: Final = tuple(Outpaint.__struct_fields__)


class CannotDraw(Exception):
    """The command failed; the text is one sentence."""


class PictureOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the command about pictures. At most one of the last three is there, and only with an image.

    Attributes:
        image: file of the first picture.
        image2: file of the second picture.
        mask: file of a mask, whose white part is drawn anew.
        zoom: factor by which the picture becomes smaller, with new margins on all sides.
        pan: side on which the picture gets a new margin.
    """

    image: Path | None = None
    image2: Path | None = None
    mask: Path | None = None
    zoom: float | None = None
    pan: str | None = None

    def check(self) -> None:
        """Check the options together.

        Raises:
            CannotDraw: they do not fit together, or a value is none.
        """
        named = [f"--{name}" for name in ("mask", "zoom", "pan") if getattr(self, name) is not None]
        if named and self.image is None:
            raise CannotDraw(f"{named[0]} says what to draw anew of a picture; give the picture with --image.")
        if len(named) > 1:
            raise CannotDraw(f"{' and '.join(named)} cannot be used together; leave all but one out.")
        if self.zoom is not None and not 1 < self.zoom <= _MAX_ZOOM:
            raise CannotDraw(f"--zoom {self.zoom:g} is not possible; choose more than 1, up to {_MAX_ZOOM:g}.")
        if self.pan is not None and self.pan not in _SIDES:
            raise CannotDraw(f"--pan {self.pan} names no side; choose one of {', '.join(_SIDES)}.")

    @property
    def has_margins(self) -> bool:
        """Whether what lies around the picture is drawn."""
        return self.zoom is not None or self.pan is not None


class Pictures(msgspec.Struct, frozen=True, kw_only=True):
    """The pictures of the options, read.

    Attributes:
        image: the first picture; None for none.
        image2: the second picture; None for none.
        mask: hash of the mask; None for none.
        files: clean files by their hashes.
        notices: facts about the files.
    """

    image: GivenPicture | None = None
    image2: GivenPicture | None = None
    mask: str | None = None
    files: dict[str, bytes] = {}
    notices: tuple[Notice, ...] = ()


async def read_pictures(options: PictureOptions) -> Pictures:
    """Read the files of the options in the process that reads members' files too.

    Raises:
        CannotDraw: the options do not fit together, or a file cannot be opened.
        Refused: a file is no picture that can be read.
    """
    options.check()
    pictures = Pictures()
    for name, path in (("image", options.image), ("image2", options.image2)):
        if path is not None:
            picture, png, told = await _read(path)
            files = {**pictures.files, picture.sha256: png}
            pictures = msgspec.structs.replace(
                pictures, **{name: picture}, files=files, notices=(*pictures.notices, *told)
            )
    if options.mask is None:
        return pictures
    mask, png, _ = await _read(options.mask)
    return msgspec.structs.replace(pictures, mask=mask.sha256, files={**pictures.files, mask.sha256: png})


def started(given: GivenRequest, pictures: Pictures, options: PictureOptions) -> GivenRequest:
    """The request with the picture to start from. A part of it that is drawn anew gets a strength of its own."""
    strength = given.strength
    if strength is None and options.has_margins:
        strength = OUTPAINT_STRENGTH
    elif strength is None and options.mask is not None:
        strength = STRENGTHS["strong"]
    return msgspec.structs.replace(given, image=pictures.image, image2=pictures.image2, strength=strength)


def redrawn(
    resolved: Resolved,
    pictures: Pictures,
    options: PictureOptions,
    spec: ModelSpec,
    limits: LimitSettings,
    strength: float | PictureWeight | None,
) -> Resolved:
    """The job with only a part of its picture drawn anew, if the options say so. A pan makes it wider or taller.

    Args:
        resolved: the job.
        pictures: the pictures of the options.
        options: the options.
        spec: the model.
        limits: the host's limits.
        strength: that of the picture to start from; see `started`.

    Raises:
        CannotDraw: the model draws no part of a picture, or none of the wider shape.
    """
    if pictures.mask is None and not options.has_margins:
        return resolved
    resolved = _begun_from_edited(resolved, spec, strength)
    request = resolved.request
    if not spec.can(Capability.MASK):
        raise CannotDraw(f"{spec.title} draws no part of a picture anew; choose another --model.")
    if request.init_image is None:
        raise CannotDraw("--mask, --zoom and --pan change a picture to start from; give one with the use start.")
    if pictures.mask is not None:
        inputs = (*request.inputs, Input(role=InputRole.MASK, sha256=pictures.mask))
        request = msgspec.structs.replace(request, inputs=inputs, inpaint=Inpaint(is_enlarged=True))
    if options.zoom is not None:
        request = msgspec.structs.replace(request, inpaint=zoomed_out(options.zoom))
    elif options.pan is not None:
        request = _panned(request, pictures, options.pan, spec, limits)
    else:
        return msgspec.structs.replace(resolved, request=request)
    # All of a picture with margins stays.
    told = tuple(notice for notice in resolved.notices if notice.key != "notice-cut")
    return msgspec.structs.replace(resolved, request=request, notices=told)


def _panned(
    request: GenerationRequest, pictures: Pictures, side: str, spec: ModelSpec, limits: LimitSettings
) -> GenerationRequest:
    """The request of a longer picture.

    Raises:
        CannotDraw: the picture cannot be longer there.
    """
    usual = request.width, request.height
    start = "" if request.init_image is None else request.init_image.sha256
    given = next(each for each in (pictures.image, pictures.image2) if each is not None and each.sha256 == start)
    pan = pan_of(given.sides or spec.delivered(*usual), usual, side, spec, limits)
    if pan is None:
        raise CannotDraw(f"{spec.title} cannot make this picture longer on that side; choose another one, or --zoom.")
    return msgspec.structs.replace(request, width=pan.width, height=pan.height, inpaint=pan.inpaint)


def _begun_from_edited(resolved: Resolved, spec: ModelSpec, strength: float | PictureWeight | None) -> Resolved:
    """The job, begun from the picture that it was to edit, where the model starts from pictures only to draw a part.

    Such models (FLUX Kontext, Qwen-Image-Edit) edit a picture without a use, and have an inpainting twin.
    """
    request = resolved.request
    is_for_parts = spec.can(Capability.MASK) and not spec.can(Capability.INIT_IMAGE)
    if not is_for_parts or request.init_image is not None or len(request.edits) != 1 or strength is None:
        return resolved
    used = strength.for_start() if isinstance(strength, PictureWeight) else strength
    start = Input(role=InputRole.INIT_IMAGE, sha256=request.edits[0].sha256, strength=used)
    others = tuple(each for each in request.inputs if each.role is not InputRole.EDIT)
    # The strength counts now.
    told = tuple(notice for notice in resolved.notices if notice.key != "notice-strength-unused")
    return msgspec.structs.replace(
        resolved, request=msgspec.structs.replace(request, inputs=(start, *others)), notices=told
    )


async def clean_file(path: Path) -> tuple[CleanPicture, bytes]:
    """Read a picture's file as a member's: facts about it, and its clean file.

    Raises:
        CannotDraw: the file cannot be opened.
        Refused: it is no picture that can be read.
    """
    answer, png = await read_file(_bytes_of(path), Wanted.PICTURE)
    if not isinstance(answer, CleanPicture):
        raise refusal(answer)
    return answer, bytes(png)


async def parameters_in(path: Path) -> str:
    """The generation parameters in a picture's file; empty if it has none.

    Raises:
        CannotDraw: the file cannot be opened.
        Refused: it is too large.
    """
    answer, _ = await read_file(_bytes_of(path), Wanted.PARAMETERS)
    return (answer.text if isinstance(answer, Parameters) else None) or ""


async def _read(path: Path) -> tuple[GivenPicture, bytes, tuple[Notice, ...]]:
    answer, png = await clean_file(path)
    picture = GivenPicture(sha256=hashlib.sha256(png).hexdigest(), sides=(answer.width, answer.height))
    return picture, png, notices(answer)


def _bytes_of(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise too_large()
        return path.read_bytes()
    except OSError as error:
        raise CannotDraw(f"The picture {path} cannot be read: {error.strerror}.") from error
