"""What signals ask of the running bot: to stop, or to start anew with its files as they are now."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from typing import Final

import structlog

from bot.process.service_manager import notify
from config.loading import ConfigError

_STOPPING: Final = (signal.SIGINT, signal.SIGTERM)

_log = structlog.get_logger(__name__)


class Signals:
    """Listens for Ctrl-C, a service manager's signals, and SIGHUP.

    SIGHUP is the end of the terminal for a bot that has one. Any other bot then reads settings, catalogue and the
    owner's lists again. A mistake in them is told in the log, and the bot goes on as it is.

    Args:
        check: reads all these files; it raises `ConfigError` for a mistake.
    """

    def __init__(self, check: Callable[[], object]) -> None:
        self._check = check
        self._checking: asyncio.Task[None] | None = None
        self.stopping = asyncio.Event()
        """Set when the bot shall stop."""
        self.starts_anew = False
        """Whether it shall start again then."""

    def listen(self) -> None:
        """Begin to listen. Signals that `nohup` or another parent ignores stay ignored."""
        loop = asyncio.get_running_loop()
        has_terminal = sys.stdin is not None and sys.stdin.isatty()
        hang_up = self.stopping.set if has_terminal else self.read_again
        for number in (*_STOPPING, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, hang_up if number is signal.SIGHUP else self.stopping.set)

    def read_again(self) -> None:
        """Check the files, and stop for a new start if they are right."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._read_again(), name="reload")

    def announce_end(self) -> None:
        """Tell systemd what follows. A service that says `STOPPING=1` would be stopped, also if it starts anew."""
        if self.starts_anew:
            notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1_000}")
        else:
            notify("STOPPING=1")

    async def _read_again(self) -> None:
        try:
            await asyncio.to_thread(self._check)
        except ConfigError as error:
            _log.error(f"Nothing was reloaded: {error}", action="not_reloaded")
            return
        _log.info("reloading", action="reloading")
        self.starts_anew = True
        self.stopping.set()
