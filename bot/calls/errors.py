"""Failures of a call to Discord, one class for each remedy. Callers need no other exceptions.

`KINDS` is the one table. It holds each code of Discord's list that an edit, a send or a first answer can meet.
A code outside the table counts by its HTTP status.
https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import aiohttp
import discord

_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TIMED_OUT: Final = 408
_GONE: Final = 410
_TOO_LARGE: Final = 413
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500

Passing = (aiohttp.ClientError, ConnectionError, TimeoutError, json.JSONDecodeError)
"""discord.py 2.7.1 raises these for a broken connection and a missing or cut answer. On Linux it repeats none."""


class CallFailed(Exception):
    """Discord did not do the requested thing.

    Attributes:
        status: HTTP status; 0 without an answer.
        code: Discord's error code; 0 if it gave none.
    """

    def __init__(self, sentence: str, *, status: int = 0, code: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code

    @property
    def is_refusal(self) -> bool:
        """Whether Discord refused, so that certainly nothing was done.

        A time-out or a rate limit may come from a proxy after Discord did it. Code 40060 means that it was done before.
        """
        is_of_ours = _BAD_REQUEST <= self.status < _SERVER_ERROR and self.status not in (_TIMED_OUT, _TOO_MANY)
        return is_of_ours and not isinstance(self, AlreadyAcknowledged)


class InteractionLost(CallFailed):
    """Discord no longer knows the interaction: the answer came too late, and nobody saw it."""


class AnsweredElsewhere(InteractionLost):
    """Another process answered the interaction: a second Easel with the same bot token."""


class AlreadyAcknowledged(CallFailed):
    """The interaction already has an answer. After a repeated try, that is our own first answer."""


class TokenOver(CallFailed):
    """Discord no longer accepts the interaction's token. The bot's own token helps."""


class MessageGone(CallFailed):
    """The message, its channel or its server was deleted. Nothing helps."""


class NotPermitted(CallFailed):
    """Easel lacks the permission, or nobody has it. A direct message helps."""


class TooLarge(CallFailed):
    """The files are larger than Discord accepts. Smaller files help."""


class NotEditable(CallFailed):
    """The message can no longer be edited. A new message helps, or else a direct message."""


class WordsBlocked(CallFailed):
    """A word filter of Discord or of the server blocks the message. The same message without these words helps."""


class CallRefused(CallFailed):
    """Discord refused the call for another, lasting reason. Nothing helps."""


class NotNow(CallFailed):
    """Discord does not accept the call at the moment. Waiting helps."""


class DiscordUnreachable(NotNow):
    """Discord gave no answer to any try."""


class AddressBlocked(NotNow):
    """Cloudflare, Discord's proxy, blocks this computer's address for a while.

    Attributes:
        wait_s: seconds until the next try.
    """

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Cloudflare blocks this computer's address for {wait_s:.0f} s more.", status=_TOO_MANY)
        self.wait_s = wait_s


class EditsHalted(CallFailed):
    """A dispensable edit was not sent: many requests were invalid lately, or the address is blocked."""


KINDS: Final[Mapping[type[CallFailed], tuple[int, ...]]] = MappingProxyType(
    {
        InteractionLost: (
            10062,  # unknown interaction
        ),
        AlreadyAcknowledged: (
            40060,  # interaction has already been acknowledged
        ),
        TokenOver: (
            10015,  # unknown webhook
            50027,  # invalid webhook token
        ),
        MessageGone: (
            10003,  # unknown channel
            10004,  # unknown server
            10008,  # unknown message
        ),
        NotPermitted: (
            10007,  # unknown member
            10013,  # unknown user
            20009,  # explicit content cannot be sent to this recipient
            20012,  # not authorized for this application
            20015,  # needs a premium subscription
            20018,  # only the owner of the account may
            20024,  # under minimum age
            40007,  # banned from the server
            40012,  # connection was revoked
            40058,  # a message cannot be sent in a forum channel
            40094,  # the interaction has the maximum number of followup messages
            50001,  # missing access
            50003,  # not in a direct message
            50007,  # cannot send messages to this user
            50008,  # no text in this kind of channel
            50009,  # the channel's verification level is too high
            50013,  # missing permissions
            50024,  # not in this kind of channel
            50033,  # invalid recipient
            50095,  # the server is not available in this location
            50097,  # the server needs monetization
            50101,  # the server needs more boosts
            50278,  # no server in common with this user
            60003,  # needs a second factor
            160006,  # the maximum number of threads is active, so that none can be reopened
            160007,  # the maximum number of announcement threads is active
            220001,  # a forum accepts only threads
            220003,  # as 220001
            400001,  # the server may not upload files for now
        ),
        TooLarge: (
            40005,  # request entity too large
            50045,  # file exceeds the maximum size
        ),
        NotEditable: (
            20022,  # limit of edits of announcements
            30046,  # limit of edits of messages older than an hour
            50005,  # not a message of ours
            50021,  # a system message
            50068,  # invalid type of message
            50083,  # the thread is archived: a new message opens it again
            160005,  # the thread is locked: only members with the right to manage threads can write
        ),
        WordsBlocked: (
            20031,  # words that are not allowed
            200000,  # blocked by the server's automatic moderation
            200001,  # its title was
            240000,  # blocked by the filter of harmful links
        ),
        NotNow: (
            20016,  # slow mode
            20028,  # limit of writes of the channel
            20029,  # limit of writes of the server
            40001,  # unauthorized: the bot's own token, which a restart reads again
            40003,  # direct messages are opened too fast
            40004,  # sending is switched off for now
            40006,  # this feature is switched off for now
            40062,  # the service is being rate limited
            40333,  # Cloudflare blocks this request
            50014,  # the bot's own token, as above
            110000,  # not yet available
            110001,  # the application is not yet available
            130000,  # overloaded
        ),
        CallRefused: (
            30015,  # too many files
            40043,  # the interaction failed to send
            50006,  # an empty message
            50035,  # invalid form body
            50046,  # invalid file
            50109,  # invalid JSON
            50110,  # invalid file
            50123,  # invalid type of file
            50146,  # the uploaded file was not found
            50151,  # invalid emoji
            160002,  # no answer to a message without the right to read it
        ),
    }
)
_BY_CODE: Final = {code: kind for kind, codes in KINDS.items() for code in codes}
_BY_STATUS: Final = {
    _UNAUTHORIZED: TokenOver,
    _FORBIDDEN: NotPermitted,
    _NOT_FOUND: MessageGone,
    _TIMED_OUT: NotNow,
    _GONE: MessageGone,
    _TOO_LARGE: TooLarge,
    _TOO_MANY: NotNow,
}


def is_passing(error: Exception) -> bool:
    """Whether the same call may soon succeed."""
    if isinstance(error, discord.HTTPException):
        return error.status >= _SERVER_ERROR
    return isinstance(error, Passing)


def failure_of(error: Exception) -> CallFailed:
    """The failure for an exception of discord.py or aiohttp."""
    if isinstance(error, discord.HTTPException) and error.status < _SERVER_ERROR:
        kind = _BY_CODE.get(error.code) or _BY_STATUS.get(error.status, CallRefused)
        return kind(str(error), status=error.status, code=error.code)
    status = error.status if isinstance(error, discord.HTTPException) else 0
    return DiscordUnreachable(repr(error), status=status)
