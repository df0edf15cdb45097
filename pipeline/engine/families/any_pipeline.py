"""Runs any other pipeline of diffusers unmodified, for one job at a time and one step at a time.

A pipeline that starts from a picture or draws a part of one anew is another class, the twin of the loaded one. It gets
the loaded components, so that no weight is in memory twice.
"""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from diffusers.guiders.guider_utils import BaseGuidance
from diffusers.hooks.first_block_cache import FirstBlockCacheConfig
from diffusers.models.cache_utils import CacheMixin
from PIL import Image
from torch import nn

from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import InvalidRequest, ModelUnavailable
from pipeline.engine.families.base import modules_of
from pipeline.engine.families.pipeline_classes import class_for, facts_of_class
from pipeline.engine.families.pipeline_latents import PipelineLatents, latents_of
from pipeline.engine.families.pipeline_run import PipelineRun
from pipeline.engine.loras.embeddings import NO_EMBEDDINGS
from pipeline.prompts.embeddings import EmbeddingNames, Mention
from pipeline.prompts.tags import read_tags
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.limits import NO_GUIDANCE
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.outputs import Notice

_GIVEN: Final = frozenset({"self", "prompt", "args", "kwargs"})
_EMBEDDINGS: Final = EmbeddingNames({})
"""Empty, because a whole pipeline accepts no embeddings."""
_NO_WORDS: Final = " "
"""Negative prompt of a pipeline that guides only when it has one."""
_WHOLE: Final = 1 + 1e-9
"""One step, and a little more, so that no rounding makes it less."""
_SCALE_FACTOR: Final = 8
"""Pixels per latent along one side, for a pipeline that does not say it."""
_GUIDER_SCALES: Final = ("guidance_scale", "adaptive_projected_guidance_scale")
"""Scales of diffusers' guiders; the first one is CFG."""
_LITTLE: Final = 1e-9


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class PipelineImages:
    """Pictures of a call, at the request's size.

    Attributes:
        init_image: picture that denoising starts from, in RGB; None for none.
        mask: its part that is drawn anew, white in gray; None draws all of it anew.
        edited: pictures of an edit, the changed one first; the others have their own sizes.
    """

    init_image: Image.Image | None = None
    mask: Image.Image | None = None
    edited: tuple[Image.Image, ...] = ()


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
        parameters = inspect.signature(type(pipeline).__call__).parameters
        needed = [
            name
            for name, parameter in parameters.items()
            if name not in _GIVEN and parameter.default is inspect.Parameter.empty
        ]
        if "prompt" not in parameters or needed:
            raise ModelUnavailable(f"A {type(pipeline).__name__} wants more than a prompt; Easel cannot run it.")
        pipeline.set_progress_bar_config(disable=True)
        self._callable: dict[Any, Any] = {type(pipeline): pipeline}
        self._guiders = {name: part for name, part in pipeline.components.items() if isinstance(part, BaseGuidance)}
        self._latents = latents_of(pipeline, placement)
        self._run: PipelineRun | None = None

    @property
    def pipeline(self) -> Any:
        """The diffusers pipeline."""
        return self._pipeline

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights."""
        return modules_of(self._pipeline)

    @property
    def latents(self) -> PipelineLatents | None:
        """Its latents for previews; None when they cannot be shown."""
        return self._latents

    @property
    def scheduler_class(self) -> str:
        """Name of the scheduler's class in diffusers; empty when the pipeline has none."""
        scheduler: Any = getattr(self._pipeline, "scheduler", None)
        return "" if scheduler is None else type(scheduler).__name__

    @property
    def rounds_steps_up(self) -> bool:
        """True when a strength that gives a fraction of a step draws that step; see `FamilyFacts.rounds_steps_up`."""
        return "Flow" in self.scheduler_class

    @property
    def scale_factor(self) -> int:
        """Pixels per latent along one side."""
        return int(getattr(self._pipeline, "vae_scale_factor", _SCALE_FACTOR))

    @property
    def is_busy(self) -> bool:
        """True while a run is not over."""
        return self._run is not None and not self._run.is_over

    def cache_blocks(self, threshold: float) -> None:
        """Skip the later blocks of a step while the output of the first one changes less than a threshold.

        The decision is that of all images of a job together, so a picture may differ from its seed drawn alone.

        Raises:
            ValueError: diffusers does not know the blocks of the transformer.
        """
        for part in self.modules:
            if isinstance(part, CacheMixin):
                part.enable_cache(FirstBlockCacheConfig(threshold=threshold))

    @property
    def _has_cache(self) -> bool:
        return any(isinstance(part, CacheMixin) and part.is_cache_enabled for part in self.modules)

    def begin(
        self,
        request: GenerationRequest,
        generators: Sequence[torch.Generator],
        images: PipelineImages | None = None,
        steps: int | None = None,
        call: Mapping[str, Any] | None = None,
    ) -> PipelineRun:
        """Prepare a run; nothing is computed before its first `advance`.

        Args:
            request: the member's request; its sampler, variations and upscale are ignored.
            generators: one for each image.
            images: its pictures; None for none.
            steps: number of drawn steps of a run from a picture; None for others.
            call: further arguments from the catalogue; see `ModelSpec.call`.

        Raises:
            InvalidRequest: the pipeline cannot do this with a picture.
        """
        if self.is_busy:
            raise AssertionError("Two runs would share one pipeline's state.")
        images = images or PipelineImages()
        if self._has_cache:
            # It empties the caches. A pipeline does so itself after a call, but not after one that was cancelled.
            self._pipeline.maybe_free_model_hooks()
        pipeline = self._pipeline_for(images)
        facts, parameters = facts_of_class(type(pipeline)), inspect.signature(type(pipeline).__call__).parameters
        words, notices = self._words(request, type(pipeline), len(images.edited))
        self._guide(request.guidance_scale)
        if facts.own_sizes:
            _take_size(pipeline, facts.own_sizes, request.width, request.height)
        wanted: dict[str, Any] = {
            **facts.usual,
            **words,
            "num_inference_steps": request.num_inference_steps,
            "height": request.height,
            "width": request.width,
            "num_images_per_prompt": request.num_images,
            "generator": list(generators),
            "output_type": "np",
            # Without these, some pipelines draw the nearest size that they know and stretch the picture.
            "use_resolution_binning": False,
            "max_area": request.height * request.width,
            "_auto_resize": False,
            **self._pictures(request, images, type(pipeline), steps),
            **(call or {}),
        }
        own_steps = parameters.get("num_inference_steps")
        if own_steps is not None and request.num_inference_steps != own_steps.default:
            # Sana-Sprint has a timestep between two steps, and refuses any other number of steps with it.
            wanted["intermediate_timesteps"] = None
        arguments = {name: value for name, value in wanted.items() if name in parameters}
        self._run = PipelineRun(pipeline, arguments, parameters, notices)
        return self._run

    def _guide(self, scale: float) -> None:
        """Give the scale to guiders that are components; their further scales keep their ratio to it."""
        for name, part in self._guiders.items():
            known = {each: getattr(part, each) for each in _GUIDER_SCALES if hasattr(part, each)}
            usual = known[_GUIDER_SCALES[0]]
            scaled = {each: value * scale / usual for each, value in known.items()}
            setattr(self._pipeline, name, part.new(**scaled, enabled=scale > NO_GUIDANCE))

    def _words(self, request: GenerationRequest, called: Any, edited: int) -> tuple[dict[str, Any], tuple[Notice, ...]]:
        """Arguments for texts and guidance, and what the requester is told about them."""
        prompt, facts = read_tags(request.prompt), facts_of_class(called)
        notices: list[Notice] = []
        if prompt.tags:
            notices.append(Notice(key="notice-tags-ignored", values={"tags": " ".join(prompt.tags)}))

        def left_out(mention: Mention) -> None:
            values: dict[str, str | int] = {"name": mention.name, "reason": NO_EMBEDDINGS}
            notices.append(Notice(key="notice-embedding-unfit", values=values))

        is_guided = request.guidance_scale > NO_GUIDANCE
        negative = _EMBEDDINGS.replaced(request.negative_prompt, left_out) if is_guided else ""
        if negative and not facts.reads_negative:
            notices.append(Notice(key="notice-negative-unused", values={}))
            negative = ""
        if is_guided and facts.guidance == "true_cfg_scale":
            negative = negative or _NO_WORDS
        mentions = "".join(facts.placeholder.format(number) for number in range(1, edited + 1))
        # Where a pipeline guides from 0 on, it adds the scale times the difference, so CFG is its scale and 1 more.
        scale = request.guidance_scale - NO_GUIDANCE + facts.unguided
        words: dict[str, Any] = {
            "prompt": mentions + _EMBEDDINGS.replaced(prompt.prompt, left_out),
            "guidance_scale": scale,
            **dict.fromkeys((facts.guidance, *facts.scales), scale),
        }
        if negative:
            words["negative_prompt"] = negative
        return words, tuple(notices)

    def _pictures(
        self, request: GenerationRequest, images: PipelineImages, called: Any, steps: int | None
    ) -> dict[str, Any]:
        """Arguments for the pictures. Denoising starts from one copy for each image, so that each draws from its own
        generator.
        """
        start, facts = request.init_image, facts_of_class(called)
        if images.edited:
            edits: dict[str, Any] = {facts.edited: [*images.edited] if facts.takes_list else images.edited[0]}
            return edits | ({facts.kept: request.image_guidance} if facts.kept else {})
        if images.init_image is None or start is None or steps is None:
            return {}
        found: dict[str, Any] = {
            "image": [images.init_image] * request.num_images if facts.copies_picture else images.init_image,
            "mask_image": images.mask,
            # A pipeline that rounds down draws no step at all for less than a whole one.
            "strength": max(start.strength, _WHOLE / request.num_inference_steps),
        }
        if facts.spreads_steps:
            found["num_inference_steps"] = steps
        return found

    def _pipeline_for(self, images: PipelineImages) -> Any:
        """The pipeline, or its twin that takes these pictures.

        Raises:
            InvalidRequest: there is none.
        """
        kind = type(self._pipeline)
        facts = facts_of_class(kind)
        called = kind
        if images.init_image is not None:
            called = class_for(kind, Capability.INIT_IMAGE if images.mask is None else Capability.MASK)
        elif images.edited and not (facts.takes_list if len(images.edited) > 1 else facts.edited):
            called = None
        elif facts.needs_picture and not images.edited:
            raise InvalidRequest(f"A {kind.__name__} draws nothing without a picture.")
        if called is None:
            raise InvalidRequest(f"A {kind.__name__} cannot do this with a picture.")
        if called not in self._callable:
            twin = called.from_pipe(self._pipeline, dtype=self._placement.dtype)
            twin.set_progress_bar_config(disable=True)
            self._callable[called] = twin
        return self._callable[called]


def _take_size(pipeline: Any, attribute: str, width: int, height: int) -> None:
    """Let a pipeline draw this size, which by itself draws the nearest one of its own list or area."""
    if attribute == "resolutions":
        pipeline.resolutions = [(width, height)]
    else:
        # Its area is this number of latents squared. A little more, so that no rounding makes the picture smaller.
        side = math.sqrt(width * height) / pipeline.vae_scale_factor
        setattr(pipeline, attribute, side * (1 + _LITTLE))
