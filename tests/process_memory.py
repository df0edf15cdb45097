"""What other processes hold in memory (Linux)."""

import itertools
from collections.abc import Iterator
from pathlib import Path


def memory_of(pid: int) -> Iterator[bytes]:
    """Each part of memory that a process can write to and read from."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            first, last = (int(each, 16) for each in span.split("-"))
            memory.seek(first)
            try:
                yield memory.read(last - first)
            except OSError:
                continue


def descendants(pid: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [*children, *(each for child in children for each in descendants(child))]


def holds(pid: int, words: tuple[bytes, ...]) -> bool:
    """Whether one of the words stands in a process's memory, variables or arguments."""
    facts = (Path(f"/proc/{pid}/{name}").read_bytes() for name in ("environ", "cmdline"))
    return any(word in part for part in itertools.chain(facts, memory_of(pid)) for word in words)
