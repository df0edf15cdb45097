"""`easel models fetch`: download what an entry of the catalogue names on a hub."""

import contextlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from bot.cli.models.downloading import GIB, Note
from bot.cli.models.examining import examine_files
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.hub import Hub, Repository
from bot.cli.models.selection import select
from bot.store.fetches import Fetches, FetchRuns
from config.catalogue import Catalogue
from config.reading import NotReadable
from config.settings import Settings
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import ControlSpec, GuideSpec, HubSource, ReferenceSpec, Source
from pipeline.protocol.catalogue.pipelines import BLOCKS_INDEX, INDEX

_NOT_DRAWN_WITH: Final = ("safety_checker", "feature_extractor")
"""Components of Stable Diffusion that Easel never loads."""
_REWRITING: Final = ("prompt_upsampler", "prompt_upsampler_processor")
"""Components that would write prompts anew, which Easel never loads either."""

Fetchable: TypeAlias = ModelSpec | GuideSpec
"""An entry whose files may be on a hub."""
Agree: TypeAlias = Callable[[str], bool]
"""Asks a question whose answer is yes or no."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Files of a repository that an entry needs."""

    repository: Repository
    names: list[str]


def fetchable(catalogue: Catalogue, key: str) -> Fetchable:
    """The entry of this key.

    Raises:
        ModelsFailed: there is none, or it names files on this computer alone.
    """
    entries: Mapping[str, Fetchable] = {**catalogue.models, **catalogue.guides}
    if key in entries and getattr(entries[key], "drawn_by", None) is not None:
        raise ModelsFailed(f"An engine of others draws the model '{key}', so there is nothing to download.")
    if key in entries:
        return entries[key]
    if key in {**catalogue.entries, **catalogue.networks}:
        raise ModelsFailed(f"The entry '{key}' names a file on this computer, so there is nothing to download.")
    raise ModelsFailed(f"The catalogue has no entry '{key}'; it has {', '.join(entries)}.")


def hub_of(settings: Settings) -> Hub:
    """The hub, as the owner's settings say.

    Raises:
        ModelsFailed: the token cannot be read.
    """
    try:
        return Hub(settings.downloads.read_hub_token(), settings.model_cache)
    except NotReadable as error:
        raise ModelsFailed(f"The hub's token {error}.") from error


def fetch(key: str, settings: Settings, catalogue: Catalogue, agree: Agree, console: Console) -> None:
    """Download all that an entry needs of a hub, and check that it is whole.

    Raises:
        ModelsFailed: there is no such entry, the owner does not agree, or the download failed.
    """
    spec = fetchable(catalogue, key)
    hub = hub_of(settings)
    wanted = [_wanted(hub, spec, name, source) for name, source in _sources(spec)]
    if not wanted:
        with console.status("Looking through the files …"):
            configuration = examine_files(settings, catalogue).configurations.get(key)
        if configuration is None:
            raise ModelsFailed(f"The entry '{key}' names files on this computer, so there is nothing to download.")
        wanted = [configuration_of(hub, configuration)]
    agree_to(f"License of {spec.title}: {spec.license}", hub, wanted, agree, console)
    download_all(key, hub, wanted, settings, console)
    with console.status("Looking through the files …"):
        fault = examine_files(settings, catalogue).missing.get(key)
    if fault is not None:
        raise ModelsFailed(f"{spec.title} is downloaded, but cannot be offered. {fault}")


def agree_to(terms: str, hub: Hub, wanted: Sequence[Wanted], agree: Agree, console: Console) -> None:
    """Show the licence and the size, and ask for agreement.

    Raises:
        ModelsFailed: the owner does not agree.
    """
    missing = sum(hub.bytes_missing(each.repository, each.names) for each in wanted)
    console.print(terms, highlight=False, markup=False)
    for each in wanted:
        said = each.repository.license or "nothing about its licence"
        place = f"{each.repository.repo_id} at {each.repository.commit[:10]}"
        console.print(f"{place} says: {said}", highlight=False, markup=False)
    if not agree(f"Do you agree to these terms, and download {missing / GIB:.2f} GiB?"):
        raise ModelsFailed("Nothing was downloaded.")


