"""Buttons of moderators: on a case's card, and in `/admin review`."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Self, cast

import msgspec
from discord import ui
from typing_extensions import override

from bot.calls.answers import Interaction
from bot.commands.admin.checks import decision_of
from bot.commands.admin.members import cancel_all
from bot.commands.admin.parsing import parse_duration
from bot.commands.admin.review import open_cases
from bot.commands.admin.words import checked, too_many
from bot.errors import Refused
from bot.interactions.replies import answer_privately, answered
from bot.interactions.services import Services
from bot.presenting import custom_ids
from bot.presenting.admin import case_card, pictures, sentences
from bot.presenting.admin.case_card import Card
from bot.presenting.custom_ids import CaseAct
from bot.presenting.links import job_link
from bot.presenting.texts import spoken, text
from bot.safety.gate import OWNER
from bot.store.members.image_blocks import MAX_BLOCKS, TooManyBlocks
from bot.store.members.servers import Decision
from bot.store.members.words import TooManyRules
from bot.store.register import Place
from bot.store.rows.cases import Case, Outcome
from bot.store.rows.failures import JobFailure
from bot.views.fields import Fields

_OUTCOMES: Final[Mapping[CaseAct, Outcome]] = MappingProxyType(
    {CaseAct.KEEP: Outcome.KEEP, CaseAct.SPOILER: Outcome.SPOILER, CaseAct.REMOVE: Outcome.REMOVE}
)
_SETTLED: Final[Mapping[CaseAct, Outcome]] = MappingProxyType(
    {CaseAct.ALLOW_ONCE: Outcome.ALLOW_ONCE, CaseAct.UPHOLD: Outcome.KEEP}
)
_HELD: Final[Mapping[CaseAct, Outcome]] = MappingProxyType({CaseAct.SHOW: Outcome.SHOW, CaseAct.REFUSE: Outcome.REFUSE})
_PAUSES: Final[Mapping[CaseAct, timedelta]] = MappingProxyType(
    {CaseAct.PAUSE_HOUR: timedelta(hours=1), CaseAct.PAUSE_DAY: timedelta(days=1)}
)


class CaseButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=custom_ids.CASE_TEMPLATE):
    """A button about a case. Each press gets an answer."""

    def __init__(self, item: ui.Button[ui.LayoutView], act: str, case_id: int) -> None:
        super().__init__(item)
        self.act = act
        self.case_id = case_id

    @override
    @classmethod
    async def from_custom_id(cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /) -> Self:
        return cls(cast("ui.Button[ui.LayoutView]", item), match["act"], int(match["case_id"]))

    @override
    async def callback(self, interaction: Interaction) -> None:
        async with answered(interaction) as services:
            await _decide(services, interaction, custom_ids.read_act(self.act), self.case_id)


async def _decide(services: Services, interaction: Interaction, act: CaseAct, case_id: int) -> None:
    """Do what a moderator pressed, and bring the pressed message and the card up to date.

    Raises:
        Refused: nothing was decided.
    """
    case = await _case(services, interaction, case_id)
    if act is CaseAct.EXCEPT:
        await _open_exception(services, interaction, case)
        return
    if act is CaseAct.BLOCK:
        _check_admin(interaction)
        await services.calls.open_form(interaction, case_card.block_form(case_id))
        return
    await services.calls.defer(interaction)
    by = decision_of(interaction)
    if act in _OUTCOMES:
        case = await services.reviewing.decide(by, case, _OUTCOMES[act])
        note = text(f"review-decided-{case.outcome}", case_id=case_id)
    elif act in _HELD:
        case = await _release(services, by, case, _HELD[act])
        note = text("review-settled", case_id=case_id)
    elif act in _SETTLED:
        case = await services.reviewing.settle(by, case, _SETTLED[act])
        note = text("review-settled", case_id=case_id)
    elif act is CaseAct.BLOCK_PICTURE:
        await answer_privately(interaction, await _block_pictures(services, by, case))
        return
    elif act is CaseAct.WARN:
        note = await _warn(services, interaction, by, case)
    else:
        note = await _pause(services, interaction, by, case, _PAUSES[act])
    await _show(services, interaction, case, note)


async def _case(services: Services, interaction: Interaction, case_id: int) -> Case:
    """The case that a moderator's press is about.

    Raises:
        Refused: the member is no moderator, or there is no such case in this server.
    """
    permissions = interaction.permissions
    if not (permissions.manage_messages or permissions.manage_guild or permissions.administrator):
        raise Refused("refused-not-moderator")
    case = await services.cases.get(interaction.guild_id or 0, case_id)
    if case is None:
        raise Refused("refused-case-gone")
    return case


def _check_admin(interaction: Interaction) -> None:
    """Check that a moderator may do what `/admin` does.

    Raises:
        Refused: they may not.
    """
    if not (interaction.permissions.manage_guild or interaction.permissions.administrator):
        raise Refused("refused-not-admin")


async def _open_exception(services: Services, interaction: Interaction, case: Case) -> None:
    """Ask the moderator which words are allowed: the part that was found may be the whole word of the rule."""
    hit = None if case.hit_id is None else await services.hits.get(case.hit_id)
    if case.outcome is not None:
        raise Refused("refused-case-decided")
    if hit is None:
        raise Refused("refused-case-gone")
    if hit.whose == OWNER:
        raise Refused("refused-owners-rule")
    await services.calls.open_form(interaction, case_card.exception_form(case.case_id, hit))


async def add_exception(services: Services, interaction: Interaction, case_id: int, fields: Fields) -> None:
    """Add the exception of a submitted form, which decides the appeal.

    Raises:
        Refused: the words are no exception, or nothing was decided.
    """
    case = await _case(services, interaction, case_id)
    if case.outcome is not None:
        raise Refused("refused-case-decided")
    word = checked(fields.text(case_card.WORD))
    await services.calls.defer(interaction)
    by = decision_of(interaction)
    try:
        await services.word_rules.allow(by, word)
    except TooManyRules as error:
        raise too_many() from error
    case = await services.reviewing.settle(by, case, Outcome.EXCEPT)
    await _show(services, interaction, case, text("review-settled", case_id=case_id))


async def block_member(services: Services, interaction: Interaction, case_id: int, fields: Fields) -> None:
    """Block the member whom a case is about, as a submitted form says.

    Raises:
        Refused: the moderator may not, or the time is none.
    """
    case = await _case(services, interaction, case_id)
    _check_admin(interaction)
    reason = fields.text(case_card.REASON) or None
    by = decision_of(interaction, reason)
    written = fields.text(case_card.DURATION)
    until = by.now + parse_duration(written) if written else None
    await services.calls.defer(interaction, is_private=True)
    about = await services.reviewing.card_of(case, by.now)
    await services.servers.block(by, case.user_id, until)
    cancelled = await cancel_all(services, by, case.user_id)
    with spoken(about.locale):
        sentence = sentences.blocked_notice(_server_name(interaction), until, reason)
    is_told = await services.calls.posting.tell(case.user_id, sentence)
    await answer_privately(
        interaction, sentences.blocked(case.user_id, until, cancelled=cancelled, is_notified=is_told)
    )


async def _show(services: Services, interaction: Interaction, case: Case, note: str) -> None:
    """Update the card, whichever message was pressed, and the private list if that was it."""
    now = datetime.now(UTC)
    is_card = interaction.message is not None and interaction.message.id == case.message_id
    if is_card and not case.is_held:
        with spoken(str(interaction.guild_locale or "")):
            view = case_card.card(await services.reviewing.card_of(case, now))
        await services.calls.edit_answer(interaction, view)
        return
    # An edit as the bot keeps the pictures of a held job in the card.
    await services.reviewing.refresh(case, now, str(interaction.guild_locale or ""))
    if not is_card:
        view, files = await open_cases(services, case.guild_id, note)
        await services.calls.edit_answer(interaction, view, files)


async def _release(services: Services, by: Decision, case: Case, outcome: Outcome) -> Case:
    """Have a held job shown, or ended and given back."""
    decided = await services.reviewing.release(by, case, outcome)
    job = await services.reviewing.job_of(decided)
    if outcome is Outcome.SHOW:
        services.dispatcher.show_held(job)
    else:
        services.dispatcher.end_held(job, JobFailure.NOT_ALLOWED)
    return decided


async def _warn(services: Services, interaction: Interaction, by: Decision, case: Case) -> str:
    """Warn the member whom a case is about; returns what the moderator reads."""
    about = await services.reviewing.card_of(case, by.now)
    await services.cases.warn(by, case.user_id, _reason(about))
    with spoken(about.locale):
        sentence = sentences.warned_notice(_server_name(interaction), _reason(about))
    is_told = await services.calls.posting.tell(case.user_id, sentence)
    return sentences.warned(case.user_id, is_notified=is_told)


async def _pause(services: Services, interaction: Interaction, by: Decision, case: Case, length: timedelta) -> str:
    """Pause the member whom a case is about: a block with an end; returns what the moderator reads."""
    about = await services.reviewing.card_of(case, by.now)
    until = await services.servers.pause(by, case.user_id, by.now + length)
    with spoken(about.locale):
        sentence = sentences.blocked_notice(_server_name(interaction), until, None)
    is_told = await services.calls.posting.tell(case.user_id, sentence)
    return sentences.blocked(case.user_id, until, cancelled=0, is_notified=is_told)


async def _block_pictures(services: Services, by: Decision, case: Case) -> str:
    """Block the pictures of a case on this server; returns what the moderator reads.

    Raises:
        Refused: their looks are not known, or the server's list is full.
    """
    job = await services.reviewing.job_of(case)
    places = [
        Place(job_id=job.job_id, image_index=each.output_index) for each in await services.jobs.outputs(job.job_id)
    ]
    looks = [look for place in places if (look := await services.register.look_of(place)) is not None]
    if not looks:
        raise Refused("refused-no-look")
    reason = text("block-reason", case_id=case.case_id)
    by = msgspec.structs.replace(by, reason=reason)
    try:
        numbers = [await services.image_blocks.block_look(by, look) for look in looks]
    except TooManyBlocks as error:
        raise Refused("refused-picture-blocks", limit=MAX_BLOCKS) from error
    return " ".join(pictures.blocked(number) for number in numbers)


def _reason(about: Card) -> str:
    """Why a member is warned."""
    return text("warning-reason-words") if about.job is None else text("warning-reason", job=job_link(about.job))


def _server_name(interaction: Interaction) -> str:
    return interaction.guild.name if interaction.guild else ""
