"""The engine alone with one model, for benchmarks."""

import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported below; the worker does the same

import msgspec
import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler

from config.areas.pipeline import PipelineSettings
from config.catalogue import load_catalogue
from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import choose_placement, use_threads
from pipeline.engine.loop import Engine
from pipeline.engine.models.loading import quiet_libraries
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, JobEvent, Submit
from pipeline.protocol.wire.settings import Acceleration, EngineOptions

THREADS: Final = 2
WORDS: Final = ("a red apple", "two green leaves", "a house in the snow", "a blue fish, night")
SAMPLERS: Final = ("Euler", "DPM++ 2M Karras", "DDIM", "Euler a")


class Bench:
    """An engine and its events.

    Args:
        max_running: most jobs in one batch.
        preview_interval_s: seconds between previews; 0 means no previews.
        is_enlarged: whether finished pictures are enlarged, as for members.
        spec: the model; None takes the shipped one.
        state_directory: folder of the engine's calibration; None calibrates anew.
        acceleration: what computes the forward passes; None takes torch.
        threads: of torch and of OpenVINO.
    """

    def __init__(
        self,
        max_running: int,
        *,
        preview_interval_s: float = 0.0,
        is_enlarged: bool = False,
        spec: ModelSpec | None = None,
        state_directory: str | None = None,
        acceleration: Acceleration | None = None,
        threads: int = THREADS,
    ) -> None:
        quiet_libraries()
        use_threads(threads)
        if spec is None:
            shipped = load_catalogue(PipelineSettings().catalogue, "pocket").default
            spec = shipped if is_enlarged else msgspec.structs.replace(shipped, enlarger=None)
        self.events: list[JobEvent] = []
        self.engine = Engine(
            models={spec.key: spec},
            placement=choose_placement("cpu", "float32", acceleration),
            emit=self.events.append,
            activity=Activity(),
            options=EngineOptions(
                preview_interval_s=preview_interval_s,
                state_directory=state_directory,
                max_running=max_running,
            ),
        )
        self.engine.preload(spec.key)

    def submit(self, job_id: int, request: GenerationRequest) -> None:
        """Submit a job."""
        self.engine.submit(Submit(job_id=job_id, attempt=1, request=request))

    def draw(self, requests: Sequence[GenerationRequest]) -> tuple[float, dict[int, Finished]]:
        """Draw all requests. Return the wall seconds and the results by index.

        Raises:
            RuntimeError: a job failed.
        """
        self.events.clear()
        started = time.perf_counter()
        for job_id, request in enumerate(requests):
            self.submit(job_id, request)
        self.engine.run_until_idle()
        seconds = time.perf_counter() - started
        if failed := [event for event in self.events if isinstance(event, Failed)]:
            raise RuntimeError(f"A job failed: {failed[0].detail}")
        return seconds, {event.job_id: event for event in self.events if isinstance(event, Finished)}


def request(**changes: Any) -> GenerationRequest:
    """A request with the shipped model's defaults and these changes."""
    plain = GenerationRequest(
        prompt="a red apple",
        negative_prompt="",
        num_inference_steps=20,
        guidance_scale=5.0,
        width=64,
        height=64,
        scheduler_name="Euler",
        seed=7,
        num_images=1,
        model_key="pocket",
    )
    return msgspec.structs.replace(plain, **changes)


def mixed(
    count: int, side: int, steps: tuple[int, int], seed: int, spec: ModelSpec | None = None
) -> list[GenerationRequest]:
    """Random requests with different prompts, steps, CFG, samplers and seeds, for a model or the shipped one."""
    dice = random.Random(seed)  # noqa: S311 - a mixture of requests is no secret
    samplers = SAMPLERS if spec is None else spec.offered_samplers
    return [
        request(
            prompt=dice.choice(WORDS),
            num_inference_steps=dice.randint(*steps),
            guidance_scale=dice.choice((1.0, 3.0, 5.0, 9.0)),
            scheduler_name=samplers[number % len(samplers)],
            model_key="pocket" if spec is None else spec.key,
            width=side,
            height=side,
            seed=dice.randint(0, 2**32 - 1),
        )
        for number in range(count)
    ]


def as_whole() -> ModelSpec:
    """The shipped model as a pipeline of diffusers, whose jobs are drawn one at a time."""
    shipped = load_catalogue(PipelineSettings().catalogue, "pocket").default
    return msgspec.structs.replace(shipped, family="pipeline", enlarger=None, preview_decoder=None)


def bare_pipeline() -> Any:
    """Load the shipped model in a plain diffusers pipeline, with the sampler of `request`."""
    quiet_libraries()
    use_threads(THREADS)
    folder = Path(__file__).parents[1] / "models" / "pocket"
    pipeline: Any = StableDiffusionPipeline.from_pretrained(str(folder), dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config, timestep_spacing="linspace")
    return pipeline
