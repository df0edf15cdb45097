"""All messages between the bot and a worker, as two closed unions.

Every message about a job carries `(job_id, attempt)`, so that a late message about an earlier attempt is recognised and
dropped. Each submitted attempt ends in exactly one `Finished` or `Failed`.

The bot sends `Configure` once and first, then `Submit` and `Cancel`. The end of the stream means: stop. A worker sends
`Ready` once and first, or `Unusable`; then `Progress`, `Finished` and `Failed` for its jobs. It sends `Heartbeat` all
the time.
"""

from typing import Final, Literal

import msgspec

from pipeline.protocol.capabilities import Capability
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.catalogue.networks import (
    ControlSpec,
    CutoutSpec,
    FaceSpec,
    ReferenceSpec,
    TextMaskSpec,
    UpscalerSpec,
)
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.loras import EmbeddingEntry, LoraEntry
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.finishing import FinishedPictures, FinishPictures
from pipeline.protocol.wire.outputs import Notice, Output, Rating, Recipe
from pipeline.protocol.wire.settings import (
    NO_CHECKING,
    Acceleration,
    Checking,
    Device,
    DType,
    EngineOptions,
    ImageThresholds,
)

PROTOCOL_VERSION: Final = 38
"""Raised with every change of a message. Bot and worker of one computer must agree exactly; for hosts see
`OLDEST_PROTOCOL`."""
Phase = Literal["idle", "loading", "running"]


class Configure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """First message to a worker, with its settings and models.

    Attributes:
        protocol_version: must equal the worker's own version.
        device: device of the tensors; `auto` takes CUDA, then Apple's MPS, then the CPU.
        dtype: precision; `auto` takes the one that suits the device.
        threads: torch's CPU threads; 0 lets the worker choose.
        models: every model in the catalogue.
        preload: key of the model to load before the first job; None loads on demand.
        acceleration: acceleration of forward passes.
        classifier: thresholds of the picture classifier; None leaves it out.
        safety_checker: folder of the safety checker; None leaves it out.
        lora_directory: folder of the owner's LoRAs and embeddings; None offers none.
        options: settings of the engine.
        upscalers: every upscaler in the catalogue.
        faces: every network for faces in the catalogue.
        cutouts: every network in the catalogue that finds the foreground.
        controls: every control net in the catalogue.
        references: every reference adapter in the catalogue.
        text_mask: the model that marks what words name; None for none.
    """

    protocol_version: int
    device: Device
    dtype: DType
    threads: int
    models: tuple[ModelSpec, ...]
    preload: str | None
    acceleration: Acceleration = Acceleration()
    classifier: ImageThresholds | None = None
    safety_checker: str | None = None
    lora_directory: str | None = None
    options: EngineOptions = EngineOptions()
    upscalers: tuple[UpscalerSpec, ...] = ()
    faces: tuple[FaceSpec, ...] = ()
    cutouts: tuple[CutoutSpec, ...] = ()
    controls: tuple[ControlSpec, ...] = ()
    references: tuple[ReferenceSpec, ...] = ()
    text_mask: TextMaskSpec | None = None


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Run this request.

    Attributes:
        pictures: PNG file of each input of the request, by its SHA-256; at most `MAX_INPUTS` files, none with a side
            over `MAX_INPUT_SIDE`.
        checking: what the image check does with the pictures.
    """

    job_id: int
    attempt: int
    request: Request
    pictures: dict[str, bytes] = {}
    checking: Checking = NO_CHECKING


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Stop this attempt at its next step; it ends in `Failed` with reason `cancelled` unless it has already ended."""

    job_id: int
    attempt: int


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to `Configure`.

    Attributes:
        device: type of the device in use, such as `cuda` or `cpu`.
        device_name: the maker's name for the device.
        dtype: precision in use.
        vram_bytes: memory of the device; 0 when it shares the host's memory.
        models: keys of the models and upscalers that can be offered.
        missing: the reason why an entry of the catalogue cannot be offered, by its key.
        capacity: greatest number of attempts at the same time.
        versions: versions of the libraries that affect pixels, by name.
        loras: LoRAs in the owner's folder, sorted by title.
        embeddings: embeddings in the owner's folder, sorted by title.
        broken_loras: the reason why a file is not offered, by its path in that folder.
        samplers: supported samplers by model key, only where they are fewer than in the catalogue.
        lacks: capabilities that a model's files do not give it, by model key.
        text_mask_fault: why the text mask model cannot be used, in one sentence; empty if it can, or there is none.
        remarks: sentences for the owner about entries that can be offered, by their keys.
        unfit: keys of the models of its family that a control net or reference adapter does not fit, by its own key.
    """

    protocol_version: int
    device: str
    device_name: str
    dtype: str
    vram_bytes: int
    models: tuple[str, ...]
    missing: dict[str, str]
    capacity: int
    versions: dict[str, str]
    loras: tuple[LoraEntry, ...] = ()
    embeddings: tuple[EmbeddingEntry, ...] = ()
    broken_loras: dict[str, str] = {}
    samplers: dict[str, tuple[str, ...]] = {}
    lacks: dict[str, tuple[Capability, ...]] = {}
    text_mask_fault: str = ""
    remarks: dict[str, str] = {}
    unfit: dict[str, tuple[str, ...]] = {}


class Unusable(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to a `Configure` that it cannot work with; the worker then exits."""

    sentence: str


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Sign of life, sent once a second, also during work.

    Attributes:
        phase: present phase of the engine.
        since_progress_s: seconds since the engine's last progress (a step, a loaded component); 0 when idle.
        rss_bytes: resident memory of the worker process.
    """

    phase: Phase
    since_progress_s: float
    rss_bytes: int


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Progress of a running attempt. An older one may be dropped when the socket is full: only the newest matters.

    Attributes:
        phase: `loading` until the model is loaded, then `running`.
        step: number of finished steps, 0 to `total_steps`.
        elapsed_s: seconds since the attempt began to run.
        preview: a small WebP picture of all images side by side, or empty.
    """

    job_id: int
    attempt: int
    phase: Phase
    step: int
    total_steps: int
    elapsed_s: float
    preview: bytes = b""


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Final event of a successful attempt.

    Attributes:
        outputs: outputs of the request in order, without those that the image check hid.
        hidden: ratings of those that it hid.
        scores: how sure the classifier was of each of these ratings; see `Rated`.
        notices: facts for the requester, such as text that did not fit the model.
        denoise_s: seconds of denoising.
        total_s: seconds from the start of the attempt to this message.
        recipe: facts that are needed to repeat the same bits.
    """

    job_id: int
    attempt: int
    outputs: tuple[Output, ...]
    hidden: tuple[Rating, ...] = ()
    scores: tuple[float, ...] = ()
    notices: tuple["Notice", ...]
    denoise_s: float
    total_s: float
    recipe: Recipe | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Final event of an attempt without images.

    Attributes:
        reason: failure reason; it selects the sentence that members read.
        detail: text for the log only; it may contain file names and library messages.
    """

    job_id: int
    attempt: int
    reason: FailureReason
    detail: str = ""


