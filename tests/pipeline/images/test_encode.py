"""Files of finished pictures: valid, exact where they promise it, and read by others."""

import io
import struct
from typing import Any

import msgspec
import numpy as np
import pytest
from matplotlib import cbook
from PIL import Image, ImageChops
from sd_parsers import ParserManager
from sd_parsers.data import PromptInfo

from pipeline.images.encode import encode, encode_cutout, encode_rows
from pipeline.images.fingerprint import fingerprint
from pipeline.images.parameters import parameters_text
from pipeline.images.png import png_bytes
from pipeline.protocol.inputs import Input, InputRole
from pipeline.protocol.provenance.fingerprints import ALIKE_BITS
from pipeline.protocol.provenance.source_types import COMPOSITE, GENERATED, source_type_of
from pipeline.protocol.requests import GenerationRequest
from pipeline.protocol.wire.settings import ImageFormat, ImageOutput
from tests.picture_files import parameters_in

FORMATS: tuple[ImageFormat, ...] = ("png", "webp", "jpeg")
REQUEST = GenerationRequest(
    model_key="pocket",
    prompt="a cat, on a mat\nin the sun",
    negative_prompt="dogs",
    num_inference_steps=12,
    guidance_scale=6.5,
    scheduler_name="DPM++ 2M Karras",
    seed=7,
    width=64,
    height=48,
    num_images=1,
)


def noise(width: int, height: int) -> Image.Image:
    numbers = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(numbers)


def photo() -> Image.Image:
    """One that matplotlib ships."""
    path = str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    with Image.open(path) as picture:
        return picture.convert("RGB")


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def written(picture: Image.Image, parameters: str, **output: Any) -> bytes:
    return encode(picture, parameters, ImageOutput(**output), index=0, seed=7).data


def judged(data: bytes) -> PromptInfo:
    """What an outside reader of A1111's files finds."""
    found = ParserManager().parse(opened(data))
    assert found is not None
    return found


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (3, 5), (64, 48), (257, 130)])
def test_a_png_has_every_pixel_and_every_checksum(size: tuple[int, int]) -> None:
    for picture in (noise(*size), Image.new("RGB", size, (7, 200, 255))):
        data = png_bytes(picture, "a cat")
        opened(data).verify()
        assert opened(data).mode == "RGB"
        assert opened(data).tobytes() == picture.tobytes()


def test_a_png_of_a_photo_is_little_larger_than_pillow_makes_it() -> None:
    pillow = io.BytesIO()
    photo().save(pillow, "PNG")
    assert len(png_bytes(photo(), "")) < 1.2 * len(pillow.getvalue())


@pytest.mark.parametrize(("words", "kind"), [("a cat ü", b"tEXt"), ("猫 🐈", b"iTXt")])
def test_one_chunk_of_text_comes_before_the_pixels(words: str, kind: bytes) -> None:
    data = png_bytes(noise(8, 8), words)
    assert [name for name, _ in chunks(data)] == [b"IHDR", kind, b"IDAT", b"IEND"]
    assert opened(data).info == {"parameters": words}


def test_pictures_that_are_not_rgb_are_refused() -> None:
    with pytest.raises(ValueError, match="not RGBA"):
        png_bytes(Image.new("RGBA", (8, 8)), "")


@pytest.mark.parametrize("image_format", FORMATS)
def test_every_format_says_how_it_was_made(image_format: ImageFormat) -> None:
    words = "a cat ü 猫 🐈\nSteps: 4"
    image = encode(photo(), words, ImageOutput(image_format=image_format), index=2, seed=7)
    assert image.media_type == f"image/{image_format}"
    assert (image.index, image.seed, image.width, image.height) == (2, 7, *photo().size)
    assert opened(image.data).format == image_format.upper()
    assert opened(image.data).size == photo().size
    assert parameters_in(image.data) == words


@pytest.mark.parametrize("image_format", FORMATS)
def test_an_outside_reader_finds_every_fact(image_format: ImageFormat) -> None:
    found = judged(written(noise(64, 48), parameters_text(REQUEST, "Pocket"), image_format=image_format))
    (sampler,) = found.samplers
    assert [prompt.value for prompt in sampler.prompts] == [REQUEST.prompt]
    assert [prompt.value for prompt in sampler.negative_prompts] == ["dogs"]
    assert (sampler.name, sampler.parameters["scheduler"], sampler.parameters["seed"]) == ("DPM++ 2M", "Karras", "7")
    assert sampler.model is not None
    assert sampler.model.name == "Pocket"


