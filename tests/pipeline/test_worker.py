"""The real worker process at the other end of a real socket."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest
from typing_extensions import override

from config.catalogue import Catalogue
from pipeline.backends.starter import Starter
from pipeline.images.png import png_bytes
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.codec import FrameReader, decode_from_worker, encode_frame
from pipeline.protocol.wire.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Check,
    Checked,
    Configure,
    Failed,
    Finished,
    FromWorker,
    Heartbeat,
    Progress,
    Ready,
    Submit,
    ToWorker,
    Unusable,
)
from pipeline.protocol.wire.outputs import Rating
from pipeline.protocol.wire.settings import Checking, EngineOptions, ImageOutput, ImageThresholds
from tests.pipeline.engine.control_nets import control_net, spec_of
from tests.pipeline.engine.given_pictures import from_picture, photo
from tests.pipeline.engine.tiny import stable_diffusion
from tests.shared_worker import warm_starter

pytestmark = pytest.mark.slow


class Worker:
    """A worker, and the bot's end of its socket."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(90)
        self.pid = self._start(theirs)
        theirs.close()
        self._stream = self._read()

    def _start(self, theirs: socket.socket) -> int:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "--socket-fd", str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        return self._process.pid

    def wait(self) -> int:
        """Its exit code, at most ten seconds from now."""
        return self._process.wait(10)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def say(self, message: ToWorker) -> None:
        self.socket.sendall(encode_frame(message))

    def hear(self) -> FromWorker:
        """The next message that is no heartbeat."""
        return next(self._stream)

    def _read(self) -> Iterator[FromWorker]:
        frames = FrameReader()
        while data := self.socket.recv(1 << 20):
            for body in frames.feed(data):
                message = decode_from_worker(body)
                if not isinstance(message, Heartbeat):
                    yield message


class ForkedWorker(Worker):
    """A fork of the warm starter, which has imported everything."""

    @override
    def _start(self, theirs: socket.socket) -> int:
        self._runner = asyncio.Runner()
        self._starter = Starter(Path(warm_starter()))
        files = theirs, cast("socket.socket", sys.__stderr__)  # of which `fork` takes the descriptors
        self._child = self._runner.run(self._starter.fork((sys.executable, "-m", "pipeline"), os.environ, *files))
        return self._child.pid

    @override
    def wait(self) -> int:
        return self._runner.run(asyncio.wait_for(self._child.wait(), 10))

    @override
    def end(self) -> None:
        self._runner.run(self._starter.close())
        self._runner.close()


@pytest.fixture
def worker() -> Generator[Worker]:
    started = Worker()
    yield started
    started.socket.close()
    started.end()


@pytest.fixture
def forked() -> Generator[Worker]:
    started = ForkedWorker()
    yield started
    started.socket.close()
    started.end()


@pytest.fixture
def configure(catalogue: Catalogue) -> Configure:
    return Configure(
        protocol_version=PROTOCOL_VERSION,
        device="cpu",
        dtype="float32",
        threads=1,
        models=tuple(catalogue.models.values()),
        preload="pocket",
        options=EngineOptions(preview_interval_s=0.01),
    )


