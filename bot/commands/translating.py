"""Names and descriptions of commands in every language. Discord shows them in the member's language."""

from typing import Final

from discord import Locale, app_commands
from discord.app_commands import TranslationContextTypes, locale_str
from typing_extensions import override

from bot.presenting.texts import LANGUAGES, language_of, spoken, text

_KEY: Final = "key"
_TRANSLATED: Final = frozenset(locale for locale in Locale if language_of(locale.value) != LANGUAGES[0])
"""Discord's locales with a language of Easel. Each start asks for every text in every locale that Discord has."""


def localized(key: str, **values: str | int) -> locale_str:
    """A sentence of the catalogue. It is translated when the commands are registered."""
    return locale_str(text(key, **values), **{_KEY: key, **values})


def renamed(*names: str) -> dict[str, locale_str]:
    """Translated names of these options."""
    return {name: localized(f"name-{name}") for name in names}


class Translator(app_commands.Translator):
    """Translates with the catalogue."""

    @override
    async def translate(self, string: locale_str, locale: Locale, context: TranslationContextTypes) -> str | None:
        """The sentence in another language; None for the default language and for languages that Easel lacks."""
        del context  # the key is enough
        if locale not in _TRANSLATED or _KEY not in string.extras:
            return None
        values = dict(string.extras)
        key = values.pop(_KEY)
        with spoken(str(locale)):
            return text(key, **values)