@pytest.mark.parametrize("side", [8, 64, 512])
def test_a_label_is_in_the_corner_of_every_kind_of_picture_and_nowhere_else(side: int) -> None:
    ground = Image.new("RGB", (side, side + 8), "red")
    output = ImageOutput(has_label=True)
    rows = np.asarray(ground)
    drawn = encode(ground, "", output, index=0, seed=7)
    upscaled, cutout = encode_rows(rows, "", output), encode_cutout(Image.new("RGBA", ground.size), "", output)
    plain = opened(encode(ground, "", ImageOutput(), index=0, seed=7).data)
    for file in (drawn, upscaled):
        picture = opened(file.data)
        assert ImageChops.difference(plain, picture).getbbox() is not None
        assert ImageChops.difference(plain, picture).crop((0, 0, side, side // 2)).getbbox() is None
        assert file.fingerprint == fingerprint(np.asarray(picture))
    assert np.asarray(ground).tobytes() == rows.tobytes() == np.asarray(plain).tobytes()
    label = opened(cutout.data).getchannel("A").getbbox()
    assert label is not None
    assert label[1] >= side // 2
    # The label of a picture that was made larger is covered.
    if side > 64:
        large = opened(drawn.data).resize((2 * side, 2 * side + 16), Image.Resampling.NEAREST)
        again = opened(encode(large, "", output, index=0, seed=7).data)
        anew = opened(encode(Image.new("RGB", large.size, "red"), "", output, index=0, seed=7).data)
        assert ImageChops.difference(again, anew).getbbox() is None


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_server_may_keep_prompts_out_of_its_files(image_format: ImageFormat) -> None:
    data = written(noise(64, 48), "a secret cat", image_format=image_format, has_parameters=False)
    assert parameters_in(data) is None
    assert not opened(data).getexif()
    assert GENERATED.encode() in opened(data).info["xmp"]
    assert b"secret" not in data.replace(b"\0", b"")


def test_quality_is_what_the_owner_chose() -> None:
    for image_format in ("webp", "jpeg"):
        low, high = (written(photo(), "", image_format=image_format, quality=quality) for quality in (30, 95))
        assert len(low) < len(high) / 2


def test_webp_of_full_quality_loses_nothing() -> None:
    best = written(photo(), "", image_format="webp", quality=100)
    assert opened(best).convert("RGB").tobytes() == photo().tobytes()
    assert len(best) < len(png_bytes(photo(), ""))
    assert opened(written(photo(), "", image_format="webp", quality=99)).convert("RGB").tobytes() != photo().tobytes()


@pytest.mark.parametrize("image_format", FORMATS)
def test_every_file_says_that_a_model_made_it_and_of_a_changed_picture_that_it_was_changed(
    image_format: ImageFormat,
) -> None:
    output = ImageOutput(image_format=image_format)
    rows = np.asarray(noise(64, 48))
    for data, source_type in (
        (encode(noise(64, 48), "a cat", output, index=0, seed=7).data, GENERATED),
        (encode_rows(rows, "a cat", output).data, GENERATED),
        (encode_rows(rows, "a cat", output, source_type=COMPOSITE).data, COMPOSITE),
    ):
        xmp = opened(data).info["xmp"]
        assert f'Iptc4xmpExt:DigitalSourceType="{source_type}"'.encode() in xmp
        assert b'xmp:CreatorTool="Easel ' in xmp
        assert parameters_in(data) == "a cat"


@pytest.mark.parametrize(
    ("role", "source_type"),
    [
        (InputRole.INIT_IMAGE, COMPOSITE),
        (InputRole.EDIT, COMPOSITE),
        (InputRole.SOURCE, COMPOSITE),
        (InputRole.REFERENCE, GENERATED),
        (InputRole.CONTROL, GENERATED),
        (InputRole.MASK, GENERATED),
    ],
)
def test_only_a_picture_that_is_changed_makes_a_composite(role: InputRole, source_type: str) -> None:
    assert source_type_of(REQUEST) == GENERATED
    assert source_type_of(msgspec.structs.replace(REQUEST, inputs=(Input(role=role, sha256="ab"),))) == source_type


@pytest.mark.parametrize("image_format", FORMATS)
def test_the_fingerprint_is_that_of_the_pixels_in_the_file(image_format: ImageFormat) -> None:
    image = encode(photo(), "", ImageOutput(image_format=image_format, quality=80), index=0, seed=7)
    assert image.fingerprint == fingerprint(np.asarray(opened(image.data).convert("RGB")))


def saved(picture: Image.Image, kind: str, **options: Any) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return opened(file.getvalue()).convert("RGB")


def bits_between(first: Image.Image, second: Image.Image) -> int:
    looks = [fingerprint(np.asarray(each)).look for each in (first, second)]
    return (int.from_bytes(looks[0], "big") ^ int.from_bytes(looks[1], "big")).bit_count()


def test_pixels_outlive_a_lossless_copy_and_a_look_a_lossy_one() -> None:
    picture = photo()
    copy = saved(picture, "WEBP", lossless=True)
    assert fingerprint(np.asarray(copy)) == fingerprint(np.asarray(picture))
    for lossy in (saved(picture, "JPEG", quality=60), saved(picture.resize((256, 300)), "JPEG", quality=50)):
        assert fingerprint(np.asarray(lossy)).pixels != fingerprint(np.asarray(picture)).pixels
        assert bits_between(picture, lossy) <= ALIKE_BITS
    red, green, blue = picture.split()
    assert bits_between(picture, Image.merge("RGB", (green, red, blue))) > ALIKE_BITS
    assert bits_between(picture, noise(512, 600)) > 100


def test_pictures_of_other_sizes_have_other_pixels_though_their_bytes_are_equal() -> None:
    rows = np.zeros((4, 8, 3), np.uint8)
    assert fingerprint(rows).pixels != fingerprint(rows.reshape(8, 4, 3)).pixels


def test_the_look_of_a_large_picture_is_that_of_some_of_its_pixels() -> None:
    picture = photo()
    large = picture.resize((4 * picture.width, 4 * picture.height), Image.Resampling.NEAREST)
    assert max(large.size) > 2_048
    assert bits_between(picture, large) <= ALIKE_BITS
