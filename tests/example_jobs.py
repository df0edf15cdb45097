"""A job as the database would give it, and its message in every state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from discord import ui

from bot.jobs.kinds import kind_of
from bot.presenting.images import done_message
from bot.presenting.jobs import job_message
from bot.presenting.jobs.job_message import Allowance, Prospect
from bot.presenting.jobs.output_files import ShownOutput
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobStatus
from bot.store.rows.origin import Asker, Origin, StartedBy
from bot.store.rows.preferences import AskerDefaults
from config.catalogue import Catalogue
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.outputs import Notice, Recipe

NOW = datetime(2026, 5, 1, tzinfo=UTC)
IMAGES = tuple(ShownOutput(index=k, file_name=f"easel-7-{k + 1}.png", data=b"", sides=(256, 256)) for k in range(4))


def example_origin(asker: Asker, **changes: Any) -> Origin:
    """Interaction 1, with /imagine, in a channel of the asker's server; `changes` replace fields."""
    fields: dict[str, Any] = {
        "interaction_id": 1,
        "interaction_token": "token",
        "token_expires_at": NOW + timedelta(minutes=15),
        "started_by": StartedBy.IMAGINE,
        "lineage": None,
        "asker": asker,
        "requester_name": "Ada",
        "locale": "en-US",
        "filesize_limit": 10_485_760,
        "is_age_restricted": False,
        "shown_guild_id": asker.guild_id,
    }
    return Origin(**{**fields, **changes})


def from_elsewhere(job: Job, **changes: Any) -> Job:
    """The job with another origin."""
    return msgspec.structs.replace(job, origin=msgspec.structs.replace(job.origin, **changes))


def example_job(request: Request) -> Job:
    """Job 7, which person 42 asked for."""
    return Job(
        job_id=7,
        origin=example_origin(Asker(guild_id=5, channel_id=6, user_id=42)),
        message_id=9,
        request=request,
        defaults=AskerDefaults(),
        notices=(),
        price=4,
        timeline=0x12345,
        queue_key=1,
        turn_round=0,
        turn_deficit=0,
        expected_ms=0,
        status=JobStatus.RUNNING,
        failure=None,
        error_id=None,
        attempt=1,
        crashes=0,
        cancel_requested_by=None,
        created_at=NOW,
        started_at=NOW,
        finished_at=None,
        denoise_s=1.0,
        total_s=1.234,
        recipe=Recipe(
            model_hash="0123456789",
            loras={"fur": "9876543210"},
            scheduler="DPMSolverMultistepScheduler",
            rows=(2, 4, 8),
            device="cpu",
            dtype="float32",
            versions={"torch": "2.15.0", "diffusers": "0.42.1"},
        ),
    )


def states(job: Job, catalogue: Catalogue) -> dict[str, ui.LayoutView]:
    """The job in every state."""
    four = msgspec.structs.replace(job, request=msgspec.structs.replace(job.request, num_images=4))
    hidden = Notice(key="notice-flagged", values={"count": 2, "asked": 4})
    in_part = msgspec.structs.replace(four, notices=(*job.notices, hidden))
    cancelled = msgspec.structs.replace(job, status=JobStatus.CANCELLED)
    flagged = msgspec.structs.replace(job, status=JobStatus.FAILED, failure=JobFailure.FLAGGED)
    failed = msgspec.structs.replace(flagged, failure=JobFailure.TIMEOUT, error_id="ab12")
    actions = kind_of(job.request).actions
    return {
        "queued": job_message.queued(job, Prospect(position=2, starts_at=NOW)),
        "next": job_message.queued(job, Prospect(position=1, starts_at=None)),
        "starting": job_message.queued(job, Prospect(position=1, starts_at=NOW, is_starting=True)),
        "absent model": job_message.queued(job, Prospect(position=2, starts_at=None, absent_model="Pocket")),
        "again": job_message.waiting_again(job),
        "loading": job_message.loading(job, starts_at=NOW),
        "running": job_message.running(job, step=3, total_steps=12, ends_at=NOW, preview_name="preview.webp"),
        "done": done_message.done(four, outputs=IMAGES, spec=catalogue.default, allowance=Allowance(left=3)),
        "done in part": done_message.done(
            in_part, outputs=(IMAGES[0], IMAGES[3]), spec=catalogue.default, allowance=Allowance(left=3)
        ),
        "cancelled": job_message.ended(cancelled, actions),
        "flagged": job_message.ended(flagged, actions),
        "failed": job_message.ended(failed, actions),
    }
