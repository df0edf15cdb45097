"""What the bot believes of a host about the end of an attempt."""

from typing import Final

from pipeline.protocol.requests import Request
from pipeline.protocol.wire.hosts import Done, decode_finished
from pipeline.protocol.wire.messages import Finished

MAX_FILE_BYTES: Final = 64 * 1024 * 1024
_STARTS: Final = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}


class EndRefused(Exception):
    """The end is no end of its attempt; the message says why."""


def checked_end(body: bytes, done: Done, request: Request | None) -> Finished:
    """The `Finished` in a parcel, if it can be the end of the attempt that the host was given.

    Args:
        body: content of the parcel.
        done: what the host said about it.
        request: the attempt's request; None if it is not known.

    Raises:
        EndRefused: it is the end of another attempt, or has other files than were asked for.
        ProtocolError: it is no `Finished`.
    """
    end = decode_finished(body)
    if (end.job_id, end.attempt) != (done.job_id, done.attempt):
        raise EndRefused("The parcel holds the end of another attempt.")
    if request is not None and len(end.outputs) + len(end.hidden) > request.output_count:
        raise EndRefused("The parcel holds more files than were asked for.")
    if len({output.index for output in end.outputs}) != len(end.outputs):
        raise EndRefused("The parcel holds two files in one place.")
    for output in end.outputs:
        start = _STARTS.get(output.media_type)
        if start is None or not output.data.startswith(start) or len(output.data) > MAX_FILE_BYTES:
            raise EndRefused(f"A file in the parcel is no {output.media_type} of at most {MAX_FILE_BYTES} bytes.")
    return end
