"""From a prompt to its jobs. A single job starts at once; several, or one with unknown words, need a confirmation."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime
from functools import reduce
from types import MappingProxyType
from typing import Any, Final

import msgspec

from bot.calls.answers import Interaction
from bot.calls.repeating import as_files
from bot.errors import Refused
from bot.interactions.patience import in_time
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.interactions.start_job import ask, ask_beside, asker_of, defaults_of, origin_of
from bot.pictures.receiving import Received
from bot.presenting.images import region_message
from bot.presenting.jobs import expansion_message, sheet_message
from bot.quotas.standing import Outlook
from bot.requests.axes import requests_of
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.requests.resolving import Resolved
from bot.requests.styles import known_styles
from bot.store.expansions import Expansion, NewExpansion
from bot.store.rows.origin import Lineage, StartedBy
from bot.store.rows.sheets import Plan
from pipeline.protocol.catalogue.models import ModelSpec
from pipeline.protocol.wire.outputs import Notice

Receive = Callable[[], Coroutine[Any, Any, Received]]
"""Fetches and keeps one picture."""
ReadPlan = Callable[[ModelSpec], Plan]
"""Reads the axes of a grid for a model.

Raises:
    Refused: a value is none.
"""
NOTHING: Final[Mapping[str, Receive]] = MappingProxyType({})
NOT_FETCHED: Final = GivenPicture(sha256="")
"""Stands for an attached picture while the rest of its request is checked."""


async def imagine(
    services: Services,
    interaction: Interaction,
    given: GivenRequest,
    receive: Mapping[str, Receive] = NOTHING,
    *,
    started_by: StartedBy = StartedBy.IMAGINE,
    lineage: Lineage | None = None,
) -> None:
    """Ask for a typed request, with defaults for all other options.

    Args:
        services: the bot's services.
        interaction: the command, or a form.
        given: the request.
        receive: gives each attached picture, by its field of the request.
        started_by: the command or button.
        lineage: the job whose picture it starts from.

    Raises:
        Refused: nothing was accepted and nothing charged.
    """
    notices: list[Notice] = []
    if receive:
        # What is refused in any case is refused before the pictures are there.
        await _resolve(services, interaction, reduce(_with_placeholder, receive, given))
    for field, fetch in receive.items():
        received = await in_time(services, interaction, fetch())
        given = given.with_picture(field, received.picture)
        notices += (notice for notice in received.notices if notice not in notices)
    resolved = await resolved_for(services, interaction, given, notices)
    await ask_each(services, interaction, started_by=started_by, resolved=resolved, lineage=lineage)


async def resolved_for(
    services: Services, interaction: Interaction, given: GivenRequest, notices: Sequence[Notice]
) -> list[Resolved]:
    """The requests of a prompt with every field set, each with these notices before its own.

    Raises:
        Refused: one is refused.
    """
    resolved = await _resolve(services, interaction, given)
    return [msgspec.structs.replace(each, notices=(*notices, *each.notices)) for each in resolved]


async def model_for_picture(services: Services, interaction: Interaction) -> ModelSpec:
    """The model that starts from a picture if the prompt names none.

    Raises:
        Refused: it cannot start from a picture.
    """
    return await model_for(services, interaction, GivenRequest(prompt="-", image=NOT_FETCHED))


async def model_for(services: Services, interaction: Interaction, given: GivenRequest) -> ModelSpec:
    """The model of a request; of several, that of the first one.

    Raises:
        Refused: the request is refused.
    """
    first, *_ = await _resolve(services, interaction, given)
    return services.catalogue.models[first.request.model_key]


def _with_placeholder(given: GivenRequest, field: str) -> GivenRequest:
    return given.with_picture(field, NOT_FETCHED)


async def _resolve(services: Services, interaction: Interaction, given: GivenRequest) -> tuple[Resolved, ...]:
    return await resolve_each(
        given,
        settings=services.settings,
        catalogue=services.catalogue,
        defaults=await defaults_of(services, asker_of(interaction)),
        styles=known_styles(services.backend.status),
    )


async def ask_each(
    services: Services,
    interaction: Interaction,
    *,
    started_by: StartedBy,
    resolved: Sequence[Resolved],
    lineage: Lineage | None = None,
) -> None:
    """Ask for a single job; for several, show the price and wait for a press. Before it, nothing is charged or queued.

    A single job also waits for a press if its model knows no word of the prompt.

    Raises:
        Refused: not a single job can be accepted.
    """
    if len(resolved) == 1 and not resolved[0].is_hopeless:
        (only,) = resolved
        await ask(services, interaction, only.order(origin_of(interaction, started_by, lineage)))
        return
    await ask_first(services, interaction, resolved, started_by=started_by, lineage=lineage)


async def ask_first(
    services: Services,
    interaction: Interaction,
    resolved: Sequence[Resolved],
    *,
    started_by: StartedBy,
    lineage: Lineage | None,
) -> None:
    """Show the price of jobs and wait for a press. Before it, nothing is charged or queued."""
    expansion, outlook = await _expansion(services, interaction, resolved, started_by, lineage)
    await answer_privately(interaction, view=expansion_message.question(expansion, outlook, services.catalogue.models))


async def ask_about_part(
    services: Services,
    interaction: Interaction,
    resolved: Sequence[Resolved],
    *,
    started_by: StartedBy,
    lineage: Lineage | None,
) -> None:
    """Show the part of a picture in private, with its price and buttons that change the part or start the jobs.

    Raises:
        Refused: nothing would be left of the part, or the picture is not kept any more.
    """
    look = await services.receiving.look(resolved[0].request)
    expansion, outlook = await _expansion(services, interaction, resolved, started_by, lineage)
    view = region_message.question(expansion, outlook)
    await answer_privately(interaction, view=view, files=as_files([(region_message.LOOK_NAME, look)]))


async def ask_about_grid(services: Services, interaction: Interaction, given: GivenRequest, read: ReadPlan) -> None:
    """Show the axes of a grid in private, with its price and a button that starts it.

    Args:
        services: the bot's services.
        interaction: the command.
        given: the request, of which the axes change something.
        read: reads the axes for the model of the request.

    Raises:
        Refused: a picture of the grid is refused, or together they cost more than the member has.
    """
    usual = await _only(services, interaction, given)
    plan = read(services.catalogue.models[usual.request.model_key])
    # The same noise lets the axes alone make the difference.
    given = msgspec.structs.replace(given, seed=usual.request.seed, num_images=1)
    cells = [await _only(services, interaction, cell) for cell in requests_of(given, plan)]
    if any(cell.request.num_images != 1 for cell in cells):
        raise Refused("refused-grid-images")
    expansion, outlook = await _expansion(services, interaction, cells, StartedBy.GRID, plan=plan)
    if outlook.left is not None and outlook.price > outlook.left:
        await services.expansions.dismiss(expansion.expansion_id)
        raise Refused("refused-grid-price", count=plan.count, price=outlook.price, left=outlook.left)
    await answer_privately(interaction, view=sheet_message.question(expansion, plan, outlook.left))


async def _only(services: Services, interaction: Interaction, given: GivenRequest) -> Resolved:
    """The only request of a prompt.

    Raises:
        Refused: it stands for several, or is refused.
    """
    resolved = await _resolve(services, interaction, given)
    if len(resolved) != 1:
        raise Refused("refused-grid-prompts")
    return resolved[0]


async def _expansion(
    services: Services,
    interaction: Interaction,
    resolved: Sequence[Resolved],
    started_by: StartedBy,
    lineage: Lineage | None = None,
    *,
    plan: Plan | None = None,
) -> tuple[Expansion, Outlook]:
    """These requests, waiting for their member's press, and what the member may do now."""
    asker = asker_of(interaction)
    outlook = await services.accepting.outlook(asker, [each.request for each in resolved])
    new = NewExpansion(
        guild_id=asker.guild_id,
        channel_id=asker.channel_id,
        user_id=asker.user_id,
        started_by=started_by,
        lineage=lineage,
        jobs=tuple(resolved),
        price=outlook.price,
        plan=plan,
    )
    expansion = await services.expansions.add(new, datetime.now(UTC))
    return expansion, outlook


async def start_each(services: Services, interaction: Interaction, expansion: Expansion) -> tuple[int, Refused | None]:
    """Start an expansion's jobs in order; returns the number of accepted ones, and the refusal of the next one."""
    for number, job in enumerate(expansion.jobs):
        try:
            origin = origin_of(interaction, expansion.started_by, expansion.lineage, key=expansion.key(number))
            await ask_beside(services, interaction, job.order(origin))
        except Refused as refused:
            return number, refused
    return len(expansion.jobs), None
