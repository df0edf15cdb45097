"""The options of `easel imagine` that draw a part of a picture anew."""

from pathlib import Path
from typing import Final

import msgspec
import pytest

from bot.cli.pictures import CannotDraw, PictureOptions, Pictures, redrawn, started
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.requests.resolving import Resolved
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.inputs import Input, InputRole

PHOTO: Final = GivenPicture(sha256="ab", sides=(64, 64))
EDITS: Final = frozenset({Capability.EDIT, Capability.TEXT_TO_IMAGE})


@pytest.fixture
def kontext(catalogue: Catalogue) -> Catalogue:
    """A whole pipeline that edits pictures, as a worker found it: it has no img2img twin, but an inpainting one."""
    lacks = tuple(each for each in Capability if each not in EDITS | {Capability.MASK})
    spec = msgspec.structs.replace(catalogue.default, key="kontext", family="pipeline", samplers=(), lacks=lacks)
    return Catalogue(models={spec.key: spec}, default_key=spec.key)


async def drawn(
    catalogue: Catalogue, settings: Settings, options: PictureOptions, strength: float | None = None
) -> Resolved:
    pictures = Pictures(image=PHOTO, mask="cd" if options.mask else None)
    begun = started(GivenRequest(prompt="a star", strength=strength), pictures, options)
    (resolved,) = await resolve_each(begun, settings=settings, catalogue=catalogue)
    return redrawn(resolved, pictures, options, catalogue.default, settings.limits, begun.strength)


@pytest.mark.parametrize(
    ("options", "strength"),
    [
        (PictureOptions(mask=Path("mask.png")), 0.75),
        (PictureOptions(zoom=2.0), 1.0),
        (PictureOptions(pan="left"), 1.0),
    ],
)
async def test_a_pipeline_that_edits_draws_a_part_anew(
    kontext: Catalogue, settings: Settings, options: PictureOptions, strength: float
) -> None:
    resolved = await drawn(kontext, settings, options)
    start = Input(role=InputRole.INIT_IMAGE, sha256=PHOTO.sha256, strength=strength)
    assert resolved.request.init_image == start
    assert not resolved.request.edits
    assert resolved.request.inpaint is not None
    assert resolved.notices == ()
    assert (resolved.request.mask is None) == (options.mask is None)


async def test_a_typed_strength_counts_and_without_a_part_the_picture_is_edited(
    kontext: Catalogue, settings: Settings
) -> None:
    resolved = await drawn(kontext, settings, PictureOptions(zoom=2.0), strength=0.6)
    assert resolved.request.init_image is not None
    assert resolved.request.init_image.strength == 0.6
    assert (await drawn(kontext, settings, PictureOptions())).request.edits


async def test_a_pipeline_without_an_inpainting_twin_refuses(kontext: Catalogue, settings: Settings) -> None:
    lacks = (*kontext.default.lacks, Capability.MASK)
    spec = msgspec.structs.replace(kontext.default, lacks=lacks)
    only = Catalogue(models={spec.key: spec}, default_key=spec.key)
    with pytest.raises(CannotDraw, match="draws no part of a picture anew"):
        await drawn(only, settings, PictureOptions(zoom=2.0))
