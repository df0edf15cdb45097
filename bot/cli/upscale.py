"""`easel upscale`: a picture of a file in larger, in the real worker, without Discord and database."""

import hashlib
from pathlib import Path

from rich.console import Console

from bot.cli.pictures import CannotDraw, clean_file
from bot.cli.working import (
    follow,
    format_of,
    print_notices,
    quiet,
    started_worker,
    write,
    writing,
)
from bot.errors import Refused
from bot.pictures.telling import notices
from bot.presenting.texts import text
from bot.requests.enlarging import faces_of, upscale_request, upscaler_of
from bot.requests.takes import GivenPicture
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.messages import UpscaledFile
from pipeline.protocol.requests import narrowed

_PERCENT = 100


async def enlarge(
    file: Path,
    out: Path,
    *,
    scale: int | None,
    upscaler: str | None,
    faces: str | None,
    settings: Settings,
    catalogue: Catalogue,
) -> Path:
    """Write a file's picture in larger, with a progress bar on standard error.

    Raises:
        CannotDraw: an option is wrong, the picture cannot be read or is too large, there is no worker, or the job or
            the writing failed.
    """
    quiet()
    console = Console(stderr=True)
    image_format = format_of(out)
    try:
        spec, repairing = upscaler_of(catalogue, upscaler), faces_of(catalogue, faces)
        answer, png = await clean_file(file)
        sha256 = hashlib.sha256(png).hexdigest()
        picture = GivenPicture(sha256=sha256, sides=(answer.width, answer.height))
        request = upscale_request(picture, scale, spec, was_shrunk=answer.was_shrunk, faces=repairing)
    except Refused as error:
        raise CannotDraw(text(error.key, **error.values)) from error
    print_notices(console, notices(answer))
    async with started_worker(spec.key, writing(settings, image_format), catalogue, console) as backend:
        await backend.submit(1, 1, request, pictures={sha256: png})
        finished = await follow(backend, _PERCENT, console, "Enlarging")
        print_notices(console, finished.notices)
        (output,) = finished.outputs
        return write(out, narrowed(output, UpscaledFile), f"{request.scale} times larger", console)
