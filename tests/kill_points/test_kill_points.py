"""What Easel promises after a crash, with a crash at every step of the bot, and then at steps of its recovery.

Each test of a planted bug shows that these stories can find one. A story that fails is told again alone by its
kills; the seed of the sample is in the test's output.
"""

import contextlib
import itertools
import random
import secrets
import timeit
from collections.abc import Generator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.kill_points.harness import Theatre, Told, open_theatre

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]  # a busy machine forks slowly

DOUBLE_FAULTS: Final = 160
RANDOM_STORIES: Final = 60
KILLS_IN_A_ROW: Final = 4
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
    assert sum(told.hits for told in single_faults) > 0.9 * steps > 100
    assert broken(single_faults) == []


def test_a_second_kill_during_the_recovery_breaks_no_promise(theatre: Theatre, single_faults: list[Told]) -> None:
    seed = secrets.randbits(32)
    print(f"sampled with seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    # A bot that knew no job recovers nothing. One with nothing to do connects in the first half of its steps.
    connecting = min(told.steps for told in single_faults) // 2
    recovering = [told for told in single_faults if told.jobs > 0]
    assert len(recovering) > 0.5 * len(single_faults)
    pairs = [(*told.kills, step) for told in recovering for step in range(connecting, told.steps + 1)]
    sample = random.Random(seed).sample(pairs, min(DOUBLE_FAULTS, len(pairs)))
    assert broken(theatre.tell_all(sample)) == []


def test_kills_at_random_moments_break_no_promise(theatre: Theatre) -> None:
    """From outside, in the middle of anything: a write, a sync, a thread of the database."""
    life_s = min(timeit.repeat(lambda: theatre.tell([]), number=1, repeat=5))
    seed = secrets.randbits(32)
    print(f"sampled with seed {seed}, within {life_s} s")  # noqa: T201 - pytest shows it where the test fails
    dice = random.Random(seed)
    # In its first third, a life has heard of no job.
    first = [dice.uniform(life_s / 3, life_s) for _ in range(RANDOM_STORIES)]
    stories = [[kill, *(dice.uniform(0.001, life_s) for _ in range(KILLS_IN_A_ROW - 1))] for kill in first]
    told = theatre.tell_all(stories)
    # A life that had nothing left to do ended before its kill.
    hits = sum(story.hits for story in told)
    print(f"{hits} kills")  # noqa: T201 - the same
    assert hits > 2 * RANDOM_STORIES
    assert broken(told) == []


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
    """Twice, by stories in any order: those after the second are spared."""
    stories = [(step,) for step in range(steps // 4, steps + 1, STRIDE)]
    random.Random(bug).shuffle(stories)
    with contextlib.closing(theatre.tell_each(stories, bug=bug, patience_s=1.0)) as all_told:
        found = (line for told in all_told for line in broken([told]) if violation in line)
        assert len(list(itertools.islice(found, 2))) == 2
