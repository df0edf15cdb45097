"""`/history` and `/favourites`: a member finds their pictures anywhere, and the buttons work there."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import rows, said, with_words
from tests.end_to_end.test_privacy import pictures, until

StartBot = Callable[..., BotProcess]
Message = dict[str, Any]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]  # a busy machine loads libraries slowly


class Reader:
    """A person who looks at private pages in a channel."""

    def __init__(self, local: LocalDiscord, actor: Any, channel: Any, viewer: Any = None) -> None:
        self.local = local
        self.actor = actor
        self.channel = channel
        self.viewer = viewer or actor

    async def page(self, command: str, *words: str, **options: Any) -> Message:
        """Use a command, and read the page that has these words."""
        await self.actor.slash(self.channel, command, **options)
        return await self.shown(*words)

    async def shown(self, *words: str) -> Message:
        """The newest private message with these words."""
        return await self.local.wait_for_message(
            lambda found: bool(found["flags"] & 64) and with_words(*words)(found),
            60,
            viewer=self.viewer,
            channel=self.channel,
        )

    async def file_of(self, words: str) -> Message:
        """The newest private message with this sentence and a file."""
        return await self.local.wait_for_message(
            lambda found: words in found["content"] and bool(found["attachments"]),
            60,
            viewer=self.viewer,
            channel=self.channel,
        )


def buttons(message: Message) -> dict[str, str]:
    """Custom ids by label, of those that can be pressed."""
    parts, found = [*message["components"]], {}
    while parts:
        part = parts.pop()
        parts += part.get("components", ())
        if part.get("type") == 2 and not part.get("disabled"):
            found[part.get("label") or part["emoji"]["name"]] = part["custom_id"]
    return found


class Scene:
    """A member with a job of four pictures and one of a single picture, which a friend starred."""

    def __init__(self, local: LocalDiscord, folder: Path) -> None:
        self.local = local
        self.folder = folder
        self.here = Reader(local, local.member, local.channel)
        self.there = Reader(local, local.member, local.lounge)
        self.four: Message = {}
        self.alone: Message = {}
        self.first: Message = {}

    async def draw(self) -> None:
        """Draw the pictures."""
        member, studio = self.local.member, self.local.channel
        assert "Use /imagine" in str((await self.here.page("history", "kept here"))["components"])
        await member.slash(studio, "imagine", prompt="a star of four", steps=2, seed=7, images=4)
        self.four = await self.local.wait_for_message(with_words("a star of four", "seed "), 90)
        await member.slash(studio, "imagine", prompt="a red apple alone", steps=2, seed=7)
        self.alone = await self.local.wait_for_message(with_words("a red apple alone", "seed "), 90)
        await self.local.friend.click(self.alone, custom_id="easel:star:2")

    async def turn_pages(self) -> None:
        """The page in another channel has the newest four of five; the older one follows and goes back."""
        member, there = self.local.member, self.there
        first = await there.page("history", "a red apple alone")
        assert len(first["attachments"]) == 4
        assert "Newer" not in str(buttons(first))
        await member.click(first, custom_id=buttons(first)["Older ▶"])
        second = await there.shown("**1** · [#1]")
        assert (second["id"], len(second["attachments"])) == (first["id"], 1)
        await member.click(second, custom_id=buttons(second)["◀ Newer"])
        self.first = await there.shown("a red apple alone")
        assert not [found for found in self.local.messages(channel=self.local.lounge) if found["flags"] & 64]

    async def vary(self) -> None:
        """A variation of a picture of the page appears for all in this channel."""
        await self.local.member.click(self.first, custom_id="easel:vary-strong:1:1")
        child = await self.local.wait_for_message(with_words("a star of four", "seed "), 90, channel=self.local.lounge)
        assert f"/{self.four['id']})" not in str(child["components"]), "a link into this channel would lead nowhere"
        assert rows(self.folder, "SELECT parent_job_id, parent_image_index FROM jobs WHERE job_id = 3") == [(1, 1)]

    async def search(self) -> Message:
        """A search finds one picture, and its archive has that."""
        member, there = self.local.member, self.there
        searched = await there.page("history", "with “APPLE red”", words="APPLE  red", since="2026-01")
        assert len(searched["attachments"]) == 1
        await member.click(searched, custom_id=buttons(searched)["📦 ZIP"])
        archive = (await there.file_of("Here is the picture"))["attachments"][0]
        with zipfile.ZipFile(io.BytesIO(await self.local.fetch_cdn(archive["url"]))) as files:
            assert len(files.namelist()) == 1
        assert "No picture fits" in str((await there.page("history", "No picture fits", words="pear"))["components"])
        assert "no day that Easel can read" in await said(
            await member.slash(self.local.lounge, "history", until="soon")
        )
        return searched

    async def keep_anothers(self) -> None:
        """What a friend starred is among their favourites, and there only; they may not delete it."""
        friend = self.local.friend
        other = Reader(self.local, friend, self.local.lounge)
        assert "Use /imagine" in str((await other.page("history", "kept here"))["components"])
        favourite = await other.page("favourites", "a red apple alone")
        await friend.click(favourite, custom_id=buttons(favourite)["Open 1"])
        whole = await other.shown("a red apple alone", "Remix")
        assert "Only the person who asked" in await said(await friend.click(whole, custom_id="easel:delete:2"))

    async def delete(self, searched: Message) -> None:
        """The opened message has all of its buttons; deleting there deletes what everybody sees."""
        member = self.local.member
        await member.click(searched, custom_id=buttons(searched)["Open 1"])
        whole = await self.there.shown("a red apple alone", "Remix")
        assert {"Vary (subtle)", "Upscale", "Reroll", "⭐"} <= {*buttons(whole)}
        assert (await member.click(whole, label="Remix")).modal is not None
        kept = pictures(self.folder)
        await member.click(whole, custom_id="easel:delete:2")
        await until(lambda: self.alone["id"] not in [found["id"] for found in self.local.messages()])
        assert pictures(self.folder) == kept, "the friend's star keeps the file"

    async def come_back(self) -> None:
        """After a restart the old page works; in a direct message everything is there too."""
        member = self.local.member
        await member.click(self.first, custom_id=buttons(self.first)["Older ▶"])
        await self.there.shown("**1** · [#1]")
        await member.user.slash("history", words="star")
        direct = Reader(self.local, member.user, member.user.dm_channel, member)
        assert len((await direct.shown("a star of four"))["attachments"]) == 4

    async def forget(self) -> None:
        """What a member had deleted is found by nobody."""
        await self.local.member.slash(self.local.lounge, "privacy delete")
        asked = await self.there.shown("easel-privacy:everything")
        await self.local.member.click(asked, custom_id="easel-privacy:everything")
        await self.local.member.click(asked, custom_id="easel-privacy:sure-everything")
        await until(lambda: rows(self.folder, "SELECT count(*) FROM jobs WHERE requester_id > 0") == [(0,)])
        assert "kept here" in str((await self.there.page("history", "No finished picture"))["components"])


async def test_a_member_finds_pictures_anywhere_and_works_on(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_SAFETY__IMAGE_CHECK="off")
    await bot.start()
    await bot.wait_for_log("worker ready")
    scene = Scene(local, tmp_path)
    await scene.draw()
    await scene.turn_pages()
    await scene.vary()
    searched = await scene.search()
    await scene.keep_anothers()
    await scene.delete(searched)
    await bot.stop()
    bot = start_bot(EASEL_SAFETY__IMAGE_CHECK="off")
    await bot.start()
    await scene.come_back()
    await scene.forget()
    assert "Traceback" not in bot.log
