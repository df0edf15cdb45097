"""Attempts and their events, over real child processes."""

import asyncio

import msgspec
import pytest

from pipeline.backends import questions
from pipeline.backends.base import Backend, WorkerState, WorkerUnavailable
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import Failed, Finished, Progress
from pipeline.protocol.wire.outputs import Rating
from pipeline.protocol.wire.settings import NO_CHECKING
from tests.pipeline.backends.conftest import Make


def asking(request: GenerationRequest, prompt: str) -> GenerationRequest:
    return msgspec.structs.replace(request, prompt=prompt)


async def test_a_job_reports_and_finishes(make: Make, request_: GenerationRequest) -> None:
    backend: Backend = make("good")
    await backend.start()
    ready = await backend.wait_ready(30)
    assert ready.models == ("pocket",)
    assert backend.status.state is WorkerState.READY
    assert backend.free_slots == 2
    await backend.submit(1, 1, request_)
    assert backend.free_slots == 1
    events = backend.events()
    assert isinstance(await anext(events), Progress)
    finished = await anext(events)
    assert isinstance(finished, Finished)
    assert finished.outputs[0].data == b"picture"
    assert backend.free_slots == 2


async def test_a_cancelled_attempt_says_so_once(make: Make, request_: GenerationRequest) -> None:
    backend = make("good")
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(1, 2, asking(request_, "wait"))
    await backend.cancel(1, 1)
    await backend.cancel(8, 1)
    await backend.cancel(1, 2)
    await backend.cancel(1, 2)
    assert await backend.terminals(1) == [Failed(job_id=1, attempt=2, reason=FailureReason.CANCELLED)]
    await backend.submit(2, 1, request_)
    (last,) = await backend.terminals(1)
    assert last.job_id == 2
    assert backend.waiting_events == 0


async def test_words_about_other_attempts_are_dropped(make: Make, request_: GenerationRequest) -> None:
    backend = make("stale")
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(5, 2, request_)
    event = await backend.next_event()
    assert isinstance(event, Finished)
    assert (event.job_id, event.attempt) == (5, 2)
    assert backend.waiting_events == 0


async def test_each_question_gets_its_own_answer(make: Make) -> None:
    backend = make("good")
    with pytest.raises(WorkerUnavailable):
        await backend.find_part(b"picture", "too early")
    await backend.start()
    await backend.wait_ready(30)
    found = await asyncio.gather(*(backend.find_part(b"picture", words) for words in ("hat", "cat", "bat")))
    assert [each.mask for each in found] == [b"hat", b"cat", b"bat"]
    assert backend.waiting_events == 0


async def test_pictures_are_rated_beside_other_questions(make: Make) -> None:
    backend = make("good")
    with pytest.raises(WorkerUnavailable):
        await backend.check([b"too early"], NO_CHECKING)
    await backend.start()
    await backend.wait_ready(30)
    part, checked = await asyncio.gather(
        backend.find_part(b"picture", "hat"), backend.check([b"harmless", b"sexual"], NO_CHECKING)
    )
    assert part.mask == b"hat"
    assert checked.ratings == (Rating.HARMLESS, Rating.SEXUAL)
    assert (await backend.check([b"odd"], NO_CHECKING)).detail == "It is odd."


