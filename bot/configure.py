"""What the bot tells a worker, and the starter that forks it."""

from importlib.util import find_spec
from pathlib import Path

from config.catalogue import Catalogue
from config.loading import ConfigError
from config.settings import Settings
from pipeline.backends.starter import Starter
from pipeline.protocol.program import DISTRIBUTION
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Configure
from pipeline.protocol.wire.settings import Acceleration, EngineOptions, ImageOutput, ImageThresholds


def check_worker_packages() -> None:
    """Check that the packages of the worker are installed; a bot without them is a small installation.

    Raises:
        ConfigError: they are not.
    """
    if find_spec("torch") is None:
        raise ConfigError(
            "The packages that draw are not installed here; install them with `uv sync --extra worker`, or "
            f"`pip install '{DISTRIBUTION}[worker]'`."
        )


def make_configure(settings: Settings, catalogue: Catalogue) -> Configure:
    """The first message to a worker."""
    pipeline = settings.pipeline
    checker = pipeline.safety_checker
    return Configure(
        protocol_version=PROTOCOL_VERSION,
        device=pipeline.device,
        dtype=pipeline.dtype,
        threads=pipeline.threads,
        models=tuple(catalogue.models.values()),
        upscalers=tuple(catalogue.upscalers.values()),
        faces=tuple(catalogue.faces.values()),
        cutouts=tuple(catalogue.cutouts.values()),
        controls=tuple(catalogue.controls.values()),
        references=tuple(catalogue.references.values()),
        text_mask=catalogue.text_mask,
        preload=catalogue.default_key,
        acceleration=Acceleration(
            accelerator=pipeline.accelerator, channels_last=pipeline.channels_last, fuse_qkv=pipeline.fuse_qkv
        ),
        classifier=None if settings.image_check == "off" else ImageThresholds(**settings.safety.thresholds),
        safety_checker=str(checker.resolve()) if checker is not None and settings.image_check == "both" else None,
        lora_directory=None if pipeline.lora_directory is None else str(pipeline.lora_directory.resolve()),
        options=EngineOptions(
            preview_interval_s=pipeline.preview_interval_s,
            cache_directory=str(settings.model_cache.resolve()),
            state_directory=str((settings.storage.directory / "worker").resolve()),
            max_running=pipeline.max_running,
            batching=pipeline.batching,
            idle_models=pipeline.idle_models,
            model_memory_mb=pipeline.model_memory_mb,
            output=ImageOutput(
                image_format=pipeline.image_format,
                quality=pipeline.image_quality,
                has_parameters=pipeline.metadata == "full",
                has_label=settings.provenance.visible_label == "corner",
            ),
        ),
    )


def make_starter(settings: Settings, *, is_lasting: bool) -> Starter | None:
    """The starter that forks workers. An own starter only pays off in a program that may need a second worker."""
    where = settings.pipeline.starter
    if isinstance(where, Path):
        return Starter(where)
    return Starter() if where == "own" and is_lasting else None
