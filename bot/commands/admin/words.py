"""`/admin words`: the server's rules of words."""

from typing import Any, Final

import discord
from discord import app_commands
from discord.app_commands import Choice, Range

from bot.calls.answers import Interaction
from bot.commands.admin.checks import AdminGroup, decision_of, guild_of
from bot.commands.translating import localized
from bot.errors import Refused
from bot.interactions.refused_words import offending_lists
from bot.interactions.replies import answer_privately
from bot.interactions.services import Services
from bot.presenting.admin import words as sentences
from bot.safety.words.files import BadRuleFile, read_text, read_toml
from bot.safety.words.rules import MAX_RULES, Action, BadRule, Rule, read_patterns
from bot.store.members.words import TooManyRules

_MAX_WORD: Final = 100
_MAX_REASON: Final = 200
_MAX_PROMPT: Final = 2_000
_MAX_FILE_BYTES: Final = 1 << 18
SHAPES: Final = {"whole": "{}", "begins": "{}*", "ends": "*{}", "contains": "*{}*"}
"""A rule's asterisks by the choice that stands for them."""


def make_words_group(services: Services) -> AdminGroup:
    """The group."""
    group = AdminGroup(name="words", description=localized("command-admin-words"))
    for make in (_make_add, _make_remove, _make_list, _make_except, _make_import, _make_test):
        group.add_command(make(services))
    return group


def _make_add(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="add", description=localized("command-admin-words-add"))
    @app_commands.describe(
        word=localized("option-admin-word"),
        action=localized("option-admin-word-action"),
        reason=localized("option-admin-word-reason"),
        kind=localized("option-admin-word-kind"),
    )
    @app_commands.choices(
        action=[Choice(name=localized(f"choice-word-{action}"), value=action.value) for action in Action],
        kind=[Choice(name=localized(f"choice-word-{kind}"), value=kind) for kind in SHAPES],
    )
    async def add(
        interaction: Interaction,
        word: Range[str, 1, _MAX_WORD],
        action: str = Action.REFUSE.value,
        reason: Range[str, 1, _MAX_REASON] = "",
        kind: str | None = None,
    ) -> None:
        shaped = word if kind is None else SHAPES[kind].format(word.strip().strip("*"))
        rule = Rule(word=checked(shaped), action=Action(action), reason=reason.strip())
        try:
            (number,) = await services.word_rules.add(decision_of(interaction, reason or None), [rule])
        except TooManyRules as error:
            raise too_many() from error
        await answer_privately(interaction, sentences.added(Rule(word=rule.word, action=rule.action, number=number)))

    return add


def _make_remove(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="remove", description=localized("command-admin-words-remove"))
    @app_commands.describe(rule=localized("option-admin-word-rule"))
    async def remove(interaction: Interaction, rule: Range[int, 1, 1_000_000]) -> None:
        word = await services.word_rules.remove(decision_of(interaction), rule)
        if word is None:
            raise Refused("refused-word-rule", rule=rule)
        await answer_privately(interaction, sentences.removed(rule, word))

    return remove


def _make_list(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="list", description=localized("command-admin-words-list"))
    async def list_(interaction: Interaction) -> None:
        rules = await services.word_rules.rules(guild_of(interaction))
        await answer_privately(interaction, sentences.listed(rules))

    return list_


def _make_except(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="except", description=localized("command-admin-words-except"))
    @app_commands.describe(word=localized("option-admin-word-exception"))
    async def except_(interaction: Interaction, word: Range[str, 1, _MAX_WORD]) -> None:
        allowed = checked(word)
        try:
            is_there = await services.word_rules.toggle_exception(decision_of(interaction), allowed)
        except TooManyRules as error:
            raise too_many() from error
        await answer_privately(interaction, sentences.excepted(allowed, is_there=is_there))

    return except_


def _make_import(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="import", description=localized("command-admin-words-import"))
    @app_commands.describe(file=localized("option-admin-word-file"))
    async def import_(interaction: Interaction, file: discord.Attachment) -> None:
        data = await services.calls.fetch(file, _MAX_FILE_BYTES) if file.size <= _MAX_FILE_BYTES else b""
        if not 0 < len(data) <= _MAX_FILE_BYTES:
            raise Refused("refused-word-file-size", limit=_MAX_FILE_BYTES >> 10)
        try:
            written = data.decode("utf-8-sig")
            found = read_toml(written) if file.filename.casefold().endswith(".toml") else read_text(written)
        except UnicodeDecodeError as error:
            raise Refused("refused-word-file-bytes") from error
        except BadRuleFile as error:
            raise Refused("refused-word-file", mistake=str(error)) from error
        try:
            await services.word_rules.add(decision_of(interaction), found.rules, found.exceptions)
        except TooManyRules as error:
            raise too_many() from error
        await answer_privately(interaction, sentences.imported(len(found.rules), len(found.exceptions)))

    return import_


def _make_test(services: Services) -> app_commands.Command[Any, ..., None]:
    @app_commands.command(name="test", description=localized("command-admin-words-test"))
    @app_commands.describe(prompt=localized("option-admin-word-prompt"))
    async def test(interaction: Interaction, prompt: Range[str, 1, _MAX_PROMPT]) -> None:
        found = await services.gate.explain(guild_of(interaction), prompt)
        lists = await offending_lists(services, guild_of(interaction), prompt)
        await answer_privately(interaction, sentences.tested(found, lists))

    return test


def checked(word: str) -> str:
    """A word of a rule or an exception.

    Raises:
        Refused: it is none.
    """
    try:
        read_patterns(word)
    except BadRule as error:
        raise Refused(f"refused-word-{error.key}") from error
    return word.strip()


def too_many() -> Refused:
    """The refusal of more rules or exceptions than a server has."""
    return Refused("refused-word-rules", limit=MAX_RULES)
