"""Given pictures at the door: a sexual one is refused before anything is charged, and leaves no byte."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bot.errors import Refused
from bot.jobs.image_checking import CHECKED_LATER
from bot.presenting.refusal import sentence_of
from bot.safety.image_blocks import line_of
from bot.store.images import ImageStore
from bot.store.members.servers import ChannelRule, Content, Decision
from bot.store.rows.failures import JobFailure
from bot.store.rows.jobs import Job, JobOrder, JobStatus
from bot.store.rows.origin import Asker
from pipeline.backends import questions
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.requests import CutoutRequest, GenerationRequest, Request, UpscaleRequest
from tests.bot.jobs.conftest import House
from tests.example_jobs import example_origin

OpenHouse = Callable[..., Awaitable[House]]
LOOK = bytes(range(32))
BY = Decision(guild_id=1, actor_id=9, now=datetime(2026, 5, 1, tzinfo=UTC))
ASKER = Asker(guild_id=1, channel_id=2, user_id=7)


def order_of(request: Request, number: int = 900, **origin: Any) -> JobOrder:
    return JobOrder(origin=example_origin(ASKER, interaction_id=number, **origin), request=request, notices=())


def source_of(sha256: str) -> tuple[Input, ...]:
    return (Input(role=InputRole.SOURCE, sha256=sha256),)


async def accepted(house: House, order: JobOrder) -> Job:
    job, _ = await house.services.accepting.accept(order)
    return job


@pytest.fixture
def files(tmp_path: Path) -> ImageStore:
    return ImageStore(tmp_path / "inputs")


@pytest.fixture(params=["imagine", "blend", "edit", "upscale", "cutout"])
def make_request(request: pytest.FixtureRequest, request_: GenerationRequest) -> Callable[[str], Request]:
    """A request of every kind that is given a picture of this hash."""

    def drawn(*inputs: Input) -> Request:
        return msgspec.structs.replace(request_, inputs=inputs)

    return {
        "imagine": lambda sha256: drawn(Input(role=InputRole.INIT_IMAGE, sha256=sha256, strength=0.5)),
        "blend": lambda sha256: drawn(
            *(Input(role=InputRole.REFERENCE, sha256=sha256, network="adapter") for _ in range(2))
        ),
        "edit": lambda sha256: drawn(Input(role=InputRole.EDIT, sha256=sha256)),
        "upscale": lambda sha256: UpscaleRequest(
            scale=2, width=64, height=64, model_key="pocket", inputs=source_of(sha256)
        ),
        "cutout": lambda sha256: CutoutRequest(width=64, height=64, model_key="pocket", inputs=source_of(sha256)),
    }[request.param]


async def test_a_sexual_picture_is_refused_and_costs_nothing(
    open_house: OpenHouse, files: ImageStore, tmp_path: Path, make_request: Callable[[str], Request]
) -> None:
    house = await open_house()
    request = make_request(await files.save(b"sexual"))
    with pytest.raises(Refused) as refused:
        await accepted(house, order_of(request))
    assert "does not let pass the picture that you gave. Nothing was charged" in sentence_of(refused.value)
    assert await house.spent() == 0
    assert not [*(tmp_path / "inputs").rglob("*.png")]


async def test_a_harmless_picture_is_told_nothing_about(
    open_house: OpenHouse, files: ImageStore, request_: GenerationRequest
) -> None:
    house = await open_house()
    picture = Input(role=InputRole.INIT_IMAGE, sha256=await files.save(b"harmless"), strength=0.5)
    assert (await accepted(house, order_of(msgspec.structs.replace(request_, inputs=(picture,))))).notices == ()


async def test_a_refused_picture_that_an_older_job_names_stays(open_house: OpenHouse, files: ImageStore) -> None:
    house = await open_house()
    sha256 = await files.save(b"sexual")
    older = await house.ask(inputs=(sha256,))
    with pytest.raises(Refused):
        await accepted(house, order_of(older.request))
    assert await files.read(sha256) == b"sexual"


async def test_among_adults_and_without_a_check_nobody_asks(
    open_house: OpenHouse, files: ImageStore, request_: GenerationRequest
) -> None:
    request = msgspec.structs.replace(
        request_, inputs=(Input(role=InputRole.INIT_IMAGE, sha256=await files.save(b"sexual"), strength=0.5),)
    )
    house = await open_house()
    assert await accepted(house, order_of(request, is_age_restricted=True))
    house = await open_house(safety={"image_check": "off"})
    assert await accepted(house, order_of(request, 901))


@pytest.mark.parametrize(
    ("prompt", "rating", "values", "is_refused"),
    [
        ("a cat", "sexual", {}, True),
        ("a cat", "suggestive", {}, False),
        ("a cat", "blocked", {}, True),
        ("a cat", "blocked", {"is_age_restricted": True}, True),
        ("a child", "suggestive", {}, True),
        ("a child", "suggestive", {"is_age_restricted": True}, True),
        ("a child", "harmless", {}, False),
    ],
)
async def test_a_rating_is_refused_by_channel_prompt_and_list(
    open_house: OpenHouse,
    files: ImageStore,
    request_: GenerationRequest,
    prompt: str,
    rating: str,
    values: dict[str, bool],
    *,
    is_refused: bool,
) -> None:
    house = await open_house(safety={"image_check": "off"} if values else {})
    await house.services.image_blocks.block_look(BY, LOOK)
    picture = Input(role=InputRole.INIT_IMAGE, sha256=await files.save(rating.encode()), strength=0.5)
    order = order_of(msgspec.structs.replace(request_, prompt=prompt, inputs=(picture,)), **values)
    if is_refused:
        with pytest.raises(Refused, match="flagged-input"):
            await accepted(house, order)
        assert await house.spent() == 0
    else:
        assert await accepted(house, order)


async def test_a_strict_channel_and_its_threads_show_only_what_is_harmless_also_among_adults(
    open_house: OpenHouse, files: ImageStore, request_: GenerationRequest
) -> None:
    house = await open_house(safety={"image_check": "off"})
    house.work()
    await house.services.servers.set_channel(BY, 2, ChannelRule(content=Content.STRICT))
    suggestive = Input(role=InputRole.INIT_IMAGE, sha256=await files.save(b"suggestive"), strength=0.5)
    given = order_of(msgspec.structs.replace(request_, inputs=(suggestive,)), is_age_restricted=True)
    with pytest.raises(Refused, match="flagged-input"):
        await accepted(house, given)
    thread = msgspec.structs.replace(ASKER, channel_id=3, parent_channel_id=2)
    drawn = await house.until(await house.ask(asker=thread, is_age_restricted=True), JobStatus.SUCCEEDED)
    assert house.backend.checked == [(drawn.job_id, "strict")]


async def test_the_worker_is_told_what_is_hidden_and_what_the_owner_and_the_server_block(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    (tmp_path / "blocks.txt").write_text(f"{line_of(bytes(32))}\n")
    house = await open_house(safety={"image_blocks": tmp_path / "blocks.txt", "image_check": "off"})
    house.work()
    await house.until(await house.ask("a cat"), JobStatus.SUCCEEDED)
    guild = (await house.ask("a dog")).guild_id
    await house.services.image_blocks.block_look(msgspec.structs.replace(BY, guild_id=guild), LOOK)
    child = await house.until(await house.ask("a child"), JobStatus.SUCCEEDED)
    assert house.backend.checked == [(child.job_id, "strict")]
    assert house.backend.blocked[0] == (bytes(32),)
    assert house.backend.blocked[-1] == (bytes(32), LOOK)


async def test_what_the_hard_rule_hides_is_in_the_audit_log_without_its_words_and_its_pictures_go(
    open_house: OpenHouse, files: ImageStore, tmp_path: Path
) -> None:
    house = await open_house()
    house.work()
    usual, child = await files.save(b"usual"), await files.save(b"child")
    await house.until(await house.ask("flagged", inputs=(usual,)), JobStatus.FAILED)
    job = await house.until(await house.ask("a flagged child", inputs=(child,)), JobStatus.FAILED)
    assert {path.stem for path in (tmp_path / "inputs").rglob("*.png")} == {usual}
    assert job.failure == JobFailure.FLAGGED
    assert await house.spent() == 0
    rows = await house.services.servers.audit_log(job.guild_id, 10)
    assert [(row.action, row.subject, row.detail, row.actor_id) for row in rows] == [
        ("hard-rule", "", "minors", job.requester_id)
    ]


async def test_a_mask_is_not_checked(open_house: OpenHouse, files: ImageStore, request_: GenerationRequest) -> None:
    house = await open_house()
    inputs = (
        Input(role=InputRole.INIT_IMAGE, sha256=await files.save(b"harmless"), strength=0.5),
        Input(role=InputRole.MASK, sha256=await files.save(b"sexual")),
    )
    assert await accepted(house, order_of(msgspec.structs.replace(request_, inputs=inputs)))


@pytest.mark.parametrize("trouble", ["wait", "fall", "odd", "not started"])
async def test_a_worker_that_cannot_say_checks_at_the_job_s_start(
    open_house: OpenHouse,
    files: ImageStore,
    request_: GenerationRequest,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    monkeypatch.setattr(questions, "_CHECK_S", 0.1 if trouble == "wait" else 30)
    house = await open_house(is_awaited=trouble != "not started")
    picture = Input(role=InputRole.INIT_IMAGE, sha256=await files.save(trouble.encode()), strength=0.5)
    order = order_of(msgspec.structs.replace(request_, inputs=(picture,)))
    job = await accepted(house, order)
    assert job.notices == (CHECKED_LATER,)
    # Tried again when the worker can say it, the job does not repeat that.
    sha256 = await files.save(b"harmless")
    await house.backend.wait_ready(30)
    again = msgspec.structs.replace(picture, sha256=sha256)
    request = msgspec.structs.replace(request_, inputs=(again,))
    retried = msgspec.structs.replace(order_of(request, 901), notices=job.notices)
    assert (await accepted(house, retried)).notices == ()


async def test_a_picture_that_is_gone_is_told(open_house: OpenHouse, request_: GenerationRequest) -> None:
    house = await open_house()
    picture = Input(role=InputRole.INIT_IMAGE, sha256="ab" * 32, strength=0.5)
    with pytest.raises(Refused) as refused:
        await accepted(house, order_of(msgspec.structs.replace(request_, inputs=(picture,))))
    assert "is not kept here any more" in sentence_of(refused.value)
