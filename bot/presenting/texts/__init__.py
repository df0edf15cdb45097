"""The one catalogue of sentences, in Fluent (projectfluent.org), so that they can be translated.

A missing key or value is a fault of ours and raises; a test goes through every message.
"""

from functools import cache
from importlib.resources import files
from typing import Final

from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

DEFAULT_LOCALE: Final = "en"


@cache
def _bundle(locale: str) -> FluentBundle:
    # Isolation marks around values show up as boxes in some clients, and break `<@id>`.
    bundle = FluentBundle([locale], use_isolating=False)
    source = (files(__name__) / f"{locale}.ftl").read_text(encoding="utf-8")
    bundle.add_resource(FluentResource(source))
    return bundle


def text(key: str, **values: str | int) -> str:
    """The sentence of this key.

    Numbers are written without thousands separators, since people copy seeds.

    Raises:
        KeyError: no such key, or a value that the sentence needs is missing.
    """
    bundle = _bundle(DEFAULT_LOCALE)
    if not bundle.has_message(key):
        raise KeyError(key)
    pattern = bundle.get_message(key).value
    if pattern is None:
        raise KeyError(key)
    arguments = {
        name: fluent_number(value, useGrouping=False) if isinstance(value, int) else value
        for name, value in values.items()
    }
    formatted, errors = bundle.format_pattern(pattern, arguments)
    if errors:
        raise KeyError(f"{key}: {errors[0]}")
    return str(formatted)
