"""`easel imagine`: the jobs of a prompt in the real worker, without Discord and database."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import msgspec
import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.app import make_configure, make_starter
from bot.cli.pictures import CannotDraw, PictureOptions, read_pictures, redrawn, started
from bot.errors import Refused
from bot.presenting.texts import text
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import WorkerUnavailable
from pipeline.backends.process import ProcessBackend
from pipeline.protocol import messages
from pipeline.protocol.messages import ImageFormat, Notice
from pipeline.protocol.requests import GenerationRequest, narrowed

_READY_TIMEOUT_S = 600.0
_FORMATS: Mapping[str, ImageFormat] = {".png": "png", ".webp": "webp", ".jpg": "jpeg", ".jpeg": "jpeg"}


async def draw(
    given: GivenRequest, out: Path, *, options: PictureOptions, settings: Settings, catalogue: Catalogue
) -> list[Path]:
    """Draw the images and write the files, with a progress bar on standard error.

    Args:
        given: the request.
        out: the file to write; several get numbers.
        options: pictures to start from, and the part of one that is drawn anew.
        settings: the settings.
        catalogue: the models.

    Raises:
        CannotDraw: an option is wrong, there is no worker, a job failed, or a file cannot be written.
    """
    # The worker's log is for hosts; this command shows only failures.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    console = Console(stderr=True)
    try:
        pictures = await read_pictures(options)
        _print_notices(console, pictures.notices)
        given = started(given, pictures, options)
        resolved = await resolve_each(given, settings=settings, catalogue=catalogue)
    except Refused as error:
        raise CannotDraw(text(error.key, **error.values)) from error
    resolved = tuple(
        redrawn(each, pictures, options, catalogue.models[each.request.model_key], settings.limits) for each in resolved
    )
    requests = [each.request for each in resolved]
    paths = iter(_paths(out, sum(request.num_images for request in requests)))
    if not out.parent.is_dir():
        raise CannotDraw(f"The folder {out.parent} does not exist; create it or choose another --out.")
    image_format = _FORMATS.get(out.suffix.lower())
    if image_format is None:
        raise CannotDraw(f"The name {out} asks for no format that Easel writes; end it with {', '.join(_FORMATS)}.")
    settings = _writing(settings, image_format)
    written: list[Path] = []
    async with _worker(requests[0].model_key, settings, catalogue, console) as backend:
        for number, each in enumerate(resolved, 1):
            if len(resolved) > 1:
                console.print(f"{number}/{len(resolved)}  {each.request.prompt}", highlight=False, markup=False)
            _print_notices(console, each.notices)
            await backend.submit(number, 1, each.request, pictures=pictures.files)
            finished = await _follow(backend, each.request, console)
            _print_notices(console, finished.notices)
            written += [_write(next(paths), narrowed(image, messages.ImageFile), console) for image in finished.outputs]
    return written


def _write(path: Path, image: messages.ImageFile, console: Console) -> Path:
    try:
        path.write_bytes(image.data)
    except OSError as error:
        raise CannotDraw(f"The file {path} cannot be written: {error.strerror}.") from error
    console.print(f"{path}  {image.width}x{image.height}, seed {image.seed}", highlight=False)
    return path


@contextlib.asynccontextmanager
async def _worker(
    model_key: str, settings: Settings, catalogue: Catalogue, console: Console
) -> AsyncGenerator[ProcessBackend]:
    """The real worker with this model loaded."""
    configure = make_configure(settings, catalogue)
    options = msgspec.structs.replace(configure.options, preview_interval_s=0.0)
    configure = msgspec.structs.replace(configure, preload=model_key, options=options)
    backend = ProcessBackend(configure=configure, starter=make_starter(settings, is_lasting=False))
    await backend.start()
    try:
        with console.status("Loading the model …"):
            ready = await backend.wait_ready(_READY_TIMEOUT_S)
        if model_key in ready.missing:
            raise CannotDraw(ready.missing[model_key])
        yield backend
    except WorkerUnavailable as error:
        raise CannotDraw(str(error)) from error
    except asyncio.CancelledError:
        raise CannotDraw("Stopped; nothing more was written.") from None
    finally:
        await backend.close()


async def _follow(backend: ProcessBackend, request: GenerationRequest, console: Console) -> messages.Finished:
    columns = (TextColumn("Drawing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=request.num_inference_steps)
        async for event in backend.events():
            match event:
                case messages.Progress():
                    bar.update(task, completed=event.step, total=event.total_steps)
                case messages.Finished():
                    return event
                case messages.Failed():
                    raise CannotDraw(f"{text(f'failure-{event.reason}')} ({event.detail})")
    raise CannotDraw("The worker ended before the job did.")


def _writing(settings: Settings, image_format: ImageFormat) -> Settings:
    """The settings with another image format."""
    pipeline = settings.pipeline.model_copy(update={"image_format": image_format})
    return settings.model_copy(update={"pipeline": pipeline})


def _paths(out: Path, count: int) -> list[Path]:
    if count == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{number}") for number in range(1, count + 1)]


def _print_notices(console: Console, notices: tuple[Notice, ...]) -> None:
    for notice in notices:
        console.print(text(notice.key, **notice.values), highlight=False)
