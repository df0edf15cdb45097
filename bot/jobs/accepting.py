"""Acceptance of a job: one transaction inserts it and reserves its price, or a refusal names the reason."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog

from bot.errors import Refused
from bot.jobs.image_checking import CHECKED_LATER, LOOKED_AT, InputChecking
from bot.jobs.judging import Judged, Judging
from bot.jobs.kinds import kind_of, workload_of
from bot.jobs.storing import Storing
from bot.presenting.quota_message import refusal
from bot.quotas.standing import Outlook, Standing, outlook, standing
from bot.safety.gate import HardRefused
from bot.store.admission import AlreadyAccepted, LedgerDisagrees, NotAllowed
from bot.store.disk import DiskSpace
from bot.store.fetches import Fetches
from bot.store.jobs import JobRepository
from bot.store.members.spendings import MICROS, BudgetSpent
from bot.store.queue import Place
from bot.store.rows.jobs import Job, JobOrder, NewJob
from bot.store.rows.origin import Asker
from bot.store.timings import TimingRepository
from config.areas.engines import EngineSettings
from config.areas.quotas import QuotaSettings
from config.catalogue import Catalogue
from config.settings import QueueSettings
from pipeline.backends.base import Backend, WorkerState
from pipeline.protocol.requests import Request
from pipeline.protocol.usual import usual_request
from pipeline.protocol.wire.outputs import Notice

_log = structlog.get_logger(__name__)


class Accepting:
    """Accepts jobs into the queue."""

    def __init__(
        self,
        *,
        jobs: JobRepository,
        timings: TimingRepository,
        quotas: QuotaSettings,
        queue: QueueSettings,
        engines: EngineSettings,
        catalogue: Catalogue,
        backend: Backend,
        storing: Storing,
        disk: DiskSpace,
        judging: Judging,
        input_checking: InputChecking,
        fetches: Fetches,
    ) -> None:
        self._jobs = jobs
        self._timings = timings
        self._quotas = quotas
        self._queue = queue
        self._engines = engines
        self._catalogue = catalogue
        self._backend = backend
        self._storing = storing
        self._disk = disk
        self._judging = judging
        self._input_checking = input_checking
        self._fetches = fetches
        self._is_open = True

    def close(self) -> None:
        """Accept no more jobs. Accepted jobs stay in the queue for the next start."""
        self._is_open = False

    async def accept(self, order: JobOrder) -> tuple[Job, Place]:
        """Insert the job and reserve its price; returns the job and its place in the queue.

        A repeated interaction returns the job of the first one.

        Raises:
            Refused: nothing was inserted and nothing reserved.
        """
        self._check_house(order.request.model_key)
        now = datetime.now(UTC)
        asker = order.origin.asker
        judged = await self._judged(asker, order.request, now)
        new = await self._new_job(order, judged)
        try:
            accepted = await self._jobs.accept(new, settings=self._quotas, now=now)
        except AlreadyAccepted as error:
            return error.job, error.place
        except BudgetSpent as error:
            title = self._catalogue.entries[order.request.model_key].title
            _log.warning("budget spent", action="budget_spent", model=order.request.model_key)
            raise Refused("refused-budget", model=title) from error
        except NotAllowed as error:
            raise refusal(error.standing) from error
        except (sqlite3.Error, LedgerDisagrees) as error:
            # Nothing was committed, so nothing may be acknowledged.
            if isinstance(error, sqlite3.OperationalError):  # the disk is full, read-only, or broken
                self._storing.note_failure(error)
            else:
                _log.exception("job not saved", action="not_saved", interaction_id=order.origin.interaction_id)
            raise Refused("refused-storage") from error
        await self._judging.note_accepted(asker, judged, now)
        return accepted

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
        now = datetime.now(UTC)
        for request in requests:
            await self._judged(asker, request, now)
        facts = await self._jobs.facts(asker, self._quotas, datetime.now(UTC))
        found = outlook(facts, prices=[self.price(request) for request in requests], settings=self._quotas)
        if not found.startable and found.in_the_way is not None:
            raise refusal(found.in_the_way)
        return found

    def price(self, request: Request) -> int:
        """The price of a request in units."""
        spec = self._catalogue.entries[request.model_key]
        catalogue = self._catalogue
        return kind_of(request).price(request, spec, catalogue.default, self._quotas.pricing, catalogue.networks)

    def default_price(self) -> int:
        """The price of one image with the default model's defaults, in units."""
        return self.price(usual_request(self._catalogue.default))

    async def _judged(self, asker: Asker, request: Request, now: datetime) -> Judged:
        """The judgement of a request by rules of words. Nothing of what the hard rule refuses is kept.

        Raises:
            Refused: a rule forbids the request, or the member is paused.
        """
        try:
            return await self._judging.judge(asker, request, now)
        except HardRefused:
            await self._input_checking.let_go(request)
            raise

    async def _new_job(self, order: JobOrder, judged: Judged) -> NewJob:
        """The new job with its price, its weight in the queue and its expected duration."""
        role_ids = order.origin.asker.role_ids
        expected_s = await self._timings.expected_s(workload_of(order.request))
        return NewJob(
            origin=order.origin,
            request=order.request,
            defaults=order.defaults,
            notices=await self._notices(order, judged),
            price=self.price(order.request),
            cost_micros=self._cost_micros(order.request),
            budget_micros=round(self._engines.monthly_budget * MICROS),
            weight=max((self._queue.role_weights.get(role_id, 1) for role_id in role_ids), default=1),
            is_express=not self._queue.express_roles.isdisjoint(role_ids),
            hold=judged.hold,
            expected_ms=round((expected_s or 0.0) * 1_000),
        )

    def _cost_micros(self, request: Request) -> int:
        """Money that a service may bill for a request, in millionths."""
        spec = self._catalogue.models.get(request.model_key)
        drawn_by = None if spec is None else spec.drawn_by
        return 0 if drawn_by is None else round(drawn_by.price * MICROS) * request.output_count

    async def _notices(self, order: JobOrder, judged: Judged) -> tuple[Notice, ...]:
        """The order's notices, with those of rules of words, of its pictures and of its kind.

        A member reads the last only once.

        Raises:
            Refused: a given picture may not be used.
        """
        # The notices of a job that is tried again come with it.
        earlier = [notice for notice in order.notices if notice not in (CHECKED_LATER, LOOKED_AT)]
        notices = (*earlier, *judged.notices, *await self._input_checking.check(order))
        notice = kind_of(order.request).notice(order.request, self._catalogue.entries[order.request.model_key])
        if notice is None or await self._jobs.has_had_notice(order.requester_id, notice.key):
            return notices
        return (*notices, notice)

    def _check_house(self, model_key: str) -> None:
        """Check bot, disk, worker and model. A restarting worker is no obstacle, since its jobs wait.

        Raises:
            Refused: a job could only fail later.
        """
        if not self._is_open:
            raise Refused("refused-shutting-down")
        if self._disk.trouble is not None:
            raise Refused("refused-space")
        status = self._backend.status
        if status.state in (WorkerState.UNUSABLE, WorkerState.STOPPED):
            raise Refused("refused-worker-down", reason=status.detail)
        if status.ready is not None and model_key in status.ready.missing:
            percent = self._fetches.percent(model_key)
            if percent is not None:
                title = self._catalogue.entries[model_key].title
                raise Refused("refused-model-fetching", model=title, percent=percent)
            _log.warning("model missing", action="refused", reason=status.ready.missing[model_key])
            raise Refused("refused-model-unavailable", model=self._catalogue.entries[model_key].title)
