"""A server's rules of words: numbers, changes, exceptions, bounds, and the audit row of each decision."""

from datetime import UTC, datetime

import pytest

from bot.safety.words.rules import MAX_RULES, Action, Rule, RuleSet
from bot.store.members.servers import Decision, ServerRepository
from bot.store.members.words import TooManyRules, WordRuleRepository
from bot.store.sqlite.database import Database

BY = Decision(guild_id=5, actor_id=9, now=datetime(2026, 5, 1, tzinfo=UTC), reason="weapons")


@pytest.fixture
def words(database: Database) -> WordRuleRepository:
    return WordRuleRepository(database)


async def test_rules_have_numbers_and_a_known_word_keeps_its_own(words: WordRuleRepository) -> None:
    assert await words.add(BY, [Rule(word="dagger"), Rule(word="gun*")]) == [1, 2]
    assert await words.add(BY, [Rule(word="dagger", action=Action.WARN, reason="No.")]) == [1]
    assert await words.remove(BY, 1) == "dagger"
    assert await words.remove(BY, 1) is None
    assert await words.add(BY, [Rule(word="knife")]) == [3]
    assert await words.rules(5) == RuleSet(rules=(Rule(word="gun*", number=2), Rule(word="knife", number=3)))
    assert await words.rules(6) == RuleSet()


async def test_an_exception_comes_and_goes(words: WordRuleRepository) -> None:
    assert await words.toggle_exception(BY, "Dagger Falls")
    assert (await words.rules(5)).exceptions == ("Dagger Falls",)
    assert not await words.toggle_exception(BY, "Dagger Falls")
    assert await words.rules(5) == RuleSet()


async def test_rules_are_the_same_object_until_they_change(words: WordRuleRepository) -> None:
    await words.add(BY, [Rule(word="dagger")])
    assert await words.rules(5) is await words.rules(5)
    before = await words.rules(5)
    await words.add(BY, [Rule(word="gun")])
    assert await words.rules(5) is not before


async def test_too_many_rules_store_nothing(words: WordRuleRepository) -> None:
    await words.add(BY, [Rule(word=f"word{number}") for number in range(MAX_RULES)])
    with pytest.raises(TooManyRules):
        await words.add(BY, [Rule(word="dagger")])
    assert len((await words.rules(5)).rules) == MAX_RULES


async def test_each_decision_has_its_audit_row(words: WordRuleRepository, database: Database) -> None:
    await words.add(BY, [Rule(word="dagger")])
    await words.add(BY, [Rule(word="gun"), Rule(word="knife")], ["Dagger Falls"])
    await words.toggle_exception(BY, "Dagger Falls")
    await words.remove(BY, 1)
    rows = await ServerRepository(database).audit_log(5, 10)
    assert [(row.action, row.subject, row.detail, row.actor_id, row.reason) for row in reversed(rows)] == [
        ("words-add", "dagger", "refuse", 9, "weapons"),
        ("words-import", "", "3", 9, "weapons"),
        ("words-except", "Dagger Falls", "removed", 9, "weapons"),
        ("words-remove", "dagger", "", 9, "weapons"),
    ]
