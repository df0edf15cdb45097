"""The files that come with a request, as pictures."""

import numpy as np
from PIL import Image

from pipeline.engine.failures import InvalidRequest
from pipeline.engine.pixels.enlarging import Pixels
from pipeline.images.decode import UnreadablePicture, read_png
from pipeline.protocol.inputs import Input
from pipeline.protocol.wire.messages import Submit


def file_of(submit: Submit, given: Input) -> bytes:
    """PNG file of an input.

    Raises:
        InvalidRequest: the message lacks the file.
    """
    if given.sha256 not in submit.pictures:
        raise InvalidRequest(f"The picture of the role {given.role} did not come with the request.")
    return submit.pictures[given.sha256]


def picture_in(file: bytes) -> Image.Image:
    """The picture in a PNG file, in RGB.

    Raises:
        InvalidRequest: the file cannot be read.
    """
    try:
        return read_png(file)
    except UnreadablePicture as error:
        raise InvalidRequest(str(error)) from error


def picture_of(submit: Submit, given: Input) -> Image.Image:
    """The picture of an input, in RGB.

    Raises:
        InvalidRequest: the message lacks the file, or it cannot be read.
    """
    return picture_in(file_of(submit, given))


def only_picture(submit: Submit, width: int, height: int) -> Pixels:
    """The picture of a request that has one input, [h, w, 3].

    Raises:
        InvalidRequest: the message lacks the file, or it cannot be read or has other sides.
    """
    (given,) = submit.request.inputs
    picture = picture_of(submit, given)
    if picture.size != (width, height):
        raise InvalidRequest(f"The given picture has {picture.width} x {picture.height} pixels.")
    return np.asarray(picture)
