"""A picture without its background: from the command to the file, and on the command line."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from bot.__main__ import app
from playground import LocalDiscord
from tests.end_to_end.conftest import BotProcess
from tests.end_to_end.test_pictures_in import rows, said, with_words
from tests.pipeline.engine.pixels.tiny_onnx import save_red
from tests.pipeline.engine.test_cutout_jobs import red_on_blue
from tests.pipeline.reading import files

ROOT = Path(__file__).parents[2]


@pytest.fixture
def with_cutouts(tmp_path: Path) -> Path:
    """The shipped catalogue with a network that finds what is red."""
    save_red(tmp_path / "red.onnx")
    shipped = (ROOT / "config" / "models.toml").read_text().replace("../models/", f"{ROOT}/models/")
    catalogue = tmp_path / "models.toml"
    entry = 'key = "red"\ntitle = "Red"\npath = "red.onnx"\nlicense = "MIT"\nfamily = "u2net"\n'
    catalogue.write_text(f"{shipped}\n[[cutouts]]\n{entry}")
    return catalogue


async def test_a_member_gets_a_picture_with_a_transparent_background(
    local: LocalDiscord, start_bot: Callable[..., BotProcess], with_cutouts: Path, tmp_path: Path
) -> None:
    bot = start_bot(EASEL_PIPELINE__CATALOGUE=str(with_cutouts), EASEL_PIPELINE__IMAGE_FORMAT="jpeg")
    await bot.start()
    await bot.wait_for_log("worker ready")
    picture = files.saved(red_on_blue(), "PNG")
    await local.member.slash(local.channel, "cutout", image=("a.png", picture))
    done = await local.wait_for_message(with_words("Cut out for", "80×60, background transparent"), 90)
    (attached,) = done["attachments"]
    assert attached["filename"].endswith(".png")
    opened = Image.open(io.BytesIO(await local.fetch_cdn(attached["url"])))
    assert (opened.mode, opened.size) == ("RGBA", (80, 60))
    assert (opened.getpixel((40, 30)), opened.getpixel((2, 2))) == ((220, 30, 30, 255), (0, 0, 0, 0))
    assert rows(tmp_path, "SELECT kind, width, height, seed FROM outputs") == [("cutout", 80, 60, None)]
    assert rows(tmp_path, "SELECT reserved FROM ledger WHERE kind = 'reserve'") == [(1,)]
    explained = await said(await local.friend.click(done, custom_id="easel:details:1"))
    assert "Background removed with Red (MIT)" in explained
    broken = await local.member.slash(local.channel, "cutout", image=("a.png", b"no picture"))
    assert "cannot be read here" in await said(broken)
    assert rows(tmp_path, "SELECT count(*) FROM jobs") == [(1,)]
    # The cutout is a picture like any other; what is transparent in it becomes white.
    await local.member.context_menu(local.channel, "Easel: upscale", done)
    await local.wait_for_message(with_words("80×60 → 320×240", "became white"), 90)
    assert "Traceback" not in bot.log


def test_the_command_line_refuses_what_would_lose_the_transparency_or_is_not_there(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    red_on_blue().save(picture)
    for out, sentence in (("b.jpg", "end"), ("b.png", "Nothing that makes a background transparent is offered here")):
        result = CliRunner().invoke(app, ["cutout", str(picture), "-o", str(tmp_path / out)])
        assert result.exit_code == 1
        assert sentence in result.output
    assert not (tmp_path / "b.png").exists()
