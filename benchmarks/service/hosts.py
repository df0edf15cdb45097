"""Sleeping hosts with the real ledger through a real NATS server: throughput against the ideal, faults, and the link.

Each host has four attempts at once and sleeps as long as a GPU would draw; its pictures have 0.4 MB. The ideal is
jobs x seconds / (hosts x 4). A fault is a killed host, a killed bot or a killed server in the middle. Discord is left
out. Bot, server and hosts share this computer, so 100 hosts need an idle one.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.fleet.bot import LEASE_S, request_of
from benchmarks.fleet.rig import Ended, Rig
from benchmarks.fleet.sleepers import SECONDS_A_STEP
from benchmarks.report import Report
from pipeline.backends.hosts.fleet import Fleet
from pipeline.backends.hosts.presence import Terms
from pipeline.protocol.wire.hosts import Policy
from pipeline.protocol.wire.messages import Finished
from pipeline.protocol.wire.settings import ImageOutput

CAPACITY: Final = 4
LINK_GOAL_MS: Final = 12.0
LOSS_GOAL: Final = 1.15
LINK_JOBS: Final = 200
_BROKEN_S: Final = 3.0
"""Seconds after the first start when something is killed."""
_SERVER_AWAY_S: Final = 2.0


class Size(NamedTuple):
    """A fleet and its work: hosts, steps of a job, rounds of full hosts, and the share of the ideal to reach."""

    hosts: int
    steps: int
    rounds: int
    goal: float


SIZES: Final = (Size(2, 40, 3, 0.95), Size(4, 40, 3, 0.95), Size(16, 40, 3, 0.9), Size(100, 100, 3, 0.8))


def run() -> Report:
    """Run everything, one after another."""
    detail: dict[str, float | int | str] = {}
    ends: list[Ended] = []
    shares = [_share(size, ends) for size in SIZES]
    detail |= {f"share_{size.hosts}_hosts": share for size, share in zip(SIZES, shares, strict=True)}
    detail["link_ms_median"] = link_ms = statistics.median(asyncio.run(_link_ms()))
    detail["killed_host_s"] = elsewhere_s = _kill_host(ends)
    detail["cost_of_a_lost_host"] = loss = _lose_one_of_eight(ends)
    for name, broken in (("bot", _kill_bot), ("server", _kill_server)):
        ended = broken()
        detail[f"repeated_after_the_{name}"] = ended.repeated
        ends.append(ended)
    repeated = ends[-1].repeated + ends[-2].repeated
    lost, twice = sum(end.lost for end in ends), sum(end.twice for end in ends)
    detail |= {"lost": lost, "delivered_twice": twice}
    worst = min(share / size.goal for size, share in zip(SIZES, shares, strict=True))
    return Report(
        name="hosts",
        goal=f"shares of the ideal with {', '.join(f'{size.hosts} hosts >= {size.goal:g}' for size in SIZES)}; "
        f"link <= {LINK_GOAL_MS:g} ms; a killed host's job elsewhere <= {LEASE_S + 1:g} s; a lost host of 8 costs "
        f"<= {LOSS_GOAL:g} x its share; lost, delivered twice and repeated by bot or server 0",
        value=worst,
        holds=worst >= 1
        and link_ms <= LINK_GOAL_MS
        and elsewhere_s <= LEASE_S + 1
        and loss <= LOSS_GOAL
        and not lost + twice + repeated,
        median=statistics.median(shares),
        minimum=min(shares),
        pairs=len(SIZES),
        detail=detail,
    )


@contextmanager
def _rig() -> Generator[Rig]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rig = Rig(Path(folder), CAPACITY)
        try:
            yield rig
        finally:
            rig.close()


def _share(size: Size, ends: list[Ended]) -> float:
    jobs = size.hosts * CAPACITY * size.rounds
    with _rig() as rig:
        rig.add_hosts(size.hosts)
        rig.start_bot(jobs, size.steps)
        ended = rig.wait()
    ends.append(ended)
    return size.rounds * size.steps * SECONDS_A_STEP / ended.seconds


async def _link_ms() -> list[float]:
    """Milliseconds from a submit to the kept end, of jobs that take no time, one after another."""
    with _rig() as rig:
        rig.add_hosts(1)
        policy = Policy(
            classifier=None,
            has_safety_checker=False,
            output=ImageOutput(),
            preview_interval_s=0,
            default_key="pocket",
        )
        roster = rig.server.roster
        fleet = Fleet(roster.door(rig.server.address), Terms(policy=policy), roster=lambda: roster.draining, local=None)
        await fleet.start()
        await fleet.take_over({})
        while not fleet.free_slots:
            await asyncio.sleep(0.05)
        taken: list[float] = []
        events = fleet.events()
        for job in range(1, LINK_JOBS + 1):
            began = time.perf_counter()
            await fleet.submit(job, 1, request_of(0))
            while not isinstance(await anext(events), Finished):
                pass
            await fleet.settle(job, 1)
            taken.append(1_000 * (time.perf_counter() - began))
        await fleet.close()
        return taken


def _kill_host(ends: list[Ended]) -> float:
    """Seconds from a host's death until another draws what it can take of its jobs."""
    with _rig() as rig:
        rig.add_hosts(1, 1)
        rig.start_bot(CAPACITY + 1, 50)
        rig.wait_drawn(CAPACITY + 1)
        hosts = [each.host for each in rig.drawn]
        victim = max(hosts, key=hosts.count)
        free = 2 * CAPACITY - len(hosts) - (CAPACITY - hosts.count(victim))
        killed_s = rig.kill_host(victim)
        ends.append(rig.wait())
        again = [each.at_s - killed_s for each in rig.drawn if each.attempt > 1]
        return sorted(again)[:free][-1]


def _lose_one_of_eight(ends: list[Ended]) -> float:
    """Time with a loss, as a multiple of what seven hosts' share of the work makes of the time without."""
    seconds: list[float] = []
    for is_lost in (False, True):
        with _rig() as rig:
            rig.add_hosts(7, 1)
            rig.start_bot(8 * CAPACITY * 4, 20)
            rig.wait_drawn(8 * CAPACITY)
            if is_lost:
                rig.kill_host("host-1-0")
            ends.append(rig.wait())
            seconds.append(ends[-1].seconds)
    return seconds[1] / (seconds[0] * 8 / 7)


def _kill_bot() -> Ended:
    with _broken() as rig:
        rig.kill_bot()
        rig.start_bot()
        return rig.wait()


def _kill_server() -> Ended:
    with _broken() as rig:
        rig.server.kill()
        time.sleep(_SERVER_AWAY_S)
        rig.server.start()
        return rig.wait()


@contextmanager
def _broken() -> Generator[Rig]:
    """A rig in the middle of its work: all hosts draw, and as much waits."""
    with _rig() as rig:
        rig.add_hosts(4)
        rig.start_bot(8 * CAPACITY, 40)
        rig.wait_drawn(4 * CAPACITY)
        time.sleep(_BROKEN_S)
        yield rig
