"""What the little workers share: the far end of the protocol, without an engine."""

import argparse
import socket
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.codec import FrameReader, decode_to_worker, encode_frame
from pipeline.protocol.wire.messages import (
    PROTOCOL_VERSION,
    Configure,
    Failed,
    Finished,
    FromWorker,
    Heartbeat,
    Phase,
    Progress,
    Ready,
    Submit,
    ToWorker,
)
from pipeline.protocol.wire.outputs import ImageFile


class Speech:
    """A connected worker that has read nothing yet."""

    def __init__(self) -> None:
        parser = argparse.ArgumentParser()
        parser.add_argument("--socket-fd", type=int, required=True)
        # Tests hand a folder or a number along.
        parser.add_argument("rest", nargs="*")
        arguments = parser.parse_args()
        self.rest: list[str] = arguments.rest
        self.stream = socket.socket(fileno=arguments.socket_fd)
        self._words = self._read()

    def _read(self) -> Iterator[ToWorker]:
        frames = FrameReader()
        while data := self.stream.recv(65_536):
            for body in frames.feed(data):
                yield decode_to_worker(body)

    def hear(self) -> ToWorker:
        """The next word of the bot; the end of the stream ends the program."""
        for word in self._words:
            return word
        sys.exit(0)

    def hear_submit(self) -> Submit:
        word = self.hear()
        assert isinstance(word, Submit), word
        return word

    def say(self, *words: FromWorker) -> None:
        self.stream.sendall(b"".join(encode_frame(word) for word in words))

    def begin(self, **changed: Any) -> Configure:
        """Hear `Configure` and answer `Ready`."""
        word = self.hear()
        assert isinstance(word, Configure), word
        self.welcome(**changed)
        return word

    def welcome(self, **changed: Any) -> None:
        """Say that it is ready."""
        self.say(msgspec.structs.replace(READY, **changed))


READY = Ready(
    protocol_version=PROTOCOL_VERSION,
    device="cpu",
    device_name="a test",
    dtype="float32",
    vram_bytes=0,
    models=("pocket",),
    missing={},
    capacity=2,
    versions={},
)


def beat(phase: Phase = "idle", since_progress_s: float = 0.0) -> Heartbeat:
    return Heartbeat(phase=phase, since_progress_s=since_progress_s, rss_bytes=1_000)


def progress(submit: Submit, step: int = 1) -> Progress:
    return Progress(
        job_id=submit.job_id, attempt=submit.attempt, phase="running", step=step, total_steps=4, elapsed_s=0.1
    )


def finished(submit: Submit, data: bytes = b"picture") -> Finished:
    image = ImageFile(index=0, data=data, media_type="image/png", width=64, height=64, seed=7)
    return Finished(
        job_id=submit.job_id, attempt=submit.attempt, outputs=(image,), notices=(), denoise_s=0.1, total_s=0.2
    )


def cancelled(job_id: int, attempt: int) -> Failed:
    return Failed(job_id=job_id, attempt=attempt, reason=FailureReason.CANCELLED)