def download_all(key: str, hub: Hub, wanted: Sequence[Wanted], settings: Settings, console: Console) -> None:
    """Download files with a progress bar; meanwhile members are told that the model is on its way.

    Raises:
        ModelsFailed: the download failed, or another process downloads the same.
    """
    total = sum(each.repository.sizes[name] for each in wanted for name in each.names)
    missing = sum(hub.bytes_missing(each.repository, each.names) for each in wanted)
    with progress(key, total, total - missing, settings, console) as note:
        for each in wanted:
            hub.fetch(each.repository, each.names, note)


@contextlib.contextmanager
def progress(key: str, total: int, here: int, settings: Settings, console: Console) -> Generator[Note]:
    """A progress bar, and a mark for members, while an entry is downloaded.

    Args:
        key: key of the entry.
        total: all of its bytes.
        here: those that are here.
        settings: the owner's settings.
        console: shows the bar.

    Raises:
        ModelsFailed: another process downloads the same, or the mark cannot be written.
    """
    columns = (TextColumn(key), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    try:
        with (
            Fetches(settings.model_cache).marked(key) as mark,
            Progress(*columns, console=console, transient=True) as bar,
        ):
            task = bar.add_task("", total=total, completed=here)
            yield _noting(bar.advance, task, mark, here, max(1, total))
    except FetchRuns:
        raise ModelsFailed(f"Another process downloads '{key}' now; wait for that.") from None
    except OSError as error:
        raise ModelsFailed(f"{settings.model_cache} cannot be written: {error.strerror}.") from error


def _noting(advance: Callable[..., None], task: object, mark: Callable[[int], None], here: int, total: int) -> Note:
    percent = -1

    def note(count: int) -> None:
        nonlocal here, percent
        here += count
        advance(task, count)
        now = min(99, max(0, 100 * here // total))
        if now != percent:
            percent = now
            mark(now)

    return note


def _sources(spec: Fetchable) -> Iterator[tuple[str, HubSource]]:
    """Repositories that an entry names, and for what."""
    named: dict[str, Source | None] = {}
    match spec:
        case ModelSpec():
            named = {"model": spec.source, "vae": spec.vae, "decoder": spec.preview_decoder}
        case ControlSpec():
            named = {"network": spec.source, "preprocessor": spec.preprocessor_model}
        case ReferenceSpec():
            named = {"encoder": spec.encoder}
    yield from ((name, source) for name, source in named.items() if isinstance(source, HubSource))


def _wanted(hub: Hub, spec: Fetchable, name: str, source: HubSource) -> Wanted:
    repository = hub.look_up(source.repo_id, source.revision)
    if name == "model":
        return whole_model(hub, repository, spec.family)
    folder = "vae" if name == "vae" and any(file.startswith("vae/") for file in repository.sizes) else ""
    return Wanted(repository=repository, names=select(repository.sizes, [folder]))


def whole_model(hub: Hub, repository: Repository, family: str) -> Wanted:
    """The files of a diffusers model.

    Raises:
        ModelsFailed: the repository holds none, or only pickled weights.
    """
    found = index_in(repository)
    if found is None:
        files = [name for name in repository.sizes if name.endswith(".safetensors")]
        hint = f" Download one of its files, such as {files[0]}, and add that." if files else ""
        raise ModelsFailed(f"{repository.repo_id} is no diffusers model, for it has no {INDEX}.{hint}")
    index = hub.read_json(repository, found)
    left_out = (*_REWRITING, *(_NOT_DRAWN_WITH if family == "sd" else ()))
    folders = [name for name, value in index.items() if isinstance(value, list) and name not in left_out]
    return Wanted(repository=repository, names=[found, *select(repository.sizes, folders)])


def index_in(repository: Repository) -> str | None:
    """Name of the index of a repository's diffusers model; None if it holds none."""
    return next((name for name in (INDEX, BLOCKS_INDEX) if name in repository.sizes), None)


def configuration_of(hub: Hub, source: HubSource) -> Wanted:
    """The files of a diffusers model without its weights."""
    repository = hub.look_up(source.repo_id, source.revision)
    return Wanted(repository=repository, names=configurations_in(repository))


def configurations_in(repository: Repository) -> list[str]:
    """The names of all files of a diffusers model but its weights."""
    folders = sorted({folder for name in repository.sizes if (folder := name.rpartition("/")[0])})
    return [index_in(repository) or INDEX, *select(repository.sizes, folders, has_weights=False)]
