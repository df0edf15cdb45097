"""Decisions of a server's admins. Each is stored with an audit row that names the admin and the reason.

Every query uses the server's id, so that no server can see or change another one.
"""

import sqlite3
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from bot.quotas.rules import Rule, SetRule, Subject
from bot.quotas.standing import QueueState
from bot.store.members.facts import set_rules
from bot.store.rows.origin import Asker
from bot.store.rows.preferences import Preferences
from bot.store.sqlite.database import Database
from bot.store.sqlite.statements import change, fetch_one, from_ms, to_json, to_ms

WHOLE_SERVER: Final = 0
"""Channel id of the server-wide rule. This rule allows and forbids nothing."""


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """An admin's decision: server, admin, time and reason."""

    guild_id: int
    actor_id: int
    now: datetime
    reason: str | None = None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded decision; `subject` is a mention of the member, role or channel."""

    audit_id: int
    actor_id: int
    action: str
    subject: str
    detail: str
    reason: str | None
    created_at: datetime | None


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A blocked member; `until` is None for ever."""

    user_id: int
    until: datetime | None
    reason: str | None


class Content(StrEnum):
    """Which pictures a channel shows."""

    STRICT = "strict"
    """Only jobs whose pictures are all harmless, also among adults."""
    USUAL = "usual"
    """What the owner lets every channel of its kind show."""


class ChannelRule(msgspec.Struct, frozen=True, kw_only=True):
    """A channel's rule; None means no decision. Its defaults come before the host's."""

    is_allowed: bool | None = None
    content: Content | None = None
    defaults: Preferences = Preferences()


class ServerRepository:
    """Quota rules, blocks, channel rules, queue states, and the audit log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set_rule(self, by: Decision, subject: Subject, subject_id: int, rule: Rule | None) -> None:
        """Set the quota of a member, a role, everybody or the pool; None removes the rule."""
        await self._database.write(_set_rule, by, subject, subject_id, rule)

    async def rules(self, guild_id: int) -> list[SetRule]:
        """All quota rules of a server."""
        rows = await self._database.fetch_all(
            "SELECT * FROM quota_rules WHERE guild_id = ? ORDER BY subject, subject_id", (guild_id,)
        )
        return set_rules(rows)

    async def block(self, by: Decision, user_id: int, until: datetime | None) -> None:
        """Block a member, until a time or for ever."""
        await self._database.write(_block, by, user_id, until)

    async def pause(self, by: Decision, user_id: int, until: datetime) -> datetime | None:
        """Block a member until a time, unless they are blocked for longer; returns the end, None for ever."""
        return await self._database.write(_pause, by, user_id, until)

    async def unblock(self, by: Decision, user_id: int) -> bool:
        """Unblock a member; False if the member was not blocked."""
        return await self._database.write(_unblock, by, user_id)

    async def set_channel(self, by: Decision, channel_id: int, rule: ChannelRule) -> None:
        """Allow or forbid Easel in a channel, and set its defaults; an empty rule removes both."""
        await self._database.write(_set_channel, by, channel_id, rule)

    async def channels(self, guild_id: int) -> dict[int, ChannelRule]:
        """The channels with a rule; the server-wide rule has the key `WHOLE_SERVER`."""
        rows = await self._database.fetch_all(
            "SELECT * FROM channel_rules WHERE guild_id = ? ORDER BY channel_id", (guild_id,)
        )
        return {row["channel_id"]: _channel_rule(row) for row in rows}

    async def defaults(self, asker: Asker) -> tuple[Preferences, Preferences]:
        """The defaults of the asker's channel, and those of the whole server.

        A thread without defaults has those of its channel.
        """
        rules = await self.channels(asker.guild_id)
        nearest = [rules[found].defaults for found in (asker.channel_id, asker.parent_channel_id) if found in rules]
        here = next((defaults for defaults in nearest if defaults != Preferences()), Preferences())
        return here, rules.get(WHOLE_SERVER, ChannelRule()).defaults

    async def content(self, asker: Asker) -> Content:
        """Which pictures the asker's channel shows: by its own rule, or by that of its channel if it is a thread, or
        by that of the whole server.
        """
        rules = await self.channels(asker.guild_id)
        found = (
            rules.get(place) for place in (asker.channel_id, asker.parent_channel_id, WHOLE_SERVER) if place is not None
        )
        return next((rule.content for rule in found if rule is not None and rule.content is not None), Content.USUAL)

    async def set_queue_state(self, by: Decision, state: QueueState) -> None:
        """Pause, drain or open a server's queue."""
        await self._database.write(_set_queue_state, by, state)

    async def queue_state(self, guild_id: int) -> QueueState:
        """The state of a server's queue."""
        row = await self._database.fetch_one("SELECT queue_state FROM servers WHERE guild_id = ?", (guild_id,))
        return QueueState.OPEN if row is None else QueueState(row["queue_state"])

    async def set_reports_channel(self, by: Decision, channel_id: int | None) -> None:
        """Set the channel in which moderators read reports; None for none."""
        await self._database.write(_set_reports_channel, by, channel_id)

    async def reports_channel(self, guild_id: int) -> int | None:
        """The channel in which moderators read reports; None if there is none."""
        row = await self._database.fetch_one("SELECT channel_id FROM reports_channels WHERE guild_id = ?", (guild_id,))
        return None if row is None else row["channel_id"]

    async def write_audit(self, by: Decision, action: str, subject: str, detail: str) -> None:
        """Write an audit row for a decision that another repository stores."""
        await self._database.write(audit, by, action, subject, detail)

    async def audit_log(self, guild_id: int, limit: int) -> list[AuditRow]:
        """The newest decisions of a server's admins."""
        rows = await self._database.fetch_all(
            "SELECT * FROM audit WHERE guild_id = ? ORDER BY audit_id DESC LIMIT ?", (guild_id, limit)
        )
        names = [name for name in AuditRow.__struct_fields__ if name != "created_at"]
        return [AuditRow(**{name: row[name] for name in names}, created_at=from_ms(row["created_at"])) for row in rows]


