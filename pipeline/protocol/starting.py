"""What a bot and a warm starter say to each other: one message a packet, with the descriptors that it is about.

Texts of the system are bytes: an environment and a path need not be UTF-8.
"""

from typing import Final, TypeAlias

import msgspec

from pipeline.protocol.errors import ProtocolError

MAX_PACKET: Final = 1 << 17
"""Bytes; an environment is most of a packet, and Linux takes no larger one by default."""


class Fork(msgspec.Struct, frozen=True, kw_only=True, tag="fork"):
    """Become a program. Two descriptors come along: what the program is to serve, and where its output goes.

    Attributes:
        number: of this child on this connection.
        command: what follows `python`: `-m` and a module, or a file; then its arguments.
        environment: all of the child's variables.
        directory: where the child works.
    """

    number: int
    command: tuple[bytes, ...]
    environment: tuple[tuple[bytes, bytes], ...]
    directory: bytes


class Warm(msgspec.Struct, frozen=True, kw_only=True, tag="warm"):
    """Everything is imported, and a fork is safe."""


class Unfit(msgspec.Struct, frozen=True, kw_only=True, tag="unfit"):
    """A fork would not be safe here; `reason` follows "it"."""

    reason: str


class Forked(msgspec.Struct, frozen=True, kw_only=True, tag="forked"):
    """A child lives; its pidfd comes along."""

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
    """One packet."""
    return _encoder.encode(message)


def decode_fork(packet: bytes) -> Fork:
    """What a bot asked for.

    Raises:
        ProtocolError: garbage.
    """
    try:
        return _fork_decoder.decode(packet)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"no order to fork: {error}") from error


def decode_from_starter(packet: bytes) -> FromStarter:
    """What a starter said.

    Raises:
        ProtocolError: garbage.
    """
    try:
        return _decoder.decode(packet)
    except msgspec.MsgspecError as error:
        raise ProtocolError(f"no word of a starter: {error}") from error
