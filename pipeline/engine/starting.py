"""Starts attempts: loads the models and networks of their requests, and makes their jobs."""

import time
from collections.abc import Collection

from pipeline.engine.device.activity import Activity
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.finishing.reporting import Reporter
from pipeline.engine.models.cache import ModelCache
from pipeline.engine.models.networks import named_weights
from pipeline.engine.pixels.image_check import ImageCheck, check_inputs
from pipeline.engine.steps.jobs.denoising import DenoisingJob
from pipeline.engine.steps.jobs.upscale_jobs import EngineJob, UpscaleJob
from pipeline.engine.steps.kinds import kind_of
from pipeline.engine.steps.preparing import check_controls_fit
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.messages import Submit


class JobStarter:
    """Starts attempts.

    Args:
        cache: the models and networks.
        placement: device and precision.
        reporter: reports that a model is loaded, and the first progress.
        image_check: rates the given pictures.
        activity: receives the engine's present state.
    """

    def __init__(
        self,
        cache: ModelCache,
        placement: Placement,
        reporter: Reporter,
        image_check: ImageCheck,
        activity: Activity,
    ) -> None:
        self._cache = cache
        self._placement = placement
        self._reporter = reporter
        self._image_check = image_check
        self._activity = activity

    def may_start(self, request: Request, jobs: Collection[EngineJob]) -> bool:
        """True when the budget allows what a request takes from the cache, beside these running and finishing jobs."""
        return self._cache.may_load(self._cache.keys_of(request), keys_in_use(jobs))

    def start(self, submit: Submit, jobs: Collection[EngineJob]) -> EngineJob:
        """Load what the request needs, beside these running and finishing jobs, and make the attempt's job.

        Raises:
            InvalidRequest: the engine or the model cannot run this request.
            ModelUnavailable: a model or network cannot be loaded, or there is no image check for a checked job.
        """
        started_at = time.monotonic()
        if not self._image_check.can(submit.checking.mode):
            raise ModelUnavailable("There is no image check, and nothing may be shown without it.")
        check_inputs(submit, self._image_check)
        request, kind = submit.request, kind_of(submit.request)
        if not all(map(self._cache.has, self._cache.keys_of(request))):
            self._reporter.loading(submit, kind.total_steps(request, self._cache.spec(request.model_key)))
        model, networks = self._cache.take_all(request, keys_in_use(jobs))
        self._activity.enter("running")
        job = kind.begin(submit, model, self._placement, started_at)
        if isinstance(job, UpscaleJob):
            job = job.with_networks(networks)
        if isinstance(job, DenoisingJob):
            job.networks, job.network_weights = networks, named_weights(networks)
            check_controls_fit(job)
        self._reporter.progress(job)
        return job


def keys_in_use(jobs: Collection[EngineJob]) -> set[str]:
    """Keys of the models and networks that these jobs use."""
    networks = {key for job in jobs if isinstance(job, DenoisingJob) for key in job.networks}
    faces = {job.request.faces for job in jobs if isinstance(job, UpscaleJob) and job.faces is not None}
    return {job.model.spec.key for job in jobs} | networks | faces
