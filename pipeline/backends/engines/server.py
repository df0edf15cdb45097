"""Interface to one server of an engine of others."""

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

import msgspec

from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest

Tell: TypeAlias = Callable[[int, int, bytes], None]
"""Called with the finished steps, the steps in all, and a preview as the server sent it, or no bytes."""


class ServerAway(Exception):
    """The server cannot be reached, or does not draw now.

    Args:
        sentence: one sentence for the owner.
        rest_s: seconds in which it need not be asked again.
    """

    def __init__(self, sentence: str, rest_s: float = 0.0) -> None:
        super().__init__(sentence)
        self.rest_s = rest_s


class DrawingFailed(Exception):
    """The server does not draw this.

    Args:
        reason: selects the sentence that members read.
        detail: text for the log.
    """

    def __init__(self, reason: FailureReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says about itself.

    Attributes:
        device: the maker's name for its device, or its address.
        version: its program and the version of that.
        missing: why it cannot draw a model, by the model's key.
    """

    device: str
    version: str
    missing: Mapping[str, str] = {}


class Server(Protocol):
    """One server."""

    @property
    def url(self) -> str:
        """Its address."""
        ...

    @property
    def look_s(self) -> float:
        """Seconds between two looks at it."""
        ...

    async def look(self) -> Facts:
        """Ask it what it is and has.

        Raises:
            ServerAway: it does not answer.
        """
        ...

    async def draw(self, request: GenerationRequest, tell: Tell) -> bytes:
        """Draw one image; when the call is cancelled, the server is told to stop.

        Args:
            request: request for a single image.
            tell: hears of the progress.

        Returns:
            The picture as the server made it. Nobody has read it yet.

        Raises:
            DrawingFailed: the server does not draw this.
            ServerAway: it is not there any more.
        """
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
