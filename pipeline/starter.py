"""The warm starter, `python -m pipeline.starter`: it has imported the workers' modules, and forks workers on request.

It ends with the process that started it.

A fork copies only one thread. In the copy, the state of a device is invalid, and a lock of another thread stays locked.
So the starter has one thread, no device and no secrets. Its greeting tells a bot when that does not hold; the bot then
starts workers by exec. A fork runs the same program as exec would: `python -m pipeline`.
"""

import argparse
import contextlib
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from pipeline.processes import die_with, set_name, set_variables
from pipeline.protocol.errors import ProtocolError
from pipeline.protocol.wire.starting import (
    MAX_PACKET,
    Ended,
    Fork,
    Forked,
    FromStarter,
    Unfit,
    Warm,
    decode_fork,
    encode_packet,
)

_HARMLESS: Final = ("/dev/null", "/dev/pts/", "/dev/tty", "/dev/random", "/dev/urandom")
_CREDENTIALS: Final = struct.Struct("3i")
"""Layout of SO_PEERCRED's result: process id, user id and group id."""


class Becoming:
    """Order for a forked child: the program to run, and the socket to serve."""

    def __init__(self, order: Fork, stream: int) -> None:
        self.order = order
        self.stream = stream

    def run(self) -> None:
        """Run the program as `python` does; its end is the end of this process."""
        order = self.order
        set_name(Path(sys.executable).name)
        os.environb.clear()
        os.environb.update(dict(order.environment))
        os.chdir(order.directory)
        command = [os.fsdecode(part) for part in order.command] + ["--socket-fd", str(self.stream)]
        if command[0] == "-m":
            sys.argv = command[1:]
            sys.path[0] = os.fsdecode(order.directory)
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = command
            sys.path[0] = str(Path(command[0]).parent)
            runpy.run_path(command[0], run_name="__main__")


class _Owner:
    """A connected bot, and the pidfds of its children by number."""

    def __init__(self, stream: socket.socket) -> None:
        self.stream = stream
        self.children: dict[int, int] = {}

    def say(self, message: FromStarter, descriptors: tuple[int, ...] = ()) -> None:
        # The next read notices that the bot is gone.
        with contextlib.suppress(ConnectionError):
            socket.send_fds(self.stream, [encode_packet(message)], descriptors)

    def kill_all(self) -> None:
        for pidfd in self.children.values():
            # The child may have ended already without having been reaped.
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)


