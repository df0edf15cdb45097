"""A cable that can be cut: a proxy before the server that swallows bytes in both directions, as a dead network does."""

import asyncio
import contextlib
from typing import Self


class Cable:
    """A listening address that leads to the server."""

    def __init__(self, listening: asyncio.Server) -> None:
        self._listening = listening
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def lay(cls, to: str) -> Self:
        host, _, port = to.rpartition(":")
        made: list[Self] = []

        async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            there, back = await asyncio.open_connection(host, int(port))
            made[0]._carry(reader, back)
            made[0]._carry(there, writer)

        made.append(cls(await asyncio.start_server(carry, "127.0.0.1", 0)))
        return made[0]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listening.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def copy() -> None:
            try:
                with contextlib.suppress(OSError):
                    while data := await reader.read(65_536):
                        await self._whole.wait()
                        writer.write(data)
                        await writer.drain()
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

        task = asyncio.create_task(copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        self._listening.close()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
