"""A worker's settings: device, acceleration, batching, and the format of finished images."""

from typing import Final, Literal

import msgspec

Device = Literal["auto", "cuda", "mps", "cpu"]
DType = Literal["auto", "float16", "bfloat16", "float32", "float64"]
Batching = Literal["pinned", "flexible"]
IdleModels = Literal["keep", "offload", "drop"]
Accelerator = Literal["none", "compile", "openvino", "cuda-graphs"]
Attention = Literal["native", "math", "cudnn", "flash", "flash-3", "sage", "xformers"]
ImageFormat = Literal["png", "webp", "jpeg"]
AnimationFormat = Literal["webp", "gif"]
CheckMode = Literal["none", "rate", "hide", "strict"]


class ImageOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Format of finished image files.

    Attributes:
        image_format: format of the files.
        quality: quality of WebP and JPEG, 1 to 100; WebP at 100 is lossless.
        has_parameters: True when a file contains its generation parameters, with the prompt.
        has_label: True when each picture says in a corner that a model made it.
        animation: format of files that move.
    """

    image_format: ImageFormat = "png"
    quality: int = 90
    has_parameters: bool = True
    has_label: bool = False
    animation: AnimationFormat = "webp"

    @property
    def media_type(self) -> str:
        """Media type of the files."""
        return f"image/{self.image_format}"


class ImageThresholds(msgspec.Struct, frozen=True, kw_only=True):
    """From which probabilities of the picture classifier on a picture is more than harmless.

    Attributes:
        sexual: of the classes hentai and porn together.
        suggestive: of the class sexy.
    """

    sexual: float = 0.7
    suggestive: float = 0.85


class Checking(msgspec.Struct, frozen=True, kw_only=True):
    """What the image check does with the pictures of a job.

    Attributes:
        mode: `none` rates no picture; `rate` rates them; `hide` also leaves out sexual ones, and draws nothing from
            them; `strict` leaves out all pictures of a job if one is more than harmless by the lowest thresholds.
        blocked: looks of blocked pictures, `BLOCKED_LOOK_BYTES` bytes each. Whatever the mode is, pictures that are
            alike are left out, and nothing is drawn from them.
    """

    mode: CheckMode = "none"
    blocked: tuple[bytes, ...] = ()


NO_CHECKING: Final = Checking()


class Acceleration(msgspec.Struct, frozen=True, kw_only=True):
    """Acceleration of forward passes. Every setting changes the last bits of a picture, but nothing visible.

    Attributes:
        accelerator: `none` is plain torch; `compile` compiles a network's repeated blocks with torch; `openvino` runs
            the network on a CPU with OpenVINO.
        channels_last: use the memory order of convolutions that recent GPUs multiply fastest.
        fuse_qkv: compute queries, keys and values of an attention layer in one multiplication.
        attention: what computes attention where a network lets it be chosen; `native` is what torch chooses.
    """

    accelerator: Accelerator = "none"
    channels_last: bool = False
    fuse_qkv: bool = False
    attention: Attention = "native"


class EngineOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of the engine.

    Attributes:
        preview_interval_s: seconds between two previews of a job; 0 sends none.
        cache_directory: folder for downloads from a model hub; None is the library's default.
        state_directory: folder for the worker's measurements of its device; None keeps nothing on disk.
        max_running: greatest number of attempts that are denoised at the same time.
        batching: with `pinned`, a picture does not depend on other jobs; with `flexible`, its last bits may.
        idle_models: handling of idle models when another one needs memory. `keep` drops the least recently used ones
            until it fits, `offload` moves them to host memory instead, `drop` drops all.
        model_memory_mb: memory budget of loaded models on the device in MiB; 0 means 70 % of the device's memory.
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
