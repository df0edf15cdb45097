"""`/admin quota`: quota rules, bonuses and the report."""

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.admin import parsing
from bot.commands.admin.checks import AdminGroup, Person, asker_for, decision_of, guild_of
from bot.commands.admin.report import make_report
from bot.commands.options import suggest, suggestions
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import sentences
from bot.presenting.texts import text
from bot.quotas.rules import Rule, Subject, effective
from config.areas.quotas import Period

_SHOWN_ENTRIES = 10
_MAX_REASON = 200
_SUGGESTED_AMOUNTS = ("10", "20", "50", "100", parsing.UNLIMITED, parsing.DEFAULT)


def make_quota_group(services: Services) -> AdminGroup:
    """The group."""
    group = AdminGroup(name="quota", description=localized("command-admin-quota"))
    makers = (_make_set, _make_pool, _make_grant, _make_reset, _make_show, make_report)
    for make in makers:
        group.add_command(make(services))
    return group


def _make_set(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="set", description=localized("command-admin-quota-set"))
    @app_commands.describe(
        amount=localized("option-admin-amount"),
        period=localized("option-admin-period"),
        user=localized("option-admin-quota-user"),
        role=localized("option-admin-quota-role"),
    )
    @app_commands.choices(period=_periods())
    async def set_quota(
        interaction: Interaction,
        amount: Range[str, 1, 20],
        period: str,
        user: discord.User | None = None,
        role: discord.Role | None = None,
    ) -> None:
        if user is not None and role is not None:
            raise Refused("refused-user-and-role")
        rule = parsing.parse_rule(amount, period)
        subject, subject_id = _subject_of(user, role)
        await services.servers.set_rule(decision_of(interaction), subject, subject_id, rule)
        await answer_privately(interaction, sentences.rule_set(subject, subject_id, rule))

    suggest(services, set_quota, "amount", _find_amounts)
    return set_quota


def _make_pool(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="pool", description=localized("command-admin-quota-pool"))
    @app_commands.describe(amount=localized("option-admin-amount"), period=localized("option-admin-period"))
    @app_commands.choices(period=_periods())
    async def pool(interaction: Interaction, amount: Range[str, 1, 20], period: str) -> None:
        rule = parsing.parse_rule(amount, period)
        await services.servers.set_rule(decision_of(interaction), Subject.POOL, 0, rule)
        await answer_privately(interaction, sentences.rule_set(Subject.POOL, 0, rule))

    suggest(services, pool, "amount", _find_amounts)
    return pool


def _make_grant(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="grant", description=localized("command-admin-quota-grant"))
    @app_commands.describe(
        user=localized("option-admin-user"),
        amount=localized("option-admin-grant-amount"),
        expires=localized("option-admin-expires"),
        reason=localized("option-admin-reason"),
    )
    async def grant(
        interaction: Interaction,
        user: discord.User,
        amount: Range[int, 1, parsing.MAX_AMOUNT],
        expires: Range[str, 1, 40] | None = None,
        reason: Range[str, 1, _MAX_REASON] | None = None,
    ) -> None:
        by = decision_of(interaction, reason)
        expires_at = None if expires is None else by.now + parsing.parse_duration(expires)
        await services.ledger.grant(by, user.id, amount, expires_at=expires_at)
        await answer_privately(interaction, sentences.granted(user.id, amount, expires_at))

    return grant


def _make_reset(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="reset", description=localized("command-admin-quota-reset"))
    @app_commands.describe(user=localized("option-admin-user"), reason=localized("option-admin-reason"))
    async def reset(
        interaction: Interaction, user: discord.User, reason: Range[str, 1, _MAX_REASON] | None = None
    ) -> None:
        by = decision_of(interaction, reason)
        units = await services.ledger.reset(by, asker_for(interaction, user), services.settings.quotas)
        await answer_privately(interaction, text("admin-reset", user_id=str(user.id), units=units))

    return reset


def _make_show(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="show", description=localized("command-admin-quota-show"))
    @app_commands.describe(user=localized("option-admin-user"))
    async def show(interaction: Interaction, user: discord.User) -> None:
        guild_id = guild_of(interaction)
        standing = await services.accepting.standing(asker_for(interaction, user))
        rule = await _rule_of(services, interaction, user)
        entries = await services.ledger.entries(guild_id, user.id, _SHOWN_ENTRIES)
        await answer_privately(interaction, sentences.standing_of(user.id, standing, rule, entries))

    return show


async def _rule_of(services: Services, interaction: Interaction, user: Person) -> Rule:
    """A member's rule: one that an admin set, or the host's."""
    asker = asker_for(interaction, user)
    theirs = {(Subject.SERVER, 0), (Subject.USER, user.id), *((Subject.ROLE, role) for role in asker.role_ids)}
    rules = await services.servers.rules(asker.guild_id)
    quotas = services.settings.quotas
    fallback = Rule(amount=quotas.amount or None, period=quotas.period)
    return effective([rule for rule in rules if (rule.subject, rule.subject_id) in theirs], fallback).member


def _subject_of(user: Person | None, role: discord.Role | None) -> tuple[Subject, int]:
    """The subject of a rule. Discord's role for everybody means the server itself."""
    if user is not None:
        return Subject.USER, user.id
    if role is not None and not role.is_default():
        return Subject.ROLE, role.id
    return Subject.SERVER, 0


def _periods() -> list[Choice[str]]:
    return [Choice(name=localized(f"period-{period}"), value=period) for period in Period]


async def _find_amounts(_: Interaction, current: str) -> list[Choice[str]]:
    """The typed amount if it is valid, then common amounts."""
    typed = current.strip().lower()
    fitting = [amount for amount in _SUGGESTED_AMOUNTS if typed in amount]
    try:
        parsing.parse_rule(typed, Period.DAY)
    except Refused:
        offered = fitting
    else:
        offered = [typed, *(amount for amount in fitting if amount != typed)]
    return suggestions([(amount, amount) for amount in offered])
