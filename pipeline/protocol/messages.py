"""All that may cross between the bot and a worker: two closed unions.

A job is named by `(job_id, attempt)` on every message, so that a late word about an earlier attempt is known
for what it is and dropped. Each submitted attempt ends in exactly one `Finished` or `Failed`.

From the bot: `Configure` (once, first), then `Submit` and `Cancel`. The end of the stream means: stop.
From a worker: `Ready` (once, first) or `Unusable`, then `Progress`, `Finished` and `Failed` for its jobs, and
`Heartbeat` all the while.
"""

from typing import Final, Literal, TypeAlias

import msgspec

from pipeline.protocol.errors import FailureReason
from pipeline.protocol.loras import EmbeddingEntry, LoraEntry
from pipeline.protocol.models import ModelSpec
from pipeline.protocol.requests import Request

PROTOCOL_VERSION: Final = 10
"""Raised with every change of a message; the two sides must agree exactly."""

Device = Literal["auto", "cuda", "mps", "cpu"]
DType = Literal["auto", "float16", "bfloat16", "float32", "float64"]
Batching = Literal["pinned", "flexible"]
IdleModels = Literal["keep", "offload", "drop"]
Accelerator = Literal["none", "compile", "openvino", "cuda-graphs"]
Phase = Literal["idle", "loading", "running"]
ImageFormat = Literal["png", "webp", "jpeg"]


class ImageOutput(msgspec.Struct, frozen=True, kw_only=True):
    """How finished images are written.

    Attributes:
        image_format: of the files.
        quality: 1 to 100, of WebP and JPEG; WebP at 100 is without loss.
        has_parameters: whether a file says how it came about, the prompt included.
    """

    image_format: ImageFormat = "png"
    quality: int = 90
    has_parameters: bool = True

    @property
    def media_type(self) -> str:
        """What the files are to those who read them."""
        return f"image/{self.image_format}"


class Acceleration(msgspec.Struct, frozen=True, kw_only=True):
    """What computes the forwards. All of it changes last bits; none of it changes what is seen.

    Attributes:
        accelerator: `none` is torch as it is; `compile` compiles a network's repeated blocks with torch;
            `openvino` computes the network on a processor with OpenVINO.
        channels_last: convolutions' memory in the order in which recent GPUs multiply it.
        fuse_qkv: queries, keys and values of an attention in one multiplication.
    """

    accelerator: Accelerator = "none"
    channels_last: bool = False
    fuse_qkv: bool = False


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the engine.

    Attributes:
        preview_interval_s: seconds between two previews of a job; 0 sends none.
        cache_directory: folder of downloads from a hub; None is the library's own place.
        state_directory: folder of what the worker learns about its device; None keeps nothing.
        max_running: attempts that are drawn at the same time.
        batching: `pinned` draws the same picture whichever jobs share the forward; `flexible` may change last bits.
        idle_models: of models that draw nothing, when another needs room: `keep` drops the least recently used
            until it fits, `offload` moves them to the computer's memory instead, `drop` drops all.
        model_memory_mb: memory of the device for loaded models; 0 is 70 % of it.
        output: format of finished images.
    """

    preview_interval_s: float = 0
    cache_directory: str | None = None
    state_directory: str | None = None
    max_running: int = 1
    batching: Batching = "pinned"
    idle_models: IdleModels = "keep"
    model_memory_mb: int = 0
    output: ImageOutput = ImageOutput()


class Configure(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """First message to a worker: how to run and what to offer.

    Attributes:
        protocol_version: must equal the worker's own.
        device: where tensors live; `auto` takes CUDA, then Apple's MPS, then the CPU.
        dtype: precision; `auto` takes what the device runs well.
        threads: CPU threads of torch; 0 leaves it to the worker.
        models: every model that the catalogue offers.
        preload: key of the model to load before the first job; None loads on demand.
        acceleration: what computes the forwards.
        safety_checker: folder of the content check; None checks nothing.
        lora_directory: folder of the owner's LoRAs; None has none.
        options: settings of the engine.
    """

    protocol_version: int
    device: Device
    dtype: DType
    threads: int
    models: tuple[ModelSpec, ...]
    preload: str | None
    acceleration: Acceleration = Acceleration()
    safety_checker: str | None = None
    lora_directory: str | None = None
    options: EngineOptions = EngineOptions()


class Submit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Run this request, and hide what the content check flags where it is checked."""

    job_id: int
    attempt: int
    request: Request
    is_checked: bool = False


