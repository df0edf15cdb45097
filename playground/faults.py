"""Faults between a bot and Discord, on demand.

`Faults.add` arms a fault of the REST interface for the next matching requests. A fault
of the gateway happens at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from typing import Self


class FaultKind(StrEnum):
    """Kinds of faults of a request."""

    STATUS = "status"
    """The answer is `status` and `code`; nothing was applied."""
    APPLIED_STATUS = "applied_status"
    """The request was applied, but its answer is `status` (by default 502): the real answer was lost."""
    RESET_BEFORE = "reset_before"
    """The connection breaks; nothing was applied."""
    RESET_AFTER = "reset_after"
    """The connection breaks, though the request was applied."""
    DELAY = "delay"
    """The usual answer comes after `delay_s`."""
    RATE_LIMIT = "rate_limit"
    """429 with a `Via` header and `retry_after`, as Discord's own limiter answers."""
    ADDRESS_BLOCK = "address_block"
    """429 with a page and no `Via` header: Cloudflare, in front of Discord, blocks the bot's address."""


@dataclass(eq=False)
class Fault:
    """One armed fault; `hits` counts the requests that it affected."""

    kind: FaultKind
    method: str
    path: re.Pattern[str]
    times: int | None
    status: int
    code: int
    delay_s: float
    retry_after_s: float
    is_global: bool
    hits: int = field(default=0, init=False)

    def matches(self, method: str, path: str) -> bool:
        """Whether this fault is still armed and matches this request."""
        is_spent = self.times is not None and self.hits >= self.times
        return not is_spent and self.method in ("*", method) and self.path.search(path) is not None


class _Gateway(Protocol):
    """The methods of the gateway that faults call."""

    def drop(self) -> None: ...
    def close_all(self, code: int) -> None: ...
    def ask_reconnect(self) -> None: ...
    def invalidate_sessions(self, *, is_resumable: bool) -> None: ...
    def duplicate_next_interaction(self) -> None: ...


class Faults:
    """Arms faults of the REST interface and causes faults of the gateway."""

    def __init__(self, gateway: _Gateway) -> None:
        self._gateway = gateway
        self._armed: list[Fault] = []

    def add(
        self,
        *,
        kind: FaultKind | str,
        method: str = "*",
        path: str = "",
        times: int | None = 1,
        status: int | None = None,
        code: int = 0,
        delay_s: float = 0.0,
        retry_after_s: float = 1.0,
        is_global: bool = False,
    ) -> Fault:
        """Arm a fault for the next `times` requests (None: until cleared).

        `path` is a regular expression for the path after `/api/v10`. Every kind of fault
        waits `delay_s` first.
        """
        fault = Fault(
            kind=FaultKind(kind),
            method=method.upper(),
            path=re.compile(path),
            times=times,
            status=status if status is not None else DEFAULT_STATUS.get(FaultKind(kind), 500),
            code=code,
            delay_s=delay_s,
            retry_after_s=retry_after_s,
            is_global=is_global,
        )
        self._armed.append(fault)
        return fault

    def clear(self) -> Self:
        """Disarm everything."""
        self._armed.clear()
        return self

    def take(self, method: str, path: str) -> Fault | None:
        """Return the first armed fault for this request and count the hit."""
        for fault in self._armed:
            if fault.matches(method, path):
                fault.hits += 1
                return fault
        return None

    def drop_gateway(self) -> None:
        """Break the gateway's connection without a close code; the session can be resumed."""
        self._gateway.drop()

    def close_gateway(self, code: int) -> None:
        """Close every connection with a code, such as 4004 for a reset token."""
        self._gateway.close_all(code)

    def ask_reconnect(self) -> None:
        """Tell the bot to reconnect and resume (op 7), as Discord does many times a day."""
        self._gateway.ask_reconnect()

    def invalidate_session(self, *, is_resumable: bool = False) -> None:
        """Declare the session invalid (op 9); if not resumable, missed events are lost."""
        self._gateway.invalidate_sessions(is_resumable=is_resumable)

    def duplicate_next_interaction(self) -> None:
        """Deliver the next interaction twice, as a resumed gateway may."""
        self._gateway.duplicate_next_interaction()


DEFAULT_STATUS = {FaultKind.APPLIED_STATUS: 502, FaultKind.RATE_LIMIT: 429, FaultKind.ADDRESS_BLOCK: 429}
