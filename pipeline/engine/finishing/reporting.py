"""Events about the engine's attempts."""

import logging
import time
from collections.abc import Callable

from pipeline.engine.steps.jobs.keys import AttemptId
from pipeline.engine.steps.jobs.upscale_jobs import EngineJob
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.wire.messages import Failed, JobEvent, Progress, Submit

log = logging.getLogger(__name__)


class Reporter:
    """Builds and emits events.

    Args:
        emit: receives each event.
    """

    def __init__(self, emit: Callable[[JobEvent], None]) -> None:
        self._emit = emit

    def emit(self, event: JobEvent) -> None:
        """Emit a ready event."""
        self._emit(event)

    def loading(self, submit: Submit, total_steps: int) -> None:
        """Report that an attempt of so many steps waits for its model to load."""
        self._emit(
            Progress(
                job_id=submit.job_id,
                attempt=submit.attempt,
                phase="loading",
                step=0,
                total_steps=total_steps,
                elapsed_s=0.0,
            )
        )

    def progress(self, job: EngineJob, preview: bytes = b"") -> None:
        """Report a job's finished steps, perhaps with a preview."""
        self._emit(
            Progress(
                job_id=job.name[0],
                attempt=job.name[1],
                phase="running",
                step=job.steps_done,
                total_steps=job.total_steps,
                elapsed_s=time.monotonic() - job.started_at,
                preview=preview,
            )
        )

    def failed(self, name: AttemptId, reason: FailureReason, detail: str) -> None:
        """Report that an attempt failed; no further event of it follows."""
        log.info("Job %d, attempt %d: %s %s", *name, reason, detail)
        self._emit(Failed(job_id=name[0], attempt=name[1], reason=reason, detail=detail))
