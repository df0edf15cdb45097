"""Jobs of models that run only as a whole diffusers pipeline: one job at a time, in turn with the buckets."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import torch
from PIL import Image

from pipeline.engine.failures import InvalidRequest, UnfitSampler
from pipeline.engine.families.any_pipeline import AnyPipeline, PipelineImages
from pipeline.engine.families.pipeline_run import PipelineRun
from pipeline.engine.models.loading import LoadedModel
from pipeline.engine.pixels.previews import PreviewTurn
from pipeline.engine.sampling.latents import check_finite, generators_for
from pipeline.engine.sampling.schedulers import sampler_named
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.given_pictures import picture_of
from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.validation import check_capabilities, check_multiple, check_request
from pipeline.engine.weights.fingerprints import Sourced, Weights
from pipeline.images.canvas import grown
from pipeline.images.decode import fitted
from pipeline.images.pasting import Paste
from pipeline.protocol.passes import passes_of
from pipeline.protocol.requests import GenerationRequest, narrowed
from pipeline.protocol.wire.messages import Submit
from pipeline.protocol.wire.outputs import Notice
from pipeline.protocol.wire.settings import Checking

_LEAST_SIDE: Final = 64


@dataclass(slots=True, frozen=True, kw_only=True, eq=False)
class PipelineJob:
    """One attempt that runs on a whole pipeline; `DenoisingJob` explains the attributes that both have."""

    name: AttemptId
    request: GenerationRequest
    checking: Checking
    model: LoadedModel
    run: PipelineRun
    total_steps: int
    started_at: float
    denoise_started_at: float
    preview: PreviewTurn
    paste: Paste | None = None

    @property
    def steps_done(self) -> int:
        """Number of finished steps; some pipelines report evaluations, so the total is the limit."""
        return min(self.run.steps_done, self.total_steps)

    @property
    def scheduler_class(self) -> str:
        """Name of the pipeline's own scheduler class in diffusers; empty when it has none."""
        return self.model.any_pipeline.scheduler_class

    @property
    def row_counts(self) -> tuple[int, ...]:
        """Empty, because the job shares no forward pass."""
        return ()

    @property
    def lora_digests(self) -> Mapping[str, str]:
        """Empty, because a whole pipeline takes no LoRAs."""
        return {}

    @property
    def network_weights(self) -> Mapping[str, tuple[Sourced, Weights]]:
        """Empty, because a whole pipeline takes no networks beside its own."""
        return {}

    @property
    def embedding_digests(self) -> Mapping[str, str]:
        """Empty, because a whole pipeline takes no embeddings."""
        return {}

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Facts for the requester; one of them is the size of a pipeline that chooses it itself."""
        pictures = self.run.pictures
        if pictures is None or tuple(pictures.shape[2:]) == (self.request.height, self.request.width):
            return self.run.notices
        height, width = pictures.shape[2:]
        return (*self.run.notices, Notice(key="notice-size-own", values={"size": f"{width}x{height}"}))

    @property
    def can_preview(self) -> bool:
        """True when the pipeline's latents are known as a grid of the channels that the preview was fitted to."""
        return self.model.preview is not None and self._grid is not None

    def likely_latents(self) -> torch.Tensor:
        """Present latents as a grid [n, c, h, w]; they still hold noise."""
        grid = self._grid
        if grid is None:
            raise AssertionError("There is nothing to be shown.")
        return grid

    @property
    def _grid(self) -> torch.Tensor | None:
        latents, known = self.run.latents, self.model.any_pipeline.latents
        if latents is None or known is None:
            return None
        return known.grid(latents, self.request.height, self.request.width)

    def advance(self) -> bool:
        """Run one step of the pipeline; the call after the last step decodes the pictures.

        Returns:
            True when there is more to do.

        Raises:
            BrokenImage: the latents hold NaN or infinity.
            Exception: any exception of the pipeline.
        """
        is_going_on = self.run.advance()
        if self.run.latents is not None:
            # Reading the latents also waits for the device, so the measured time is complete.
            check_finite(self.run.latents)
        return is_going_on

    def close(self) -> None:
        """Close the run."""
        self.run.close()

    def elapsed_s(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self.started_at

    def decoded(self, decode: Callable[[LoadedModel, torch.Tensor], torch.Tensor]) -> Iterable[torch.Tensor]:
        """Each finished picture, [1, 3, H, W] from 0 to 1; the pipeline itself has decoded them.

        Raises:
            BrokenImage: the pictures hold NaN or infinity.
        """
        del decode
        if self.run.pictures is None:
            raise AssertionError("The run is not over.")
        check_finite(self.run.pictures)
        return self.run.pictures.split(1)


DrawingJob = DenoisingJob | PipelineJob


def begin_pipeline_job(submit: Submit, model: LoadedModel, started_at: float) -> PipelineJob:
    """Prepare a run of the pipeline; nothing is computed yet.

    Raises:
        InvalidRequest: the pipeline cannot run this request.
        UnfitSampler: the pipeline needs another kind of sampler.
    """
    request = narrowed(submit.request, GenerationRequest)
    check_request(request)
    check_capabilities(request, model.spec.facts)
    check_multiple(request, model.spec.facts.size_multiple)
    sampler = sampler_named(request.scheduler_name)
    if sampler.kind != model.spec.facts.kind:
        raise UnfitSampler(f"The sampler {sampler.name} does not fit this model; choose one that it offers.")
    pipeline = model.any_pipeline
    facts = msgspec.structs.replace(model.spec.facts, rounds_steps_up=pipeline.rounds_steps_up)
    first = passes_of(request, facts)[0]
    images, paste = _images(submit, request, pipeline)
    steps = first.steps if first.is_from_picture else None
    now = time.monotonic()
    return PipelineJob(
        name=(submit.job_id, submit.attempt),
        request=request,
        checking=submit.checking,
        model=model,
        run=pipeline.begin(request, generators_for(request), images, steps, model.spec.call),
        total_steps=first.steps,
        started_at=started_at,
        denoise_started_at=now,
        preview=PreviewTurn(now),
        paste=paste,
    )


def _images(submit: Submit, request: GenerationRequest, pipeline: AnyPipeline) -> tuple[PipelineImages, Paste | None]:
    """The request's pictures at its size, and the paste of those of which a part is drawn anew."""
    if request.edits:
        changed, *others = [picture_of(submit, each) for each in request.edits]
        edited = fitted(changed, request.width, request.height), *map(_large_enough, others)
        return PipelineImages(edited=edited), None
    if request.init_image is None:
        return PipelineImages(), None
    picture = picture_of(submit, request.init_image)
    if request.inpaint is None:
        return PipelineImages(init_image=fitted(picture, request.width, request.height)), None
    mask_picture = None if request.mask is None else picture_of(submit, request.mask)
    paste = Paste(picture, mask_picture, request.inpaint, request.width, request.height)
    canvas = paste.canvas(request.width, request.height)
    if not canvas.mask.any():
        raise InvalidRequest("Nothing is left of the part that is to be drawn anew.")
    drawn = grown(canvas.mask, 0 if request.inpaint.outpaint is None else pipeline.scale_factor)
    return PipelineImages(init_image=canvas.picture, mask=Image.fromarray(drawn).convert("L")), paste


def _large_enough(picture: Image.Image) -> Image.Image:
    """The picture with a shorter side of at least 64 pixels, which is the least that FLUX.2 takes."""
    scale = _LEAST_SIDE / min(picture.size)
    if scale <= 1:
        return picture
    width, height = (math.ceil(side * scale) for side in picture.size)
    return picture.resize((width, height), Image.Resampling.LANCZOS)
