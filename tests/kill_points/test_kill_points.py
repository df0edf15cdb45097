"""What Easel promises after a crash, with a crash at every step of the bot, and then at steps of its recovery.

Each test of a planted bug shows that these stories can find one. A story that fails is told again alone by its
kills; the seed of the sample is in the test's output.
"""

import random
import secrets
from collections.abc import Generator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.kill_points.harness import Theatre, Told, open_theatre

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # a busy machine forks slowly

DOUBLE_FAULTS: Final = 250
STRIDE: Final = 5
"""Every how many steps a planted bug is looked for."""


@pytest.fixture(scope="module")
def theatre() -> Generator[Theatre]:
    """In memory where there is such a place: the bot syncs each commit, and no power is cut here."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as root, open_theatre(Path(root)) as theatre:
        yield theatre


@pytest.fixture(scope="module")
def steps(theatre: Theatre) -> int:
    """How many steps a life takes that nobody ends; they vary a little, so the longest of some counts."""
    return max(theatre.tell([]).steps for _ in range(3))


@pytest.fixture(scope="module")
def single_faults(theatre: Theatre, steps: int) -> list[Told]:
    """A kill at every step."""
    return theatre.tell_all([(step,) for step in range(1, steps + 1)])


def broken(stories: Sequence[Told]) -> list[str]:
    """The violations, each with the kills that led to it."""
    return [f"{told.kills}: {violation}" for told in stories for violation in told.violations]


def test_a_life_without_a_kill_keeps_every_promise(theatre: Theatre) -> None:
    assert broken([theatre.tell([])]) == []


def test_a_kill_at_any_step_breaks_no_promise(single_faults: list[Told], steps: int) -> None:
    assert sum(told.is_hit for told in single_faults) > 0.9 * steps > 100
    assert broken(single_faults) == []


def test_a_second_kill_during_the_recovery_breaks_no_promise(theatre: Theatre, single_faults: list[Told]) -> None:
    seed = secrets.randbits(32)
    print(f"sampled with seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    pairs = [(told.kills[0], step) for told in single_faults for step in range(1, told.steps + 1)]
    sample = random.Random(seed).sample(pairs, min(DOUBLE_FAULTS, len(pairs)))  # noqa: S311 - no secret
    assert broken(theatre.tell_all(sample)) == []


@pytest.mark.parametrize(
    ("bug", "violation"),
    [
        ("post_anew", "were delivered in 2 messages"),
        ("capture_first", "no message shows its images"),
        ("queue_in_memory", "is still queued"),
        ("void_blindly", "and then failed (delivery) without need"),
    ],
)
def test_a_planted_bug_is_found(theatre: Theatre, steps: int, bug: str, violation: str) -> None:
    stories = [(step,) for step in range(steps // 4, steps + 1, STRIDE)]
    found = [line for line in broken(theatre.tell_all(stories, bug=bug, patience_s=1.0)) if violation in line]
    assert len(found) > 1
