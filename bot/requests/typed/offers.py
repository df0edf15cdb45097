"""Names that the value of an option may be."""

from collections.abc import Collection, Sequence

import msgspec

from pipeline.protocol.loras import Style


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to be named.

    Attributes:
        models: keys and titles.
        styles: of the host; None where nobody knows them yet, so that the worker decides.
    """

    models: Collection[str] = ()
    styles: Sequence[Style] | None = None

    def is_model(self, words: str) -> bool:
        """Whether a model is called so."""
        return words.casefold() in {name.casefold() for name in self.models}

    def is_style(self, words: str) -> bool:
        """Whether a style is called so."""
        return words.casefold() in {
            name.casefold() for style in self.styles or () for name in (style.name, style.title)
        }
