"""`easel cutout`: a file's picture without its background, in the real worker, without Discord and database."""

import hashlib
from pathlib import Path

from rich.console import Console

from bot.cli.pictures import CannotDraw, clean_file
from bot.cli.working import follow, print_notices, quiet, started_worker, write
from bot.errors import Refused
from bot.pictures.telling import notices
from bot.presenting.texts import text
from bot.requests.cutting import cutout_network_of, cutout_request
from bot.requests.options.takes import GivenPicture
from config.catalogue import Catalogue
from config.settings import Settings


async def cut_out(file: Path, out: Path, *, network: str | None, settings: Settings, catalogue: Catalogue) -> Path:
    """Write a file's picture as a PNG with a transparent background.

    Raises:
        CannotDraw: the name is no PNG's, no network can be used, the picture cannot be read, there is no worker, or the
            job or the writing failed.
    """
    quiet()
    console = Console(stderr=True)
    if out.suffix.lower() != ".png":
        raise CannotDraw(f"A cutout is a PNG, since other formats lose what is transparent; end {out} with .png.")
    if not out.parent.is_dir():
        raise CannotDraw(f"The folder {out.parent} does not exist; create it or choose another --out.")
    try:
        spec = cutout_network_of(catalogue, network)
        answer, png = await clean_file(file)
        sha256 = hashlib.sha256(png).hexdigest()
        request = cutout_request(GivenPicture(sha256=sha256, sides=(answer.width, answer.height)), spec)
    except Refused as error:
        raise CannotDraw(text(error.key, **error.values)) from error
    print_notices(console, notices(answer))
    async with started_worker(spec.key, settings, catalogue, console) as backend:
        await backend.submit(1, 1, request, pictures={sha256: png})
        finished = await follow(backend, 1, console, "Cutting out")
        print_notices(console, finished.notices)
        return write(out, finished.outputs[0], "with a transparent background", console)
