"""Words between the bot and the agents of hosts, which carry the messages to and from their workers.

Each host has two subjects, and hears and says nothing elsewhere. `Submit`, `Cancel`, `FindPart` and `Check` go to its
worker as they are. No absolute time crosses the wire.

A message's greatest size is the server's `MAX_WORD_BYTES`. What may be larger goes through the host's own bucket of the
object store, and a `Parcel` names it.
"""

from typing import Final, TypeAlias, TypeVar

import msgspec

from pipeline.protocol.errors import FailureReason, ProtocolError
from pipeline.protocol.wire.codec import encode_body
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.messages import (
    Cancel,
    Check,
    Checked,
    FindPart,
    Finished,
    FoundPart,
    Phase,
    Progress,
    Ready,
    Submit,
)
from pipeline.protocol.wire.settings import ImageOutput, ImageThresholds
from pipeline.protocol.wire.skew import fields_of

OLDEST_PROTOCOL: Final = 35
"""Oldest version of the protocol that the other side may speak: that of the last release. Both sides ignore fields that
they do not know, and a host gets no word with a meaning that it would ignore. A test compares all words with those of
this version."""
MAX_WORD_BYTES: Final = 8 * 1024 * 1024
_HEADERS_BYTES: Final = 1024
PARCEL_BYTES: Final = 256 * 1024
"""Words to a host that are larger become parcels."""

Key: TypeAlias = tuple[int, int]
"""Job id and attempt."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner of the bot decides about pictures, wherever they are drawn.

    Attributes:
        classifier: as in `Configure`.
        has_safety_checker: whether a host that has no safety checker may not draw.
        output: format of the finished files.
        preview_interval_s: seconds between two previews of a job; 0 sends none.
        default_key: key of the model that is loaded first.
    """

    classifier: ImageThresholds | None
    has_safety_checker: bool
    output: ImageOutput
    preview_interval_s: float
    default_key: str


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An agent introduces itself; the bot answers with `Welcome` or `Rejected`.

    Attributes:
        oldest: oldest version of the protocol that it speaks.
        newest: newest one.
        boot: random name of this run of the agent. Another boot has lost what an earlier one drew.
        easel: its version of Easel.
        policy: the policy that its worker follows; None before the first welcome.
        state: a `WorkerState`.
        detail: one sentence for the owner when its worker is not ready.
        ready: its worker's `Ready`; None until there is one.
        running: attempts that it draws.
        done: attempts whose end it keeps for the bot.
        is_leaving: whether it takes no more attempts, because it ends after the present ones.
        knows: the fields of the words to a worker that it knows, as in `pipeline.protocol.wire.skew`.
    """

    oldest: int
    newest: int
    boot: str
    easel: str
    policy: Policy | None
    state: str
    detail: str
    ready: Ready | None
    running: tuple[Key, ...]
    done: tuple[Key, ...]
    is_leaving: bool
    knows: tuple[str, ...]


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Answer to a `Hello`.

    Attributes:
        beat_s: seconds between two beats.
        policy: what the worker must follow.
        drop: attempts of the `Hello` that the bot does not want any more.
    """

    beat_s: float
    policy: Policy
    drop: tuple[Key, ...] = ()


class Rejected(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Answer to a `Hello` of an agent that gets no work; the sentence says why."""

    sentence: str


class Beat(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Sign of life of an agent.

    Attributes:
        boot: as in `Hello`; the bot asks an agent of an unknown boot to introduce itself.
        phase: phase of its worker's engine.
        rss_bytes: resident memory of its worker.
        restarts: restarts of its worker.
    """

    boot: str
    phase: Phase
    rss_bytes: int
    restarts: int


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An attempt has ended. The answer, `Kept` or `Missing`, comes when the bot has kept the end.

    Attributes:
        boot: as in `Hello`.
        parcel: name of the object with the `Finished`; empty if it failed.
        reason: reason of its failure; None if it finished.
        detail: as in `Failed`.
    """

    job_id: int
    attempt: int
    boot: str
    parcel: str = ""
    reason: FailureReason | None = None
    detail: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Answer to a `Done`: the bot has kept the end or does not want it, so the agent forgets it."""


class Missing(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Answer to a `Done`: the object store has no such parcel (any more), so the agent puts it there again."""


class Introduce(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The bot asks for a `Hello`."""


class Parcel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A large word to a host, which is the object of this name."""

    name: str


class Taken(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Answer to a `Submit` or `Cancel`: it is done."""


class NotTaken(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Answer to a word that the host cannot follow; one sentence says why."""

    detail: str


KNOWN_FIELDS: Final = tuple(
    sorted({name for kind in (Submit, Check, FindPart, FinishPictures) for name in fields_of(kind)})
)
"""Fields of the words to a worker."""

ToHost: TypeAlias = Submit | Cancel | FindPart | Check | FinishPictures | Introduce | Parcel
FromHost: TypeAlias = Hello | Beat | Progress | Done
HostAnswer: TypeAlias = Taken | NotTaken | FoundPart | Checked | FinishedPictures
BotAnswer: TypeAlias = Welcome | Rejected | Kept | Missing

_T = TypeVar("_T")
_to_host = msgspec.msgpack.Decoder[ToHost](ToHost)
_from_host = msgspec.msgpack.Decoder[FromHost](FromHost)
_host_answer = msgspec.msgpack.Decoder[HostAnswer](HostAnswer)
_bot_answer = msgspec.msgpack.Decoder[BotAnswer](BotAnswer)
_finished = msgspec.msgpack.Decoder(Finished)


def decode_to_host(body: bytes) -> ToHost:
    """Decode a word to a host.

    Raises:
        ProtocolError: the bytes are no such word.
    """
    return _decoded(_to_host, body)


def decode_from_host(body: bytes) -> FromHost:
    """Decode a word of a host.

    Raises:
        ProtocolError: the bytes are no such word.
    """
    return _decoded(_from_host, body)


def decode_host_answer(body: bytes) -> HostAnswer:
    """Decode a host's answer.

    Raises:
        ProtocolError: the bytes are no such answer.
    """
    return _decoded(_host_answer, body)


def encode_answer(answer: HostAnswer) -> bytes:
    """Encode a host's answer; in place of one that the server does not carry, a sentence that says so."""
    body = encode_body(answer)
    if len(body) < MAX_WORD_BYTES - _HEADERS_BYTES:
        return body
    limit = MAX_WORD_BYTES // 2**20
    return encode_body(NotTaken(detail=f"The files are larger than the {limit} MiB that a host may answer."))


def decode_bot_answer(body: bytes) -> BotAnswer:
    """Decode the bot's answer.

    Raises:
        ProtocolError: the bytes are no such answer.
    """
    return _decoded(_bot_answer, body)


def decode_finished(body: bytes) -> Finished:
    """Decode the content of a parcel that a host says holds a `Finished`.

    Raises:
        ProtocolError: the bytes are none.
    """
    return _decoded(_finished, body)


def _decoded(decoder: msgspec.msgpack.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ProtocolError(f"Not a word between bot and hosts: {error}") from error
