"""All settings of Easel, one model per area; `config.areas` has the largest.

They come from a TOML file and from variables `EASEL_<AREA>__<FIELD>`; a variable wins over the file. `config.loading`
reads them; importing this module reads nothing.
"""

from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from config.areas.area import Area
from config.areas.discord import DiscordSettings
from config.areas.downloads import DownloadSettings
from config.areas.engines import EngineSettings
from config.areas.hosts import HostSettings
from config.areas.metrics import MetricsSettings
from config.areas.pipeline import PipelineSettings
from config.areas.quotas import QuotaSettings
from config.areas.storage import StorageSettings
from config.areas.upkeep import BackupSettings, OwnerSettings
from config.reading import read_toml


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
    max_cells: int = Field(default=36, ge=1, le=36, description="Pictures that a grid may have.")


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
    visible_label: Literal["none", "corner"] = Field(
        default="none", description='corner: each picture says "AI" in its lower right corner; none: it does not.'
    )
    timestamp_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        max_length=300,
        description="Address of a time stamp authority (RFC 3161) that confirms the time of signatures; empty = none.",
    )


class SafetySettings(Area):
    """What members may ask for and see."""

    words: Path | None = Field(
        default=None, description="A file of rules of words, plain text or TOML; unset = none. See docs/moderation.md."
    )
    trusted_roles: frozenset[int] = Field(
        default=frozenset(), description="Ids of roles whose refusals by rules of words lead to no pause."
    )
    hard_lists: Path | None = Field(
        default=None,
        description="A folder with minors.txt, sexual.txt or both, which add to the hard rule's lists; unset = none.",
    )
    on_hard_rule: Path | None = Field(
        default=None,
        description="A program that is run when the hard rule refused a request, with the category and the job's "
        "number (- for none); unset = none.",
    )
    real_people: bool = Field(
        default=True, description="Refuse sexual prompts about real people, such as celebrities or somebody's ex."
    )
    people: Path | None = Field(
        default=None, description="A rule file with names of people for real_people; unset = none."
    )
    image_check: Literal["small", "both", "off"] | None = Field(
        default=None,
        description="What checks pictures: small: the shipped classifier; both: it and pipeline.safety_checker; "
        "or off. Unset = both where there is a safety checker, else small.",
    )
    thresholds: dict[Literal["sexual", "suggestive"], Annotated[float, Field(gt=0.0, le=1.0)]] = Field(
        default_factory=dict[Literal["sexual", "suggestive"], float],
        description="From which probability the classifier's word counts; what is not named here stays at "
        "sexual = 0.7 (hidden), suggestive = 0.85 (behind a spoiler).",
    )
    image_blocks: Path | None = Field(
        default=None,
        description="A file of blocked pictures, a look in each line as `easel look` prints it; unset = none. "
        "See docs/moderation.md.",
    )


class PrivacySettings(Area):
    """What is kept about members, and how long."""

    contact: str = Field(
        default="", max_length=200, description="Whom members ask about their data; /privacy show tells."
    )
    policy_url: str = Field(
        default="",
        pattern=r"^(https://\S+)?$",
        max_length=300,
        description="Address of your privacy policy; docs/privacy.md has a text to adapt.",
    )
    keep_prompts_days: int = Field(
        default=0,
        ge=0,
        description="Days after which jobs without a star lose words and pictures, and their buttons rest; 0 = never.",
    )
    keep_hits_days: int = Field(
        default=90,
        ge=30,
        description="Days that warnings, decided reports and refused prompts (at most 90) are kept; at least 30.",
    )
    keep_audit_days: int = Field(default=400, ge=30, description="Days that decisions of admins are kept; at least 30.")
    left_server_days: int = Field(
        default=30, ge=1, description="Days after which what is known about a server that Easel left is deleted."
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
    downloads: DownloadSettings = DownloadSettings()
    quotas: QuotaSettings = QuotaSettings()
    queue: QueueSettings = QueueSettings()
    delivery: DeliverySettings = DeliverySettings()
    storage: StorageSettings = StorageSettings()
    limits: LimitSettings = LimitSettings()
    prompts: PromptSettings = PromptSettings()
    provenance: ProvenanceSettings = ProvenanceSettings()
    safety: SafetySettings = SafetySettings()
    privacy: PrivacySettings = PrivacySettings()
    playground: PlaygroundSettings = PlaygroundSettings()
    logging: LoggingSettings = LoggingSettings()
    metrics: MetricsSettings = MetricsSettings()
    hosts: HostSettings = HostSettings()
    engines: EngineSettings = EngineSettings()
    backup: BackupSettings = BackupSettings()
    owner: OwnerSettings = OwnerSettings()

    @property
    def backups(self) -> Path:
        """Folder of the backups that Easel makes by itself."""
        return self.backup.directory or self.storage.directory / "backups"

    @property
    def model_cache(self) -> Path:
        """Folder of downloaded models."""
        return self.pipeline.cache_directory or self.storage.directory / "models"

    @property
    def image_check(self) -> Literal["small", "both", "off"]:
        """What checks pictures."""
        has_checker = self.pipeline.safety_checker is not None
        return self.safety.image_check or ("both" if has_checker else "small")

    @model_validator(mode="after")
    def _has_the_checker(self) -> Self:
        if self.safety.image_check == "both" and self.pipeline.safety_checker is None:
            raise ValueError(
                'safety.image_check is "both"; set pipeline.safety_checker to the folder of a safety checker'
            )
        return self

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
