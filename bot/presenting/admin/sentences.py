"""Sentences for admins about rules, blocks, channels, the queue and the audit log: pure functions of facts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bot.presenting.escaping import escape, relative
from bot.presenting.links import job_link
from bot.presenting.settings_message import defaults_line
from bot.presenting.texts import text
from bot.quotas.rules import Rule, SetRule, Subject
from bot.quotas.standing import QueueState, Standing
from bot.store.members.ledger import Entry
from bot.store.members.servers import WHOLE_SERVER, AuditRow, ChannelRule
from bot.store.queue import Waiting
from bot.store.rows.jobs import Job

_MAX_MESSAGE: Final = 2_000
"""Discord's limit of characters in a message."""
_MAX_REASON: Final = 100
_NONE: Final = "none"
_WORDS: Final = "words-"
"""Begins actions whose subject was typed."""


def fit(lines: Sequence[str]) -> str:
    """The lines, as many as fit. If some were left out, the last line gives their number."""
    room = _MAX_MESSAGE - len(text("admin-more", count=len(lines))) - 1
    shown: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return "\n".join([*shown, text("admin-more", count=len(lines) - len(shown))])
        shown.append(line)
    return "\n".join(shown)


def rule_set(subject: Subject, subject_id: int, rule: Rule | None) -> str:
    """A quota rule that was just set or removed."""
    return text("admin-rule-set", subject=subject, id=str(subject_id), rule=_NONE if rule is None else _rule(rule))


def granted(user_id: int, amount: int, expires_at: datetime | None) -> str:
    """A bonus that was just granted."""
    ends = _NONE if expires_at is None else relative(expires_at)
    return text("admin-granted", user_id=str(user_id), amount=amount, ends=ends)


def standing_of(user_id: int, standing: Standing, rule: Rule, entries: Sequence[Entry]) -> str:
    """A member's quota, the rule behind it, and their newest ledger entries."""
    source = rule.subject if isinstance(rule, SetRule) else "host"
    role_id = rule.subject_id if isinstance(rule, SetRule) else 0
    lines = [text("admin-show-rule", user_id=str(user_id), source=source, role_id=str(role_id), rule=_rule(rule))]
    resets = relative(standing.resets_at)
    used, in_flight = standing.spent, standing.in_flight
    if standing.left is None:
        lines.append(text("admin-show-unlimited", used=used, in_flight=in_flight))
    else:
        lines.append(text("admin-show-left", left=standing.left, used=used, in_flight=in_flight, resets=resets))
    lines += [
        text(
            "admin-show-bonus", left=bonus.left, ends=_NONE if bonus.expires_at is None else relative(bonus.expires_at)
        )
        for bonus in standing.bonuses
    ]
    if standing.obstacle is not None:
        lines.append(text("admin-show-obstacle", obstacle=standing.obstacle))
    lines.append(text("admin-show-entries" if entries else "admin-show-no-entries"))
    return fit([*lines, *(_entry(entry) for entry in entries)])


def blocked(user_id: int, until: datetime | None, *, cancelled: int, is_notified: bool) -> str:
    """A block that was just set, the number of cancelled jobs, and whether the person got a message about it."""
    ends = _NONE if until is None else relative(until)
    sentences = [text("admin-blocked", user_id=str(user_id), ends=ends)]
    if cancelled:
        sentences.append(text("admin-blocked-jobs", count=cancelled))
    return " ".join([*sentences, told(is_notified)])


def warned(user_id: int, *, is_notified: bool) -> str:
    """A warning that was just given."""
    return f"{text('admin-warned', user_id=str(user_id))} {told(is_notified)}"


def warned_notice(server: str, reason: str) -> str:
    """The direct message to a warned person."""
    return text("warned-notice", server=escape(server, _MAX_REASON), reason=reason)


