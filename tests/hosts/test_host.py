"""One host behind a real NATS server: what it draws, refuses and keeps."""

import asyncio

import msgspec
import pytest

from pipeline.agent import agent
from pipeline.backends.base import WorkerState, WorkerUnavailable
from pipeline.backends.hosts import arrivals, presence
from pipeline.link import parcels
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.finishing import FinishPictures
from pipeline.protocol.wire.hosts import MAX_WORD_BYTES, OLDEST_PROTOCOL, Hello, Rejected, Welcome
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Failed, Finished
from pipeline.protocol.wire.settings import NO_CHECKING
from tests.hosts.computers import until
from tests.hosts.conftest import OpenRig


def asking(request: GenerationRequest, prompt: str) -> GenerationRequest:
    return msgspec.structs.replace(request, prompt=prompt)


async def test_a_host_draws_and_forgets_what_is_kept(open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig()
    (host,) = rig.fleet.hosts.values()
    # What is larger than a word goes through the object store, there and back.
    picture = bytes(range(256)) * 2_000
    await rig.fleet.submit(1, 1, request_, pictures={"a" * 64: picture})
    end = await rig.end()
    assert isinstance(end, Finished)
    assert (end.job_id, end.attempt) == (1, 1)
    assert picture in end.outputs[0].data
    assert rig.fleet.free_slots == 2
    streams = rig.fleet._switchboard.link.streams
    store = await streams.object_store(f"easel-{host.name}")
    await until(lambda: not host._tasks)
    assert (await store.status()).size < len(picture)


async def test_questions_are_answered_by_the_host(open_rig: OpenRig) -> None:
    rig = await open_rig()
    found = await asyncio.gather(*(rig.fleet.find_part(b"picture", words) for words in ("hat", "cat")))
    assert [each.mask for each in found] == [b"hat", b"cat"]
    assert (await rig.fleet.check([b"one", b"two"], NO_CHECKING)).detail == "2"


async def test_a_host_finishes_what_an_engine_of_others_drew(open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig()
    picture = bytes(range(256)) * 2_000
    asked = FinishPictures(request=request_, title="Flux", pictures=(picture,), checking=NO_CHECKING)
    finished = await rig.fleet.finish_pictures(asked)
    assert picture in finished.outputs[0].data
    assert finished.preview == b""  # it was no WebP
    with pytest.raises(WorkerUnavailable, match="larger than"):
        await rig.fleet.finish_pictures(msgspec.structs.replace(asked, pictures=(bytes(MAX_WORD_BYTES),)))


async def test_a_worker_that_dies_on_its_host_is_the_jobs_crash(open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig()
    await rig.fleet.submit(1, 1, asking(request_, "fall"))
    end = await rig.end()
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.WORKER_DIED
    await rig.ready(1)


async def test_a_full_host_takes_no_more_and_a_cancelled_attempt_leaves_room(
    open_rig: OpenRig, request_: GenerationRequest
) -> None:
    rig = await open_rig(capacity=1)
    await rig.fleet.submit(1, 1, asking(request_, "wait"))
    assert rig.fleet.free_slots == 0
    with pytest.raises(WorkerUnavailable):
        await rig.fleet.submit(2, 1, request_)
    await rig.fleet.cancel(1, 1)
    assert await rig.end() == Failed(job_id=1, attempt=1, reason=FailureReason.CANCELLED)
    await rig.fleet.submit(2, 1, request_)
    assert (await rig.end()).job_id == 2


async def test_a_file_that_is_no_picture_is_not_believed(open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig()
    await rig.fleet.submit(1, 1, asking(request_, "fake"))
    end = await rig.end()
    assert isinstance(end, Failed)
    assert end.reason is FailureReason.INTERNAL
    assert "image/png" in end.detail


async def test_a_parcel_that_the_store_lost_is_put_there_again(
    open_rig: OpenRig, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await open_rig()
    lost: list[str] = []

    async def lose_the_first(streams: parcels.JetStreamContext, name: str, parcel: str) -> bytes:
        if not lost:
            lost.append(parcel)
            await parcels.discard(streams, name, parcel)
        return await parcels.fetch(streams, name, parcel)

    monkeypatch.setattr(arrivals, "fetch", lose_the_first)
    await rig.fleet.submit(1, 1, request_)
    assert isinstance(await rig.end(), Finished)
    assert lost


async def test_another_agent_with_the_same_line_waits(open_rig: OpenRig, request_: GenerationRequest) -> None:
    rig = await open_rig()
    (computer,) = rig.computers.values()
    (host,) = rig.fleet.hosts.values()
    assert host.presence.hello is not None
    other = msgspec.structs.replace(host.presence.hello, boot="other")
    answer = await host.hear_hello(other)
    assert isinstance(answer, Rejected)
    assert "invitation of its own" in answer.sentence
    await rig.fleet.submit(1, 1, asking(request_, "until go"))
    leaving = asyncio.create_task(computer.leave())
    await until(lambda: host.free_slots == 0)
    computer.finish("go")
    # What a leaving host draws, it ends.
    assert isinstance(await rig.end(), Finished)
    await leaving
    assert isinstance(await host.hear_hello(other), Welcome)


@pytest.mark.parametrize(
    ("oldest", "newest", "fits"),
    [
        (PROTOCOL_VERSION, PROTOCOL_VERSION, True),
        (OLDEST_PROTOCOL, PROTOCOL_VERSION + 1, True),
        (PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 2, False),
        (OLDEST_PROTOCOL - 2, OLDEST_PROTOCOL - 1, False),
    ],
)
async def test_a_host_of_another_protocol_gets_no_work(
    open_rig: OpenRig, oldest: int, newest: int, *, fits: bool
) -> None:
    rig = await open_rig(computers=0)
    rig.invite()
    rig.fleet.read_roster()
    (host,) = rig.fleet.hosts.values()
    hello = Hello(
        oldest=oldest, newest=newest, boot="a", easel="0.9", policy=None, state="starting", detail="", ready=None,
        running=(), done=(), is_leaving=False, knows=(),
    )  # fmt: skip
    assert isinstance(await host.hear_hello(hello), Welcome) is fits
    assert (host.status.state is WorkerState.UNUSABLE) is not fits
    assert ("update" in host.status.detail) is not fits


async def test_a_suspect_is_alone_on_its_host_and_not_in_the_fleet(
    open_rig: OpenRig, request_: GenerationRequest
) -> None:
    rig = await open_rig(computers=2)
    await rig.fleet.submit(1, 1, asking(request_, "until go"))
    await rig.fleet.submit(2, 1, asking(request_, "until go"), is_alone=True)
    await until(lambda: all(computer.drew for computer in rig.computers.values()))
    busy, lone = sorted(rig.computers.values(), key=lambda computer: computer.drew)
    # Only the other host has room, and the next job goes there.
    assert rig.fleet.free_slots == 1
    await rig.fleet.submit(3, 1, asking(request_, "until go"))
    await until(lambda: (busy.drew, lone.drew) == ([(1, 1), (3, 1)], [(2, 1)]))
    lone.finish("go")
    busy.finish("go")
    assert {(await rig.end()).job_id for _ in range(3)} == {1, 2, 3}


async def test_a_host_that_fails_job_after_job_rests_while_others_can_draw(
    open_rig: OpenRig, request_: GenerationRequest
) -> None:
    rig = await open_rig()
    (bad,) = rig.computers.values()
    for job in (1, 2, 3):
        await rig.fleet.submit(job, 1, asking(request_, "fake"))
        await rig.end()
    # Nobody else can draw: it goes on.
    assert rig.fleet.views[0].state == "resting"
    assert rig.fleet.open_models == {"pocket"}
    good = rig.invite(capacity=1)
    rig.fleet.read_roster()
    good.start()
    await rig.ready(2)
    await rig.fleet.submit(4, 1, asking(request_, "until go"))
    assert rig.fleet.open_models == set()
    with pytest.raises(WorkerUnavailable):
        await rig.fleet.submit(5, 1, request_)
    good.finish("go")
    assert (await rig.end()).job_id == 4
    assert good.drew == [(4, 1)]
    assert len(bad.drew) == 3


async def test_an_older_host_gets_no_word_of_which_it_would_ignore_a_part(
    open_rig: OpenRig, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "KNOWN_FIELDS", tuple({*agent.KNOWN_FIELDS} - {"GenerationRequest.guidance_rescale"}))
    rig = await open_rig()
    (older,) = rig.computers.values()
    await rig.fleet.submit(1, 1, request_)
    assert isinstance(await rig.end(), Finished)
    new = msgspec.structs.replace(request_, guidance_rescale=0.5)
    with pytest.raises(WorkerUnavailable, match=r"does not know GenerationRequest\.guidance_rescale; update"):
        await rig.fleet.submit(2, 1, new)
    monkeypatch.undo()
    newer = rig.invite()
    rig.fleet.read_roster()
    newer.start()
    await rig.ready(2)
    # The older one is first in the order, and the newer one draws it.
    await rig.fleet.submit(2, 1, new)
    assert isinstance(await rig.end(), Finished)
    assert (older.drew, newer.drew) == ([(1, 1)], [(2, 1)])


async def test_an_older_host_that_cannot_follow_the_owners_policy_is_told_to_be_updated(
    open_rig: OpenRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await open_rig()
    (host,) = rig.fleet.hosts.values()
    hello = host.presence.hello
    assert hello is not None
    assert hello.policy is not None
    policy = msgspec.structs.replace(hello.policy, preview_interval_s=7)
    monkeypatch.setattr(presence, "PROTOCOL_VERSION", PROTOCOL_VERSION + 1)
    await host.hear_hello(msgspec.structs.replace(hello, policy=policy))
    assert host.free_slots == 0
    assert host.status.state is WorkerState.UNUSABLE
    assert "update it" in host.status.detail


async def test_a_drawn_attempt_takes_no_slot_while_its_end_is_fetched(
    open_rig: OpenRig, request_: GenerationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = await open_rig(capacity=1)
    (host,) = rig.fleet.hosts.values()
    is_open = asyncio.Event()

    async def slowly(streams: parcels.JetStreamContext, name: str, parcel: str) -> bytes:
        await is_open.wait()
        return await parcels.fetch(streams, name, parcel)

    monkeypatch.setattr(arrivals, "fetch", slowly)
    await rig.fleet.submit(1, 1, request_)
    await until(lambda: host.free_slots == 1)
    await rig.fleet.submit(2, 1, request_)
    # Nor do ends pile up on the host: there are never more than it draws at once.
    await until(lambda: len(host._arrivals.coming) == 2)
    assert (host.free_slots, host.running) == (0, 0)
    is_open.set()
    assert {(await rig.end()).job_id for _ in range(2)} == {1, 2}
    assert host.free_slots == 1
