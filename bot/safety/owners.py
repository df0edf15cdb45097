"""What the owner adds to the rules, from the files that the settings name."""

from bot.safety.hard_rule import HardRule, shipped_rule, widened_rule
from bot.safety.image_blocks import BadBlockFile, read_block_file
from bot.safety.real_people import RealPeople, nobody, real_people
from bot.safety.words.files import BadRuleFile, read_rule_file
from bot.safety.words.rules import RuleSet
from config.loading import ConfigError
from config.settings import Settings


def owners_blocks(settings: Settings) -> tuple[bytes, ...]:
    """The looks of the pictures that the owner blocks.

    Raises:
        ConfigError: their file cannot be read.
    """
    if settings.safety.image_blocks is None:
        return ()
    try:
        return read_block_file(settings.safety.image_blocks)
    except BadBlockFile as error:
        raise ConfigError(str(error)) from error


def owners_rules(settings: Settings) -> RuleSet:
    """The owner's rules of words.

    Raises:
        ConfigError: their file cannot be read.
    """
    if settings.safety.words is None:
        return RuleSet()
    try:
        return read_rule_file(settings.safety.words)
    except BadRuleFile as error:
        raise ConfigError(str(error)) from error


def hard_rule(settings: Settings) -> HardRule:
    """The hard rule, with what the owner adds to its lists.

    Raises:
        ConfigError: a list of the owner cannot be read.
    """
    if settings.safety.hard_lists is None:
        return shipped_rule()
    try:
        return widened_rule(settings.safety.hard_lists)
    except BadRuleFile as error:
        raise ConfigError(str(error)) from error


def owners_people(settings: Settings) -> RealPeople:
    """The rule about real people, with the names that the owner adds.

    Raises:
        ConfigError: the owner's file cannot be read.
    """
    if not settings.safety.real_people:
        return nobody()
    try:
        return real_people(settings.safety.people)
    except BadRuleFile as error:
        raise ConfigError(str(error)) from error
