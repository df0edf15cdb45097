"""Where pictures come from: signed by the running bot, told by /verify, and kept from those who may not know."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import said, with_words

StartBot = Callable[..., BotProcess]


def easel(folder: Path, *arguments: str) -> None:
    """What the owner types while Easel is stopped."""
    environment = {**os.environ, "EASEL_STORAGE__DIRECTORY": str(folder / "data")}
    subprocess.run([sys.executable, "-m", "bot", *arguments], env=environment, check=True, capture_output=True)


async def asked(local: LocalDiscord, person: Any, data: bytes) -> str:
    return await said(await person.slash(local.channel, "verify", picture=("a.png", data)))


async def test_a_picture_is_signed_told_and_kept_from_those_elsewhere(
    local: LocalDiscord, start_bot: StartBot, tmp_path: Path
) -> None:
    (tmp_path / "passphrase").write_text("correct horse")
    easel(tmp_path, "provenance", "init", f"{tmp_path}/root.pem", "--passphrase-file", f"{tmp_path}/passphrase")
    bot = start_bot()
    await bot.start()
    await bot.wait_for_log("worker ready")
    await local.member.slash(local.channel, "imagine", prompt="a star", steps=2, seed=3)
    done = await local.wait_for_message(with_words("a star", "seed "), 90)
    data = await local.fetch_cdn(done["attachments"][0]["url"])

    here = await asked(local, local.friend, data)
    assert "Made here, and unchanged since." in here
    assert "a star" in here
    assert f"<@{local.member.user.id}>" in here
    assert "saved anew on its way" in await asked(local, local.friend, data + b"tail")
    lossy = io.BytesIO()
    Image.open(io.BytesIO(data)).convert("RGB").save(lossy, "JPEG", quality=60)
    assert "Looks like what was made here" in await asked(local, local.friend, lossy.getvalue())

    posted = await local.friend.send(local.channel, "look", attachments=[("a.png", data)])
    details = await said(await local.member.context_menu(local.channel, "Easel: details", posted))
    assert "Sampler:" in details
    assert "Made here, and unchanged since." in details

    user = local.member.user
    await user.slash("imagine", prompt="a secret star", steps=2, seed=4)
    sent = await local.wait_for_message(
        lambda message: "seed " in str(message["components"]), 90, channel=user.dm_channel, viewer=local.member
    )
    private = await local.fetch_cdn(sent["attachments"][0]["url"])
    told = await asked(local, local.friend, private)
    assert "Made here, and unchanged since." in told
    assert "Made by this Easel, elsewhere." in told
    assert "secret" not in told
    assert "a secret star" in await said(await user.slash("verify", picture=("a.png", private)))

    assert "cannot be read here" in await asked(local, local.friend, b"no picture")
    assert await bot.stop() == 0
    easel(tmp_path, "db", "forget", str(local.member.user.id))
    await bot.start()
    told = await asked(local, local.friend, data)
    assert "Made here, and unchanged since." in told
    assert "Made by this Easel, elsewhere." in told
    assert f"<@{local.member.user.id}>" not in told
    assert "Traceback" not in bot.log


async def test_a_member_asks_ten_times_a_minute(local: LocalDiscord, start_bot: StartBot) -> None:
    bot = start_bot()
    await bot.start()
    for _ in range(10):
        assert "as PNG, JPEG or WebP" in await asked(local, local.member, b"GIF89a" + bytes(20))
    assert "about 10 pictures a minute" in await asked(local, local.member, b"GIF89a" + bytes(20))
    assert "as PNG, JPEG or WebP" in await asked(local, local.friend, b"GIF89a" + bytes(20))
