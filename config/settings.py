"""All settings of Easel, one model per area.

They come from a TOML file and from variables `EASEL_<AREA>__<FIELD>`; a variable wins over the file. `config.loading`
reads them; importing this module reads nothing.
"""

from enum import StrEnum
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from config.reading import NotReadable, read_text, read_toml
from pipeline.protocol.wire.settings import Accelerator, Batching, Device, DType, IdleModels, ImageFormat

_PACKAGE_DIRECTORY = Path(__file__).parent


class Area(BaseModel):
    """One table of the settings file. An unknown name is an error, since it is usually a spelling mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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


class PipelineSettings(Area):
    """The worker process and its models."""

    device: Device = Field(default="auto", description="auto, cuda, mps or cpu.")
    dtype: DType = Field(default="auto", description="auto, float16, bfloat16, float32 or float64.")
    threads: int = Field(default=0, ge=0, le=256, description="CPU threads of the worker; 0 = one a core.")
    catalogue: Path = Field(
        default=_PACKAGE_DIRECTORY / "models.toml",
        description="The file that lists the models members may use.",
    )
    default_model: str = Field(default="pocket", description="Key of the model that is used when none is named.")
    max_running: int = Field(
        default=8, ge=1, le=32, description="Jobs that are drawn at the same time; 1 = one after the other."
    )
    batching: Batching = Field(
        default="pinned",
        description="pinned: a seed repeats its picture whoever draws beside it; flexible: faster on some devices.",
    )
    idle_models: IdleModels = Field(
        default="keep",
        description="Models that nobody uses when another needs room. keep: the least recently used is dropped; "
        "offload: it waits in RAM (on a GPU); drop: all of them are dropped at once.",
    )
    model_memory_mb: int = Field(
        default=0,
        ge=0,
        description="MiB that loaded models may take on the device; 0 = 70 % of its memory.",
    )
    accelerator: Accelerator = Field(
        default="none",
        description="What computes the steps: none = torch; openvino: quicker on a CPU; cuda-graphs, compile: on GPUs.",
    )
    starter: Literal["own", "none"] | Path = Field(
        default="own",
        description="Forks workers on Linux, so that a lost one is replaced in a second. own: ours; none: nothing "
        "does, which saves RAM; or the path of its socket, where several bots share one.",
    )
    channels_last: bool = Field(default=False, description="Another order in memory, quicker on most NVIDIA GPUs.")
    fuse_qkv: bool = Field(default=False, description="Three multiplications of each attention as one.")
    preview_interval_s: float = Field(
        default=2.0, ge=0.0, le=60.0, description="Seconds between two previews of a job; 0 = no previews."
    )
    cache_directory: Path | None = Field(
        default=None, description="Where models from a hub are kept; unset = models below storage.directory."
    )
    safety_checker: Path | None = Field(
        default=None,
        description="A folder with Stable Diffusion's safety checker, whose flagged pictures are hidden; unset = none.",
    )
    lora_directory: Path | None = Field(
        default=None,
        description="A folder with LoRAs and embeddings (.safetensors) that members may use as styles; unset = none.",
    )
    check_content: Literal["everywhere", "outside-age-restricted"] = Field(
        default="outside-age-restricted",
        description="Where pictures are checked, if there is a safety checker; direct messages are never exempt.",
    )
    image_format: ImageFormat = Field(default="png", description="Of finished pictures: png, webp or jpeg.")
    image_quality: int = Field(
        default=90, ge=1, le=100, description="Of WebP and JPEG, 1 to 100; WebP at 100 is without loss."
    )
    metadata: Literal["full", "none"] = Field(
        default="full",
        description='What a file says beside "made with AI": full = prompt and settings, as A1111 does; or none.',
    )
    job_timeout_s: float = Field(
        default=900.0,
        gt=0.0,
        description="A job that runs longer is ended and refunded; loading a model counts.",
    )

    @field_validator("starter")
    @classmethod
    def _is_word_or_path(cls, value: str | Path) -> str | Path:
        if isinstance(value, Path) and not value.is_absolute():
            raise ValueError('must be "own", "none" or an absolute path')
        return value


class Period(StrEnum):
    """The period of a quota."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class QuotaSettings(Area):
    """How much a member may use."""

    amount: int = Field(default=50, ge=0, description="Images (or units of work) a period; 0 = no limit.")
    personal_amount: int | None = Field(
        default=None,
        ge=0,
        description="The same in direct messages and where people bring Easel along, all together; 0 = no limit.",
    )
    period: Period = Field(default=Period.DAY, description="hour, day, week or month.")
    pricing: Literal["flat", "work"] = Field(
        default="flat",
        description="flat: 1 an image; work: by steps, size and sampler against the model's default.",
    )
    time_zone: str = Field(default="UTC", description="IANA name of the zone in which days, weeks, months begin.")
    cooldown_s: float = Field(default=0.0, ge=0.0, description="Seconds between two jobs of a member; 0 = none.")
    cooldown_burst: int = Field(default=1, ge=1, description="Jobs that a rested member may ask for at once.")
    queued_per_user: int = Field(default=5, ge=0, description="Jobs that a member may have waiting; 0 = no limit.")
    running_per_user: int = Field(default=2, ge=0, description="Jobs of a member that run at once; 0 = no limit.")

    def amount_in(self, guild_id: int) -> int | None:
        """Units per period in a server, or outside of servers (0); None means no limit."""
        amount = self.amount if guild_id or self.personal_amount is None else self.personal_amount
        return amount or None

    @field_validator("time_zone")
    @classmethod
    def _is_known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(f"'{value}' is no IANA time zone such as Europe/Berlin") from error
        return value


