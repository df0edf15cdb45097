"""What is done when Discord's answer is lost, late, or a refusal: over real HTTP, with a real client."""

import msgspec
import pytest

from bot.calls import invalid_requests
from bot.calls.errors import (
    CallFailed,
    CallRefused,
    DiscordUnreachable,
    EditsHalted,
    InteractionLost,
    MessageGone,
    NotEditable,
    NotNow,
    NotPermitted,
    TooLarge,
)
from bot.presenting.jobs import job_message
from bot.presenting.jobs.job_message import Prospect
from bot.presenting.jobs.output_files import output_file_name
from tests.bot.calls.conftest import BOT_ROUTE, CALLBACK, TOKEN_ROUTE, Wire, saying
from tests.example_jobs import from_elsewhere

LOST = ["applied_status", "reset_after", "status", "reset_before"]


@pytest.mark.parametrize("kind", LOST)
async def test_an_answer_arrives_once_whatever_becomes_of_its_receipt(wire: Wire, kind: str) -> None:
    fault = wire.faults.add(kind=kind, method="POST", path=CALLBACK, status=502)
    message_id = await wire.calls.answer(await wire.interaction(), view=saying("first"))
    assert fault.hits == 1
    assert wire.texts() == ["first"]
    assert message_id == int(wire.local.messages()[0]["id"])


async def test_an_answer_that_takes_too_long_is_given_once(wire: Wire) -> None:
    wire.faults.add(kind="delay", method="POST", path=CALLBACK, delay_s=1.0)
    message_id = await wire.calls.answer(await wire.interaction(), view=saying("first"))
    assert (wire.texts(), message_id) == (["first"], int(wire.local.messages()[0]["id"]))


async def test_an_interaction_that_discord_no_longer_knows_is_lost(wire: Wire) -> None:
    wire.faults.add(kind="status", method="POST", path=CALLBACK, status=404, code=10062)
    with pytest.raises(InteractionLost):
        await wire.calls.answer(await wire.interaction(), view=saying("first"))
    assert wire.texts() == []


@pytest.mark.parametrize("kind", LOST)
async def test_a_press_is_acknowledged_once(wire: Wire, kind: str) -> None:
    wire.faults.add(kind=kind, method="POST", path=CALLBACK, status=502)
    interaction = await wire.interaction()
    await wire.calls.defer(interaction, is_private=True)
    await wire.calls.answer_privately(interaction, content="only you")
    assert wire.sent("/callback") == 2
    assert wire.sent("/webhooks/") == 1


async def test_the_answer_to_a_command_that_took_long_takes_the_place_of_its_acknowledgement(wire: Wire) -> None:
    interaction = await wire.interaction()
    await wire.calls.defer(interaction)
    message_id = await wire.calls.answer(interaction, view=saying("first"))
    assert wire.texts() == ["first"]
    assert message_id == int(wire.local.messages()[0]["id"])
    await wire.calls.answer_privately(interaction, content="only you")
    assert wire.texts()[-1:] == ["first"]


async def test_a_private_answer_to_a_command_that_took_long_leaves_nothing_that_others_see(wire: Wire) -> None:
    interaction = await wire.interaction()
    await wire.calls.defer(interaction)
    await wire.calls.answer_privately(interaction, content="only you")
    (asking,) = wire._asking
    told = [answer for answer in (await asking).followups if answer is not None]
    assert [(answer.content, answer.ephemeral) for answer in told] == [("only you", True)]
    assert [message for message in wire.local.messages() if message["author"].get("bot")] == []


async def test_a_followup_is_not_sent_twice_since_nothing_would_tell_them_apart(wire: Wire) -> None:
    interaction = await wire.interaction()
    await wire.calls.defer(interaction, is_private=True)
    fault = wire.faults.add(kind="reset_after", method="POST", path=TOKEN_ROUTE, times=None)
    with pytest.raises(DiscordUnreachable):
        await wire.calls.answer_privately(interaction, content="only you")
    assert fault.hits == 1


@pytest.mark.parametrize("kind", LOST)
async def test_an_edit_survives_a_broken_call(wire: Wire, kind: str) -> None:
    job = await wire.shown()
    fault = wire.faults.add(kind=kind, method="PATCH", path=TOKEN_ROUTE, status=503)
    await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert (fault.hits, wire.texts()) == (1, ["second"])
    assert not any(record.method == "PATCH" and "/channels/" in record.path for record in wire.local.requests)


