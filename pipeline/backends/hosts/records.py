"""The records of all workers of a fleet, and what they mean for the next job."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import structlog

from pipeline.backends.base import Backend, HostView, WorkerState
from pipeline.backends.hosts.placement import Candidate
from pipeline.backends.hosts.record import REST_S, Record
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.messages import Failed, Finished

_TAKING: Final = frozenset({"drawing", "ready"})

_log = structlog.get_logger(__name__)


class Records:
    """Records by the workers' names.

    Args:
        default_key: key of the model that a worker loads first.
        on_rested: called when a worker may be tried again.
    """

    def __init__(self, default_key: str, on_rested: Callable[[], None]) -> None:
        self._default_key = default_key
        self._on_rested = on_rested
        self._records: dict[str, Record] = {}

    def join(self, name: str) -> None:
        """Begin a worker's record."""
        self._records[name] = Record(self._default_key, asyncio.get_running_loop().time)

    def leave(self, name: str) -> None:
        """Forget a worker's record."""
        del self._records[name]

    def of(self, name: str) -> Record:
        """A worker's record."""
        return self._records[name]

    def note(self, name: str, end: Finished | Failed) -> None:
        """Note the end of a worker's attempt."""
        record = self._records[name]
        why = record.why
        record.end(end)
        if record.why and record.why != why:
            _log.warning("worker rests", action="rests", host=name, seconds=REST_S, detail=record.why)
            asyncio.get_running_loop().call_later(REST_S, self._on_rested)

    def candidates(self, members: Mapping[str, Backend], request: Request | None) -> list[Candidate]:
        """The ready workers, with what their records say about a request."""
        found: list[Candidate] = []
        for name, member in members.items():
            status, record = member.status, self._records[name]
            if status.ready is not None and status.state is WorkerState.READY:
                free = member.free_slots
                candidate = Candidate(name=name, ready=status.ready, free=free, is_resting=record.is_resting)
                found.append(candidate if request is None else _about(candidate, record, request))
        return found

    def shown(self, view: HostView) -> HostView:
        """What an owner is shown of a host, with its rest and with files that others have otherwise."""
        record = self._records[view.name]
        if view.state not in _TAKING:
            return view
        if record.is_resting:
            return msgspec.structs.replace(view, state="resting", detail=record.why)
        return msgspec.structs.replace(view, detail=self._unlike(view.name))

    def _unlike(self, name: str) -> str:
        """One sentence on a file that a worker has otherwise than another one; empty if there is none.

        Nobody knows which of both is right, so both go on, and the owner is told.
        """
        for file, digest in self._records[name].hashes.items():
            for other, record in self._records.items():
                theirs = record.hashes.get(file, digest)
                if theirs != digest:
                    whose = f"the host {other}" if other else "the bot's own computer"
                    return (
                        f"Its weights of {file} ({digest}) are not those of {whose} ({theirs}), so a seed gives "
                        "another picture there. Give both the same files."
                    )
        return ""


def _about(candidate: Candidate, record: Record, request: Request) -> Candidate:
    return msgspec.structs.replace(
        candidate,
        same_model=record.same_model(request.model_key),
        is_loaded=record.is_loaded(request.model_key),
        usual_s=record.usual_s(request),
    )
