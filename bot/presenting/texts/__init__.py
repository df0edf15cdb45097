"""The catalogue of sentences in each language of Easel, in Fluent (projectfluent.org).

The spoken language belongs to the asyncio task. An interaction speaks its member's language, and a job's message that
of its requester. A missing key or value is a fault of Easel and raises; a test goes through every message.
"""

import contextlib
import re
from collections.abc import Generator
from contextvars import ContextVar
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

LANGUAGES: Final = ("en", "de")
"""Members with any other language get the first one."""

_PSEUDONYM: Final = re.compile(r"<@-\d+>")
"""The mention of a forgotten member, whom Discord does not know."""

_spoken: ContextVar[str] = ContextVar("spoken", default=LANGUAGES[0])


@cache
def _bundle(language: str) -> FluentBundle:
    # Isolation marks around values show as boxes in some clients and break `<@id>`.
    bundle = FluentBundle([language], use_isolating=False)
    source = (files(__name__) / f"{language}.ftl").read_text(encoding="utf-8")
    bundle.add_resource(FluentResource(source))
    return bundle


def language_of(locale: str) -> str:
    """The language for a Discord locale, such as `de` or `en-GB`."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else LANGUAGES[0]


def speak(locale: str) -> None:
    """Use a member's language for the rest of this task."""
    _spoken.set(language_of(locale))


@contextlib.contextmanager
def spoken(locale: str) -> Generator[None]:
    """Use a member's language within the block."""
    token = _spoken.set(language_of(locale))
    try:
        yield
    finally:
        _spoken.reset(token)


def text(key: str, **values: str | int) -> str:
    """The sentence of a key in the spoken language.

    Numbers have no thousands separators, since people copy seeds.

    Raises:
        KeyError: there is no such key, or the sentence needs a missing value.
    """
    return _formatted(_spoken.get(), key, tuple(values.items()))


@lru_cache(maxsize=1_024)
def _formatted(language: str, key: str, values: tuple[tuple[str, str | int], ...]) -> str:
    """A sentence, cached: the same few button labels make up most calls of Fluent."""
    bundle = _bundle(language)
    if not bundle.has_message(key):
        raise KeyError(key)
    pattern = bundle.get_message(key).value
    if pattern is None:
        raise KeyError(key)
    arguments = {
        name: fluent_number(value, useGrouping=False) if isinstance(value, int) else value for name, value in values
    }
    formatted, errors = bundle.format_pattern(pattern, arguments)
    if errors:
        raise KeyError(f"{key}: {errors[0]}")
    sentence = str(formatted)
    return _PSEUDONYM.sub(_formatted(language, "forgotten-member", ()), sentence) if "<@-" in sentence else sentence