def test_a_worker_says_what_it_is_runs_cancels_and_ends_with_the_bot(
    worker: Worker, configure: Configure, request_: GenerationRequest, tmp_path: Path
) -> None:
    output = ImageOutput(image_format="jpeg", has_parameters=False)
    options = msgspec.structs.replace(configure.options, output=output)
    elsewhere = spec_of(control_net(stable_diffusion(cross_attention_dim=48).unet), tmp_path, "elsewhere")
    worker.say(msgspec.structs.replace(configure, options=options, controls=(elsewhere,)))
    ready = worker.hear()
    assert isinstance(ready, Ready)
    assert (ready.protocol_version, ready.device, ready.dtype) == (PROTOCOL_VERSION, "cpu", "float32")
    assert ready.models == ("pocket",)
    (reason,) = ready.missing.values()
    assert reason.startswith("Elsewhere is made for models with 48 text features, and no model here is: Pocket")
    assert (ready.samplers, ready.lacks) == ({}, {})
    assert {"torch", "diffusers"} <= set(ready.versions)

    worker.say(Submit(job_id=1, attempt=1, request=msgspec.structs.replace(request_, num_inference_steps=30)))
    heard: list[FromWorker] = []
    while not heard or isinstance(heard[-1], Progress):
        heard.append(worker.hear())
    finished = heard[-1]
    assert isinstance(finished, Finished)
    assert finished.outputs[0].media_type == "image/jpeg"
    assert finished.outputs[0].data.startswith(b"\xff\xd8\xff")
    assert b"UNICODE" not in finished.outputs[0].data
    steps = [message.step for message in heard if isinstance(message, Progress)]
    assert steps == sorted(steps)
    assert any(message.preview.startswith(b"RIFF") for message in heard if isinstance(message, Progress))

    long = msgspec.structs.replace(request_, num_inference_steps=150, num_images=4)
    worker.say(Submit(job_id=2, attempt=1, request=long))
    while not (isinstance(message := worker.hear(), Progress) and message.step > 0):
        assert isinstance(message, Progress)
    worker.say(Cancel(job_id=2, attempt=1))
    while isinstance(message := worker.hear(), Progress):
        assert message.step < 150
    assert message == Failed(job_id=2, attempt=1, reason=FailureReason.CANCELLED)

    worker.say(Submit(job_id=3, attempt=1, request=msgspec.structs.replace(request_, scheduler_name="Restart")))
    refused = worker.hear()
    assert isinstance(refused, Failed)
    assert refused.reason is FailureReason.INVALID_REQUEST

    half = msgspec.structs.replace(request_, num_inference_steps=8)
    worker.say(from_picture(half, photo(), 0.5, job_id=6))
    while isinstance(message := worker.hear(), Progress):
        assert message.total_steps == 4
    assert isinstance(message, Finished)

    for job_id in (4, 5):
        worker.say(Submit(job_id=job_id, attempt=1, request=long))
    assert isinstance(worker.hear(), Progress)
    worker.socket.close()
    assert worker.wait() == 0


def test_pictures_are_rated_while_a_job_is_drawn(
    forked: Worker, configure: Configure, request_: GenerationRequest
) -> None:
    forked.say(msgspec.structs.replace(configure, classifier=ImageThresholds(sexual=1e-9)))
    assert isinstance(forked.hear(), Ready)
    forked.say(Submit(job_id=1, attempt=1, request=msgspec.structs.replace(request_, num_inference_steps=150)))
    assert isinstance(forked.hear(), Progress)
    forked.say(Check(question=7, pictures=(png_bytes(photo(), ""),) * 2, checking=Checking(mode="hide")))
    forked.say(Check(question=8, pictures=(b"no picture",), checking=Checking(mode="hide")))
    answers: list[FromWorker] = []
    while len(answers) < 2:
        if not isinstance(message := forked.hear(), Progress):
            answers.append(message)
    rated, broken = answers
    assert rated == Checked(question=7, ratings=(Rating.SEXUAL, Rating.SEXUAL))
    assert isinstance(broken, Checked)
    assert (broken.question, broken.ratings) == (8, ())
    assert "cannot be read" in broken.detail


def test_another_version_is_refused_in_one_sentence(forked: Worker, configure: Configure) -> None:
    forked.say(msgspec.structs.replace(configure, protocol_version=99))
    refusal = forked.hear()
    assert isinstance(refusal, Unusable)
    assert "install the same Easel on both sides" in refusal.sentence
    assert forked.wait() == 1


def test_garbage_ends_it_and_ctrl_c_does_not(forked: Worker, configure: Configure) -> None:
    forked.say(configure)
    assert isinstance(forked.hear(), Ready)
    os.kill(forked.pid, signal.SIGINT)
    forked.socket.sendall(b"\x00\x00\x00\x04oops")
    assert forked.wait() == 1
