"""From a typed prompt to its jobs; usually it is one."""

import asyncio
import difflib
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from bot.errors import Refused
from bot.requests.given import GivenRequest
from bot.requests.reading import read_command
from bot.requests.resolving import Resolved, offers_of, resolve
from bot.requests.typed.wildcards import BrokenWildcard, WildcardFolder
from bot.store.rows.preferences import AskerDefaults
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.prompts.expansion import (
    EndlessWildcard,
    TooManyPrompts,
    UnknownWildcard,
    expand,
    find_unread,
    has_chances,
)
from pipeline.protocol.loras import Style
from pipeline.protocol.wire.outputs import Notice

_NO_DEFAULTS: Final = AskerDefaults()
_MOST_HINTS: Final = 3

_log = structlog.get_logger(__name__)


async def resolve_each(
    given: GivenRequest,
    *,
    settings: Settings,
    catalogue: Catalogue,
    defaults: AskerDefaults = _NO_DEFAULTS,
    styles: Sequence[Style] | None = None,
) -> tuple[Resolved, ...]:
    """Every request of a prompt, each with its own seed unless one was given.

    Groups are expanded first, so that they may contain options. Wildcards are filled last, by each request's seed.

    Args:
        given: the member's request.
        settings: the host's settings: limits, word lists, and the maximum number of jobs.
        catalogue: the models.
        defaults: defaults for options without a value; they come before the model's.
        styles: the worker's styles; None if they are unknown.

    Raises:
        Refused: one of the requests is refused, or there are too many.
    """
    given, command_notices = read_command(given, offers_of(catalogue, styles))
    prompts, chances = _expanded(given.prompt, settings.prompts.max_jobs)
    folder = None if settings.prompts.wildcards is None else WildcardFolder(settings.prompts.wildcards)

    def read_and_resolve() -> tuple[Resolved, ...]:
        each = [
            resolve(
                msgspec.structs.replace(given, prompt=prompt),
                catalogue=catalogue,
                limits=settings.limits,
                defaults=defaults,
                lists=None if folder is None else folder.lines,
                styles=styles,
            )
            for prompt in prompts
        ]
        return tuple(msgspec.structs.replace(one, notices=(*command_notices, *chances, *one.notices)) for one in each)

    try:
        # Lists are files and may be on a slow disk, so a thread reads them.
        return read_and_resolve() if folder is None else await asyncio.to_thread(read_and_resolve)
    except (UnknownWildcard, EndlessWildcard, BrokenWildcard) as error:
        raise await asyncio.to_thread(_refusal, error, folder) from error


def _expanded(prompt: str, most: int) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """The prompts of a template, and a notice if it has chances; with `most` 1, a template stays text.

    Raises:
        Refused: there are too many prompts, or a part is no template that Easel knows.
    """
    if most == 1:
        return (prompt,), ()
    try:
        prompts = expand(prompt, most)
    except TooManyPrompts as error:
        raise Refused("refused-too-many-prompts", limit=most) from error
    unread = next(filter(None, map(find_unread, prompts)), None)
    if unread is not None:
        raise Refused("refused-template", sign=unread, picks="{2$$a|b|c}")
    return prompts, (Notice(key="notice-chances"),) if has_chances(prompt) else ()


def _refusal(error: UnknownWildcard | EndlessWildcard | BrokenWildcard, folder: WildcardFolder | None) -> Refused:
    """The refusal of a wildcard; it reads the folder for similar names."""
    match error:
        case UnknownWildcard():
            return _unknown(error.name, folder)
        case EndlessWildcard():
            return Refused("refused-wildcard-endless", name=error.name)
        case BrokenWildcard():
            _log.warning("list of words unusable", action="refused", reason=str(error))
            return Refused("refused-wildcard-broken", name=error.name)


def _unknown(name: str, folder: WildcardFolder | None) -> Refused:
    """The refusal of an unknown wildcard, with similar names."""
    names = [] if folder is None else folder.names()
    near = difflib.get_close_matches(name, names, n=_MOST_HINTS)
    if not near:
        return Refused("refused-wildcard", name=name)
    return Refused("refused-wildcard-near", name=name, near=", ".join(f"__{found}__" for found in near))
