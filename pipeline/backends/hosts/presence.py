"""Whether a host is there, and what it said of itself."""

from collections.abc import Callable, Collection

import msgspec

from pipeline.backends.base import WorkerState
from pipeline.protocol.wire.hosts import OLDEST_PROTOCOL, Beat, Hello, Policy, Rejected
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Ready


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What all hosts are told.

    Attributes:
        policy: what their workers must follow.
        lease_s: seconds of silence after which a host is given up.
        beat_s: seconds between two signs of life.
    """

    policy: Policy
    lease_s: float = 5.0
    beat_s: float = 1.0


class Presence:
    """One host, as far as it was heard.

    Args:
        name: the host's name.
        terms: what it is told.
        has_link: whether words reach the server now.
    """

    def __init__(self, name: str, terms: Terms, has_link: Callable[[], bool]) -> None:
        self._name = name
        self._terms = terms
        self._has_link = has_link
        self._rejection = ""
        self.hello: Hello | None = None
        """Its last introduction; None before the first."""
        self.beat: Beat | None = None
        """Its last sign of life."""
        self.is_here = False
        """Whether it holds a lease."""
        self.is_draining = False
        """Whether the owner wants it to get no more attempts."""
        self.silence_s = 0.0
        """Seconds in which it could have been heard and was not."""

    def refusal(self, hello: Hello) -> Rejected | None:
        """Why an agent gets no work; None if it may."""
        if hello.newest < OLDEST_PROTOCOL or hello.oldest > PROTOCOL_VERSION:
            self._rejection = (
                f"The host {self._name} runs Easel {hello.easel}, which speaks another protocol; update it."
            )
            return Rejected(sentence=self._rejection)
        if self.is_here and self.is_anew(hello) and self.hello is not None and not self.hello.is_leaving:
            # The other one may have just died. Its lease ends soon then, and this one is taken.
            sentence = f"Another agent works as {self._name}; each host needs an invitation of its own."
            return Rejected(sentence=sentence)
        return None

    def is_anew(self, hello: Hello) -> bool:
        """Whether this is another run of the agent than the last one."""
        return self.hello is not None and self.hello.boot != hello.boot

    def take(self, hello: Hello) -> None:
        """Note an introduction, and give the host a lease."""
        self._rejection = ""
        self.hello, self.is_here, self.silence_s = hello, True, 0.0

    def hear(self, beat: Beat) -> bool:
        """Note a sign of life; False if the agent must introduce itself (again)."""
        if self.hello is None or not self.is_here or beat.boot != self.hello.boot:
            return False
        self.beat, self.silence_s = beat, 0.0
        return True

    def count_anew(self) -> None:
        """Count silence from now on: nothing could be heard before."""
        self.silence_s = 0.0

    def count(self, seconds: float) -> bool:
        """Count seconds of silence; True if they were too many, and the host must be given up."""
        self.silence_s += seconds
        return self.is_here and self.silence_s > self._terms.lease_s

    @property
    def knows(self) -> Collection[str]:
        """The fields of words that its Easel knows."""
        return () if self.hello is None else self.hello.knows

    @property
    def ready(self) -> Ready | None:
        """What its worker said, if the host takes attempts."""
        hello = self.hello
        if hello is None or not self.is_here or hello.is_leaving or self.is_draining:
            return None
        return hello.ready if hello.policy == self._terms.policy and self._has_link() else None

    @property
    def state(self) -> tuple[WorkerState, str]:
        """State of its worker, with a sentence for the owner if it is not ready."""
        hello = self.hello
        if self._rejection:
            return WorkerState.UNUSABLE, self._rejection
        if hello is None:
            return WorkerState.STARTING, f"The host {self._name} was not heard yet."
        if not self.is_here:
            return WorkerState.RESTARTING, f"The host {self._name} is away."
        if hello.is_leaving or self.is_draining:
            return WorkerState.STOPPED, f"The host {self._name} takes no more jobs."
        if hello.newest < PROTOCOL_VERSION and hello.policy is not None and hello.policy != self._terms.policy:
            # It left out what it does not know, and what the owner decides about pictures holds everywhere.
            sentence = f"The host {self._name} runs Easel {hello.easel}, which is older and cannot follow this bot's"
            return WorkerState.UNUSABLE, f"{sentence} settings of pictures; update it."
        return WorkerState(hello.state), hello.detail
