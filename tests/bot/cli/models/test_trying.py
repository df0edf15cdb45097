"""The test picture after `easel models add`: offered, drawn by the worker if the owner wants it, and told otherwise."""

from pathlib import Path
from unittest.mock import create_autospec

import msgspec
import pytest

from bot.cli.imagine import draw
from bot.cli.models import trying
from bot.cli.models.failing import ModelsFailed
from bot.cli.models.trying import try_out
from bot.cli.pictures import CannotDraw
from config.catalogue import SHIPPED, Catalogue, load_catalogue
from config.settings import Settings
from pipeline.protocol.capabilities import Capability


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.chdir(tmp_path)
    return load_catalogue(SHIPPED, "pocket")


def test_the_owner_is_asked_and_gets_a_picture(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = create_autospec(draw)
    monkeypatch.setattr(trying, "draw", drawing)
    asked: list[str] = []
    said: list[str] = []
    out = try_out("pocket", Settings(), catalogue, agree=lambda question: not asked.append(question), say=said.append)
    assert (out, said) == (Path("pocket-test.png"), [])
    assert asked == ["Does it run? Draw a test picture into pocket-test.png?"]
    given, path = drawing.call_args.args
    assert (given.model_key, path) == ("pocket", out)
    drawing.side_effect = CannotDraw("no memory.")
    with pytest.raises(ModelsFailed, match=r"pocket stands in the catalogue, but drew no test picture: no memory\."):
        try_out("pocket", Settings(), catalogue, agree=lambda _: True, say=said.append)


@pytest.mark.parametrize("is_there", [False, True])
def test_otherwise_the_command_is_told(catalogue: Catalogue, *, is_there: bool) -> None:
    said: list[str] = []
    if is_there:
        Path("pocket-test.png").write_bytes(b"mine")
    for agree in (None, lambda _: is_there):
        assert try_out("pocket", Settings(), catalogue, agree=agree, say=said.append) is None
    assert said == ['Try it: easel imagine "a red apple on a wooden table" --model pocket -o pocket-test.png'] * 2
    lacking = msgspec.structs.replace(catalogue.default, lacks=(Capability.TEXT_TO_IMAGE,))
    edits = Catalogue(models={"pocket": lacking}, default_key="pocket")
    assert try_out("pocket", Settings(), edits, agree=lambda _: True, say=said.append) is None
    assert "--image photo.png --model pocket" in said[-1]
