"""The options of `easel imagine` that draw a part of a picture anew."""

import asyncio
from pathlib import Path
from typing import Final

import msgspec
import pytest

from bot.cli.pictures import CannotDraw, PictureOptions, Pictures, read_pictures, redrawn, started
from bot.errors import Refused
from bot.presenting.refusal import sentence_of
from bot.requests.expanding import resolve_each
from bot.requests.given import GivenRequest
from bot.requests.options.takes import GivenPicture
from bot.requests.resolving import Resolved
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.protocol.capabilities import Capability
from pipeline.protocol.inputs import Input, InputRole
from tests.pipeline.reading import files

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


@pytest.mark.system
async def test_every_hostile_file_is_one_sentence_before_a_worker_starts(tmp_path: Path) -> None:
    hostile = {
        "bomb": files.raw_png((20_000, 20_000), pixels=b""),
        "below Pillow's own bound": files.raw_png((13_000, 13_000), pixels=b""),
        "one bit": files.raw_png((9_400, 9_400), depth=1, color=0, pixels=b""),
        "long text": files.raw_png(
            (64, 64), pixels=files.zeros(64 * 193), extra=files.chunk(b"zTXt", b"a\0\0" + files.zeros(10_000_000))
        ),
        "cut off": files.VALID["jpeg"][:300],
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' width='64' height='64'/>",
        "pdf": b"%PDF-1.7\n",
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n",
        "heic": files.heic(),
    }

    async def said(name: str, data: bytes) -> str:
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(Refused) as refused:
            await read_pictures(PictureOptions(image=path))
        return sentence_of(refused.value)

    sentences = dict(zip(hostile, await asyncio.gather(*(said(*item) for item in hostile.items())), strict=True))
    expected = {
        **dict.fromkeys(("bomb", "below Pillow's own bound", "one bit"), "40 million pixels"),
        **dict.fromkeys(("long text", "cut off"), "damaged or cut off"),
        **dict.fromkeys(("svg", "pdf", "eps"), "PNG, JPEG or WebP"),
        "heic": "HEIC",
    }
    assert {name: part for name, part in expected.items() if part not in sentences[name]} == {}, sentences


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
