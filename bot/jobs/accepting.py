"""Taking a job: one transaction that inserts it and reserves its price, or one sentence that says why not."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from bot.errors import Refused
from bot.presenting.escaping import relative
from bot.quotas import rules
from bot.store.admission import AlreadyAccepted, CooldownActive, QuotaExceeded, TooManyQueued
from bot.store.jobs import JobRepository
from bot.store.rows import Job, JobKind, NewJob
from config.catalogue import Catalogue
from config.settings import QuotaSettings
from pipeline.backends.base import Backend, WorkerState
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import GenerationRequest

TOKEN_LIFETIME: Final = timedelta(minutes=15)
"""https://discord.com/developers/docs/interactions/receiving-and-responding"""

_log = structlog.get_logger(__name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A resolved request and where it came from; plain facts of an interaction."""

    interaction_id: int
    interaction_token: str
    kind: JobKind
    parent_job_id: int | None
    guild_id: int
    channel_id: int
    requester_id: int
    requester_name: str
    locale: str
    filesize_limit: int
    request: GenerationRequest
    notices: tuple[Notice, ...]


class QuotaState(msgspec.Struct, frozen=True, kw_only=True):
    """What a member may still do in this period; `limit` and `left` are None where there is no limit."""

    limit: int | None
    used: int
    in_flight: int
    resets_at: datetime

    @property
    def left(self) -> int | None:
        """Units that are not used and not reserved."""
        return None if self.limit is None else max(0, self.limit - self.used)


class Accepting:
    """The door of the queue."""

    def __init__(
        self,
        *,
        jobs: JobRepository,
        quotas: QuotaSettings,
        catalogue: Catalogue,
        backend: Backend,
    ) -> None:
        self._jobs = jobs
        self._quotas = quotas
        self._catalogue = catalogue
        self._backend = backend
        self._is_open = True

    def close(self) -> None:
        """Take nothing more; what is taken stays in the queue for the next start."""
        self._is_open = False

    async def accept(self, asked: Asked) -> Job:
        """Insert the job and reserve its price. A repeated interaction gives the job that it made.

        Raises:
            Refused: nothing was inserted and nothing reserved.
        """
        if not self._is_open:
            raise Refused("refused-shutting-down")
        self._check_worker(asked.request.model_key)
        now = datetime.now(UTC)
        spec = self._catalogue.models[asked.request.model_key]
        price = rules.price(asked.request, spec, self._quotas.pricing)
        new = NewJob(
            interaction_id=asked.interaction_id,
            kind=asked.kind,
            parent_job_id=asked.parent_job_id,
            guild_id=asked.guild_id,
            channel_id=asked.channel_id,
            requester_id=asked.requester_id,
            requester_name=asked.requester_name,
            locale=asked.locale,
            filesize_limit=asked.filesize_limit,
            interaction_token=asked.interaction_token,
            token_expires_at=now + TOKEN_LIFETIME,
            request=asked.request,
            notices=asked.notices,
            price=price,
            period_start=rules.period_start(now, self._quotas.period, self._quotas.time_zone),
        )
        try:
            return await self._jobs.accept(
                new,
                limit=self._quotas.amount or None,
                queued_per_user=self._quotas.queued_per_user,
                cooldown_s=self._quotas.cooldown_s,
                now=now,
            )
        except AlreadyAccepted as error:
            return error.job
        except CooldownActive as error:
            raise Refused("refused-cooldown", until=relative(error.until)) from error
        except TooManyQueued as error:
            raise Refused("refused-queued", count=error.count) from error
        except QuotaExceeded as error:
            raise self._quota_refusal(error, now) from error
        except sqlite3.Error as error:
            # Disk full, or an I/O error: nothing was committed, so nothing may be acknowledged.
            _log.exception("job not saved", action="not_saved", interaction_id=asked.interaction_id)
            raise Refused("refused-storage") from error

    async def quota_state(self, guild_id: int, user_id: int) -> QuotaState:
        """What this member may do here now."""
        now = datetime.now(UTC)
        start = rules.period_start(now, self._quotas.period, self._quotas.time_zone)
        return QuotaState(
            limit=self._quotas.amount or None,
            used=await self._jobs.usage(guild_id, user_id, start),
            in_flight=await self._jobs.in_flight(guild_id, user_id),
            resets_at=rules.period_end(now, self._quotas.period, self._quotas.time_zone),
        )

    def default_price(self) -> int:
        """What one image with the default model's defaults costs."""
        spec = self._catalogue.default
        request = GenerationRequest(
            prompt="-",
            negative_prompt="",
            num_inference_steps=spec.defaults.steps,
            guidance_scale=spec.defaults.cfg,
            width=spec.defaults.width,
            height=spec.defaults.height,
            scheduler_name=spec.defaults.sampler,
            seed=0,
            num_images=1,
            model_key=spec.key,
        )
        return rules.price(request, spec, self._quotas.pricing)

    def _check_worker(self, model_key: str) -> None:
        """Refuse at the door what could only fail later. A worker that restarts is waited for instead."""
        status = self._backend.status
        if status.state in (WorkerState.UNUSABLE, WorkerState.STOPPED):
            raise Refused("refused-worker-down", reason=status.detail)
        if status.ready is not None and model_key in status.ready.missing:
            _log.warning("model missing", action="refused", reason=status.ready.missing[model_key])
            raise Refused("refused-model-unavailable", model=self._catalogue.models[model_key].title)

    def _quota_refusal(self, error: QuotaExceeded, now: datetime) -> Refused:
        if error.price > error.limit:
            return Refused("refused-quota-too-big", price=error.price, limit=error.limit)
        resets_at = rules.period_end(now, self._quotas.period, self._quotas.time_zone)
        return Refused(
            "refused-quota",
            price=error.price,
            left=str(max(0, error.limit - error.used)),
            limit=error.limit,
            resets=relative(resets_at),
        )