@pytest.mark.parametrize(
    ("status", "code"), [(401, 50027), (404, 10015), (503, 0), (520, 0)], ids=["expired", "unknown", "503", "520"]
)
async def test_where_the_token_is_no_use_the_bot_edits_as_itself(wire: Wire, status: int, code: int) -> None:
    job = await wire.shown()
    wire.faults.add(kind="status", method="PATCH", path=TOKEN_ROUTE, times=None, status=status, code=code)
    await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert wire.texts() == ["second"]


@pytest.mark.parametrize("token_s", [900.0, -1.0])
async def test_after_the_end_of_the_connection_nothing_is_answered(wire: Wire, token_s: float) -> None:
    job = await wire.shown(token_s=token_s)
    await wire.client.close()
    with pytest.raises(DiscordUnreachable):
        await wire.calls.edit_message(job, saying("second"), [], is_last_word=True)


async def test_a_token_near_its_end_is_not_tried(wire: Wire) -> None:
    job = await wire.shown(token_s=59)
    fault = wire.faults.add(kind="delay", method="PATCH", path=TOKEN_ROUTE, times=None)
    await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert (fault.hits, wire.texts()) == (0, ["second"])


async def test_an_hour_of_rate_limit_is_not_slept_through(wire: Wire) -> None:
    job = await wire.shown()
    limit = wire.faults.add(kind="rate_limit", method="PATCH", path=TOKEN_ROUTE, times=None, retry_after_s=3_600)
    await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert (wire.texts(), limit.hits) == (["second"], 1)
    wire.faults.add(kind="rate_limit", method="PATCH", path=BOT_ROUTE, times=None, retry_after_s=3_600)
    with pytest.raises(DiscordUnreachable):
        await wire.calls.edit_message(job, saying("third"), None, is_last_word=True)


async def test_a_large_file_has_more_time(wire: Wire) -> None:
    job = await wire.shown(token_s=0)
    wire.faults.add(kind="delay", method="PATCH", path=BOT_ROUTE, times=None, delay_s=2.0)
    with pytest.raises(DiscordUnreachable):
        await wire.calls.edit_message(job, saying("small"), [("a.bin", b"")], is_last_word=True)
    await wire.calls.edit_message(job, saying("large"), [("a.bin", bytes(1 << 20))], is_last_word=True)
    assert wire.texts() == ["large"]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (404, 10008, MessageGone),
        (404, 10003, MessageGone),
        (404, 10004, MessageGone),
        (403, 50001, NotPermitted),
        (403, 50013, NotPermitted),
        (413, 0, TooLarge),
        (413, 40005, TooLarge),
        (400, 30046, NotEditable),
        (400, 50035, CallRefused),
        (401, 0, NotNow),
    ],
)
async def test_each_refusal_has_a_name_and_is_not_tried_again(
    wire: Wire, status: int, code: int, expected: type[CallFailed]
) -> None:
    job = await wire.shown(token_s=0)
    fault = wire.faults.add(kind="status", method="PATCH", path=BOT_ROUTE, times=None, status=status, code=code)
    with pytest.raises(CallFailed) as failed:
        await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert type(failed.value) is expected
    assert (failed.value.status, failed.value.code, fault.hits) == (status, code, 1)


async def test_who_brought_easel_along_is_notified_where_the_bot_may_not_write(wire: Wire) -> None:
    away = wire.faults.add(kind="status", method="POST", path=BOT_ROUTE, times=None, status=403, code=50001)
    job = await wire.shown(shown_guild_id=77)
    await wire.calls.notify(job, "it is done")
    assert away.hits == 0
    assert "it is done" in [message["content"] for message in wire.local.messages()]
    with pytest.raises(NotPermitted):
        await wire.calls.notify(await wire.shown(), "it is done")


async def test_what_only_its_member_sees_is_not_taken_for_deleted(wire: Wire) -> None:
    for shown_guild_id, error in ((77, NotPermitted), (5, MessageGone)):
        wire.faults.add(kind="status", method="PATCH", path=BOT_ROUTE, status=404, code=10008)
        job = await wire.shown(token_s=0, shown_guild_id=shown_guild_id)
        with pytest.raises(error):
            await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    # After a restart too it is not known to be gone, so that its job is drawn and handed over.
    wire.faults.add(kind="status", method="GET", path=BOT_ROUTE, times=2, status=404, code=10008)
    assert not await wire.calls.message_exists(await wire.shown(token_s=0))
    with pytest.raises(NotPermitted):
        await wire.calls.message_exists(await wire.shown(token_s=0, shown_guild_id=77))


