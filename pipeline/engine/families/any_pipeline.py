"""Runs any other text-to-image pipeline of diffusers unmodified, for one job at a time and one step at a time.

A pipeline runs from start to end in one call. Here that call has its own thread, which waits after each step. In
between, the step loop can do other work, show a preview, or stop the call.
"""

import inspect
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny
from torch import nn

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.families.autoencoder import Autoencoder
from pipeline.engine.families.base import modules_of
from pipeline.engine.loras.embeddings import NO_EMBEDDINGS
from pipeline.prompts.embeddings import EmbeddingNames, Mention
from pipeline.prompts.tags import read_tags
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.limits import NO_GUIDANCE
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

_GIVEN: Final = frozenset({"self", "prompt", "args", "kwargs"})
_EMBEDDINGS: Final = EmbeddingNames({})
"""Empty, because a whole pipeline accepts no embeddings."""


def lacks_of_class(pipeline_class: Any) -> tuple[Capability, ...]:
    """Capabilities that a pipeline's call has no argument for.

    Some pipelines also need a true guidance scale above 1 before they read a negative prompt. Easel gives none, so
    such a pipeline reads one only if its own default is above 1.
    """
    parameters = inspect.signature(pipeline_class.__call__).parameters
    lacks: list[Capability] = []
    if "guidance_scale" not in parameters:
        lacks.append(Capability.GUIDANCE)
    true_scale = parameters.get("true_cfg_scale")
    if "negative_prompt" not in parameters or (true_scale is not None and true_scale.default <= NO_GUIDANCE):
        lacks.append(Capability.NEGATIVE_PROMPT)
    return tuple(lacks)


class _Closed(BaseException):
    """The run was closed. It derives from BaseException so that no pipeline catches it."""


class AnyPipeline:
    """A loaded pipeline. It can run only one job at a time, because it stores guidance and scheduler state in itself.

    Args:
        pipeline: a diffusers pipeline on its device, with its own scheduler.
        placement: device and precision.

    Raises:
        ModelUnavailable: the pipeline needs more input than a prompt.
    """

    def __init__(self, pipeline: Any, placement: Placement) -> None:
        self._pipeline = pipeline
        self._placement = placement
        self._parameters = inspect.signature(type(pipeline).__call__).parameters
        needed = [
            name
            for name, parameter in self._parameters.items()
            if name not in _GIVEN and parameter.default is inspect.Parameter.empty
        ]
        if "prompt" not in self._parameters or needed:
            raise ModelUnavailable(f"A {type(pipeline).__name__} wants more than a prompt; Easel cannot run it.")
        pipeline.set_progress_bar_config(disable=True)
        self._run: PipelineRun | None = None

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights."""
        return modules_of(self._pipeline)

    @property
    def autoencoder(self) -> Autoencoder | None:
        """VAE for previews; None when it has another class or must not be used beside the pipeline."""
        vae: Any = getattr(self._pipeline, "vae", None)
        if not isinstance(vae, (AutoencoderKL, AutoencoderTiny)):
            return None
        # Some pipelines convert a float16 VAE to float32 for decoding. A preview could change its dtype before that.
        is_moved = self._placement.dtype is torch.float16 and bool(getattr(vae.config, "force_upcast", False))
        return None if is_moved else Autoencoder(vae, self._placement)

    @property
    def scheduler_class(self) -> str:
        """Name of the scheduler's class in diffusers; empty when the pipeline has none."""
        scheduler: Any = getattr(self._pipeline, "scheduler", None)
        return "" if scheduler is None else type(scheduler).__name__

    @property
    def is_busy(self) -> bool:
        """True while a run is not over."""
        return self._run is not None and not self._run.is_over

    def begin(self, request: GenerationRequest, generators: Sequence[torch.Generator]) -> "PipelineRun":
        """Prepare a run; nothing is computed before its first `advance`.

        Args:
            request: the member's request; its sampler, variations and upscale are ignored.
            generators: one for each image.
        """
        if self.is_busy:
            raise AssertionError("Two runs would share one pipeline's state.")
        prompt = read_tags(request.prompt)
        notices: list[Notice] = []
        if prompt.tags:
            notices.append(Notice(key="notice-tags-ignored", values={"tags": " ".join(prompt.tags)}))

        def left_out(mention: Mention) -> None:
            values: dict[str, str | int] = {"name": mention.name, "reason": NO_EMBEDDINGS}
            notices.append(Notice(key="notice-embedding-unfit", values=values))

        negative = _EMBEDDINGS.replaced(request.negative_prompt, left_out)
        negative = negative if request.guidance_scale > NO_GUIDANCE else ""
        if negative and Capability.NEGATIVE_PROMPT in lacks_of_class(type(self._pipeline)):
            notices.append(Notice(key="notice-negative-unused", values={}))
        wanted: dict[str, Any] = {
            "prompt": _EMBEDDINGS.replaced(prompt.prompt, left_out),
            "num_inference_steps": request.num_inference_steps,
            "guidance_scale": request.guidance_scale,
            "height": request.height,
            "width": request.width,
            "num_images_per_prompt": request.num_images,
            "generator": list(generators),
            "output_type": "pt",
            # Without this, some pipelines draw the nearest size that they know and stretch the picture.
            "use_resolution_binning": False,
        }
        if negative:
            wanted["negative_prompt"] = negative
        arguments = {name: value for name, value in wanted.items() if name in self._parameters}
        self._run = PipelineRun(self._pipeline, arguments, self._parameters, tuple(notices))
        return self._run


