"""What `easel imagine` says when the worker misses something."""

from pathlib import Path

import msgspec
import pytest
from PIL import Image

from bot.cli.imagine import draw
from bot.cli.pictures import CannotDraw, PictureOptions
from bot.requests.given import GivenRequest
from config.catalogue import Catalogue
from config.settings import Settings, StorageSettings
from tests.control_nets import CANNY


@pytest.mark.system
async def test_a_control_net_whose_files_are_missing_is_named(
    settings: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    able = msgspec.structs.replace(catalogue.default, lacks=())
    guided = Catalogue(models={able.key: able}, default_key=able.key, controls={CANNY.key: CANNY})
    picture = tmp_path / "photo.png"
    Image.new("RGB", (256, 256), "red").save(picture)
    with pytest.raises(CannotDraw, match=r"Lines.*/nets/canny"):
        await draw(
            GivenRequest(prompt="a star", use="lines"),
            tmp_path / "star.png",
            options=PictureOptions(image=picture),
            settings=settings.model_copy(update={"storage": StorageSettings(directory=tmp_path)}),
            catalogue=guided,
        )
