"""What the commands that draw have in common: the real worker, a progress bar and files, without Discord."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import msgspec
import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli.pictures import CannotDraw
from bot.configure import check_worker_packages, make_configure, make_starter
from bot.presenting.texts import text
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.base import WorkerUnavailable
from pipeline.backends.process import ProcessBackend
from pipeline.protocol.wire import messages
from pipeline.protocol.wire.outputs import Notice, Output
from pipeline.protocol.wire.settings import ImageFormat

_READY_TIMEOUT_S = 600.0
_FORMATS: Mapping[str, ImageFormat] = {".png": "png", ".webp": "webp", ".jpg": "jpeg", ".jpeg": "jpeg"}


def quiet() -> None:
    """Silence the worker's log, which is for hosts; a command shows only failures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def format_of(out: Path) -> ImageFormat:
    """The format that a file's name asks for.

    Raises:
        CannotDraw: it asks for none, or its folder does not exist.
    """
    if not out.parent.is_dir():
        raise CannotDraw(f"The folder {out.parent} does not exist; create it or choose another --out.")
    image_format = _FORMATS.get(out.suffix.lower())
    if image_format is None:
        raise CannotDraw(f"The name {out} asks for no format that Easel writes; end it with {', '.join(_FORMATS)}.")
    return image_format


def write(path: Path, picture: Output, fact: str, console: Console) -> Path:
    """Write a picture and print a line about it that ends with a fact.

    Raises:
        CannotDraw: the file cannot be written.
    """
    try:
        path.write_bytes(picture.data)
    except OSError as error:
        raise CannotDraw(f"The file {path} cannot be written: {error.strerror}.") from error
    console.print(f"{path}  {picture.width}x{picture.height}, {fact}", highlight=False)
    return path


@contextlib.asynccontextmanager
async def started_worker(
    model_key: str, settings: Settings, catalogue: Catalogue, console: Console
) -> AsyncGenerator[ProcessBackend]:
    """The real worker with this model or upscaler loaded; the catalogue heeds what it found in the files.

    Raises:
        CannotDraw: there is no worker, or its model is missing.
        ConfigError: the worker's packages are not installed.
    """
    check_worker_packages()
    spec = catalogue.models.get(model_key)
    if spec is not None and spec.drawn_by is not None:
        raise CannotDraw(
            f"An engine of others draws {spec.title}, and this command uses the worker of this computer alone; "
            "choose another model."
        )
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
        catalogue.heed(ready)
        yield backend
    except WorkerUnavailable as error:
        raise CannotDraw(str(error)) from error
    except asyncio.CancelledError:
        raise CannotDraw("Stopped; nothing more was written.") from None
    finally:
        await backend.close()


async def follow(backend: ProcessBackend, total: int, console: Console, doing: str = "Drawing") -> messages.Finished:
    """The final event of the only running job; a progress bar shows its `total` steps.

    Raises:
        CannotDraw: the job failed.
    """
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=total)
        async for event in backend.events():
            match event:
                case messages.Progress():
                    bar.update(task, completed=event.step, total=event.total_steps)
                case messages.Finished():
                    return event
                case messages.Failed():
                    raise CannotDraw(f"{text(f'failure-{event.reason}')} ({event.detail})")
    raise CannotDraw("The worker ended before the job did.")


def writing(settings: Settings, image_format: ImageFormat) -> Settings:
    """The settings with another image format."""
    pipeline = settings.pipeline.model_copy(update={"image_format": image_format})
    return settings.model_copy(update={"pipeline": pipeline})


def print_notices(console: Console, notices: tuple[Notice, ...]) -> None:
    """Print notices as sentences."""
    for notice in notices:
        console.print(text(notice.key, **notice.values), highlight=False)