def audit(connection: sqlite3.Connection, by: Decision, action: str, subject: str, detail: str) -> None:
    """Write an audit row, inside the decision's transaction."""
    values = (by.guild_id, by.actor_id, action, subject, detail, by.reason, to_ms(by.now))
    connection.execute(
        "INSERT INTO audit (guild_id, actor_id, action, subject, detail, reason, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        values,
    )


def _set_rule(
    connection: sqlite3.Connection, by: Decision, subject: Subject, subject_id: int, rule: Rule | None
) -> None:
    connection.execute(
        "DELETE FROM quota_rules WHERE guild_id = ? AND subject = ? AND subject_id = ?",
        (by.guild_id, subject, subject_id),
    )
    if rule is not None:
        connection.execute(
            "INSERT INTO quota_rules VALUES (?, ?, ?, ?, ?)",
            (by.guild_id, subject, subject_id, rule.amount, rule.period),
        )
    detail = "default" if rule is None else f"{'unlimited' if rule.amount is None else rule.amount}/{rule.period}"
    audit(connection, by, "quota-set", _mention(subject, subject_id), detail)


def _block(connection: sqlite3.Connection, by: Decision, user_id: int, until: datetime | None) -> None:
    connection.execute(
        "INSERT INTO blocks VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET until = excluded.until, reason = excluded.reason",
        (by.guild_id, user_id, None if until is None else to_ms(until), by.reason),
    )
    detail = "for good" if until is None else f"until <t:{int(until.timestamp())}:f>"
    audit(connection, by, "block", f"<@{user_id}>", detail)


def _pause(connection: sqlite3.Connection, by: Decision, user_id: int, until: datetime) -> datetime | None:
    before = fetch_one(
        connection, "SELECT until FROM blocks WHERE guild_id = ? AND user_id = ?", (by.guild_id, user_id)
    )
    if before is not None and (before["until"] is None or before["until"] >= to_ms(until)):
        return from_ms(before["until"])
    _block(connection, by, user_id, until)
    return until


def _unblock(connection: sqlite3.Connection, by: Decision, user_id: int) -> bool:
    values = (by.guild_id, user_id)
    was_blocked = change(connection, "DELETE FROM blocks WHERE guild_id = ? AND user_id = ?", values) > 0
    if was_blocked:
        audit(connection, by, "unblock", f"<@{user_id}>", "")
    return was_blocked


def _set_channel(connection: sqlite3.Connection, by: Decision, channel_id: int, rule: ChannelRule) -> None:
    connection.execute("DELETE FROM channel_rules WHERE guild_id = ? AND channel_id = ?", (by.guild_id, channel_id))
    defaults = to_json(rule.defaults)
    if rule != ChannelRule():
        connection.execute(
            "INSERT INTO channel_rules (guild_id, channel_id, is_allowed, content, defaults) VALUES (?, ?, ?, ?, ?)",
            (by.guild_id, channel_id, rule.is_allowed, rule.content, defaults),
        )
    use = {None: "default", True: "allowed", False: "forbidden"}[rule.is_allowed]
    parts = (use, rule.content, None if rule.defaults == Preferences() else defaults)
    detail = " ".join(part for part in parts if part is not None)
    subject = "server" if channel_id == WHOLE_SERVER else f"<#{channel_id}>"
    audit(connection, by, "channel", subject, detail)


def _set_queue_state(connection: sqlite3.Connection, by: Decision, state: QueueState) -> None:
    connection.execute(
        "INSERT INTO servers (guild_id, queue_state) VALUES (?, ?)"
        " ON CONFLICT DO UPDATE SET queue_state = excluded.queue_state",
        (by.guild_id, state),
    )
    connection.execute("UPDATE members SET is_paused = ? WHERE guild_id = ?", (state is QueueState.PAUSED, by.guild_id))
    audit(connection, by, "queue", "", state)


def _set_reports_channel(connection: sqlite3.Connection, by: Decision, channel_id: int | None) -> None:
    connection.execute("DELETE FROM reports_channels WHERE guild_id = ?", (by.guild_id,))
    if channel_id is not None:
        connection.execute("INSERT INTO reports_channels VALUES (?, ?)", (by.guild_id, channel_id))
    audit(connection, by, "reports-channel", "none" if channel_id is None else f"<#{channel_id}>", "")


def _channel_rule(row: sqlite3.Row) -> ChannelRule:
    is_allowed = row["is_allowed"]
    return ChannelRule(
        is_allowed=None if is_allowed is None else bool(is_allowed),
        content=None if row["content"] is None else Content(row["content"]),
        defaults=msgspec.json.decode(row["defaults"], type=Preferences),
    )


def _mention(subject: Subject, subject_id: int) -> str:
    """A mention of a rule's subject."""
    return {Subject.USER: f"<@{subject_id}>", Subject.ROLE: f"<@&{subject_id}>"}.get(subject, str(subject))
