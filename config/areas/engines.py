"""Settings of engines of others that draw for this bot."""

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, SecretStr, field_validator

from config.areas.area import Area
from config.areas.tokens import only_word, token_words

_REMEDY: Final = "the one of the server or service"


class EngineServers(Area):
    """One engine: equal servers that draw the same models."""

    kind: Literal["comfyui", "openai"] = Field(description="The interface of the servers.")
    urls: tuple[str, ...] = Field(
        min_length=1, max_length=64, description='Their addresses, "http://gpu:8188" or "https://api.openai.com/v1".'
    )
    running: int = Field(default=1, ge=1, le=64, description="Jobs that each of them draws at once.")
    key: SecretStr | None = Field(default=None, description="The key that they want. Prefer key_file.")
    key_file: Path | None = Field(default=None, description="A file that holds nothing but that key.")

    @field_validator("urls")
    @classmethod
    def _are_http(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(url.startswith(("http://", "https://")) for url in value):
            raise ValueError("each must begin with http:// or https://")
        return tuple(url.rstrip("/") for url in value)

    def read_key(self, name: str) -> str | None:
        """The key from its field or its file; None if neither is set.

        Args:
            name: the owner's name for the engine.

        Raises:
            NotReadable: the file cannot be read, or the text is no key. The message follows "The key".
        """
        words, where = token_words(self.key, self.key_file, f"engines.servers.{name}.key", _REMEDY)
        return only_word(words, where) if words else None


class EngineSettings(Area):
    """Engines of others that draw for this bot, such as ComfyUI. See docs/engines.md."""

    monthly_budget: float = Field(
        default=0.0,
        ge=0.0,
        description="Money that may be spent in a month on models with a price, in the currency of their prices.",
    )
    servers: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")], EngineServers] = Field(
        default_factory=dict[str, EngineServers],
        description="The engines by the names that drawn_by in the catalogue gives them.",
    )
