"""Names and descriptions of commands in every language, which Discord shows by the member's own."""

from typing import Final

from discord import Locale, app_commands
from discord.app_commands import TranslationContextTypes, locale_str
from typing_extensions import override

from bot.presenting.texts import LANGUAGES, language_of, spoken, text

_KEY: Final = "key"


def localized(key: str, **values: str | int) -> locale_str:
    """A sentence of the catalogue that is translated when commands are registered."""
    return locale_str(text(key, **values), **{_KEY: key, **values})


def renamed(*names: str) -> dict[str, locale_str]:
    """Options of these names, whose names are translated."""
    return {name: localized(f"name-{name}") for name in names}


class Translator(app_commands.Translator):
    """Reads the catalogue."""

    @override
    async def translate(self, string: locale_str, locale: Locale, context: TranslationContextTypes) -> str | None:
        """The same sentence in a language; None where Easel does not speak it, or it is the usual one."""
        del context  # a key says it all
        values = dict(string.extras)
        key = values.pop(_KEY, None)
        if key is None or language_of(str(locale)) == LANGUAGES[0]:
            return None
        with spoken(str(locale)):
            return text(key, **values)
