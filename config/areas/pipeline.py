"""Settings of the worker process and its models."""

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from config.areas.area import Area
from pipeline.protocol.wire.settings import (
    Accelerator,
    AnimationFormat,
    Attention,
    Batching,
    Device,
    DType,
    IdleModels,
    ImageFormat,
)

_PACKAGE_DIRECTORY = Path(__file__).parent.parent


class PipelineSettings(Area):
    """The worker process and its models."""

    device: Device = Field(default="auto", description="auto, cuda, mps or cpu.")
    dtype: DType = Field(default="auto", description="auto, float16, bfloat16, float32 or float64.")
    threads: int = Field(default=0, ge=0, le=256, description="CPU threads of the worker; 0 = one a core.")
    catalogue: Path = Field(
        default=_PACKAGE_DIRECTORY / "models.toml",
        description="The file that lists the models members may use.",
    )
    default_model: str = Field(default="pocket", description="Key of the model that is used when none is named.")
    max_running: int = Field(
        default=8, ge=1, le=32, description="Jobs that are drawn at the same time; 1 = one after the other."
    )
    batching: Batching = Field(
        default="pinned",
        description="pinned: a seed repeats its picture whoever draws beside it; flexible: faster on some devices.",
    )
    idle_models: IdleModels = Field(
        default="keep",
        description="Models that nobody uses when another needs room. keep: the least recently used is dropped; "
        "offload: it waits in RAM (on a GPU); drop: all of them are dropped at once.",
    )
    model_memory_mb: int = Field(
        default=0,
        ge=0,
        description="MiB that loaded models may take on the device; 0 = 70 % of its memory.",
    )
    accelerator: Accelerator = Field(
        default="none",
        description="What computes the steps: none = torch; openvino: quicker on a CPU; cuda-graphs, compile: on GPUs.",
    )
    starter: Literal["own", "none"] | Path = Field(
        default="own",
        description="Forks workers on Linux, so that a lost one is replaced in a second. own: ours; none: nothing "
        "does, which saves RAM; or the path of its socket, where several bots share one.",
    )
    channels_last: bool = Field(default=False, description="Another order in memory, quicker on most NVIDIA GPUs.")
    fuse_qkv: bool = Field(default=False, description="Three multiplications of each attention as one.")
    attention: Attention = Field(
        default="native",
        description="What computes attention of FLUX and Z-Image: native = what torch chooses; math, cudnn = torch; "
        "flash, flash-3, sage, xformers = packages on GPUs.",
    )
    preview_interval_s: float = Field(
        default=2.0, ge=0.0, le=60.0, description="Seconds between two previews of a job; 0 = no previews."
    )
    cache_directory: Path | None = Field(
        default=None, description="Where models from a hub are kept; unset = models below storage.directory."
    )
    safety_checker: Path | None = Field(
        default=None,
        description="A folder with Stable Diffusion's safety checker, whose flagged pictures are hidden; unset = none.",
    )
    lora_directory: Path | None = Field(
        default=None,
        description="A folder with LoRAs and embeddings (.safetensors) that members may use as styles; unset = none.",
    )
    check_content: Literal["everywhere", "outside-age-restricted"] = Field(
        default="outside-age-restricted",
        description="Where sexual pictures are hidden; direct messages are never exempt.",
    )
    image_format: ImageFormat = Field(default="png", description="Of finished pictures: png, webp or jpeg.")
    image_quality: int = Field(
        default=90, ge=1, le=100, description="Of WebP and JPEG, 1 to 100; WebP at 100 is without loss."
    )
    animation_format: AnimationFormat = Field(
        default="webp", description="Of files that move: webp, which is small, or gif, which plays everywhere."
    )
    metadata: Literal["full", "none"] = Field(
        default="full",
        description='What a file says beside "made with AI": full = prompt and settings, as A1111 does; or none.',
    )
    job_timeout_s: float = Field(
        default=900.0,
        gt=0.0,
        description="A job that runs longer is ended and refunded; loading a model counts.",
    )

    @field_validator("starter")
    @classmethod
    def _is_word_or_path(cls, value: str | Path) -> str | Path:
        if isinstance(value, Path) and not value.is_absolute():
            raise ValueError('must be "own", "none" or an absolute path')
        return value
