"""Settings of other computers that draw for this bot."""

from pathlib import Path
from typing import Final

from pydantic import Field

from config.areas.area import Area

_ADDRESS: Final = r"^$|^(\[[0-9a-fA-F:]+\]|[^\s:/\[\]]+):[0-9]{1,5}$"


class HostSettings(Area):
    """Other computers that draw for this bot (GPU hosts), through a NATS server. See docs/hosts.md."""

    server: str = Field(
        default="",
        pattern=_ADDRESS,
        description='Where the bot finds the NATS server, such as "127.0.0.1:4222"; empty = no hosts.',
    )
    address: str = Field(
        default="",
        pattern=_ADDRESS,
        description='Where hosts find it, such as "bot.example.org:4222"; empty = as the bot does.',
    )
    draws_here: bool = Field(default=True, description="Whether the bot's own computer draws too.")
    lease_s: float = Field(
        default=5.0, ge=2.0, le=60.0, description="Seconds of silence after which a host's jobs go to others."
    )

    scale_hook: Path | None = Field(
        default=None,
        description="A program that starts and ends hosts, run with wait or idle and a JSON object; unset = none.",
    )
    scale_after_s: float = Field(
        default=120.0,
        gt=0,
        description="Seconds that a job waits for a free worker until the program is run with wait.",
    )
    idle_after_s: float = Field(
        default=900.0, gt=0, description="Seconds that a host has nothing to draw until the program is run with idle."
    )

    @property
    def draw_all(self) -> bool:
        """Whether nothing is drawn on the bot's own computer."""
        return bool(self.server) and not self.draws_here

    @property
    def dialed(self) -> str:
        """The address that hosts dial."""
        return self.address or self.server
