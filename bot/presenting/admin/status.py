"""`/admin status`: the state of the worker, and this server's jobs of the last hour."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.presenting.escaping import escape, relative
from bot.presenting.texts import text
from bot.store.queue import Waiting
from bot.store.statistics import Recent
from pipeline.backends.base import BackendStatus, HostView, WorkerState
from pipeline.protocol.wire.messages import Ready

_GIB: Final = 2**30
_MINUTE_S: Final = 60
_MAX_NAMES: Final = 300
_MAX_HOSTS: Final = 15
"""Hosts that the answer names; `easel hosts list` names all."""


def status_lines(
    status: BackendStatus,
    *,
    titles: Mapping[str, str],
    waiting: Waiting,
    recent: Recent,
    version: str,
    other: tuple[int, datetime] | None = None,
    full_since: datetime | None = None,
    low_since: datetime | None = None,
    unsigned: int = 0,
    hosts: Sequence[HostView] = (),
    money: tuple[float, float] | None = None,
) -> str:
    """All lines of the answer.

    Args:
        status: the worker's status.
        titles: titles of the models by their keys.
        waiting: this server's waiting and running jobs.
        recent: this server's jobs of the last hour.
        version: Easel's version.
        other: number of requests that a second Easel with the same token answered, and the time of the last one; None
            if there is no sign of one.
        full_since: since when the disk accepts no file; None if it accepts them.
        low_since: since when the disk has too little free space; None if it has enough.
        unsigned: pictures that went out unsigned since the start although there is a key.
        hosts: the GPU hosts and the servers of engines of others.
        money: what services may have billed in this month, and the budget; None if no model has a price.
    """
    lines = [text("status-worker", state=status.state, phase=status.phase)]
    if other is not None:
        count, last_at = other
        lines.insert(0, text("status-other", count=count, last=relative(last_at)))
    if unsigned:
        lines.insert(0, text("status-unsigned", count=unsigned))
    if low_since is not None:
        lines.insert(0, text("status-space", since=relative(low_since)))
    if full_since is not None:
        lines.insert(0, text("status-storage", since=relative(full_since)))
    if status.state in (WorkerState.RESTARTING, WorkerState.UNUSABLE):
        lines.append(escape(status.detail))
    if status.ready is not None:
        lines += _device(status.ready, titles)
    lines.append(text("status-memory", gib=_gib(status.rss_bytes)))
    lines += _hosts(hosts)
    if money is not None:
        lines.append(text("status-money", spent=f"{money[0]:.2f}", budget=f"{money[1]:.2f}"))
    lines.append(text("status-queue", queued=waiting.queued, running=waiting.running))
    if waiting.oldest_at is not None:
        lines.append(text("admin-queue-oldest", since=relative(waiting.oldest_at)))
    lines += _recent(recent)
    lines.append(text("status-version", version=version, restarts=status.restarts))
    return "\n".join(lines)


def _recent(recent: Recent) -> list[str]:
    """Ends and waits of the last hour."""
    if not recent.ended:
        return [text("status-quiet")]
    lines = [text("status-failures", failed=recent.failed, ended=recent.ended)]
    if recent.wait_p50_s is not None and recent.wait_p95_s is not None:
        lines.append(text("status-waits", p50=_seconds(recent.wait_p50_s), p95=_seconds(recent.wait_p95_s)))
    return lines


def _hosts(hosts: Sequence[HostView]) -> list[str]:
    """A line for each host, as many as fit."""
    lines = [_host(view) for view in hosts[:_MAX_HOSTS]]
    if len(hosts) > _MAX_HOSTS:
        lines.append(text("status-more-hosts", count=len(hosts) - _MAX_HOSTS))
    return lines


def _host(view: HostView) -> str:
    """A host in one line."""
    load = {"running": view.running, "capacity": view.capacity}
    device = escape(view.device) or "none"
    return text("status-host", name=view.name, state=view.state, device=device, **load)


def _device(ready: Ready, titles: Mapping[str, str]) -> list[str]:
    """The worker's models and device, as it reported them."""
    models = _named(ready.models, titles) or text("status-no-model")
    lines = [text("status-models", models=models)]
    if ready.missing:
        lines.append(text("status-missing", models=_named(ready.missing, titles)))
    vram = _gib(ready.vram_bytes) if ready.vram_bytes else "none"
    device = escape(ready.device_name)
    return [*lines, text("status-device", name=device, device=ready.device, dtype=ready.dtype, vram=vram)]


def _named(keys: Iterable[str], titles: Mapping[str, str]) -> str:
    """Titles of models, as many as fit."""
    return escape(", ".join(titles.get(key, key) for key in keys), _MAX_NAMES)


def _gib(size_bytes: int) -> str:
    return f"{size_bytes / _GIB:.1f}"


def _seconds(seconds: float) -> str:
    """A short wait in tenths of a second, a long one in minutes."""
    if seconds < _MINUTE_S:
        return text("duration-seconds", seconds=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), _MINUTE_S)
    return text("duration-minutes", minutes=minutes, seconds=rest)
