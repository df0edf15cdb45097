"""Pictures that members might give, and jobs that are given them."""

import hashlib
import io

import msgspec
import numpy as np
from PIL import Image

from pipeline.protocol.inputs import Inpaint, Input, InputRole
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Submit


def photo(width: int = 64, height: int = 64, seed: int = 0) -> Image.Image:
    """A picture that no size or color of is alike."""
    dice = np.random.default_rng(seed)
    small = Image.fromarray(dice.integers(0, 256, (5, 5, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def from_picture(request: GenerationRequest, picture: Image.Image, strength: float, job_id: int = 1) -> Submit:
    """The request with this init image, on its way."""
    data = png(picture)
    key = hashlib.sha256(data).hexdigest()
    inputs = (Input(role=InputRole.INIT_IMAGE, sha256=key, strength=strength),)
    return Submit(
        job_id=job_id, attempt=1, request=msgspec.structs.replace(request, inputs=inputs), pictures={key: data}
    )


def blot(width: int, height: int, seed: int = 0) -> Image.Image:
    """A mask whose edge goes through all grays, and which fits no grid."""
    picture = photo(width, height, seed + 50).convert("L")
    return picture.point([max(0, min(255, 3 * value - 256)) for value in range(256)])


def redrawn(
    submit: Submit, mask: Image.Image | None = None, *, inpaint: Inpaint | None = None, job_id: int | None = None
) -> Submit:
    """The same job from a picture, but with only a part of it drawn anew."""
    request, pictures = submit.request, submit.pictures
    if mask is not None:
        data = png(mask.convert("RGB"))
        key = hashlib.sha256(data).hexdigest()
        inputs = (*request.inputs, Input(role=InputRole.MASK, sha256=key))
        request, pictures = msgspec.structs.replace(request, inputs=inputs), {**pictures, key: data}
    request = msgspec.structs.replace(request, inpaint=inpaint or Inpaint())
    name = submit.job_id if job_id is None else job_id
    return msgspec.structs.replace(submit, request=request, pictures=pictures, job_id=name)


def editing(request: GenerationRequest, picture: Image.Image, strength: float, job_id: int = 1) -> Submit:
    """The request as an edit of this picture, on its way."""
    data = png(picture)
    key = hashlib.sha256(data).hexdigest()
    inputs = (Input(role=InputRole.EDIT, sha256=key, strength=strength),)
    return Submit(
        job_id=job_id, attempt=1, request=msgspec.structs.replace(request, inputs=inputs), pictures={key: data}
    )
