"""Known names for the values of options."""

from collections.abc import Collection, Sequence

import msgspec

from pipeline.protocol.loras import Style


class Offers(msgspec.Struct, frozen=True, kw_only=True):
    """Known names.

    Attributes:
        models: keys and titles of models.
        guides: keys and titles of control nets and reference adapters.
        styles: the worker's styles; None if they are unknown, and then the worker decides.
    """

    models: Collection[str] = ()
    guides: Collection[str] = ()
    styles: Sequence[Style] | None = None

    def is_model(self, words: str) -> bool:
        """Whether a model has this key or title."""
        return words.casefold() in {name.casefold() for name in self.models}

    def is_guide(self, words: str) -> bool:
        """Whether a control net or reference adapter has this key or title."""
        return words.casefold() in {name.casefold() for name in self.guides}

    def is_style(self, words: str) -> bool:
        """Whether a style has this name or title."""
        return words.casefold() in {
            name.casefold() for style in self.styles or () for name in (style.name, style.title)
        }
