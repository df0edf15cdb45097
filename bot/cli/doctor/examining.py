"""The checks of `easel doctor`, in the order of its report."""

import asyncio
import logging
import os
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import structlog

from bot.cli.doctor.engines import engine_findings
from bot.cli.doctor.finding import Finding
from bot.cli.doctor.reaching import discord_findings
from bot.configure import check_worker_packages, make_configure, make_starter
from bot.process.folders import folder_mistakes
from bot.process.health import read_health
from bot.provenance.key import NoKey, load_key
from bot.safety.owners import hard_rule, owners_blocks, owners_people, owners_rules
from bot.store.disk import GB
from bot.store.sqlite.database import Database, DatabaseUnusable, is_in_use
from bot.store.sqlite.migrating import newest_version
from config.catalogue import Catalogue
from config.loading import ConfigError
from config.settings import Settings
from pipeline.backends.base import WorkerUnavailable
from pipeline.backends.process import ProcessBackend
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.wire.messages import Ready

_GIB: Final = 1 << 30
_READY_TIMEOUT_S: Final = 300.0


async def examine(settings: Settings, catalogue: Catalogue, *, is_quick: bool, say: Callable[[str], None]) -> bool:
    """Check everything and print each finding; True if nothing is wrong."""
    # The report replaces the log; the worker's own words are in the report.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    say(str(Finding(subject="settings", is_fine=True, sentence=f"read; {len(catalogue.models)} model(s) offered")))
    findings = [
        *_folders(settings),
        *_rules(settings),
        *_blocked_pictures(settings),
        *_scale_hook(settings),
        _database(settings),
        _disk(settings),
        _signing(settings),
        _retention(settings),
    ]
    is_fine = True
    for finding in findings:
        result = await finding if asyncio.iscoroutine(finding) else finding
        say(str(result))
        is_fine = is_fine and result.is_fine is not False
    if is_quick:
        return is_fine
    async for result in _slow(settings, catalogue):
        say(str(result))
        is_fine = is_fine and result.is_fine is not False
    return is_fine


async def _slow(settings: Settings, catalogue: Catalogue) -> AsyncIterator[Finding]:
    async for finding in discord_findings(settings):
        yield finding
    async for finding in engine_findings(settings, catalogue):
        yield finding
    if is_in_use(settings.storage.database):
        for finding in _running(settings):
            yield finding
        return
    if settings.hosts.draw_all:
        yield Finding(subject="worker", is_fine=True, sentence="other computers draw; `easel hosts list` shows them")
        return
    try:
        check_worker_packages()
    except ConfigError as error:
        yield Finding(subject="worker", is_fine=False, sentence=str(error))
        return
    async for finding in _worker(settings, catalogue):
        yield finding


def _running(settings: Settings) -> Iterator[Finding]:
    """Findings from the health file of the running Easel. A second worker beside its own might have no memory."""
    health = read_health(settings.storage.directory)
    if health is None:
        sentence = "not started, since an Easel runs here; it has not said how it goes, so look at `easel health`"
        yield Finding(subject="worker", is_fine=None, sentence=sentence)
        return
    sentence = f"that of the running Easel {health.version} is {health.worker}; none was started beside it"
    yield Finding(subject="worker", is_fine=True, sentence=sentence)
    for complaint in health.complaints:
        yield Finding(subject="health", is_fine=False, sentence=complaint)
    for warning in health.warnings:
        yield Finding(subject="health", is_fine=None, sentence=warning.sentence)


def _folders(settings: Settings) -> Iterator[Finding]:
    for sentence in folder_mistakes(settings):
        yield Finding(subject="folder", is_fine=False, sentence=sentence)


def _rules(settings: Settings) -> Iterator[Finding]:
    yield from _hard_rule(settings)
    if settings.safety.words is None:
        return
    try:
        count = len(owners_rules(settings).rules)
    except ConfigError as error:
        yield Finding(subject="words", is_fine=False, sentence=str(error))
    else:
        yield Finding(subject="words", is_fine=True, sentence=f"{count} rule(s) in {settings.safety.words}")


def _hard_rule(settings: Settings) -> Iterator[Finding]:
    for read in (hard_rule, owners_people):
        try:
            read(settings)
        except ConfigError as error:
            yield Finding(subject="words", is_fine=False, sentence=str(error))
    program = settings.safety.on_hard_rule
    if program is not None and not os.access(program, os.X_OK):
        yield Finding(subject="words", is_fine=False, sentence=f"{program} of safety.on_hard_rule cannot be run.")


def _scale_hook(settings: Settings) -> Iterator[Finding]:
    program = settings.hosts.scale_hook
    if program is not None and not os.access(program, os.X_OK):
        yield Finding(subject="hosts", is_fine=False, sentence=f"{program} of hosts.scale_hook cannot be run.")


