"""Settings of the downloads of models."""

from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, field_validator

from config.areas.area import Area
from config.areas.tokens import only_word, token_words

_REMEDY: Final = "the one of your account"


class DownloadSettings(Area):
    """Where `easel models` downloads from, and as whom."""

    hub_token: SecretStr | None = Field(
        default=None, description="Your token of the Hugging Face hub, for models that want one. Prefer hub_token_file."
    )
    hub_token_file: Path | None = Field(default=None, description="A file that holds nothing but that token.")
    civitai_token: SecretStr | None = Field(
        default=None, description="Your API key of Civitai, for models that want one. Prefer civitai_token_file."
    )
    civitai_token_file: Path | None = Field(default=None, description="A file that holds nothing but that key.")
    civitai_url: str = Field(
        default="https://civitai.com", description="Where Civitai is. Changed only for mirrors and by tests."
    )

    @field_validator("civitai_url")
    @classmethod
    def _is_http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    def read_hub_token(self) -> str | None:
        """The token of the hub; None lets the hub's library look for its own.

        Raises:
            NotReadable: the file cannot be read, or the text is no token. The message follows "The hub's token".
        """
        words, where = token_words(self.hub_token, self.hub_token_file, "downloads.hub_token", _REMEDY)
        return only_word(words, where) if words else None

    def read_civitai_token(self) -> str | None:
        """Civitai's API key; None if neither is set.

        Raises:
            NotReadable: the file cannot be read, or the text is no key. The message follows "Civitai's key".
        """
        place = (self.civitai_token, self.civitai_token_file, "downloads.civitai_token")
        words, where = token_words(*place, _REMEDY)
        return only_word(words, where) if words else None
