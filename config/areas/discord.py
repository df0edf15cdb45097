"""Settings of the way to Discord, and the reading of the bot's token."""

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from config.areas.area import Area
from config.reading import NotReadable, read_text


def _bare_token(text: str, where: str) -> str:
    """The token without quotation marks and without the prefix "Bot", which people copy along with it.

    Raises:
        NotReadable: the text is empty, or has more than one word.
    """
    words = text.replace('"', " ").replace("'", " ").split()
    if words and words[0].casefold() == "bot":
        words = words[1:]
    if not words:
        raise NotReadable(f"in {where} is empty; paste the one from the developer portal")
    if len(words) > 1 or not words[0].isascii() or not words[0].isprintable():
        raise NotReadable(f"in {where} is not one word of plain letters; paste nothing but the token")
    return words[0]


class DiscordSettings(Area):
    """How to reach Discord."""

    token: SecretStr | None = Field(default=None, description="The bot's token. Prefer token_file.")
    token_file: Path | None = Field(default=None, description="A file that holds nothing but the bot's token.")
    direct_messages: bool = Field(
        default=True,
        description="Whether Easel also works in direct messages, and for people who bring it along for themselves.",
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
        # A compose file sets a variable without a value to the empty string.
        if self.token is not None and (self.token.get_secret_value().strip() or self.token_file is None):
            return _bare_token(self.token.get_secret_value(), "discord.token")
        if self.token_file is None:
            return None
        try:
            text = read_text(self.token_file)
        except NotReadable as error:
            raise NotReadable(f"in {self.token_file} (discord.token_file) {error}") from error
        return _bare_token(text, f"{self.token_file} (discord.token_file)")
