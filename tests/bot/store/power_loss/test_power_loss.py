"""Power is lost at any moment: nothing that was acknowledged is missing afterwards, and nothing is half there."""

import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.bot.store.power_loss.disk import Disk, put
from tests.bot.store.power_loss.living import Outcome, found_in, live
from tests.bot.store.power_loss.steps import Make

LIVES = 3
LOSSES = 10


async def outcomes(seed: int, folder: Path, make: Make, pragmas: Iterable[str] = ()) -> dict[str, Outcome]:
    """What power losses at some moments of three lives do; each life begins with what one in the last left."""
    chance = random.Random(seed)
    found: dict[str, Outcome] = {}
    begin: dict[str, bytes] = {}
    for life in range(LIVES):
        put(begin, folder)
        disk = Disk(folder, checkpoint_pages=chance.choice((1, 60, 1_000)))
        history = await live(disk, folder / "easel.db", chance, make, pragmas)
        for moment in chance.sample(range(disk.moments()), LOSSES):
            left = disk.left_at(moment, chance)
            put(left, folder)
            outcome = history.judge(await found_in(folder), disk.acknowledged_at(moment))
            found[f"seed {seed}, life {life}, event {moment} of {len(disk.events)}"] = outcome
            if outcome is Outcome.KEPT:
                begin = left
    return found


@pytest.mark.parametrize("seed", range(16))
async def test_a_power_loss_takes_nothing_that_was_acknowledged(seed: int, tmp_path: Path, new_job: Make) -> None:
    found = await outcomes(seed, tmp_path / "disk", new_job)
    assert {where: outcome for where, outcome in found.items() if outcome is not Outcome.KEPT} == {}


async def test_the_disk_takes_what_a_weaker_promise_does_not_keep(tmp_path: Path, new_job: Make) -> None:
    normal, off = Counter[Outcome](), Counter[Outcome]()
    for seed in range(2):
        normal.update((await outcomes(seed, tmp_path / "disk", new_job, ["synchronous=NORMAL"])).values())
        off.update((await outcomes(seed, tmp_path / "disk", new_job, ["synchronous=OFF"])).values())
    assert normal[Outcome.LOST] > 0
    assert normal[Outcome.BROKEN] == 0
    assert off[Outcome.BROKEN] > 0
