"""What a call to Discord can end in, by what helps. Callers need to know no other exceptions.

`KINDS` is the one table: each code of Discord's list that can meet an edit, a send or a first answer. A code that is
not in it says as much as the status that it comes with.
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
"""What discord.py 2.7.1 raises for a connection that broke, gave no answer or half of one; on Linux it repeats none."""


class CallFailed(Exception):
    """Discord did not do what was asked.

    Attributes:
        status: of HTTP; 0 where there was no answer.
        code: of Discord; 0 where it gave none.
    """

    def __init__(self, sentence: str, *, status: int = 0, code: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code

    @property
    def is_refusal(self) -> bool:
        """Whether Discord said no, so that surely nothing was done.

        A time-out or a limit may come from a proxy behind which it was done; 40060 says that it was done before.
        """
        is_of_ours = _BAD_REQUEST <= self.status < _SERVER_ERROR and self.status not in (_TIMED_OUT, _TOO_MANY)
        return is_of_ours and not isinstance(self, AlreadyAcknowledged)


class InteractionLost(CallFailed):
    """Discord no longer knows the interaction, and nobody saw anything: it was answered too late."""


class AnsweredElsewhere(InteractionLost):
    """Another process answered the interaction: a second Easel with the same bot token."""


class AlreadyAcknowledged(CallFailed):
    """The interaction has its answer: after a repeat, that is our own first one."""


class TokenOver(CallFailed):
    """The interaction's token is no longer taken. The bot's own helps."""


class MessageGone(CallFailed):
    """The message, its channel or its server was deleted. Nothing helps there."""


class NotPermitted(CallFailed):
    """Easel may not do this there, or nobody may. A direct message helps."""


class TooLarge(CallFailed):
    """The files are larger than Discord takes. Smaller ones help."""


class NotEditable(CallFailed):
    """The message is edited no more. A new one in its place helps, or else a direct message."""


class WordsBlocked(CallFailed):
    """A filter of Discord's or of the server's does not take these words. The same without them helps."""


class CallRefused(CallFailed):
    """Discord refused the call for another reason, which will not pass. Nothing helps."""


class NotNow(CallFailed):
    """Discord does not take it at the moment. Waiting helps."""


class DiscordUnreachable(NotNow):
    """No answer, however often it was tried."""


class AddressBlocked(NotNow):
    """Cloudflare, which stands before Discord, takes nothing from this computer for a while.

    Attributes:
        wait_s: seconds until the next try.
    """

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Cloudflare blocks this computer's address for {wait_s:.0f} s more.", status=_TOO_MANY)
        self.wait_s = wait_s


class EditsHalted(CallFailed):
    """What can be spared is not sent at the moment: many requests were invalid of late, or the address is blocked."""


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
            40094,  # the interaction has as many messages beside its answer as it may
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
            160006,  # as many threads are active as may be, so that none can be opened again
            160007,  # the same of announcement threads
            220001,  # a forum takes threads alone
            220003,  # the same
            400001,  # the server may upload no files for now
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
            160005,  # the thread is locked: only who may manage threads can write
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
            40001,  # unauthorized: the bot's own token, which a restart reads anew
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
    """Whether the same call may succeed in a moment."""
    if isinstance(error, discord.HTTPException):
        return error.status >= _SERVER_ERROR
    return isinstance(error, Passing)


def failure_of(error: Exception) -> CallFailed:
    """What an exception of discord.py or aiohttp means."""
    if isinstance(error, discord.HTTPException) and error.status < _SERVER_ERROR:
        kind = _BY_CODE.get(error.code) or _BY_STATUS.get(error.status, CallRefused)
        return kind(str(error), status=error.status, code=error.code)
    status = error.status if isinstance(error, discord.HTTPException) else 0
    return DiscordUnreachable(repr(error), status=status)
