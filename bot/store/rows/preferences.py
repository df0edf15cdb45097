"""Default values for options of a request, of a member, a channel or a server."""

from collections.abc import Iterable
from typing import Self

import msgspec
from msgspec.structs import asdict


class Preferences(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Default values for options of a request; None is no default."""

    negative_prompt: str | None = None
    guidance_scale: float | None = None
    num_inference_steps: int | None = None
    size: str | None = None
    scheduler_name: str | None = None
    num_images: int | None = None
    model_key: str | None = None

    def or_else(self, defaults: "Preferences") -> Self:
        """These values; `defaults` fill the unset ones."""
        missing = {name: value for name, value in asdict(defaults).items() if getattr(self, name) is None}
        return msgspec.structs.replace(self, **missing)

    def only(self, names: Iterable[str]) -> Self:
        """Only the values with these names."""
        return msgspec.structs.replace(self, **dict.fromkeys(set(self.__struct_fields__) - {*names}))

    def names(self) -> frozenset[str]:
        """The names of the set values."""
        return frozenset(name for name, value in asdict(self).items() if value is not None)


class AskerDefaults(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The defaults for a request, in order of precedence. The model's defaults come after them."""

    channel: Preferences = Preferences()
    own: Preferences = Preferences()
    server: Preferences = Preferences()

    @property
    def merged(self) -> Preferences:
        """The first set value of each option."""
        return self.channel.or_else(self.own).or_else(self.server)

    def only(self, names: frozenset[str]) -> Self:
        """Of the values with these names, those that take precedence; each stays with its owner."""
        own = names - self.channel.names()
        return type(self)(
            channel=self.channel.only(names), own=self.own.only(own), server=self.server.only(own - self.own.names())
        )
