"""Messages that wait to be sent to the bot, in a thread of their own."""

import contextlib
import socket
import threading
from collections import deque

from pipeline.protocol.wire.codec import encode_frame
from pipeline.protocol.wire.messages import FromWorker, Heartbeat, Progress


class Outbox:
    """Queue of messages to the bot. A newer heartbeat, or newer progress of a job, replaces the waiting one."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._waiting: deque[FromWorker] = deque()
        self._changed = threading.Condition()
        self._is_sending = False
        threading.Thread(target=self._send_all, name="write", daemon=True).start()

    def put(self, message: FromWorker) -> None:
        """Queue a message; any thread may call this."""
        with self._changed:
            if isinstance(message, (Progress, Heartbeat)):
                self._drop_older(_topic(message))
            self._waiting.append(message)
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> None:
        """Wait until all messages are sent, at most `timeout_s` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._is_sending, timeout_s)

    def _drop_older(self, topic: tuple[int, int]) -> None:
        for older in self._waiting:
            if isinstance(older, (Progress, Heartbeat)) and _topic(older) == topic:
                self._waiting.remove(older)
                return

    def _send_all(self) -> None:
        # An error here means that the bot is gone. The reading thread notices it too and ends the process.
        with contextlib.suppress(OSError):
            while True:
                with self._changed:
                    self._is_sending = False
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: bool(self._waiting))
                    message = self._waiting.popleft()
                    self._is_sending = True
                self._stream.sendall(encode_frame(message))


def _topic(message: Progress | Heartbeat) -> tuple[int, int]:
    """Key of messages that replace each other; heartbeats have job number 0, which no job has."""
    return (message.job_id, message.attempt) if isinstance(message, Progress) else (0, 0)
