"""Which worker gets a job: what its record says of its speed, its failures and its rest."""

import itertools
import math

import msgspec
import pytest

from pipeline.backends.base import BackendStatus, HostView, WorkerState
from pipeline.backends.hosts.merging import merged_status
from pipeline.backends.hosts.placement import Candidate, best
from pipeline.backends.hosts.record import FAILURES, LAG, REST_S, Record
from pipeline.backends.hosts.records import Records
from pipeline.protocol.errors import FailureReason
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.messages import PROTOCOL_VERSION, Failed, Finished, Ready
from pipeline.protocol.wire.outputs import Recipe

READY = Ready(
    protocol_version=PROTOCOL_VERSION, device="cpu", device_name="", dtype="float32", vram_bytes=0,
    models=("pocket", "other"), missing={}, capacity=4, versions={},
)  # fmt: skip


class Worker:
    """A record and a clock."""

    def __init__(self, request: GenerationRequest) -> None:
        self.now_s = 0.0
        self.request = request
        self.record = Record("pocket", lambda: self.now_s)
        self._jobs = 0

    def draw(self, seconds: float) -> None:
        self._jobs += 1
        self.record.begin((self._jobs, 1), self.request)
        self.record.end(
            Finished(job_id=self._jobs, attempt=1, outputs=(), notices=(), denoise_s=0, total_s=seconds)
        )  # fmt: skip

    def fail(self, reason: FailureReason = FailureReason.INTERNAL, job: int = 0) -> None:
        self._jobs += 1
        key = (job or 100 + self._jobs, 1)
        self.record.begin(key, self.request)
        self.record.end(Failed(job_id=key[0], attempt=1, reason=reason))


@pytest.fixture
def worker(request_: GenerationRequest) -> Worker:
    return Worker(request_)


def test_a_worker_that_fails_several_jobs_in_a_row_rests_and_is_tried_with_one(worker: Worker) -> None:
    for _ in range(FAILURES - 1):
        worker.fail()
    worker.draw(1)
    for _ in range(FAILURES - 1):
        worker.fail()
        worker.fail(FailureReason.CANCELLED)
    assert not worker.record.is_resting
    worker.fail()
    assert worker.record.is_resting
    assert f"{FAILURES} jobs" in worker.record.why
    worker.now_s += REST_S
    assert not worker.record.is_resting
    worker.record.begin((1, 2), worker.request)
    assert worker.record.is_resting  # one is enough to try it
    worker.record.end(Failed(job_id=1, attempt=2, reason=FailureReason.INTERNAL))
    assert worker.record.is_resting
    worker.now_s += REST_S
    worker.draw(1)
    assert not worker.record.is_resting
    assert not worker.record.why


def test_one_job_that_fails_again_and_again_is_not_the_workers_fault(worker: Worker) -> None:
    for _ in range(2 * FAILURES):
        worker.fail(job=1)
    assert not worker.record.is_resting


def test_a_lost_host_failed_once_however_much_it_drew(worker: Worker) -> None:
    for loss in range(FAILURES):
        assert not worker.record.is_resting
        keys = [(10 * loss + job, 1) for job in range(1, 5)]
        for key in keys:
            worker.record.begin(key, worker.request)
        for job, attempt in keys:
            worker.record.end(Failed(job_id=job, attempt=attempt, reason=FailureReason.HOST_LOST))
    assert worker.record.is_resting


def test_a_worker_that_suddenly_lags_rests_and_its_new_pace_counts_then(worker: Worker) -> None:
    for _ in range(6):
        worker.draw(2)
    worker.draw(2 * LAG + 1)
    worker.draw(2)
    for _ in range(3):
        assert not worker.record.is_resting
        worker.draw(2 * LAG + 1)
    assert worker.record.is_resting
    worker.now_s += REST_S
    for _ in range(9):
        worker.draw(2 * LAG + 1)
        assert not worker.record.is_resting
    assert worker.record.usual_s(worker.request) == 2 * LAG + 1