async def test_a_check_of_pictures_ends_with_its_worker_or_its_time(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = make("good")
    await backend.start()
    await backend.wait_ready(30)
    with pytest.raises(WorkerUnavailable, match="exit code 3"):
        await backend.check([b"fall"], NO_CHECKING)
    await backend.wait_ready(30)
    monkeypatch.setattr(questions, "_CHECK_S", 0.1)
    with pytest.raises(WorkerUnavailable, match="did not answer"):
        await backend.check([b"wait"], NO_CHECKING)


async def test_a_question_ends_with_its_worker_or_its_time(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = make("good")
    await backend.start()
    await backend.wait_ready(30)
    waiting = asyncio.create_task(backend.find_part(b"picture", "wait"))
    with pytest.raises(WorkerUnavailable, match="exit code 3"):
        await backend.find_part(b"picture", "fall")
    with pytest.raises(WorkerUnavailable, match="exit code 3"):
        await waiting
    await backend.wait_ready(30)
    monkeypatch.setattr(questions, "_FIND_S", 0.1)
    with pytest.raises(WorkerUnavailable, match="did not answer"):
        await backend.find_part(b"picture", "wait")
    monkeypatch.undo()
    closing = asyncio.create_task(backend.find_part(b"picture", "wait"))
    await asyncio.sleep(0)
    await backend.close()
    with pytest.raises(WorkerUnavailable, match="stopped"):
        await closing


async def test_a_second_end_of_an_attempt_is_dropped(make: Make, request_: GenerationRequest) -> None:
    backend = make("double_terminal")
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(1, 1, request_)
    await backend.submit(2, 1, request_)
    # The second job's end comes behind every surplus word about the first.
    assert [(await backend.next_event()).job_id for _ in range(2)] == [1, 2]
    assert backend.waiting_events == 0


async def test_words_on_the_wire_come_before_the_loss(make: Make, request_: GenerationRequest) -> None:
    backend = make("killed_in_the_middle", backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(1, 1, request_)
    await backend.submit(2, 1, request_)
    first, second = await backend.terminals(2)
    assert isinstance(first, Finished)
    assert first.job_id == 1
    assert len(first.outputs[0].data) == 2_000_000
    assert isinstance(second, Failed)
    assert (second.job_id, second.reason) == (2, FailureReason.WORKER_DIED)
    assert "was killed (SIGKILL); the computer may have run out of memory" in second.detail
    await backend.until(lambda: "SIGKILL" in backend.status.detail)
    assert backend.free_slots == 0
    with pytest.raises(WorkerUnavailable, match="SIGKILL"):
        await backend.submit(3, 1, request_)
    assert backend.waiting_events == 0


async def test_every_running_attempt_fails_once_and_the_next_worker_takes_more(
    make: Make, request_: GenerationRequest
) -> None:
    backend = make("good")
    calls: list[WorkerState] = []
    backend.on_ready(lambda: calls.append(backend.status.state))
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(1, 1, asking(request_, "wait"))
    await backend.submit(2, 1, asking(request_, "fall"))
    failures = await backend.terminals(2)
    assert {(event.job_id, event.reason) for event in failures if isinstance(event, Failed)} == {
        (1, FailureReason.WORKER_DIED),
        (2, FailureReason.WORKER_DIED),
    }
    assert all("exit code 3" in event.detail for event in failures if isinstance(event, Failed))
    await backend.wait_ready(30)
    assert backend.free_slots == 2
    await backend.submit(1, 2, request_)
    (again,) = await backend.terminals(1)
    assert isinstance(again, Finished)
    assert again.attempt == 2
    assert backend.status.restarts == 1
    assert calls == [WorkerState.READY, WorkerState.READY]
    # What failed with the first worker does not fail again with the second.
    await backend.submit(3, 1, asking(request_, "fall"))
    assert [event.job_id for event in await backend.terminals(1)] == [3]
    await backend.wait_ready(30)
    assert backend.waiting_events == 0


async def test_an_engine_that_does_not_move_is_ended(make: Make, request_: GenerationRequest) -> None:
    backend = make("hung", backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(1, 1, request_)
    await backend.submit(2, 1, request_)
    first, second = await backend.terminals(2)
    assert isinstance(first, Finished)
    assert isinstance(second, Failed)
    assert (second.job_id, second.reason) == (2, FailureReason.WORKER_HUNG)
    assert second.detail == "The worker made no progress for 500 s while running."
    assert backend.waiting_events == 0


async def test_silence_is_noticed(make: Make, request_: GenerationRequest) -> None:
    backend = make("silent", heartbeat_s=0.4, backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(1, 1, request_)
    assert await backend.terminals(1) == [
        Failed(
            job_id=1,
            attempt=1,
            reason=FailureReason.WORKER_HUNG,
            detail="The worker was silent for 0.4 s.",
        )
    ]


async def test_a_worker_that_never_reads_its_jobs_is_ended(make: Make, request_: GenerationRequest) -> None:
    backend = make("deaf", step_s=0.5, backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    await backend.wait_ready(30)
    # More than the socket holds, so that the outbox waits as well.
    for job_id in range(1, 401):
        await backend.submit(job_id, 1, asking(request_, "x" * 2_000))
    failures = await backend.terminals(400)
    assert {(event.job_id, event.reason) for event in failures if isinstance(event, Failed)} == {
        (job_id, FailureReason.WORKER_HUNG) for job_id in range(1, 401)
    }
    assert isinstance(failures[0], Failed)
    assert failures[0].detail == "The worker was idle for 0.5 s though it had a job."
    assert backend.waiting_events == 0


async def test_garbage_ends_the_worker(make: Make, request_: GenerationRequest) -> None:
    backend = make("garbage", backoff_min_s=30, backoff_max_s=30)
    await backend.start()
    await backend.wait_ready(30)
    await backend.submit(1, 1, request_)
    (failed,) = await backend.terminals(1)
    assert isinstance(failed, Failed)
    assert failed.reason is FailureReason.WORKER_DIED
    assert "could not be understood" in failed.detail
