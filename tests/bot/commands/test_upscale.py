"""The options of `/upscale`: faces only where the owner's catalogue lists a network for them."""

from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from bot.commands.upscale import make_upscale
from bot.interactions.services import Services
from config.catalogue import Catalogue
from pipeline.protocol.networks import FaceSpec

FACES = FaceSpec(key="net", title="Net", path="net.safetensors", license="MIT")


@pytest.mark.parametrize("faces", [{}, {"net": FACES}])
def test_faces_is_an_option_only_where_something_repairs_them(catalogue: Catalogue, faces: dict[str, FaceSpec]) -> None:
    offering = msgspec.structs.replace(catalogue, faces=faces)
    command = make_upscale(cast("Services", SimpleNamespace(catalogue=offering)))
    choices = {each.name: [choice.value for choice in each.choices] for each in command.parameters}
    upscalers = [*catalogue.upscalers]
    assert choices == {"image": [], "scale": [2, 4], "upscaler": upscalers, **({"faces": ["net"]} if faces else {})}
