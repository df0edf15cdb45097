"""Settings of the way to Discord, and the reading of the bot's token."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator

from config.areas.area import Area
from config.areas.tokens import only_word, token_words
from config.reading import NotReadable

_REMEDY: Final = "the one from the developer portal"


class DiscordSettings(Area):
    """How to reach Discord."""

    token: SecretStr | None = Field(default=None, description="The bot's token. Prefer token_file.")
    token_file: Path | None = Field(default=None, description="A file that holds nothing but the bot's token.")
    direct_messages: bool = Field(
        default=True,
        description="Whether Easel also works in direct messages, and for people who bring it along for themselves.",
    )
    shards: int = Field(
        default=1,
        ge=0,
        le=1_000,
        description="Connections to Discord's gateway, for bots on more than 2,000 servers; 0 = as Discord recommends.",
    )
    api_base_url: str = Field(
        default="https://discord.com/api/v10",
        description="Where the REST interface is. Changed only by the playground and by tests.",
    )
    gateway_url: str = Field(
        default="wss://gateway.discord.gg/",
        description="Where the gateway is. Changed only by the playground and by tests.",
    )

    @field_validator("api_base_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("gateway_url")
    @classmethod
    def _is_websocket(cls, value: str) -> str:
        if not value.startswith(("ws://", "wss://")):
            raise ValueError("must begin with ws:// or wss://")
        return value

    def read_token(self) -> str | None:
        """The token from its field or its file; None if neither is set.

        Raises:
            NotReadable: the file cannot be read, or the text is no token. The message follows "The bot's token".
        """
        words, where = token_words(self.token, self.token_file, "discord.token", _REMEDY)
        if words and words[0].casefold() == "bot":
            words = words[1:]  # people copy the prefix along with it
            if not words:
                raise NotReadable(f"in {where} is empty; paste {_REMEDY}")
        return only_word(words, where) if words else None