class PipelineRun:
    """One call of a pipeline, run step by step. One thread calls all public methods.

    Args:
        pipeline: the diffusers pipeline to call.
        arguments: arguments of the call.
        parameters: parameters that the call accepts.
        notices: facts for the requester about ignored parts of the request.

    Attributes:
        notices: facts for the requester.
        steps_done: number of steps that the pipeline has reported.
        latents: latents after the last step, in the pipeline's own layout; None when it reports none.
        pictures: [n, 3, H, W] from 0 to 1, float32; None until the call is done.
    """

    def __init__(
        self, pipeline: Any, arguments: Mapping[str, Any], parameters: Mapping[str, Any], notices: tuple[Notice, ...]
    ) -> None:
        self.notices = notices
        self.steps_done = 0
        self.latents: torch.Tensor | None = None
        self.pictures: torch.Tensor | None = None
        self._arguments = {**arguments, **self._callbacks(parameters)}
        self._thread: threading.Thread | None = threading.Thread(
            target=self._call, args=(pipeline,), name="whole-pipeline", daemon=True
        )
        self._is_begun = False
        self._is_closing = False
        self._failure: BaseException | None = None
        self._may_step, self._has_stepped = threading.Semaphore(0), threading.Semaphore(0)

    @property
    def is_over(self) -> bool:
        """True when the run is done, failed or closed, and its thread has ended."""
        return self._thread is None

    def advance(self) -> bool:
        """Run to the end of the next step; after the last step, run to the finished pictures.

        Returns:
            True when there is more to do; False once `pictures` is set, or after `close`.

        Raises:
            Exception: any exception of the pipeline; the run is then over.
        """
        if self._thread is None:
            return False
        if not self._is_begun:
            self._is_begun = True
            self._thread.start()
        self._may_step.release()
        self._has_stepped.acquire()
        if self._is_running:
            return True
        self._end()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return False

    def close(self) -> None:
        """Stop the call at its present step and release its tensors."""
        if self._thread is None:
            return
        self._is_closing = True
        self._may_step.release()
        self._end()
        self._failure = None

    def _end(self) -> None:
        if self._thread is not None and self._is_begun:
            self._thread.join()
        self._thread = None
        self._arguments.clear()
        self.latents = None

    @property
    def _is_running(self) -> bool:
        return self.pictures is None and self._failure is None

    def _call(self, pipeline: Any) -> None:
        try:
            self._wait()
            with torch.inference_mode():
                self.pictures = _pictures_of(pipeline, pipeline(**self._arguments))
        # The waiting thread raises any exception of this one; none may be lost.
        except BaseException as failure:  # noqa: BLE001
            self._failure = failure
        finally:
            self._has_stepped.release()

    def _callbacks(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Callback arguments that make the call wait after each step; older pipelines use another name."""
        if "callback_on_step_end" in parameters:
            return {"callback_on_step_end": self._after_step}
        if "callback" in parameters:
            return {"callback": self._after_old_step, "callback_steps": 1}
        return {}

    def _after_step(self, pipeline: Any, step: int, timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
        del pipeline, timestep
        self._pause(step, given.get("latents"))
        return given

    def _after_old_step(self, step: int, timestep: Any, latents: torch.Tensor) -> None:
        del timestep
        self._pause(step, latents)

    def _pause(self, step: int, latents: torch.Tensor | None) -> None:
        self.steps_done, self.latents = step + 1, latents
        self._has_stepped.release()
        self._wait()

    def _wait(self) -> None:
        self._may_step.acquire()
        if self._is_closing:
            raise _Closed


def _pictures_of(pipeline: Any, answer: Any) -> torch.Tensor:
    images: Any = getattr(answer, "images", None)
    if not isinstance(images, torch.Tensor):
        raise ModelUnavailable(f"A {type(pipeline).__name__} hands out no pictures that Easel can read.")
    return images.float().clamp(0, 1)
