"""What a call to Discord can end in. Callers need to know no other exceptions.

The codes are those of https://discord.com/developers/docs/topics/opcodes-and-status-codes
"""

from typing import Final

import aiohttp
import discord

UNKNOWN_CHANNEL: Final = 10003
UNKNOWN_GUILD: Final = 10004
UNKNOWN_MESSAGE: Final = 10008
UNKNOWN_WEBHOOK: Final = 10015
UNKNOWN_INTERACTION: Final = 10062
EDITS_EXHAUSTED: Final = 30046
REQUEST_TOO_LARGE: Final = 40005
ALREADY_ACKNOWLEDGED: Final = 40060
MISSING_ACCESS: Final = 50001
MISSING_PERMISSIONS: Final = 50013
INVALID_WEBHOOK_TOKEN: Final = 50027

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_TOO_LARGE: Final = 413
_SERVER_ERROR: Final = 500

Passing = (aiohttp.ClientError, ConnectionError, TimeoutError)
"""What discord.py 2.7.1 raises for a connection that broke or gave no answer; on Linux it repeats none of them."""


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


class InteractionLost(CallFailed):
    """Discord no longer knows the interaction: it was answered too late, or by another process."""


class AlreadyAcknowledged(CallFailed):
    """The interaction has its answer: after a repeat, that is our own first one."""


class TokenOver(CallFailed):
    """The interaction's token is no longer taken."""


class MessageGone(CallFailed):
    """The message, its channel or its server was deleted."""


class NotPermitted(CallFailed):
    """Easel may not do this there."""


class TooLarge(CallFailed):
    """The files are larger than Discord takes."""


class EditsExhausted(CallFailed):
    """The message is over an hour old and was edited too often; a new one must be sent instead."""


class CallRefused(CallFailed):
    """Discord refused the call for another reason, which will not pass."""


class DiscordUnreachable(CallFailed):
    """No answer, however often it was tried; later may be better."""


class EditsHalted(CallFailed):
    """Too many of our requests were invalid of late, so those that can be spared are not made."""


_BY_CODE: Final = {
    UNKNOWN_INTERACTION: InteractionLost,
    ALREADY_ACKNOWLEDGED: AlreadyAcknowledged,
    UNKNOWN_WEBHOOK: TokenOver,
    INVALID_WEBHOOK_TOKEN: TokenOver,
    UNKNOWN_CHANNEL: MessageGone,
    UNKNOWN_GUILD: MessageGone,
    UNKNOWN_MESSAGE: MessageGone,
    MISSING_ACCESS: NotPermitted,
    MISSING_PERMISSIONS: NotPermitted,
    REQUEST_TOO_LARGE: TooLarge,
    EDITS_EXHAUSTED: EditsExhausted,
}
_BY_STATUS: Final = {_UNAUTHORIZED: TokenOver, _FORBIDDEN: NotPermitted, _TOO_LARGE: TooLarge}


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
