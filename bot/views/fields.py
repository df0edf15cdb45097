"""What a member typed, chose and attached in a form."""

from collections.abc import Mapping
from typing import Any, Self

import discord
import msgspec

from bot.calls.answers import Interaction


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """The values of a submitted form, by the custom ids of its fields; a typed text is the only value of its field."""

    values: Mapping[str, tuple[str, ...]]
    files: Mapping[str, discord.Attachment]

    @classmethod
    def of(cls, data: Mapping[str, Any], interaction: Interaction) -> Self:
        """The fields in the data of an interaction; a file's values are the ids of attachments."""
        values: dict[str, tuple[str, ...]] = {}
        for label in data.get("components", ()):
            field = label.get("component") or {}
            found = [field.get("value")] if "value" in field else field.get("values") or ()
            values[str(field.get("custom_id"))] = tuple(value for value in found if isinstance(value, str))
        attached = (data.get("resolved") or {}).get("attachments") or {}
        state = interaction._state  # noqa: SLF001 - discord.py gives attachments of forms only to views that it keeps
        files = {str(key): discord.Attachment(data=each, state=state) for key, each in attached.items()}
        return cls(values=values, files=files)

    def text(self, name: str, usual: str = "") -> str:
        """The typed text or the only chosen value of a field."""
        return next(iter(self.values.get(name, ())), usual)

    def file(self, name: str) -> discord.Attachment | None:
        """The attached file of a field; None if there is none."""
        return self.files.get(self.text(name))
