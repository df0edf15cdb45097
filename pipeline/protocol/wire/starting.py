"""Messages between a bot and a warm starter; each packet has one message and its file descriptors.

Environment variables and paths are bytes, because they need not be UTF-8.
"""

from typing import Final, TypeAlias

import msgspec

from pipeline.protocol.errors import ProtocolError

MAX_PACKET: Final = 1 << 17
"""Greatest size of a packet in bytes, whose largest part is the environment; Linux's default limit is no larger."""


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag="fork"):
    """Order to fork a child that runs a program. Two descriptors accompany it: the served socket, and the output.

    Attributes:
        number: number of the child on this connection.
        command: arguments of `python`: `-m` and a module, or a file; then the program's arguments.
        environment: all environment variables of the child.
        directory: working directory of the child.
    """

    number: int
    command: tuple[bytes, ...]
    environment: tuple[tuple[bytes, bytes], ...]
    directory: bytes


class Warm(msgspec.Struct, frozen=True, kw_only=True, tag="warm"):
    """Greeting: all modules are imported, and a fork is safe."""


class Unfit(msgspec.Struct, frozen=True, kw_only=True, tag="unfit"):
    """Greeting: a fork would not be safe; `reason` completes a sentence starting with "it"."""

    reason: str


class Forked(msgspec.Struct, frozen=True, kw_only=True, tag="forked"):
    """A child was forked; its pidfd accompanies the message."""

    number: int
    pid: int


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """A child was reaped; `code` is its exit code, or the negative number of the signal that ended it."""

    number: int
    code: int


FromStarter: TypeAlias = Warm | Unfit | Forked | Ended

_encoder = msgspec.msgpack.Encoder()
_fork_decoder = msgspec.msgpack.Decoder(Fork)
_decoder = msgspec.msgpack.Decoder[FromStarter](FromStarter)


def encode_packet(message: Fork | FromStarter) -> bytes:
    """Encode a message as one packet."""
    return _encoder.encode(message)


def decode_fork(packet: bytes) -> Fork:
    """Decode a bot's order.

    Raises:
        ProtocolError: the packet is invalid.
    """
    try:
        return _fork_decoder.decode(packet)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"no order to fork: {error}") from error


def decode_from_starter(packet: bytes) -> FromStarter:
    """Decode a starter's message.

    Raises:
        ProtocolError: the packet is invalid.
    """
    try:
        return _decoder.decode(packet)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"no word of a starter: {error}") from error