def test_the_usual_time_follows_the_work_and_the_model(worker: Worker) -> None:
    worker.draw(2)
    twice = msgspec.structs.replace(worker.request, num_images=2)
    assert worker.record.usual_s(twice) == 4
    assert worker.record.usual_s(msgspec.structs.replace(worker.request, model_key="other")) == 0


def test_what_a_host_says_of_its_time_breaks_nothing(worker: Worker) -> None:
    worker.draw(math.nan)
    worker.request = msgspec.structs.replace(worker.request, num_inference_steps=0)
    worker.draw(-1)
    assert worker.record.usual_s(worker.request) == 0


def candidate(name: str, **facts: float) -> Candidate:
    return msgspec.convert({"name": name, "ready": READY, "free": 4, **facts}, Candidate)


def test_the_loaded_worker_that_ends_it_soonest_gets_a_job(request_: GenerationRequest) -> None:
    def chosen(*candidates: Candidate) -> str:
        found = best(candidates, request_)
        assert found is not None
        return found.name

    assert chosen(candidate("idle"), candidate("loaded", is_loaded=True, free=1)) == "loaded"
    assert chosen(candidate("slow", usual_s=9), candidate("fast", usual_s=2, free=2)) == "fast"
    assert chosen(candidate("slow", usual_s=3), candidate("fast", usual_s=2, free=2)) == "slow"
    assert chosen(candidate("others", free=2), candidate("company", free=2, same_model=2)) == "company"
    assert chosen(candidate("company", free=1, same_model=3), candidate("idle")) == "idle"
    assert chosen(candidate("known", usual_s=2), candidate("new")) == "new"


def test_a_resting_worker_draws_only_what_no_other_can(request_: GenerationRequest) -> None:
    resting = candidate("resting", is_resting=True)
    found = best([resting, candidate("full", free=0)], request_)
    assert found is None
    other = msgspec.structs.replace(READY, models=("other",))
    found = best([resting, msgspec.structs.replace(candidate("unable"), ready=other)], request_)
    assert found is resting


def test_a_model_that_only_an_absent_host_has_is_not_missing() -> None:
    ready = msgspec.structs.replace(READY, models=("pocket",), missing={"big": "", "odd": ""})
    here = BackendStatus(state=WorkerState.READY, ready=ready, rss_bytes=0, phase="idle", restarts=0, detail="")
    away = msgspec.structs.replace(
        here, state=WorkerState.RESTARTING, ready=msgspec.structs.replace(READY, models=("big",))
    )
    merged = merged_status([here, away]).ready
    assert merged is not None
    assert merged.missing == {"odd": ""}
    assert merged.models == ("pocket",)


async def test_weights_that_others_have_otherwise_are_told_until_they_are_the_same(
    request_: GenerationRequest,
) -> None:
    records = Records("pocket", lambda: None)
    view = HostView(
        name="attic", state="ready", detail="", running=0, capacity=4, device="", models=(), easel=""
    )  # fmt: skip
    jobs = itertools.count(1)

    def draw(name: str, digest: str) -> None:
        recipe = Recipe(
            model_hash=digest, loras={"ink": "0000000000"}, scheduler="", rows=(1,), device="", dtype="", versions={}
        )
        job = next(jobs)
        records.of(name).begin((job, 1), request_)
        records.note(
            name,
            Finished(job_id=job, attempt=1, outputs=(), notices=(), denoise_s=1, total_s=1, recipe=recipe),
        )

    for name in ("", "attic", "cellar"):
        records.join(name)
    draw("", "")  # its files could not be read
    draw("attic", "aaaaaaaaaa")
    assert records.shown(view).detail == ""
    draw("cellar", "aaaaaaaaaa")
    assert records.shown(view).detail == ""
    draw("cellar", "bbbbbbbbbb")
    assert "pocket (aaaaaaaaaa) are not those of the host cellar (bbbbbbbbbb)" in records.shown(view).detail
    draw("cellar", "aaaaaaaaaa")
    draw("", "bbbbbbbbbb")
    assert "not those of the bot's own computer" in records.shown(view).detail
    records.leave("")
    assert records.shown(view).detail == ""