def told(is_notified: bool) -> str:  # noqa: FBT001 - the sentence is about nothing else
    """Whether a person got a direct message about a decision."""
    return text("admin-notified" if is_notified else "admin-not-notified")


def blocked_notice(server: str, until: datetime | None, reason: str | None) -> str:
    """The direct message to a blocked person."""
    return text(
        "blocked-notice",
        server=escape(server, _MAX_REASON),
        ends=_NONE if until is None else relative(until),
        reason=_NONE if reason is None else escape(reason),
    )


def channel_set(channel_id: int, rule: ChannelRule) -> str:
    """A channel rule that was just set or removed, for a channel or the whole server."""
    if rule == ChannelRule() and channel_id == WHOLE_SERVER:
        return text("admin-server-cleared")
    if rule == ChannelRule():
        return text("admin-channel-cleared", channel_id=str(channel_id))
    return text("admin-channel-set", rule=_channel_row(channel_id, rule))


def channel_rules(rules: Mapping[int, ChannelRule], sentence: str) -> str:
    """All channel rules of the server with their defaults, below a sentence about the last change."""
    uses = {rule.is_allowed for rule in rules.values()}
    default = "only-allowed" if True in uses else "elsewhere" if False in uses else "everywhere"
    lines = [text("admin-channels", default=default)]
    lines += [_channel_row(channel_id, rule) for channel_id, rule in rules.items()]
    return fit([sentence, *lines] if sentence else lines)


def _channel_row(channel_id: int, rule: ChannelRule) -> str:
    use = {True: "allowed", False: "forbidden", None: "none"}[rule.is_allowed]
    facts = {"content": rule.content or _NONE, "defaults": defaults_line(rule.defaults) or _NONE}
    if channel_id == WHOLE_SERVER:
        return text("admin-server-row", **facts)
    return text("admin-channel-row", channel_id=str(channel_id), use=use, **facts)


def queue(state: QueueState, waiting: Waiting, running: Sequence[Job], sentence: str) -> str:
    """A server's queue, below a sentence about the last change."""
    lines = [sentence] if sentence else [text("admin-queue-state", state=state)]
    lines.append(text("admin-queue-counts", queued=waiting.queued, running=waiting.running))
    if waiting.oldest_at is not None:
        lines.append(text("admin-queue-oldest", since=relative(waiting.oldest_at)))
    lines += [
        text(
            "admin-queue-running",
            job=job_link(job),
            user_id=str(job.requester_id),
            since=relative(job.started_at or job.created_at),
        )
        for job in running
    ]
    return fit(lines)


def audit(rows: Sequence[AuditRow]) -> str:
    """Audit rows: time, actor, action, subject and reason."""
    if not rows:
        return text("admin-audit-empty")
    return fit([_audit_row(row) for row in rows])


def _audit_row(row: AuditRow) -> str:
    line = text(
        "admin-audit-row",
        when=_NONE if row.created_at is None else relative(row.created_at),
        actor_id=str(row.actor_id),
        action=row.action,
        subject=escape(row.subject, _MAX_REASON) if row.action.startswith(_WORDS) else row.subject,
        detail=row.detail,
    )
    return line if row.reason is None else f"{line} {text('admin-reason', reason=escape(row.reason, _MAX_REASON))}"


def _entry(entry: Entry) -> str:
    line = text(
        "admin-entry",
        when=relative(entry.created_at),
        kind=entry.kind,
        job_id=entry.job_id or 0,
        reserved=entry.reserved,
        captured=entry.captured,
        released=entry.released,
        granted=entry.granted,
        returned=-entry.adjusted,
        actor_id=str(entry.actor_id or 0),
    )
    return line if entry.reason is None else f"{line} {text('admin-reason', reason=escape(entry.reason, _MAX_REASON))}"


def _rule(rule: Rule) -> str:
    """The amount and period of a rule."""
    return text("admin-rule", amount=_NONE if rule.amount is None else rule.amount, period=rule.period)
