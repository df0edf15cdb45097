"""Rules of words that a server's admins set, and their exceptions. Each decision has its audit row."""

import sqlite3
from collections.abc import Sequence

from bot.safety.words.rules import MAX_RULES, Action, Rule, RuleSet
from bot.store.members.servers import Decision, audit
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_one, sure


class TooManyRules(Exception):
    """A server would have more rules or exceptions than `MAX_RULES`. Nothing was stored."""


class WordRuleRepository:
    """A server's rules of words. Read rules are kept, since every request asks for them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[int, RuleSet] = {}
        self._changes = 0

    async def rules(self, guild_id: int) -> RuleSet:
        """The rules of a server, and its exceptions; the same object until they change."""
        known = self._known.get(guild_id)
        if known is None:
            changes = self._changes
            rows = await self._database.fetch_all(
                "SELECT * FROM word_rules WHERE guild_id = ? ORDER BY number", (guild_id,)
            )
            exceptions = await self._database.fetch_all(
                "SELECT word FROM word_exceptions WHERE guild_id = ? ORDER BY word", (guild_id,)
            )
            known = RuleSet(rules=tuple(map(_rule, rows)), exceptions=tuple(row["word"] for row in exceptions))
            if changes == self._changes:  # what changed meanwhile is read anew
                self._known[guild_id] = known
        return known

    async def add(self, by: Decision, rules: Sequence[Rule], exceptions: Sequence[str] = ()) -> list[int]:
        """Add rules and exceptions; returns the numbers of the rules. A known word keeps its number.

        Raises:
            TooManyRules: they do not fit.
        """
        try:
            return await self._database.write(_add, by, rules, exceptions)
        finally:
            self._forget(by.guild_id)

    async def remove(self, by: Decision, number: int) -> str | None:
        """Remove a rule by its number; returns its word, None if there is none."""
        try:
            return await self._database.write(_remove, by, number)
        finally:
            self._forget(by.guild_id)

    async def toggle_exception(self, by: Decision, word: str) -> bool:
        """Add an exception, or remove it if it is there; returns whether it is there now.

        Raises:
            TooManyRules: it does not fit.
        """
        try:
            return await self._database.write(_toggle_exception, by, word)
        finally:
            self._forget(by.guild_id)

    async def allow(self, by: Decision, word: str) -> None:
        """Add an exception, if it is not there.

        Raises:
            TooManyRules: it does not fit.
        """
        if word not in (await self.rules(by.guild_id)).exceptions:
            await self.toggle_exception(by, word)

    def _forget(self, guild_id: int) -> None:
        self._changes += 1
        self._known.pop(guild_id, None)


def _rule(row: sqlite3.Row) -> Rule:
    return Rule(word=row["word"], action=Action(row["action"]), reason=row["reason"], number=row["number"])


def _add(connection: sqlite3.Connection, by: Decision, rules: Sequence[Rule], exceptions: Sequence[str]) -> list[int]:
    numbers: list[int] = []
    for rule in rules:
        row = sure(
            fetch_one(
                connection,
                "INSERT INTO word_rules SELECT ?1, ifnull(max(number), 0) + 1, ?2, ?3, ?4 FROM word_rules"
                " WHERE guild_id = ?1 ON CONFLICT (guild_id, word) DO UPDATE"
                " SET action = excluded.action, reason = excluded.reason RETURNING number",
                (by.guild_id, rule.word, rule.action, rule.reason),
            )
        )
        numbers.append(int(row["number"]))
    for word in exceptions:
        connection.execute("INSERT INTO word_exceptions VALUES (?, ?) ON CONFLICT DO NOTHING", (by.guild_id, word))
    _check_count(connection, by.guild_id)
    if len(rules) == 1 and not exceptions:
        audit(connection, by, "words-add", rules[0].word, rules[0].action)
    else:
        audit(connection, by, "words-import", "", str(len(rules) + len(exceptions)))
    return numbers


def _remove(connection: sqlite3.Connection, by: Decision, number: int) -> str | None:
    row = fetch_one(
        connection,
        "DELETE FROM word_rules WHERE guild_id = ? AND number = ? RETURNING word",
        (by.guild_id, number),
    )
    if row is None:
        return None
    audit(connection, by, "words-remove", row["word"], "")
    return str(row["word"])


def _toggle_exception(connection: sqlite3.Connection, by: Decision, word: str) -> bool:
    values = (by.guild_id, word)
    is_there = not change(connection, "DELETE FROM word_exceptions WHERE guild_id = ? AND word = ?", values)
    if is_there:
        connection.execute("INSERT INTO word_exceptions VALUES (?, ?)", values)
        _check_count(connection, by.guild_id)
    audit(connection, by, "words-except", word, "added" if is_there else "removed")
    return is_there


def _check_count(connection: sqlite3.Connection, guild_id: int) -> None:
    row = sure(
        fetch_one(
            connection,
            "SELECT max((SELECT count(*) FROM word_rules WHERE guild_id = ?1),"
            " (SELECT count(*) FROM word_exceptions WHERE guild_id = ?1)) AS most",
            (guild_id,),
        )
    )
    if row["most"] > MAX_RULES:
        raise TooManyRules
