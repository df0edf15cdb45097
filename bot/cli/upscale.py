"""`easel upscale`: a picture of a file in larger, in the real worker, without Discord and database."""

import hashlib
from pathlib import Path

import msgspec
from rich.console import Console

from bot.cli.pictures import CannotDraw, clean_file, parameters_in
from bot.cli.working import follow, format_of, print_notices, quiet, started_worker, write, writing
from bot.errors import Refused
from bot.pictures.telling import notices
from bot.presenting.texts import text
from bot.requests.enlarging.creative import Enlargement, check_together, creative_of, drawn_in_tiles, prompt_in
from bot.requests.enlarging.upscale import faces_of, upscale_request, upscaler_of
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.store.rows.jobs import WantedJob
from config.catalogue import Catalogue
from config.settings import Settings


class UpscaleOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of the command; those of `/upscale`."""

    scale: int | None = None
    upscaler: str | None = None
    faces: str | None = None
    creative: str | None = None
    prompt: str | None = None


async def enlarge(file: Path, out: Path, *, options: UpscaleOptions, settings: Settings, catalogue: Catalogue) -> Path:
    """Write a file's picture in larger, with a progress bar on standard error.

    Raises:
        CannotDraw: an option is wrong, the picture cannot be read or is too large, there is no worker, or the job or
            the writing failed.
    """
    quiet()
    console = Console(stderr=True)
    image_format = format_of(out)
    try:
        upscaler_of(catalogue, options.upscaler)
        faces_of(catalogue, options.faces)
        check_together(creative_of(options.creative), options.prompt, options.faces)
        answer, png = await clean_file(file)
        sha256 = hashlib.sha256(png).hexdigest()
        picture = GivenPicture(sha256=sha256, sides=(answer.width, answer.height))
        job = await _job(file, picture, options, settings, catalogue, was_shrunk=answer.was_shrunk)
    except Refused as error:
        raise CannotDraw(text(error.key, **error.values)) from error
    print_notices(console, notices(answer) + job.notices)
    async with started_worker(job.request.model_key, writing(settings, image_format), catalogue, console) as backend:
        await backend.submit(1, 1, job.request, pictures={sha256: png})
        finished = await follow(backend, 1, console, "Enlarging")
        print_notices(console, finished.notices)
        output = finished.outputs[0]
        return write(out, output, f"{output.width / answer.width:g} times larger", console)


async def _job(
    file: Path,
    picture: GivenPicture,
    options: UpscaleOptions,
    settings: Settings,
    catalogue: Catalogue,
    *,
    was_shrunk: bool,
) -> WantedJob:
    """The request and its notices.

    Raises:
        CannotDraw: the prompt stands for several pictures, or the file cannot be read.
        Refused: an option is wrong, or the picture or the result is too large.
    """
    spec, creative = upscaler_of(catalogue, options.upscaler), creative_of(options.creative)
    if creative is None:
        faces = faces_of(catalogue, options.faces)
        request = upscale_request(picture, options.scale, spec, was_shrunk=was_shrunk, faces=faces)
        return WantedJob(request=request, notices=())
    wanted = Enlargement(
        picture=picture,
        was_shrunk=was_shrunk,
        scale=options.scale,
        creative=creative,
        upscaler=spec.key,
        is_upscaler_named=options.upscaler is not None,
    )
    prompt = prompt_in(await parameters_in(file)) if options.prompt is None else options.prompt
    first, *others = await resolve_each(GivenRequest(prompt=prompt), settings=settings, catalogue=catalogue)
    if others or first.request.num_images > 1:
        raise CannotDraw("The prompt stands for several pictures; write one that stands for one.")
    return drawn_in_tiles(first, wanted, catalogue, settings.limits)