@pytest.mark.parametrize("kind", LOST)
async def test_a_new_message_is_posted_once_whatever_becomes_of_its_receipt(wire: Wire, kind: str) -> None:
    job = await wire.shown()
    wire.faults.add(kind=kind, method="POST", path=BOT_ROUTE, times=2, status=502)
    message_id = await wire.calls.post_message(job, saying("again"), [("a.txt", b"file")])
    assert wire.texts() == ["again", "first"]
    assert message_id == int(wire.local.messages()[0]["id"])


@pytest.mark.parametrize("token_s", [900.0, 0.0], ids=["by token", "as the bot"])
async def test_what_discord_shows_is_found(wire: Wire, token_s: float) -> None:
    job = await wire.shown(token_s=token_s)
    name = output_file_name(job, 0, "png")
    assert await wire.calls.message_exists(job)
    assert await wire.calls.find_delivered(job) is None
    await wire.calls.edit_message(job, saying("done"), [(name, b"picture")], is_last_word=True)
    assert await wire.calls.find_delivered(job) == job.message_id
    assert await wire.calls.find_delivered(msgspec.structs.replace(job, timeline=job.timeline + 1)) is None
    (message,) = wire.local.messages()
    await wire.local.admin.delete(message)
    assert not await wire.calls.message_exists(job)
    assert await wire.calls.find_delivered(job) is None


async def test_an_answer_is_found_and_so_is_that_there_is_none(wire: Wire) -> None:
    interaction = await wire.interaction()
    job = await wire.job(interaction, message_id=None)
    assert await wire.calls.find_answer(job) is None
    view = job_message.queued(job, Prospect(position=1, starts_at=None))
    message_id = await wire.calls.answer(interaction, view=view)
    assert await wire.calls.find_answer(job) == message_id
    over = from_elsewhere(job, token_expires_at=job.created_at)
    assert await wire.calls.find_answer(over) == message_id
    for found in (job, over):
        # Another bot with our token, or a timeline that a restore ended, may have used the same number.
        assert await wire.calls.find_answer(msgspec.structs.replace(found, timeline=job.timeline + 1)) is None
    wire.faults.add(kind="status", method="GET", path=TOKEN_ROUTE, times=None, status=503)
    with pytest.raises(DiscordUnreachable):
        await wire.calls.find_answer(job)


async def test_many_invalid_requests_spare_what_can_be_spared_and_then_stop(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invalid_requests, "SPARE_AFTER", 3)
    monkeypatch.setattr(invalid_requests, "STOP_AFTER", 5)
    job = await wire.shown(token_s=0)
    fault = wire.faults.add(kind="status", method="PATCH", path=BOT_ROUTE, times=None, status=403, code=50013)
    for _ in range(3):
        with pytest.raises(NotPermitted):
            await wire.calls.edit_message(job, saying("second"), None, is_last_word=False)
    with pytest.raises(EditsHalted):
        await wire.calls.edit_message(job, saying("second"), None, is_last_word=False)
    for _ in range(2):
        with pytest.raises(NotPermitted):
            await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    with pytest.raises(DiscordUnreachable, match="Too many of our requests were invalid"):
        await wire.calls.edit_message(job, saying("second"), None, is_last_word=True)
    assert (fault.hits, wire.watch.invalid.count) == (5, 5)


async def test_a_message_beside_an_answer_is_public_sent_once_and_found_by_what_it_is_about(wire: Wire) -> None:
    interaction = await wire.interaction()
    await wire.calls.answer(interaction, view=saying("the answer"), ephemeral=True)
    job = from_elsewhere(await wire.job(interaction, message_id=None), interaction_id=-100)
    assert await wire.calls.find_answer(job) is None
    view = job_message.queued(job, Prospect(position=1, starts_at=None))
    message_id = await wire.calls.post_beside(interaction, view)
    assert wire.local.messages()[0]["id"] == str(message_id)
    assert await wire.calls.find_answer(job) == message_id
    await wire.calls.edit_message(
        msgspec.structs.replace(job, message_id=message_id), saying("edited"), None, is_last_word=True
    )
    assert wire.texts()[0] == "edited"
    wire.faults.add(kind="reset_after", method="POST", path=TOKEN_ROUTE)
    before = wire.sent("/webhooks/")
    with pytest.raises(DiscordUnreachable):
        await wire.calls.post_beside(interaction, saying("another"))
    assert wire.sent("/webhooks/") == before + 1
