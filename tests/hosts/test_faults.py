"""Faults that the fleet alone has to stand; `test_ledger.py` has those that the ledger stands with it."""

import time

from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished
from tests.hosts.cable import Cable
from tests.hosts.computers import Server, until
from tests.hosts.conftest import OpenRig, Rig
from tests.hosts.test_host import asking

LEASE_S = 1.5


async def lose(rig: Rig) -> None:
    """Wait until the only attempt is given up, and see that its host is blamed and not the job."""
    end = await rig.end()
    assert isinstance(end, Failed)
    assert (end.job_id, end.attempt, end.reason) == (1, 1, FailureReason.HOST_LOST)


async def test_a_cut_cable_costs_an_attempt_only_if_it_is_longer_than_a_lease(
    open_rig: OpenRig, request_: GenerationRequest, server: Server
) -> None:
    cable = await Cable.lay(server.address)
    try:
        rig = await open_rig(computers=0, lease_s=LEASE_S)
        computer = rig.invite(address=cable.address, capacity=1)
        computer.start()
        await rig.begin()
        (host,) = rig.fleet.hosts.values()
        await rig.fleet.submit(1, 1, asking(request_, "until go"))
        cable.cut()
        await until(lambda: host.presence.silence_s > LEASE_S / 3)
        cable.mend()
        await until(lambda: host.presence.silence_s < LEASE_S / 3)
        assert host.running == 1
        cable.cut()
        await lose(rig)
        cable.mend()
        # The host is told to drop it, so that it has room again.
        await rig.ready(1)
        await rig.fleet.submit(2, 1, request_)
        assert (await rig.end()).job_id == 2
        assert computer.drew == [(1, 1), (2, 1)]
    finally:
        await cable.close()


async def test_a_restarted_bot_goes_on_with_what_hosts_draw_and_keep(
    open_rig: OpenRig, request_: GenerationRequest
) -> None:
    rig = await open_rig(capacity=4)
    (computer,) = rig.computers.values()
    requests = {(job, 1): asking(request_, f"until {job}") for job in (1, 2, 3, 4)}
    for (job, attempt), request in requests.items():
        await rig.fleet.submit(job, attempt, request)
    computer.finish("1")
    # The first is finished and handed on, but its end was not kept when the bot died.
    first = await anext(rig.fleet.events())
    while not isinstance(first, Finished):
        first = await anext(rig.fleet.events())
    assert all(rig.fleet.is_lasting(*key) for key in requests)
    await rig.fleet.close()
    computer.finish("2")  # while nobody listens
    await until(lambda: computer.drew == [*requests])
    rig.fleet = rig.make_fleet()
    rig._events = rig.fleet.events()
    await rig.fleet.start()
    # The database does not call the fourth running any more.
    del requests[4, 1]
    assert await rig.fleet.take_over(requests) == {*requests}
    computer.finish("3")
    computer.finish("4")
    ends = [await rig.end() for _ in range(3)]
    assert sorted(end.job_id for end in ends) == [1, 2, 3]
    assert all(isinstance(end, Finished) for end in ends)
    await until(lambda: rig.fleet.free_slots == 4)
    assert computer.drew == [(job, 1) for job in (1, 2, 3, 4)]
    await rig.fleet.submit(4, 2, request_)
    last = await rig.end()
    assert (last.job_id, last.attempt) == (4, 2)


async def test_a_bot_that_stood_still_blames_nobody(open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig(computers=0, lease_s=LEASE_S)
    computer = rig.invite()
    computer.start_process()
    await rig.begin()
    await rig.fleet.submit(1, 1, asking(request_, "until go"))
    time.sleep(2 * LEASE_S)
    computer.finish("go")
    assert isinstance(await rig.end(), Finished)
    assert computer.drew == [(1, 1)]


async def test_the_owner_drains_and_removes(open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig()
    (name, computer), (host,) = *rig.computers.items(), rig.fleet.hosts.values()
    await rig.fleet.submit(1, 1, asking(request_, "until go"))
    rig.server.roster.drain(name, is_draining=True)
    rig.fleet.read_roster()
    assert rig.fleet.free_slots == 0
    assert host.running == 1
    rig.server.roster.drain(name, is_draining=False)
    rig.fleet.read_roster()
    assert rig.fleet.free_slots == 1
    rig.server.roster.remove(name)
    rig.server.reload()
    del rig.computers[name]
    rig.fleet.read_roster()
    await lose(rig)
    assert rig.fleet.hosts == {}
    await computer.close()