class FindPart(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Mark the part of a picture that words name; the worker answers with `FoundPart`.

    Attributes:
        question: number of the question, which its answer repeats.
        picture: the picture, a PNG that Easel wrote, with no side over `MAX_INPUT_SIDE`.
        words: the words.
    """

    question: int
    picture: bytes
    words: str


class FoundPart(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to `FindPart`.

    Attributes:
        question: number of the question.
        mask: PNG with the picture's size, white where the part is; empty if it could not be found out.
        is_seen: True if any pixel is white.
        detail: reason of an empty mask, for the log.
    """

    question: int
    mask: bytes = b""
    is_seen: bool = False
    detail: str = ""


class Check(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Rate pictures before a job with them is accepted; the worker answers with `Checked`, also while it draws.

    Attributes:
        question: number of the question, which its answer repeats.
        pictures: the pictures, PNGs that Easel wrote, with no side over `MAX_INPUT_SIDE`.
        checking: as in the `Submit` of that job.
    """

    question: int
    pictures: tuple[bytes, ...]
    checking: Checking


class Checked(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to `Check`.

    Attributes:
        question: number of the question.
        ratings: the rating of each picture; empty if they could not be found out.
        detail: reason of missing ratings, for the log.
    """

    question: int
    ratings: tuple[Rating, ...] = ()
    detail: str = ""


ToWorker = Configure | Submit | Cancel | FindPart | Check | FinishPictures
FromWorker = Ready | Unusable | Heartbeat | Progress | Finished | Failed | FoundPart | Checked | FinishedPictures
JobEvent = Progress | Finished | Failed
"""Messages about one attempt, which a backend forwards."""
