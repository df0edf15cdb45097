"""`easel imagine`: the jobs of a prompt in the real worker, without Discord and database."""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from bot.cli.pictures import CannotDraw, PictureOptions, Pictures, read_pictures, redrawn, started
from bot.cli.signing import signing
from bot.cli.working import follow, format_of, print_notices, quiet, started_worker, write, writing
from bot.errors import Refused
from bot.presenting.texts import text
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.resolving import Resolved
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.backends.process import ProcessBackend
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.outputs import ImageFile


async def draw(
    given: GivenRequest,
    out: Path,
    *,
    options: PictureOptions,
    settings: Settings,
    catalogue: Catalogue,
    is_signed: bool = False,
) -> list[Path]:
    """Draw the images and write the files, with a progress bar on standard error.

    Args:
        given: the request.
        out: the file to write; several get numbers.
        options: pictures to start from, and the part of one that is drawn anew.
        settings: the settings.
        catalogue: the models.
        is_signed: whether the files are signed, as the bot signs its pictures.

    Raises:
        CannotDraw: an option is wrong, there is no worker, a job failed, or a file cannot be signed or written.
    """
    quiet()
    console = Console(stderr=True)
    try:
        pictures = await read_pictures(options)
        print_notices(console, pictures.notices)
        given = started(given, pictures, options)
    except Refused as error:
        raise CannotDraw(text(error.key, **error.values)) from error
    # What can be refused without a worker is refused before one starts.
    resolved = await _resolved(given, pictures, options, settings, catalogue)
    settings = writing(settings, format_of(out))
    written: list[Path] = []
    async with contextlib.AsyncExitStack() as stack:
        seal = (
            await stack.enter_async_context(signing(settings, pictures.files, _say_to(console))) if is_signed else None
        )
        model_key = resolved[0].request.model_key
        backend = await stack.enter_async_context(started_worker(model_key, settings, catalogue, console))
        # Only the worker knows what a pipeline does with a picture, and which networks are there.
        try:
            resolved = await _resolved(given, pictures, options, settings, catalogue)
        except CannotDraw as error:
            raise CannotDraw(_missing_network(resolved, backend, catalogue) or str(error)) from error
        paths = iter(_paths(out, sum(each.request.num_images for each in resolved)))
        async for request, drawn in _drawn(resolved, pictures, backend, console):
            path, file = next(paths), drawn
            if seal is not None:
                data = await seal(drawn.data, drawn.media_type, path, request)
                file = msgspec.structs.replace(drawn, data=data)
            written.append(write(path, file, f"seed {drawn.seed}", console))
    return written


async def _drawn(
    resolved: Sequence[Resolved], pictures: Pictures, backend: ProcessBackend, console: Console
) -> AsyncIterator[tuple[GenerationRequest, ImageFile]]:
    """The pictures of these requests, one request after the other."""
    for number, each in enumerate(resolved, 1):
        if len(resolved) > 1:
            console.print(f"{number}/{len(resolved)}  {each.request.prompt}", highlight=False, markup=False)
        print_notices(console, each.notices)
        await backend.submit(number, 1, each.request, pictures=pictures.files)
        finished = await follow(backend, each.request.num_inference_steps, console)
        print_notices(console, finished.notices)
        for output in finished.outputs:
            yield each.request, narrowed(output, ImageFile)


async def _resolved(
    given: GivenRequest, pictures: Pictures, options: PictureOptions, settings: Settings, catalogue: Catalogue
) -> tuple[Resolved, ...]:
    """The requests with every field set.

    Raises:
        CannotDraw: an option is wrong.
    """
    try:
        resolved = await resolve_each(given, settings=settings, catalogue=catalogue)
    except Refused as error:
        raise CannotDraw(text(error.key, **error.values)) from error
    return tuple(
        redrawn(each, pictures, options, catalogue.models[each.request.model_key], settings.limits, given.strength)
        for each in resolved
    )


def _say_to(console: Console) -> Callable[[str], None]:
    """The way to print a sentence as it is."""
    return lambda sentence: console.print(sentence, highlight=False, markup=False)


def _missing_network(resolved: Sequence[Resolved], backend: ProcessBackend, catalogue: Catalogue) -> str | None:
    """What the worker says of the first missing network of these requests; None if it misses none."""
    ready = backend.status.ready
    missing = {} if ready is None else ready.missing
    named = (picture.network for each in resolved for picture in each.request.inputs)
    key = next((key for key in named if key in missing), None)
    return None if key is None else f"{catalogue.networks[key].title} cannot be used: {missing[key]}"


def _paths(out: Path, count: int) -> list[Path]:
    if count == 1:
        return [out]
    return [out.with_stem(f"{out.stem}-{number}") for number in range(1, count + 1)]
