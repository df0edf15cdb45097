"""The judgement of a request by rules of words, and what follows: warnings, pauses, and the owner's program."""

import asyncio
import contextlib
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import structlog

from bot.errors import Refused
from bot.jobs.image_checking import LOOKED_AT
from bot.presenting.escaping import relative
from bot.programs import run_program
from bot.safety.gate import SERVER, Gate, HardRefused, Judgement, RuleRefused
from bot.safety.hard_rule import CATEGORY
from bot.safety.pauses import LONGEST, STEP, RefusalCount
from bot.store.cases import BY_RULE, CaseRepository
from bot.store.hits import IMAGE_CHECK, HitRepository, StoredHit
from bot.store.members.servers import Decision, ServerRepository
from bot.store.rows.jobs import Hold
from bot.store.rows.origin import Asker
from pipeline.protocol.requests import Request
from pipeline.protocol.wire.outputs import Notice

"""Seconds after which the owner's program is ended."""
_log = structlog.get_logger(__name__)


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """An allowed request.

    Attributes:
        judgement: what rules tell, and whether a moderator looks first.
        allowance: the hit by which moderators allow it once; None without one. Pictures that the image check hid are
            drawn once more, and seen by moderators first.
    """

    judgement: Judgement
    allowance: StoredHit | None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the member reads."""
        looked_at = (LOOKED_AT,) if self._is_looked_at else ()
        return (*self.judgement.warnings, *self.judgement.reviews, *looked_at)

    @property
    def hold(self) -> Hold | None:
        """Whether the job is held once it is drawn."""
        return Hold.WANTED if self.judgement.reviews or self._is_looked_at else None

    @property
    def _is_looked_at(self) -> bool:
        return self.allowance is not None and self.allowance.whose == IMAGE_CHECK


class Judging:
    """Judges requests, counts refusals and warnings, and pauses whoever is refused again and again.

    Args:
        gate: the rules.
        servers: the audit log.
        cases: the warnings.
        hits: what moderators allow once, and pauses.
        trusted_roles: roles that are not counted.
        hard_rule_program: the owner's program for what the hard rule refuses; None for none.
    """

    def __init__(
        self,
        *,
        gate: Gate,
        servers: ServerRepository,
        cases: CaseRepository,
        hits: HitRepository,
        trusted_roles: frozenset[int],
        hard_rule_program: Path | None,
    ) -> None:
        self._gate = gate
        self._servers = servers
        self._cases = cases
        self._hits = hits
        self._trusted_roles = trusted_roles
        self._program = hard_rule_program
        self._refusals = RefusalCount()
        self.programs: set[asyncio.Task[None]] = set()
        """Runs of the owner's program."""

    async def judge(self, asker: Asker, request: Request, now: datetime) -> Judged:
        """Judge a request. What the hard rule refuses is in the audit log, without its words.

        Raises:
            Refused: a rule forbids the request, or the member is paused after many refusals.
        """
        if (until := await self._hits.paused_until(asker.guild_id, asker.user_id, now)) is not None:
            raise Refused("refused-paused", until=relative(until))
        allowance = await self._hits.allowance(asker.guild_id, asker.user_id, request, now)
        try:
            is_allowed = allowance is not None and allowance.whose == SERVER
            judgement = await self._gate.judge(asker.guild_id, request, is_allowed=is_allowed)
        except RuleRefused as refused:
            if self._is_counted(asker) and (paused := await self._count(asker, now)) is not None:
                refused.values["until"] = relative(paused)
            if isinstance(refused, HardRefused):
                await self.note_hard_refusal(asker, now)
            raise
        return Judged(judgement=judgement, allowance=allowance)

    async def note_accepted(self, asker: Asker, judged: Judged, now: datetime) -> None:
        """Count the warning of an accepted request, and end the allowance that it used."""
        # The job is accepted. What is not written now is a warning less, or an allowance that ends within a day.
        with contextlib.suppress(sqlite3.Error):
            if judged.allowance is not None:
                await self._hits.use_allowance(judged.allowance.hit_id)
            if judged.judgement.warnings and self._is_counted(asker):
                await self._cases.warn_by_rule(asker.guild_id, asker.user_id, BY_RULE, now)

    def _is_counted(self, asker: Asker) -> bool:
        return self._trusted_roles.isdisjoint(asker.role_ids)

    async def _count(self, asker: Asker, now: datetime) -> datetime | None:
        """Count a refusal; returns the end of a pause that it leads to.

        The last of too many is a warning and a pause: each warning that counts makes it longer.
        """
        if not self._refusals.note((asker.guild_id, asker.user_id), now):
            return None
        warnings = await self._cases.warnings(asker.guild_id, asker.user_id, now)
        length: timedelta = min(STEP * (1 + warnings), LONGEST)
        await self._hits.pause(asker.guild_id, asker.user_id, now + length, now)
        _log.info("paused", action="paused", requester_id=asker.user_id, minutes=length / timedelta(minutes=1))
        await self._cases.warn_by_rule(asker.guild_id, asker.user_id, BY_RULE, now)
        return now + length

    async def note_hard_refusal(self, asker: Asker, now: datetime, job_id: int | None = None) -> None:
        """Write the audit row of what the hard rule forbids, and run the owner's program.

        Args:
            asker: who asked.
            now: the present time.
            job_id: the job whose pictures were hidden; None for a request that was refused.
        """
        _log.warning("hard rule", action="hard_rule", category=CATEGORY, requester_id=asker.user_id)
        by = Decision(guild_id=asker.guild_id, actor_id=asker.user_id, now=now)
        await self._servers.write_audit(by, "hard-rule", "", CATEGORY)
        if self._program is not None:
            # It gets no words of the request.
            job = "-" if job_id is None else str(job_id)
            work = run_program("safety.on_hard_rule", self._program, CATEGORY, job)
            task = asyncio.create_task(work, name="on_hard_rule")
            self.programs.add(task)
            task.add_done_callback(self.programs.discard)
