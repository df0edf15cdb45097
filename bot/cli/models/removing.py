"""`easel models remove` and `prune`: entries and downloads go, and nothing outside of Easel's own folder of models."""

import shutil
from collections.abc import Callable, Container, Iterator
from dataclasses import replace
from pathlib import Path

from huggingface_hub import DeleteCacheStrategy, scan_cache_dir
from huggingface_hub.errors import CacheNotFound

from bot.cli.models.downloading import FILES, GIB, PART
from bot.cli.models.entries import catalogue_text, check_text, without_entry, write_catalogue
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.fetching import Agree
from bot.cli.models.listing import entries_of, files_of, sources_of
from bot.store.fetches import Fetches
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.catalogue.networks import HubSource, Source
from pipeline.protocol.downloads import downloaded

Say = Callable[[str], None]


def remove(key: str, settings: Settings, config: Path | None, catalogue: Catalogue, agree: Agree, say: Say) -> None:
    """Take an entry out of the owner's catalogue, and delete its download if no other entry reads it.

    Raises:
        ModelsFailed: there is no such entry, it is needed, or the owner does not agree.
    """
    entries = entries_of(catalogue)
    if key not in entries:
        raise ModelsFailed(f"The catalogue has no entry '{key}'; it has {', '.join(entries)}.")
    if key == catalogue.default_key:
        raise ModelsFailed(f"'{key}' is pipeline.default_model; set that to another model first.")
    if Fetches(settings.model_cache).percent(key) is not None:
        raise ModelsFailed(f"'{key}' is being downloaded now; stop that first.")
    path, text = catalogue_text(settings, config)
    changed = without_entry(text, key)
    check_text(changed, path, settings.pipeline.default_model)
    rest = [source for other, entry in entries.items() if other != key for source in sources_of(entry)]
    places = _only_of(list(sources_of(entries[key])), rest, settings.model_cache)
    kept = [file for source in sources_of(entries[key]) for file in _outside(source, settings.model_cache)]
    freed = sum(map(_size, places))
    if not agree(f"Remove the entry '{key}', and delete its download ({freed / GIB:.2f} GiB)?"):
        raise ModelsFailed("Nothing was removed.")
    write_catalogue(path, changed, settings, config)
    for place in places:
        shutil.rmtree(place)
    say(f"The entry '{key}' is out of {path}, and {freed / GIB:.2f} GiB ({freed} bytes) are free again.")
    say("Use its key for no other weights: the database remembers it.")
    if kept:
        say(f"{kept[0].parent} lies outside of {settings.model_cache} and was left alone.")


def prune(settings: Settings, catalogue: Catalogue, agree: Agree, say: Say) -> None:
    """Delete downloads that no entry reads: repositories, old revisions, files, and what was left of broken downloads.

    Raises:
        ModelsFailed: the owner does not agree, or a download runs.
    """
    cache = settings.model_cache
    if any(Fetches(cache).percent(key) is not None for key in entries_of(catalogue)):
        raise ModelsFailed("A download runs now; wait for its end.")
    wanted = [source for entry in entries_of(catalogue).values() for source in sources_of(entry)]
    kept = {folder.resolve() for source in wanted if (folder := _snapshot(source, cache)) is not None}
    unread = list(_unread_revisions(cache, kept))
    others = [*_parts(cache), *_unread_files(wanted, cache)]
    freed = sum(map(_size, others)) + sum(strategy.expected_freed_size for _, strategy in unread)
    if not unread and not others:
        say(f"Every download in {cache} is read by an entry; nothing is to delete.")
        return
    for words in (*(words for words, _ in unread), *map(str, others)):
        say(words)
    if not agree(f"Delete these, {freed / GIB:.2f} GiB?"):
        raise ModelsFailed("Nothing was deleted.")
    before = _size(cache)
    for _, strategy in unread:
        strategy.execute()
    for path in others:
        # The library removes what is left of broken downloads in the repositories that it cleans.
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    freed = before - _size(cache)
    say(f"{freed / GIB:.2f} GiB ({freed} bytes) are free again.")


def _unread_revisions(cache: Path, kept: Container[Path]) -> Iterator[tuple[str, DeleteCacheStrategy]]:
    """Repositories with revisions that are not kept, in words, and how the hub's library deletes these."""
    try:
        found = scan_cache_dir(cache)
    except (CacheNotFound, ValueError):
        return
    for repository in found.repos:
        unread = [each for each in repository.revisions if each.snapshot_path.resolve() not in kept]
        if unread:
            commits = [each.commit_hash for each in unread]
            words = f"{repository.repo_id} at {', '.join(commit[:10] for commit in commits)}"
            # The library looks for a commit in all repositories, and a mirror has the same ones.
            yield words, replace(found, repos=frozenset({repository})).delete_revisions(*commits)


def _only_of(mine: list[Source], rest: list[Source], cache: Path) -> list[Path]:
    """Folders of the cache that only these sources read."""
    theirs = {place for source in rest if (place := _place(source, cache)) is not None}
    places = dict.fromkeys(_place(source, cache) for source in mine)
    return [place for place in places if place is not None and place.is_dir() and place not in theirs]


def _place(source: Source, cache: Path) -> Path | None:
    """Folder of the cache that holds a source alone; None for places outside of it."""
    if isinstance(source, HubSource):
        snapshot = downloaded(source, str(cache))
        return None if snapshot is None else snapshot.resolve().parents[1]
    path, files = Path(source.path).resolve(), (cache / FILES).resolve()
    return files / path.relative_to(files).parts[0] if path != files and path.is_relative_to(files) else None


def _snapshot(source: Source, cache: Path) -> Path | None:
    return downloaded(source, str(cache)) if isinstance(source, HubSource) else None


def _outside(source: Source, cache: Path) -> list[Path]:
    return [] if _place(source, cache) is not None else files_of(source, cache)[:1]


def _parts(cache: Path) -> Iterator[Path]:
    """Files that broken downloads left, also those of the hub's library."""
    for pattern in (f"*/blobs/*{PART}", "*/blobs/*.incomplete", f"{FILES}/*/*{PART}"):
        yield from cache.glob(pattern)


def _unread_files(wanted: list[Source], cache: Path) -> list[Path]:
    """Folders of single files that no entry reads."""
    read = {_place(source, cache) for source in wanted}
    return [folder for folder in (cache / FILES).glob("*") if folder.resolve() not in read]


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file() and not file.is_symlink())
