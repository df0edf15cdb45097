"""The image check in the real worker: what it hides reaches nobody and costs nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_cutout import with_cutouts as with_cutouts  # noqa: PLC0414 - a fixture, seen by these tests
from tests.end_to_end.test_pictures_in import rows, said
from tests.end_to_end.test_reports import cards, spoilers, word
from tests.pipeline.reading import files
from tests.safety_checkers import save_checker

StartBot = Callable[..., BotProcess]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


async def quota_of(local: LocalDiscord) -> str:
    """The first line of the member's quota."""
    answer = (await local.member.slash(local.channel, "quota")).response
    assert answer is not None
    return answer.content.splitlines()[0]


def pictures_in(folder: Path) -> list[Path]:
    """Files with a picture in them, whatever their names are: also the database, its log and the errors."""
    signs = (b"\x89PNG\r\n", b"WEBPVP8", b"JFIF")
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if any(sign in path.read_bytes() for sign in signs)]


async def test_what_is_flagged_reaches_nobody(local: LocalDiscord, start_bot: StartBot, tmp_path: Path) -> None:
    bot = start_bot(EASEL_PIPELINE__SAFETY_CHECKER=str(save_checker(tmp_path / "checker")))
    await bot.start()
    await local.member.slash(local.channel, "imagine", prompt="a red apple", steps=8, images=2)
    message = await local.wait_for_message(lambda message: "safety filter" in str(message["components"]), 90)
    assert "All 2 pictures were hidden by the safety filter." in str(message["components"])
    assert message["attachments"] == []
    assert pictures_in(tmp_path / "data") == []
    assert await quota_of(local) == "**50 of 50 left today.**"

    # Its member appeals. The card has no picture, since nobody kept one; moderators may have it drawn for themselves.
    assert "The safety filter took it for sexual." in str(message["components"])
    await local.admin.slash(local.channel, "admin channel", reports=local.lounge)
    appeal = {"custom_id": "easel:appeal:1"}
    assert "Only the person who asked for this can appeal" in await word(await local.friend.click(message, **appeal))
    assert "The moderators see the refusal" in await word(await local.member.click(message, **appeal))
    assert "have this refusal already" in await word(await local.member.click(message, **appeal))
    card = await cards(local, "**Appeal 1**")
    assert "||a red apple||" in str(card["components"])
    assert "took it for sexual" in str(card["components"])
    assert card["attachments"] == []
    assert "easel-case:except" not in str(card["components"])
    await local.admin.click(card, custom_id="easel-case:allow-once:1")
    told = await local.wait_for_message(lambda _: True, channel=local.member.user.dm_channel)
    assert "The moderators want to see the picture that was hidden" in told["content"]
    for number in (2, 3):  # once, and never again
        await local.member.slash(local.channel, "imagine", prompt="a red apple", steps=8)
        if number == 3:
            await local.wait_for_message(
                lambda found: "easel:appeal:3" in str(found["components"]) and not found["attachments"], 90
            )
            break
        held = await cards(local, "**Held 2**")
        assert held["attachments"]
        assert "since you appealed" in str(held["components"])
        blocked = await word(await local.admin.click(held, custom_id="easel-case:block-picture:2"))
        assert "Picture 1 is blocked" in blocked
        assert rows(tmp_path, "SELECT number, reason FROM image_blocks") == [(1, "Case 2")]
        await local.admin.click(held, custom_id="easel-case:show:2")
        await local.wait_for_message(lambda found: "||" not in str(found) and spoilers(found) == [True], 90)
    audit = await word(await local.admin.slash(local.channel, "admin audit"))
    assert f"allowed a refused prompt of <@{local.member.id}> once (case 1)" in audit


async def test_a_flagged_picture_is_refused_at_once_and_not_kept(
    local: LocalDiscord, start_bot: StartBot, with_cutouts: Path, tmp_path: Path
) -> None:
    bot = start_bot(
        EASEL_SAFETY__THRESHOLDS='{"sexual": 1e-9}',  # the shipped classifier calls every picture so
        EASEL_PIPELINE__CATALOGUE=str(with_cutouts),
    )
    await bot.start()
    await bot.wait_for_log("worker ready")
    picture = ("a.png", files.saved(files.colorful((256, 256)), "PNG"))
    posted = await local.friend.send(local.channel, "look", attachments=[picture])
    for asked in (
        await local.member.slash(local.channel, "imagine", prompt="a red apple", image=picture),
        await local.member.slash(local.channel, "upscale", image=picture),
        await local.member.slash(local.channel, "upscale", image=picture, creative="subtle", prompt="a star"),
        await local.member.slash(local.channel, "cutout", image=picture),
        await local.member.context_menu(local.channel, "Easel: upscale", posted),
    ):
        assert "does not let pass the picture that you gave. Nothing was charged" in await said(asked)
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(0,)]
    assert pictures_in(tmp_path / "data") == []
    assert await quota_of(local) == "**50 of 50 left today.**"


async def test_a_blocked_picture_is_neither_shown_again_nor_drawn_from(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot()
    await bot.start()
    request = {"prompt": "a red apple", "steps": 8, "seed": 5}
    await local.member.slash(local.channel, "imagine", **request)
    shown = await local.wait_for_message(lambda message: "seed 5" in str(message["components"]), 90)
    picture = ("a.png", await local.fetch_cdn(shown["attachments"][0]["url"]))
    (files_before,) = rows(tmp_path, "SELECT count(*) FROM outputs")[0]
    answer = await local.admin.slash(local.channel, "admin pictures block", picture=picture, reason="a real person")
    assert "Picture 1 is blocked" in await said(answer)
    refused = await local.member.slash(local.channel, "imagine", prompt="a star", image=picture)
    assert "does not let pass the picture that you gave" in await said(refused)
    await local.member.slash(local.channel, "imagine", **request)
    await local.wait_for_message(lambda message: "safety filter" in str(message["components"]), 90)
    assert rows(tmp_path, "SELECT count(*) FROM outputs") == [(files_before,)]
    assert await quota_of(local) == "**49 of 50 left today.**"
    listed = await said(await local.admin.slash(local.channel, "admin pictures list"))
    assert listed.startswith("1. blocked <t:")
    assert listed.endswith(": a real person")
    assert "no blocked picture 2" in await said(
        await local.admin.slash(local.channel, "admin pictures unblock", picture=2)
    )
    allowed = await local.admin.slash(local.channel, "admin pictures unblock", picture=1)
    assert "Picture 1 is allowed again." in await said(allowed)
    audit = await said(await local.admin.slash(local.channel, "admin audit"))
    assert "blocked a picture, number 1" in audit
    assert "allowed picture 1 again" in audit
    broken = await local.admin.slash(local.channel, "admin pictures block", picture=("a.png", b"no picture"))
    assert "cannot be read" in await said(broken)


async def test_a_checker_that_is_not_there_is_said_at_once(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_PIPELINE__SAFETY_CHECKER=str(tmp_path / "nothing"))
    await bot.spawn()
    await bot.wait_for_log("Set pipeline.safety_checker to another folder, or leave it out.")
    await local.wait_for_bot(60)
    refused = await local.member.slash(local.channel, "imagine", prompt="a red apple")
    assert refused.response is not None
    assert "Nothing can be drawn right now: There is no folder" in refused.response.content
