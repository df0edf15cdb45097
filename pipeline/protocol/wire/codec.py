"""Frames on the wire: four bytes of length, big-endian, then one msgpack message.

Images are sent as msgpack `bin`, which is their raw bytes. No data is ever unpickled, because the worker reads
untrusted model files, and the bot holds the token.
"""

import struct
from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.limits import MAX_FRAME_BYTES
from pipeline.protocol.wire.messages import FromWorker, ToWorker

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_to_worker = msgspec.msgpack.Decoder(ToWorker)
_from_worker = msgspec.msgpack.Decoder(FromWorker)


def encode_frame(message: ToWorker | FromWorker) -> bytes:
    """Encode one message as the bytes of one frame.

    Raises:
        ProtocolError: the message is larger than `MAX_FRAME_BYTES`.
    """
    return framed(encode_body(message))


def encode_body(message: msgspec.Struct) -> bytes:
    """Encode one message without a frame.

    Lone surrogates in names and labels of the owner's files cannot be encoded. Each becomes "?".
    """
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        return _encoder.encode(_encodable(msgspec.to_builtins(message, builtin_types=(bytes,))))


def framed(body: bytes) -> bytes:
    """The frame of an encoded message.

    Raises:
        ProtocolError: the message is larger than `MAX_FRAME_BYTES`.
    """
    if len(body) > MAX_FRAME_BYTES:
        raise ProtocolError(f"A message of {len(body)} bytes is over the limit of {MAX_FRAME_BYTES}.")
    return _LENGTH.pack(len(body)) + body


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable(inner) for inner in value]
    return value


def decode_to_worker(body: bytes) -> ToWorker:
    """Decode a message from the bot.

    Raises:
        ProtocolError: the bytes are no message of the union.
    """
    try:
        return _to_worker.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ProtocolError(f"Not a message for a worker: {error}") from error


def decode_from_worker(body: bytes) -> FromWorker:
    """Decode a message from a worker.

    Raises:
        ProtocolError: the bytes are no message of the union.
    """
    try:
        return _from_worker.decode(body)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ProtocolError(f"Not a message of a worker: {error}") from error


class FrameReader:
    """Splits a stream of bytes into the bodies of frames, for any division of the stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add bytes, and yield every complete body.

        Raises:
            ProtocolError: a length is over `MAX_FRAME_BYTES`, as in invalid data.
        """
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            if length > MAX_FRAME_BYTES:
                raise ProtocolError(f"A frame of {length} bytes is over the limit of {MAX_FRAME_BYTES}.")
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield body
