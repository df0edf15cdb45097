"""What the bot tells a worker, and the starter that forks it."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import msgspec

from bot.pictures.drawn import clean
from config.areas.engines import EngineServers
from config.areas.pipeline import PipelineSettings
from config.catalogue import Catalogue
from config.engines import read_workflow
from config.loading import ConfigError
from config.reading import NotReadable
from config.settings import Settings
from pipeline.backends.base import Backend
from pipeline.backends.engines.backend import EngineBackend
from pipeline.backends.engines.comfyui import ComfyServer
from pipeline.backends.engines.joined import JoinedBackend
from pipeline.backends.engines.server import Server
from pipeline.backends.process import ProcessBackend
from pipeline.backends.starter import Starter
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.program import DISTRIBUTION
from pipeline.protocol.wire.hosts import Policy
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
        models=tuple(spec for spec in catalogue.models.values() if spec.drawn_by is None),
        upscalers=tuple(catalogue.upscalers.values()),
        faces=tuple(catalogue.faces.values()),
        cutouts=tuple(catalogue.cutouts.values()),
        controls=tuple(catalogue.controls.values()),
        references=tuple(catalogue.references.values()),
        text_mask=catalogue.text_mask,
        preload=catalogue.default_key if catalogue.default.drawn_by is None else None,
        acceleration=_acceleration(pipeline),
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
                animation=pipeline.animation_format,
                has_parameters=pipeline.metadata == "full",
                has_label=settings.provenance.visible_label == "corner",
            ),
        ),
    )


def make_policy(configure: Configure) -> Policy:
    """What hosts must follow, from what the bot's own worker is told."""
    return Policy(
        classifier=configure.classifier,
        has_safety_checker=configure.safety_checker is not None,
        output=configure.options.output,
        preview_interval_s=configure.options.preview_interval_s,
        default_key=configure.preload or "",
    )


def follow(policy: Policy, configure: Configure) -> Configure:
    """A host's own first message to its worker, changed to what the bot's owner decides."""
    options = msgspec.structs.replace(
        configure.options, output=policy.output, preview_interval_s=policy.preview_interval_s
    )
    # Without a checker of its own, the worker of such a host says that it needs one, and the bot's owner reads it.
    checker = configure.safety_checker or "pipeline.safety_checker, which this host must set"
    return msgspec.structs.replace(
        configure,
        classifier=policy.classifier,
        safety_checker=checker if policy.has_safety_checker else None,
        preload=policy.default_key if policy.default_key in {spec.key for spec in configure.models} else None,
        options=options,
    )


def make_backend(settings: Settings, catalogue: Catalogue) -> Backend:
    """All that draws: the worker of this computer, hosts, and engines of others.

    Raises:
        ConfigError: there are to be hosts or engines, and something for them is missing.
    """
    worker = _make_worker(settings, make_configure(settings, catalogue))
    engines = make_engines(settings, catalogue, worker)
    if not engines:
        return worker
    drawers = {
        spec.key: engines[spec.drawn_by.engine] for spec in catalogue.models.values() if spec.drawn_by is not None
    }
    return JoinedBackend(worker, drawers, catalogue.entries.keys() - drawers.keys())


def _make_worker(settings: Settings, configure: Configure) -> Backend:
    if settings.hosts.draw_all:
        return _fleet(settings, configure, None)
    local = ProcessBackend(configure=configure, starter=make_starter(settings, is_lasting=True))
    return _fleet(settings, configure, local) if settings.hosts.server else local


def make_engines(settings: Settings, catalogue: Catalogue, worker: Backend) -> dict[str, EngineBackend]:
    """The engines of others that draw some model, by their names.

    Raises:
        ConfigError: the catalogue names an engine that the settings do not have, or a file is wrong.
    """
    specs: dict[str, list[ModelSpec]] = {}
    for spec in catalogue.models.values():
        if spec.drawn_by is None:
            continue
        if spec.drawn_by.engine not in settings.engines.servers:
            known = ", ".join(settings.engines.servers) or "none"
            raise ConfigError(
                f"The model '{spec.key}' is drawn by the engine '{spec.drawn_by.engine}', which engines.servers does "
                f"not have; it has {known}."
            )
        if spec.drawn_by.price and not settings.engines.monthly_budget:
            raise ConfigError(
                f"The model '{spec.key}' has a price, so set engines.monthly_budget to your most for a month."
            )
        specs.setdefault(spec.drawn_by.engine, []).append(spec)
    return {
        name: EngineBackend(
            name,
            make_servers(name, settings.engines.servers[name], found),
            specs=found,
            each=settings.engines.servers[name].running,
            worker=worker,
            clean=clean,
            preview_interval_s=settings.pipeline.preview_interval_s,
        )
        for name, found in specs.items()
    }


def make_servers(name: str, engine: EngineServers, specs: Sequence[ModelSpec]) -> Sequence[Server]:
    """The servers of an engine.

    Raises:
        ConfigError: the key or a workflow cannot be read, a model is one of another kind of engine, or a package is
            missing.
    """
    try:
        key = engine.read_key(name)
    except NotReadable as error:
        raise ConfigError(f"The key of the engine '{name}' {error}.") from error
    drawn = {spec.key: spec.drawn_by for spec in specs if spec.drawn_by is not None}
    for model_key, each in drawn.items():
        if bool(each.workflow) != (engine.kind == "comfyui"):
            wanted = "a workflow" if engine.kind == "comfyui" else "a model"
            raise ConfigError(f"The engine '{name}' is of the kind {engine.kind}, so '{model_key}' needs {wanted}.")
    if engine.kind == "comfyui":
        workflows = {model_key: read_workflow(Path(each.workflow), model_key) for model_key, each in drawn.items()}
        return [ComfyServer(url, key, workflows) for url in engine.urls]
    try:
        from pipeline.backends.engines.services import ServiceServer  # noqa: PLC0415 - of the extra `openai`
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"The engine '{name}' needs the package {error.name}; install Easel with its extra `openai`."
        ) from error
    return [ServiceServer(url, key, drawn) for url in engine.urls]


def _fleet(settings: Settings, configure: Configure, local: Backend | None) -> Backend:
    try:
        from bot.hosts.opening import open_fleet  # noqa: PLC0415 - its packages are those of the extra `hosts`
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"hosts.server is set, but the package {error.name} is not installed; install Easel with its extra `hosts`."
        ) from error
    return open_fleet(settings, make_policy(configure), local)


def make_starter(settings: Settings, *, is_lasting: bool) -> Starter | None:
    """The starter that forks workers. An own starter only pays off in a program that may need a second worker."""
    where = settings.pipeline.starter
    if isinstance(where, Path):
        return Starter(where)
    return Starter() if where == "own" and is_lasting else None


def _acceleration(pipeline: PipelineSettings) -> Acceleration:
    return Acceleration(
        accelerator=pipeline.accelerator,
        channels_last=pipeline.channels_last,
        fuse_qkv=pipeline.fuse_qkv,
        attention=pipeline.attention,
    )
