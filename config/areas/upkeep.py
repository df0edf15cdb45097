"""Settings of what Easel does for its owner: backups and reports."""

from pathlib import Path

from pydantic import Field

from config.areas.area import Area


class BackupSettings(Area):
    """Copies of the database that Easel makes by itself."""

    every_h: float = Field(default=24.0, ge=0.0, le=8_760.0, description="Hours between two backups; 0 = none.")
    keep: int = Field(default=7, ge=1, le=1_000, description="Number of backups that stay; older ones are deleted.")
    directory: Path | None = Field(
        default=None, description="Where they lie; unset = backups below storage.directory. Another disk is better."
    )


class OwnerSettings(Area):
    """Messages to the owner of the bot."""

    notify: bool = Field(
        default=True,
        description="Direct messages to the bot's owner about lasting faults: one a cause, which changes at its end.",
    )
