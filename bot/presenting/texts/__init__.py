"""The one catalogue of sentences, in Fluent (projectfluent.org), in every language that Easel speaks.

Which language is spoken belongs to the task: an interaction sets it to its member's, a job's message is in that of
who asked for it. A missing key or value is a fault of ours and raises; a test goes through every message.
"""

import contextlib
from collections.abc import Generator
from contextvars import ContextVar
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

LANGUAGES: Final = ("en", "de")
"""The first one is spoken to whoever speaks none of them."""

_spoken: ContextVar[str] = ContextVar("spoken", default=LANGUAGES[0])


@cache
def _bundle(language: str) -> FluentBundle:
    # Isolation marks around values show up as boxes in some clients, and break `<@id>`.
    bundle = FluentBundle([language], use_isolating=False)
    source = (files(__name__) / f"{language}.ftl").read_text(encoding="utf-8")
    bundle.add_resource(FluentResource(source))
    return bundle


def language_of(locale: str) -> str:
    """The language for a locale of Discord's, such as `de` or `en-GB`."""
    language = locale.partition("-")[0]
    return language if language in LANGUAGES else LANGUAGES[0]


def speak(locale: str) -> None:
    """Speak a member's language for the rest of this task."""
    _spoken.set(language_of(locale))


@contextlib.contextmanager
def spoken(locale: str) -> Generator[None]:
    """Speak a member's language for a moment."""
    token = _spoken.set(language_of(locale))
    try:
        yield
    finally:
        _spoken.reset(token)


def text(key: str, **values: str | int) -> str:
    """The sentence of this key.

    Numbers are written without thousands separators, since people copy seeds.

    Raises:
        KeyError: no such key, or a value that the sentence needs is missing.
    """
    return _formatted(_spoken.get(), key, tuple(values.items()))


@lru_cache(maxsize=1_024)
def _formatted(language: str, key: str, values: tuple[tuple[str, str | int], ...]) -> str:
    """A sentence; kept, since the labels of a message's buttons are most of what Fluent formats."""
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
    return str(formatted)
