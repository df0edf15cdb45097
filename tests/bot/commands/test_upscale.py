"""The options of `/upscale`: only those that have an effect with the owner's catalogue."""

from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from bot.commands.upscale import make_upscale
from bot.interactions.services import Services
from config.catalogue import Catalogue
from pipeline.protocol.catalogue.networks import FaceSpec

FACES = FaceSpec(key="net", title="Net", path="net.safetensors", license="MIT")


@pytest.mark.parametrize("faces", [{}, {"net": FACES}])
def test_faces_is_an_option_only_where_something_repairs_them(catalogue: Catalogue, faces: dict[str, FaceSpec]) -> None:
    offering = msgspec.structs.replace(catalogue, faces=faces)
    command = make_upscale(cast("Services", SimpleNamespace(catalogue=offering)))
    choices = {each.name: [choice.value for choice in each.choices] for each in command.parameters}
    assert choices == {
        "image": [],
        "scale": [2, 4],
        "creative": ["off", "subtle", "strong"],
        "prompt": [],
        "upscaler": [*catalogue.upscalers],
        **({"faces": ["net"]} if faces else {}),
    }


def test_creative_is_an_option_only_where_a_model_draws_in_tiles(catalogue: Catalogue) -> None:
    bare = msgspec.structs.replace(catalogue.default, refine_strength=0.0)
    offering = msgspec.structs.replace(catalogue, models={bare.key: bare})
    command = make_upscale(cast("Services", SimpleNamespace(catalogue=offering)))
    assert [each.name for each in command.parameters] == ["image", "scale", "upscaler"]
    assert [each.required for each in command.parameters] == [True, False, False]
