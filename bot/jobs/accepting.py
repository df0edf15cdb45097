"""Acceptance of a job: one transaction inserts it and reserves its price, or a refusal names the reason."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
import structlog

from bot.errors import Refused
from bot.jobs.kinds import kind_of, workload_of
from bot.jobs.storing import Storing
from bot.presenting.quota_message import refusal
from bot.quotas.standing import Outlook, Standing, outlook, standing
from bot.store.admission import AlreadyAccepted, LedgerDisagrees, NotAllowed
from bot.store.jobs import JobRepository
from bot.store.queue import Place
from bot.store.rows import Asker, AskerDefaults, Job, Lineage, NewJob, StartedBy
from bot.store.timings import TimingRepository
from config.catalogue import Catalogue
from config.settings import QueueSettings, QuotaSettings
from pipeline.backends.base import Backend, WorkerState
from pipeline.protocol.messages import Notice
from pipeline.protocol.requests import Request, usual_request

TOKEN_LIFETIME: Final = timedelta(minutes=15)
"""https://discord.com/developers/docs/interactions/receiving-and-responding"""

_log = structlog.get_logger(__name__)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A resolved request and its origin: plain facts of an interaction."""

    interaction_id: int
    interaction_token: str
    started_by: StartedBy
    lineage: Lineage | None
    asker: Asker
    requester_name: str
    locale: str
    filesize_limit: int
    is_age_restricted: bool
    shown_guild_id: int
    request: Request
    defaults: AskerDefaults
    notices: tuple[Notice, ...]


class Accepting:
    """Accepts jobs into the queue."""

    def __init__(
        self,
        *,
        jobs: JobRepository,
        timings: TimingRepository,
        quotas: QuotaSettings,
        queue: QueueSettings,
        catalogue: Catalogue,
        backend: Backend,
        storing: Storing,
    ) -> None:
        self._jobs = jobs
        self._timings = timings
        self._quotas = quotas
        self._queue = queue
        self._catalogue = catalogue
        self._backend = backend
        self._storing = storing
        self._is_open = True

    def close(self) -> None:
        """Accept no more jobs. Accepted jobs stay in the queue for the next start."""
        self._is_open = False

    async def accept(self, asked: Asked) -> tuple[Job, Place]:
        """Insert the job and reserve its price; returns the job and its place in the queue.

        A repeated interaction returns the job of the first one.

        Raises:
            Refused: nothing was inserted and nothing reserved.
        """
        self._check_house(asked.request.model_key)
        now = datetime.now(UTC)
        try:
            return await self._jobs.accept(
                await self._new_job(asked, now), asker=asked.asker, settings=self._quotas, now=now
            )
        except AlreadyAccepted as error:
            return error.job, error.place
        except NotAllowed as error:
            raise refusal(error.standing) from error
        except (sqlite3.Error, LedgerDisagrees) as error:
            # Nothing was committed, so nothing may be acknowledged.
            if isinstance(error, sqlite3.OperationalError):  # the disk is full, read-only, or broken
                self._storing.fails(error)
            else:
                _log.exception("job not saved", action="not_saved", interaction_id=asked.interaction_id)
            raise Refused("refused-storage") from error

    async def standing(self, asker: Asker, price: int | None = None) -> Standing:
        """The member's standing for a job of this price; without a price, for one image with the defaults."""
        facts = await self._jobs.facts(asker, self._quotas, datetime.now(UTC))
        return standing(facts, price=self.default_price() if price is None else price, settings=self._quotas)

    async def outlook(self, asker: Asker, requests: Sequence[Request]) -> Outlook:
        """The member's outlook for several requests at once.

        Raises:
            Refused: not a single one can be accepted.
        """
        for model_key in {request.model_key for request in requests}:
            self._check_house(model_key)
        facts = await self._jobs.facts(asker, self._quotas, datetime.now(UTC))
        answer = outlook(facts, prices=[self.price(request) for request in requests], settings=self._quotas)
        if not answer.startable and answer.in_the_way is not None:
            raise refusal(answer.in_the_way)
        return answer

    def price(self, request: Request) -> int:
        """The price of a request in units."""
        spec = self._catalogue.models[request.model_key]
        return kind_of(request).price(request, spec, self._catalogue.default, self._quotas.pricing)

    def default_price(self) -> int:
        """The price of one image with the default model's defaults, in units."""
        return self.price(usual_request(self._catalogue.default))

    async def _new_job(self, asked: Asked, now: datetime) -> NewJob:
        """The new job with its price, its weight in the queue and its expected duration."""
        asker = asked.asker
        expected_s = await self._timings.expected_s(workload_of(asked.request))
        return NewJob(
            interaction_id=asked.interaction_id,
            started_by=asked.started_by,
            lineage=asked.lineage,
            guild_id=asker.guild_id,
            channel_id=asker.channel_id,
            requester_id=asker.user_id,
            requester_name=asked.requester_name,
            locale=asked.locale,
            filesize_limit=asked.filesize_limit,
            interaction_token=asked.interaction_token,
            token_expires_at=now + TOKEN_LIFETIME,
            is_age_restricted=asked.is_age_restricted,
            shown_guild_id=asked.shown_guild_id,
            request=asked.request,
            defaults=asked.defaults,
            notices=await self._notices(asked),
            price=self.price(asked.request),
            weight=max((self._queue.role_weights.get(role_id, 1) for role_id in asker.role_ids), default=1),
            is_express=not self._queue.express_roles.isdisjoint(asker.role_ids),
            expected_ms=round((expected_s or 0.0) * 1_000),
            role_ids=asker.role_ids,
        )

    async def _notices(self, asked: Asked) -> tuple[Notice, ...]:
        """The request's notices. A notice of its kind comes with them, but a member reads it only once."""
        request = asked.request
        notice = kind_of(request).notice(request, self._catalogue.models[request.model_key])
        if notice is None or await self._jobs.was_told(asked.asker.user_id, notice.key):
            return asked.notices
        return (*asked.notices, notice)

    def _check_house(self, model_key: str) -> None:
        """Check bot, worker and model. A restarting worker is no obstacle, since its jobs wait.

        Raises:
            Refused: a job could only fail later.
        """
        if not self._is_open:
            raise Refused("refused-shutting-down")
        status = self._backend.status
        if status.state in (WorkerState.UNUSABLE, WorkerState.STOPPED):
            raise Refused("refused-worker-down", reason=status.detail)
        if status.ready is not None and model_key in status.ready.missing:
            _log.warning("model missing", action="refused", reason=status.ready.missing[model_key])
            raise Refused("refused-model-unavailable", model=self._catalogue.models[model_key].title)
