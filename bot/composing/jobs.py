"""The services of jobs."""

from dataclasses import dataclass

from bot.composing.parts import Parts
from bot.jobs.accepting import Accepting
from bot.jobs.delivering.delivery import Delivery
from bot.jobs.delivering.last_words import LastWords
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.image_checking import InputChecking
from bot.jobs.keeping import Keeping
from bot.jobs.overdue import Overdue
from bot.jobs.preparing import Preparing
from bot.jobs.recovery import Recovery
from bot.jobs.reviewing import Reviewing
from bot.jobs.sheets.sheets import Sheets
from bot.jobs.storing import Storing
from bot.jobs.waiting import WaitingLine
from bot.pictures.receiving import Receiving
from bot.store.fetches import Fetches
from bot.store.members.sheets import SheetRepository
from bot.store.sqlite.database import Database
from bot.store.stars import StarRepository


@dataclass(frozen=True, slots=True, kw_only=True)
class JobServices:
    """The services that lead jobs from a request to their pictures."""

    storing: Storing
    accepting: Accepting
    receiving: Receiving
    keeping: Keeping
    reviewing: Reviewing
    dispatcher: Dispatcher
    sheets: Sheets


def job_services(parts: Parts, database: Database) -> JobServices:
    """Build the services of jobs."""
    tables, calls = parts.tables, parts.calls
    storing = Storing(images=parts.images, jobs=tables.jobs, timings=tables.timings, signing=parts.signing)
    accepting = _accepting(parts, storing)
    receiving = Receiving(calls=calls, inputs=parts.inputs)
    keeping = Keeping(images=parts.images, inputs=parts.inputs, stars=StarRepository(database))
    reviewing = Reviewing(
        calls=calls,
        jobs=tables.jobs,
        cases=tables.cases,
        hits=tables.hits,
        servers=tables.servers,
        keeping=keeping,
        receiving=receiving,
    )
    dispatcher = _dispatcher(parts, accepting, storing, reviewing, keeping)
    sheets = Sheets(
        calls=calls,
        jobs=tables.jobs,
        sheets=SheetRepository(database),
        accepting=accepting,
        keeping=keeping,
        signing=parts.signing,
        wake=dispatcher.wake,
    )
    return JobServices(
        storing=storing,
        accepting=accepting,
        receiving=receiving,
        keeping=keeping,
        reviewing=reviewing,
        dispatcher=dispatcher,
        sheets=sheets,
    )


def _accepting(parts: Parts, storing: Storing) -> Accepting:
    return Accepting(
        jobs=parts.tables.jobs,
        timings=parts.tables.timings,
        quotas=parts.settings.quotas,
        queue=parts.settings.queue,
        engines=parts.settings.engines,
        catalogue=parts.catalogue,
        backend=parts.backend,
        storing=storing,
        disk=parts.disk,
        judging=parts.judging,
        input_checking=InputChecking(rule=parts.image_checking, backend=parts.backend, inputs=parts.inputs),
        fetches=Fetches(parts.settings.model_cache),
    )


def _dispatcher(
    parts: Parts, accepting: Accepting, storing: Storing, reviewing: Reviewing, keeping: Keeping
) -> Dispatcher:
    settings, tables, backend = parts.settings, parts.tables, parts.backend
    preparing = Preparing(backend=backend, timings=tables.timings, catalogue=parts.catalogue)
    delivery = _delivery(parts, accepting, preparing, reviewing, keeping)
    waiting_line = WaitingLine(calls=parts.calls, queue=tables.queue)
    recovery = Recovery(
        calls=parts.calls,
        jobs=tables.jobs,
        queue=tables.queue,
        delivery=delivery,
        is_priced=parts.catalogue.is_priced,
    )
    return Dispatcher(
        waiting_line=waiting_line,
        jobs=tables.jobs,
        queue=tables.queue,
        backend=backend,
        storing=storing,
        inputs=parts.inputs,
        delivery=delivery,
        preparing=preparing,
        recovery=recovery,
        overdue=Overdue(
            queue=tables.queue,
            delivery=delivery,
            recovery=recovery,
            waiting_line=waiting_line,
            storing=storing,
            max_wait=parts.max_wait,
        ),
        image_checking=parts.image_checking,
        running_per_user=settings.quotas.running_per_user,
        job_timeout_s=settings.pipeline.job_timeout_s,
    )


def _delivery(
    parts: Parts, accepting: Accepting, preparing: Preparing, reviewing: Reviewing, keeping: Keeping
) -> Delivery:
    calls, jobs, direct_message = parts.calls, parts.tables.jobs, parts.settings.delivery.direct_message
    return Delivery(
        calls=calls,
        jobs=jobs,
        preparing=preparing,
        images=parts.images,
        catalogue=parts.catalogue,
        accepting=accepting,
        user_settings=parts.tables.user_settings,
        signing=parts.signing,
        image_checking=parts.image_checking,
        judging=parts.judging,
        keeping=keeping,
        hold=reviewing.hold,
        end_hold=reviewing.end_hold,
        last_words=LastWords(
            calls=calls, jobs=jobs, direct_message=direct_message, max_wait=parts.max_wait, signing=parts.signing
        ),
    )
