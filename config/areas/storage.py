"""Settings of the folder that Easel writes to."""

from pathlib import Path

from pydantic import Field

from config.areas.area import Area


class StorageSettings(Area):
    """The only folder that Easel writes to."""

    directory: Path = Field(default=Path("data"), description="Database, images and caches lie below it.")
    keep_images_days: int = Field(default=30, ge=0, description="Days that finished images stay on disk; 0 = for ever.")
    max_gb: float = Field(
        default=0.0,
        ge=0.0,
        description="Gigabytes for finished images; the oldest without a star go first; 0 = any.",
    )
    min_free_gb: float = Field(
        default=1.0, ge=0.0, description="Gigabytes of free disk space, below which no job is accepted; 0 = any."
    )

    @property
    def database(self) -> Path:
        """Path of the database."""
        return self.directory / "easel.db"

    @property
    def images(self) -> Path:
        """Folder of the finished pictures."""
        return self.directory / "images"

    @property
    def hosts(self) -> Path:
        """Folder of keys and the certificate for GPU hosts."""
        return self.directory / "hosts"

    @property
    def inputs(self) -> Path:
        """Folder of the pictures that jobs are given."""
        return self.directory / "inputs"