class Starter:
    """Serves bots until the last one is gone; with a listening socket it serves for ever.

    Args:
        owner: connection to the bot that started this process; None without such a bot.
        listener: listening socket for further bots; None accepts no others.
        on_interrupt: handler of SIGINT in the forked children, as `signal.signal` takes it.
    """

    def __init__(self, owner: socket.socket | None, listener: socket.socket | None, on_interrupt: Any) -> None:
        self._pid = os.getpid()
        self._on_interrupt = on_interrupt
        self._selector = selectors.DefaultSelector()
        self._owners: list[_Owner] = []
        self._listener = listener
        self._greeting = greeting()
        if listener is not None:
            self._watch(listener.fileno(), self._accept)
        if owner is not None:
            self._add_owner(owner)

    def serve(self) -> Becoming | None:
        """Serve bots; returns in each forked child with its order, or with None when no bot is left."""
        while self._owners or self._listener is not None:
            for key, _ in self._selector.select():
                becoming = key.data()
                if becoming is not None:
                    return becoming
        return None

    def _watch(self, descriptor: int, act: Callable[[], Becoming | None]) -> None:
        self._selector.register(descriptor, selectors.EVENT_READ, act)

    def _accept(self) -> None:
        if self._listener is not None:
            stream, _ = self._listener.accept()
            credentials = stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            if _CREDENTIALS.unpack(credentials)[1] == os.getuid():
                self._add_owner(stream)
            else:
                stream.close()

    def _add_owner(self, stream: socket.socket) -> None:
        owner = _Owner(stream)
        self._owners.append(owner)
        self._watch(stream.fileno(), lambda: self._take_order(owner))
        owner.say(self._greeting)

    def _take_order(self, owner: _Owner) -> Becoming | None:
        packet, descriptors = _receive(owner.stream)
        try:
            order = decode_fork(packet)
            stream, output = descriptors
        except (ProtocolError, ValueError):
            # The end of the stream arrives as an empty packet, which is no valid message.
            _close(descriptors)
            self._drop_owner(owner)
            return None
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._leave(output)
            return Becoming(order, stream)
        _close(descriptors)
        pidfd = os.pidfd_open(pid)
        owner.children[order.number] = pidfd
        self._watch(pidfd, lambda: self._reap(owner, order.number))
        owner.say(Forked(number=order.number, pid=pid), (pidfd,))
        return None

    def _reap(self, owner: _Owner, number: int) -> None:
        pidfd = owner.children.pop(number)
        self._selector.unregister(pidfd)
        end = os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
        os.close(pidfd)
        if end is not None and owner in self._owners:
            owner.say(Ended(number=number, code=end.si_status if end.si_code == os.CLD_EXITED else -end.si_status))

    def _drop_owner(self, owner: _Owner) -> None:
        """Close the connection to a bot that is gone or sends invalid messages, and kill its workers."""
        owner.kill_all()
        self._selector.unregister(owner.stream)
        owner.stream.close()
        self._owners.remove(owner)

    def _leave(self, output: int) -> None:
        """Remove all traces of the starter in a forked child, so that it is like a process after exec."""
        die_with(self._pid)
        signal.signal(signal.SIGINT, self._on_interrupt)
        os.dup2(output, sys.stdout.fileno())
        os.dup2(output, sys.stderr.fileno())
        os.close(output)
        self._selector.close()
        if self._listener is not None:
            self._listener.close()
        for owner in self._owners:
            owner.stream.close()
            _close(owner.children.values())


def greeting() -> Warm | Unfit:
    """Greeting for a bot: `Warm` when a fork of this process is safe, `Unfit` with the reason otherwise."""
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        return Unfit(reason=f"has {threads} threads")
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            target = str(descriptor.readlink())
            if target.startswith("/dev/") and not target.startswith(_HARMLESS):
                return Unfit(reason=f"holds {target} open")
    return Warm()


def _receive(stream: socket.socket) -> tuple[bytes, list[int]]:
    with contextlib.suppress(ConnectionError):
        packet, descriptors, _, _ = socket.recv_fds(stream, MAX_PACKET, 2)
        return packet, descriptors
    return b"", []


def _close(descriptors: Iterable[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def main() -> None:
    """Import the modules, then serve bots."""
    parent = os.getppid()
    # Ctrl-C is for the bot. A program that `nohup` started ignores SIGINT, and so must its workers.
    on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    parser = argparse.ArgumentParser(prog="python -m pipeline.starter", description="Forks workers that start at once.")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--socket-fd", type=int, help="an inherited, connected socket of packets; ends with it")
    where.add_argument("--listen", type=Path, help="path of a new socket for bots of the same user")
    parser.add_argument("--preload", action="append", default=[], metavar="MODULE", help="module to import first")
    arguments = parser.parse_args()
    owner, listener = None, None
    die_with(parent)
    if arguments.listen is None:
        owner = socket.socket(fileno=arguments.socket_fd)
    else:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mask = os.umask(0o077)
        listener.bind(str(arguments.listen))
        os.umask(mask)  # forks inherit it
        # A bot that connects before the imports are done waits for the greeting.
        listener.listen()
    set_name("easel-starter")
    set_variables()
    # Objects of imported modules live for ever. When they are frozen, their memory pages stay shared with the forks.
    gc.disable()
    for module in arguments.preload:
        importlib.import_module(module)
    gc.freeze()
    gc.enable()
    becoming = Starter(owner, listener, on_interrupt).serve()
    if becoming is None:
        os._exit(0)  # there is nothing to tidy up, and taking the libraries apart takes a second
    becoming.run()


if __name__ == "__main__":
    main()
