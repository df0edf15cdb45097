"""From the test's side: two lanes of lives beside each other, and the stories that are told in them."""

import contextlib
import itertools
import queue
import subprocess
import sys
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final, Self

import msgspec

from tests.kill_points.checking import check, count_jobs
from tests.kill_points.life import Order
from tests.kill_points.zygote import Ended

ROOT: Final = Path(__file__).parents[2]
LANES: Final = 2
KILLED: Final = -9


Kill = int | float
"""At which step, or after how many seconds of a life."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One story.

    Attributes:
        kills: when each life was killed.
        hits: how many of them were; the others ended before.
        steps: steps of the last life.
        jobs: jobs that the bot has in the end.
        violations: the broken promises.
    """

    kills: tuple[Kill, ...]
    hits: int
    steps: int
    jobs: int
    violations: tuple[str, ...]


class Program:
    """One of our programs, which answers lines with lines and ends with its standard input."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def read_line(self) -> str:
        """What it says next."""
        line = pipe(self._process.stdout).readline()
        if not line:
            raise EOFError(f"{self._process.args} ended; its words are on standard error")
        return line

    def ask(self, line: bytes) -> str:
        """Its answer to a line."""
        stdin = pipe(self._process.stdin)
        stdin.write(line.decode() + "\n")
        stdin.flush()
        return self.read_line()


class Theatre:
    """Tells stories, some at a time."""

    def __init__(self, root: Path, port: int, zygotes: Iterable[Program]) -> None:
        self._root = root
        self._port = port
        self._numbers = itertools.count(1)
        self._free: queue.SimpleQueue[Program] = queue.SimpleQueue()
        for zygote in zygotes:
            self._free.put(zygote)

    def tell(self, kills: Sequence[Kill], *, bug: str = "", patience_s: float = 20.0) -> Told:
        """Kill one life after the other at these moments, let the last one come to rest, and check."""
        directory = self._root / "-".join(map(str, (next(self._numbers), *kills)))
        directory.mkdir()
        zygote = self._free.get()
        try:
            ends = [
                self._live(zygote, directory, kill, is_first=index == 0, bug=bug, patience_s=patience_s)
                for index, kill in enumerate([*kills, 0])
            ]
        finally:
            self._free.put(zygote)
        broken = [
            f"life {index} ended with {end.code}" for index, end in enumerate(ends) if end.code not in (0, KILLED)
        ]
        return Told(
            kills=tuple(kills),
            hits=sum(end.code == KILLED for end in ends[:-1]),
            steps=ends[-1].steps,
            jobs=count_jobs(directory),
            violations=(*broken, *check(directory)),
        )

    def tell_all(self, stories: Iterable[Sequence[Kill]]) -> list[Told]:
        """Many stories, as many at a time as there are lanes."""
        return list(self.tell_each(stories))

    def tell_each(
        self, stories: Iterable[Sequence[Kill]], *, bug: str = "", patience_s: float = 20.0
    ) -> Generator[Told]:
        """The same one by one; who closes it spares the stories that did not begin."""
        with ThreadPoolExecutor(LANES) as pool:
            yield from pool.map(lambda kills: self.tell(kills, bug=bug, patience_s=patience_s), stories)

    def _live(
        self, zygote: Program, directory: Path, kill: Kill, *, is_first: bool, bug: str, patience_s: float
    ) -> Ended:
        order = Order(
            directory=str(directory),
            api_base_url=f"http://127.0.0.1:{self._port}/{directory.name}",
            kill_at=kill if isinstance(kill, int) else 0,
            kill_after_s=kill if isinstance(kill, float) else 0.0,
            is_first=is_first,
            bug=bug,
            patience_s=patience_s,
        )
        return msgspec.json.decode(zygote.ask(msgspec.json.encode(order)), type=Ended)


@contextlib.contextmanager
def open_theatre(root: Path) -> Generator[Theatre]:
    """The tiny Discord and the zygotes, for as long as the stories last."""
    with contextlib.ExitStack() as stack:
        discord = stack.enter_context(Program("tests.kill_points.tiny_discord", str(root)))
        port = int(discord.read_line())
        zygotes = [stack.enter_context(Program("tests.kill_points.zygote")) for _ in range(LANES)]
        yield Theatre(root, port, zygotes)


def pipe(stream: IO[str] | None) -> IO[str]:
    """A pipe that `Popen` was told to open."""
    if stream is None:
        raise ValueError("not a pipe")
    return stream
