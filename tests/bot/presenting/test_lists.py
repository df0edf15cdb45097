"""`/queue`, `/quota`, and what admins read: everything fits, and nothing that somebody typed acts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from discord import ui

from bot.presenting import quota_message
from bot.presenting.admin import sentences
from bot.presenting.admin.status import status_lines
from bot.presenting.jobs import queue_message
from bot.presenting.jobs.job_message import Prospect
from bot.presenting.jobs.queue_message import MAX_SHOWN_JOBS, Place, ServerQueue
from bot.presenting.links import job_link
from bot.presenting.refusal import sentence_of
from bot.quotas.standing import Bonus, Obstacle, QueueState, Standing
from bot.store.members.servers import AuditRow
from bot.store.queue import Waiting
from bot.store.rows.jobs import Job, JobStatus
from bot.store.statistics import Recent
from config.areas.quotas import Period
from pipeline.backends.base import BackendStatus, WorkerState
from pipeline.protocol.requests import GenerationRequest
from tests.example_jobs import example_job, from_elsewhere

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NASTY = "@everyone **bold** [x](https://x.y) `code` <@1> ||s|| ```" * 40


def standing(**changes: Any) -> Standing:
    fields: dict[str, Any] = {
        "price": 1,
        "obstacle": None,
        "until": None,
        "limit": 10,
        "left": 7,
        "spent": 3,
        "in_flight": 2,
        "bonuses": (),
        "resets_at": NOW,
        "period": Period.DAY,
        "queued": 0,
        "reason": None,
    }
    return Standing(**(fields | changes))


@pytest.fixture
def job(request_: GenerationRequest) -> Job:
    return msgspec.structs.replace(example_job(request_), status=JobStatus.QUEUED, message_id=8)


def words_of(view: ui.LayoutView) -> str:
    return "\n".join(item.content for item in view.walk_children() if isinstance(item, ui.TextDisplay))


def test_my_queue_says_where_each_job_stands(job: Job) -> None:
    cancelling = msgspec.structs.replace(job, job_id=9, cancel_requested_by=42)
    running = msgspec.structs.replace(job, job_id=6, status=JobStatus.RUNNING)
    places = [
        Place(job=running, prospect=None),
        Place(job=job, prospect=Prospect(position=3, starts_at=NOW)),
        Place(job=cancelling, prospect=Prospect(position=4, starts_at=None)),
    ]
    server = ServerQueue(waiting=Waiting(queued=12, running=2, oldest_at=None), state=QueueState.PAUSED)
    view = queue_message.my_jobs(places, server, note="Done.")
    said = words_of(view)
    assert said.startswith("Done.\n")
    for words in ("Being drawn now", "<t:1777593600:R>", "12 waiting, 2 running", "https://discord.com/channels/5/6/8"):
        assert words in said
    buttons = [item for item in view.walk_children() if isinstance(item, ui.Button)]
    assert [(button.custom_id, button.disabled) for button in buttons] == [
        ("easel:cancel-mine:6", False),
        ("easel:cancel-mine:7", False),
        ("easel:cancel-mine:9", True),
    ]


def test_the_longest_queue_fits_and_its_prompts_do_nothing(job: Job) -> None:
    nasty = msgspec.structs.replace(job, request=msgspec.structs.replace(job.request, prompt=NASTY))
    places = [Place(job=nasty, prospect=Prospect(position=number, starts_at=NOW)) for number in range(100)]
    view = queue_message.my_jobs(places, None, kept=[nasty] * 3)
    assert view.total_children_count <= 40
    assert view.content_length() <= 4_000
    assert f"{100 - MAX_SHOWN_JOBS}" in words_of(view)
    assert "@everyone" not in words_of(view).replace("\\@everyone", "")


def test_a_quota_is_told_whole() -> None:
    bonuses = (Bonus(left=2, expires_at=NOW), Bonus(left=3, expires_at=None))
    said = quota_message.quota_lines(standing(bonuses=bonuses, obstacle=Obstacle.QUOTA, until=NOW))
    assert said.startswith("**7 of 10 left today.**")
    assert said.count("<t:1777593600:R>") == 3
    assert "In flight: 2." in said
    unlimited = quota_message.quota_lines(standing(limit=None, left=None))
    assert "<t:" not in unlimited


@pytest.mark.parametrize("prompt", [NASTY, "*" * 2_000, "a" * 2_000, "a" + "\\" * 1_999])
def test_a_refusal_fits_whatever_the_prompt_is(prompt: str) -> None:
    refused = quota_message.refusal(standing(obstacle=Obstacle.BLOCKED, reason=NASTY))
    sentence = sentence_of(refused, prompt)
    assert 1_990 <= len(sentence) <= 2_000
    body = sentence.removesuffix("…")
    assert (len(body) - len(body.rstrip("\\"))) % 2 == 0


@pytest.mark.parametrize("obstacle", Obstacle)
@pytest.mark.parametrize("until", [NOW, None])
def test_each_obstacle_has_a_sentence_that_says_what_to_do(obstacle: Obstacle, until: datetime | None) -> None:
    refused = quota_message.refusal(standing(obstacle=obstacle, until=until, reason=NASTY, price=4))
    sentence = sentence_of(refused, "a cat")
    assert sentence.endswith("Your prompt: a cat")
    assert "{" not in sentence
    assert "refused-" not in sentence
    assert len(sentence) <= 2_000
    assert "@everyone" not in sentence.replace("\\@everyone", "")


def test_a_long_audit_log_fits_and_says_how_much_is_missing() -> None:
    rows = [
        AuditRow(
            audit_id=number,
            actor_id=1,
            action="block",
            subject="<@2>",
            detail="for good",
            reason=NASTY,
            created_at=NOW - timedelta(minutes=number),
        )
        for number in range(50)
    ]
    said = sentences.audit(rows)
    assert len(said) <= 2_000
    shown = said.count("<t:")
    assert 0 < shown < 50
    assert str(50 - shown) in said.splitlines()[-1]
    assert "@everyone" not in said.replace("\\@everyone", "")


@pytest.mark.parametrize(("shown_in", "place"), [(5, "5"), (0, "@me")])
def test_a_link_leads_to_where_the_message_is_whosever_rules_hold(job: Job, shown_in: int, place: str) -> None:
    personal = from_elsewhere(job, asker=msgspec.structs.replace(job.origin.asker, guild_id=0), shown_guild_id=shown_in)
    assert job_link(personal) == f"[#7](https://discord.com/channels/{place}/6/8)"


@pytest.mark.parametrize(
    ("state", "detail", "lines"),
    [
        (WorkerState.STARTING, "The worker is starting.", ["The worker is starting."]),
        (WorkerState.STOPPED, "The worker was stopped.", ["The worker is stopped."]),
        (
            WorkerState.RESTARTING,
            "The worker ended with exit code 7.",
            ["The worker is being started again.", "The worker ended with exit code 7."],
        ),
        (
            WorkerState.UNUSABLE,
            "There is no CUDA device.",
            ["The worker is not able to work; the owner must mend it.", "There is no CUDA device."],
        ),
    ],
)
def test_the_status_says_what_the_worker_does_once(state: WorkerState, detail: str, lines: list[str]) -> None:
    status = BackendStatus(state=state, ready=None, rss_bytes=0, phase="idle", restarts=0, detail=detail)
    waiting = Waiting(queued=0, running=0, oldest_at=None)
    recent = Recent(ended=0, failed=0, wait_p50_s=None, wait_p95_s=None)
    said = status_lines(status, titles={}, waiting=waiting, recent=recent, version="1").replace("\\", "").split("\n")
    assert said[: said.index("Memory of the worker: 0.0 GiB")] == lines
    said = status_lines(status, titles={}, waiting=waiting, recent=recent, version="1", unsigned=3).split("\n")
    assert said[0] == "⚠️ 3 pictures went out unsigned since the start; the log says why."
