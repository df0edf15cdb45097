"""From the owner's settings to the first word to a worker."""

from pathlib import Path

import pytest

from bot.configure import make_configure
from config.catalogue import Catalogue
from config.loading import load_settings
from pipeline.protocol.wire.settings import ImageOutput


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("[pipeline]\n", ImageOutput(image_format="png", quality=90, has_parameters=True)),
        (
            '[pipeline]\nimage_format = "webp"\nimage_quality = 70\nmetadata = "none"\n',
            ImageOutput(image_format="webp", quality=70, has_parameters=False),
        ),
        ('[provenance]\nvisible_label = "corner"\n', ImageOutput(has_label=True)),
    ],
)
def test_the_owner_says_how_pictures_are_written(
    tmp_path: Path, catalogue: Catalogue, text: str, output: ImageOutput
) -> None:
    file = tmp_path / "easel.toml"
    file.write_text(text)
    assert make_configure(load_settings(file), catalogue).options.output == output