class QueueSettings(Area):
    """The order of waiting jobs."""

    role_weights: dict[int, Annotated[int, Field(ge=1, le=100)]] = Field(
        default_factory=dict[int, int], description="Share of a role by its id: 3 = three times as much as others."
    )
    express_roles: frozenset[int] = Field(
        default=frozenset(), description="Ids of roles whose jobs go before all others."
    )
    max_wait_h: float = Field(
        default=24.0, gt=0.0, le=720.0, description="Hours after which a job that waits, or cannot be delivered, ends."
    )


class DeliverySettings(Area):
    """Delivery of pictures that Easel cannot show in their channel."""

    direct_message: Literal["never", "not-permitted", "always"] = Field(
        default="not-permitted",
        description="When a member gets it in a direct message instead of their quota back: where Easel may not "
        "write any more, or always, also where the message was deleted.",
    )


class StorageSettings(Area):
    """The only folder that Easel writes to."""

    directory: Path = Field(default=Path("data"), description="Database, images and caches lie below it.")
    keep_images_days: int = Field(default=30, ge=0, description="Days that finished images stay on disk; 0 = for ever.")

    @property
    def database(self) -> Path:
        """Path of the database."""
        return self.directory / "easel.db"

    @property
    def inputs(self) -> Path:
        """Folder of the pictures that jobs are given."""
        return self.directory / "inputs"


class LimitSettings(Area):
    """Limits of this installation, in addition to those of each model."""

    max_images: int = Field(default=4, ge=1, le=4, description="Images of one job.")
    max_steps: int = Field(default=150, ge=1, le=150, description="Steps of one job.")
    max_pixels: int = Field(
        default=2_048 * 2_048, ge=64 * 64, description="Width times height that a model may be asked to draw."
    )
    max_prompt_length: int = Field(default=2_000, ge=1, le=2_000, description="Characters of a prompt.")


class PromptSettings(Area):
    """Special syntax in prompts."""

    wildcards: Path | None = Field(
        default=None,
        description="A folder of word lists: __name__ in a prompt is a line of name.txt in it; unset = none.",
    )
    max_jobs: int = Field(
        default=8,
        ge=1,
        le=20,
        description="Jobs that one prompt with {a|b} or {a, b} may become; 1 = braces are words.",
    )


class ProvenanceSettings(Area):
    """Signatures that say where a picture comes from (Content Credentials)."""

    sign: Literal["auto", "off", "required"] = Field(
        default="auto",
        description="auto: pictures are signed if there is a key; off: never; required: no unsigned one is shown.",
    )
    key_file: Path | None = Field(
        default=None, description="The key that signs; unset = provenance/key.pem below storage.directory."
    )
    chain_file: Path | None = Field(
        default=None, description="Its certificates; unset = provenance/chain.pem below storage.directory."
    )
    organisation: str = Field(
        default="", max_length=64, description="The name that `easel provenance init` writes into certificates."
    )


class PlaygroundSettings(Area):
    """The page of the local Discord."""

    port: int = Field(default=8777, ge=0, le=65_535, description="Port of the page; 0 = any free one.")
    open_browser: bool = Field(default=True, description="Open the page when it is ready.")


class LoggingSettings(Area):
    """The log on standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="DEBUG, INFO, WARNING or ERROR."
    )
    format: Literal["text", "json"] = Field(default="text", description="text for people, json for machines.")


class _TomlFile(TomlConfigSettingsSource):
    """The settings file, read with `config.reading`."""

    @override
    def _read_file(self, file_path: Path | Traversable) -> dict[str, Any]:
        return read_toml(Path(str(file_path)))


class Settings(BaseSettings):
    """All areas. Read them with `config.loading.load_settings`, which turns errors into sentences."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="EASEL_", env_nested_delimiter="__", env_ignore_empty=True
    )

    discord: DiscordSettings = DiscordSettings()
    pipeline: PipelineSettings = PipelineSettings()
    quotas: QuotaSettings = QuotaSettings()
    queue: QueueSettings = QueueSettings()
    delivery: DeliverySettings = DeliverySettings()
    storage: StorageSettings = StorageSettings()
    limits: LimitSettings = LimitSettings()
    prompts: PromptSettings = PromptSettings()
    provenance: ProvenanceSettings = ProvenanceSettings()
    playground: PlaygroundSettings = PlaygroundSettings()
    logging: LoggingSettings = LoggingSettings()

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let variables win over the file."""
        return init_settings, env_settings, _TomlFile(settings_cls)