class Cancel(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Stop this attempt at its next step; it answers `Failed` with reason `cancelled` unless it was faster."""

    job_id: int
    attempt: int


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to `Configure`.

    Attributes:
        device: the device in use, such as `cuda` or `cpu`.
        device_name: what its maker calls it.
        dtype: the precision in use.
        vram_bytes: memory of the device; 0 where it shares the computer's.
        models: keys of the models whose files are there.
        missing: model key to the sentence that says why it cannot be offered.
        capacity: how many attempts it accepts at once.
        versions: of the libraries that decide about pixels.
        loras: those in the owner's folder, by title.
        embeddings: likewise.
        broken_loras: a file's place in that folder to the sentence that says why it is not offered.
        samplers: of models whose files leave fewer of them than the catalogue: those that can honour the files.
        remarks: model key to a sentence about what the owner should know of a model that can be offered.
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
    remarks: dict[str, str] = {}


class Unusable(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A worker's answer to a `Configure` that it cannot work with; it exits after it."""

    sentence: str


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Sign of life, once a second, sent beside the work.

    Attributes:
        phase: what the engine is doing.
        quiet_s: seconds since the engine last moved (a step, a loaded component); 0 when idle.
        rss_bytes: resident memory of the worker process.
    """

    phase: Phase
    quiet_s: float
    rss_bytes: int


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Where a running attempt is. May be dropped when the pipe is full: only the newest matters.

    Attributes:
        phase: `loading` until the model is there, then `running`.
        step: steps done, 0 to `total_steps`.
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


class ImageFile(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="image"):
    """One finished image, encoded.

    Attributes:
        index: which of the request's images, from 0.
        data: the file's bytes.
        media_type: `image/` and the `ImageFormat`.
        width: pixels of the delivered image.
        height: pixels of the delivered image.
        seed: repeats exactly this image as the only one of a job.
    """

    index: int
    data: bytes
    media_type: str
    width: int
    height: int
    seed: int


Output: TypeAlias = ImageFile
"""Every kind of finished output: a union by the tag `kind`, to which a new kind is added."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What else than the request decides about the bits of a picture.

    Attributes:
        model_hash: ten digits of its weights' SHA-256; empty where they could not be read.
        loras: likewise of each LoRA that was used, by name.
        embeddings: likewise of each embedding.
        scheduler: the diffusers class.
        rows: how many rows a forward may have had, all of which give the same bits.
        device: what its maker calls it.
        dtype: the precision.
        versions: of the libraries.
    """

    model_hash: str
    loras: dict[str, str] = {}
    embeddings: dict[str, str] = {}
    scheduler: str
    rows: tuple[int, ...]
    device: str
    dtype: str
    versions: dict[str, str]


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Terminal: every image of the request, in order, without those that the content check flagged.

    Attributes:
        notices: facts that the requester should read, such as text that did not fit the model.
        denoise_s: seconds of the step loop.
        total_s: seconds from the start of the attempt to this message.
        recipe: how to get the same bits again.
    """

    job_id: int
    attempt: int
    outputs: tuple[Output, ...]
    notices: tuple["Notice", ...]
    denoise_s: float
    total_s: float
    recipe: Recipe | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about one run, as a key of the text catalogue and its values."""

    key: str
    values: dict[str, str | int] = {}


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Terminal: no image.

    Attributes:
        reason: which family of failure; the sentence that members read hangs on it.
        detail: for the log only; may hold file names and library messages.
    """

    job_id: int
    attempt: int
    reason: FailureReason
    detail: str = ""


ToWorker = Configure | Submit | Cancel
FromWorker = Ready | Unusable | Heartbeat | Progress | Finished | Failed
JobEvent = Progress | Finished | Failed
"""What a backend hands on: words about one attempt."""
