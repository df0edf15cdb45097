"""Logging: structlog for Easel and its libraries, one line for each record, without bearer secrets."""

import logging
import logging.handlers
import re
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
from typing_extensions import override

from bot.process.connecting import cause_of
from config.settings import LoggingSettings

# A bot token, or the path of a webhook or an interaction. Its last part is a credential for fifteen minutes.
_SECRETS: Final = (
    re.compile(r"[\w-]{20,30}\.[\w-]{6}\.[\w-]{25,}"),
    re.compile(r"(?<=/webhooks/)(\d+)/[\w-]{20,}"),
    re.compile(r"(?<=/interactions/)(\d+)/[\w-]{20,}"),
    re.compile(r"(?<=Bot )[\w.-]{20,}"),
)
_HIDDEN: Final = "<hidden>"
ERRORS: Final = "errors.jsonl"
"""File of the errors, one JSON object a line; those of earlier days have the day behind the name."""
_ERROR_DAYS: Final = 30


def hide_secrets(_logger: Any, _method: str, record: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that removes secrets so that nobody can act as the bot."""
    for name, value in record.items():
        if isinstance(value, str):
            record[name] = _without_secrets(value)
    return record


def _without_secrets(text: str) -> str:
    for pattern in _SECRETS:
        text = pattern.sub(lambda match: f"{match[1]}/{_HIDDEN}" if match.re.groups else _HIDDEN, text)
    return text


def shorten_reconnects(record: logging.LogRecord) -> bool:
    """A filter for reconnects: discord.py logs each lost connection with a traceback, and one line is enough."""
    if record.exc_info and record.exc_info[1] is not None and "reconnect" in str(record.msg):
        record.msg = f"{cause_of(record.exc_info[1])} {record.getMessage()}."
        record.args, record.exc_info, record.levelno, record.levelname = (), None, logging.WARNING, "WARNING"
    return True


class _ErrorFile(logging.handlers.TimedRotatingFileHandler):
    """The errors of the last thirty days, since the log itself may be gone when somebody asks about an error's id."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder / ERRORS, when="midnight", backupCount=_ERROR_DAYS, encoding="utf-8", delay=True, utc=True
        )
        self.setLevel(logging.ERROR)

    @override
    def handleError(self, record: logging.LogRecord) -> None:
        """Do nothing: on a full disk the same record still goes to standard error."""


def set_up_logging(settings: LoggingSettings, errors_in: Path | None = None) -> None:
    """Send the records of structlog and the standard library to standard error in one format.

    Args:
        settings: level and format.
        errors_in: folder of the file that also keeps the errors of the last thirty days; None for no file.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, is_json=settings.format == "json"))
    root = logging.getLogger()
    root.handlers = [handler]
    if errors_in is not None:
        file = _ErrorFile(errors_in)
        file.setFormatter(_formatter(shared, is_json=True))
        root.addHandler(file)
    root.setLevel(settings.level)
    logging.getLogger("discord.client").addFilter(shorten_reconnects)
    # At DEBUG these log whole payloads with members' words.
    for name in ("discord.gateway", "discord.http", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))


def _formatter(shared: Sequence[structlog.typing.Processor], *, is_json: bool) -> logging.Formatter:
    """The format of all records; `shared` completes those that do not come from structlog."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if is_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            hide_secrets,
            renderer,
        ],
    )
