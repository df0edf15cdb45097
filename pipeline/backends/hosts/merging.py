"""What several workers offer together, for those who ask about one."""

from collections.abc import Sequence

import msgspec

from pipeline.backends.base import BackendStatus, WorkerState
from pipeline.protocol.wire.messages import Ready

_ORDER = (WorkerState.READY, WorkerState.STARTING, WorkerState.RESTARTING, WorkerState.UNUSABLE, WorkerState.STOPPED)


def merged_status(statuses: Sequence[BackendStatus]) -> BackendStatus:
    """The status of several workers as if they were one: as good as the best of them."""
    if not statuses:
        return BackendStatus(
            state=WorkerState.STARTING,
            ready=None,
            rss_bytes=0,
            phase="idle",
            restarts=0,
            detail="No host has come yet.",
        )
    best = min(statuses, key=lambda each: _ORDER.index(each.state))
    readies = [each.ready for each in statuses if each.ready is not None and each.state is WorkerState.READY]
    phases = {each.phase for each in statuses}
    ready = merged_ready(readies) or best.ready
    if ready is not None:
        # What a host offers that is away for the moment is worth waiting for.
        known = {key for each in statuses if each.ready is not None for key in each.ready.models}
        missing = {key: why for key, why in ready.missing.items() if key not in known}
        ready = msgspec.structs.replace(ready, missing=missing)
    return msgspec.structs.replace(
        best,
        ready=ready,
        phase=next((phase for phase in ("running", "loading") if phase in phases), "idle"),
        restarts=sum(each.restarts for each in statuses),
    )


def merged_ready(readies: Sequence[Ready]) -> Ready | None:
    """What several workers offer together: whatever one of them does. None if there is none.

    Of a model that several have, the first says what it lacks, since its files are the same everywhere.
    """
    if not readies:
        return None
    first, *others = readies
    for each in others:
        missing = {key: why for key, why in first.missing.items() if key in each.missing}
        loras = {entry.name: entry for entry in (*each.loras, *first.loras)}
        embeddings = {entry.name: entry for entry in (*each.embeddings, *first.embeddings)}
        first = msgspec.structs.replace(
            first,
            models=tuple(dict.fromkeys((*first.models, *each.models))),
            missing=missing,
            capacity=first.capacity + each.capacity,
            loras=tuple(sorted(loras.values(), key=lambda entry: entry.title)),
            embeddings=tuple(sorted(embeddings.values(), key=lambda entry: entry.title)),
            samplers={**each.samplers, **first.samplers},
            lacks={**each.lacks, **first.lacks},
            unfit={**each.unfit, **first.unfit},
            remarks={**each.remarks, **first.remarks},
            text_mask_fault=first.text_mask_fault and each.text_mask_fault,
        )
    return first