def _blocked_pictures(settings: Settings) -> Iterator[Finding]:
    if settings.safety.image_blocks is None:
        return
    try:
        count = len(owners_blocks(settings))
    except ConfigError as error:
        yield Finding(subject="pictures", is_fine=False, sentence=str(error))
    else:
        sentence = f"{count} blocked in {settings.safety.image_blocks}"
        yield Finding(subject="pictures", is_fine=True, sentence=sentence)


async def _database(settings: Settings) -> Finding:
    path = settings.storage.database
    if not path.exists():
        return Finding(subject="database", is_fine=True, sentence=f"{path} will be made at the first start")
    try:
        database = await Database.open_to_read(path)
    except DatabaseUnusable as error:
        return Finding(subject="database", is_fine=False, sentence=str(error))
    try:
        row = await database.fetch_one("PRAGMA quick_check")
        version = await database.version()
    except sqlite3.Error as error:
        return Finding(subject="database", is_fine=False, sentence=f"{path} cannot be read ({error}); restore a backup")
    finally:
        await database.close()
    if row is None or row[0] != "ok":
        sentence = f"{path} is damaged; restore a backup"
        return Finding(subject="database", is_fine=False, sentence=sentence)
    sentence = f"{path} is sound (version {version})"
    if version < newest_version():
        sentence += f"; `easel run` will bring it to version {newest_version()} and keep a copy"
    return Finding(subject="database", is_fine=True, sentence=sentence)


def _disk(settings: Settings) -> Finding:
    directory = settings.storage.directory
    while not directory.exists() and directory != directory.parent:
        directory = directory.absolute().parent
    free = shutil.disk_usage(directory).free
    sentence = f"{free / GB:.1f} GB free for {settings.storage.directory}"
    is_fine = free >= settings.storage.min_free_gb * GB
    if not is_fine:
        sentence += "; make room, lower storage.min_free_gb, or set storage.directory to a larger disk"
    return Finding(subject="disk", is_fine=is_fine, sentence=sentence)


def _retention(settings: Settings) -> Finding:
    days = settings.privacy.keep_prompts_days
    kept = (
        f"words are kept for {days} days"
        if days
        else "words are kept for ever; privacy.keep_prompts_days = 365 is usual"
    )
    contact = "" if settings.privacy.contact else "; privacy.contact names nobody, so /privacy show cannot"
    return Finding(subject="privacy", is_fine=True, sentence=f"{kept}{contact}")


def _signing(settings: Settings) -> Finding:
    try:
        key = load_key(settings)
    except NoKey as error:
        return Finding(subject="signing", is_fine=False if error.is_wrong else None, sentence=str(error))
    ends = key.certificate.not_valid_after_utc
    return Finding(
        subject="signing", is_fine=True, sentence=f"pictures are signed; the certificate holds until {ends:%Y-%m-%d}"
    )


async def _worker(settings: Settings, catalogue: Catalogue) -> AsyncIterator[Finding]:
    """Start the real worker with the default model; findings about device, memory and model files."""
    backend = ProcessBackend(
        configure=make_configure(settings, catalogue), starter=make_starter(settings, is_lasting=False)
    )
    began = time.monotonic()
    await backend.start()
    try:
        ready = await backend.wait_ready(_READY_TIMEOUT_S)
    except WorkerUnavailable as error:
        yield Finding(subject="worker", is_fine=False, sentence=str(error))
        return
    finally:
        await backend.close()
    seconds = time.monotonic() - began
    yield Finding(subject="worker", is_fine=True, sentence=f"ready after {seconds:.1f} s")
    memory = f", {ready.vram_bytes / _GIB:.1f} GiB" if ready.vram_bytes else ""
    yield Finding(subject="device", is_fine=True, sentence=f"{ready.device_name} ({ready.dtype}{memory})")
    for key, spec in {**catalogue.entries, **catalogue.guides}.items():
        if isinstance(spec, ModelSpec) and spec.drawn_by is not None:
            continue
        remark = f" {ready.remarks[key]}" if key in ready.remarks else ""
        sentence = ready.missing.get(key, f"{spec.title} is there; license: {spec.license}.{remark}")
        yield Finding(subject=key, is_fine=key not in ready.missing, sentence=sentence)
    marker = catalogue.text_mask
    if marker is not None:
        sentence = ready.text_mask_fault or f"{marker.path} is there; license: {marker.license}."
        yield Finding(subject="text_mask", is_fine=not ready.text_mask_fault, sentence=sentence)
    for finding in _styles(settings, ready):
        yield finding


def _styles(settings: Settings, ready: Ready) -> Iterator[Finding]:
    """The number of offered LoRAs and embeddings, and the reason for each other file in their folder."""
    if settings.pipeline.lora_directory is not None:
        offered = f"{_counted(len(ready.loras), 'LoRA')} and {_counted(len(ready.embeddings), 'embedding')}"
        sentence = f"{offered} offered as styles from {settings.pipeline.lora_directory}"
        is_any = bool(ready.loras or ready.embeddings)
        yield Finding(subject="loras", is_fine=True if is_any else None, sentence=sentence)
    for name, sentence in ready.broken_loras.items():
        yield Finding(subject=name, is_fine=False, sentence=sentence)


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
