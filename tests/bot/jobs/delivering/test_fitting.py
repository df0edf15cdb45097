"""Files that are too large for Discord."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image, PngImagePlugin

from bot.jobs.delivering import fitting
from bot.jobs.delivering.fitting import REQUEST_LIMIT, fit, in_messages, thumbnail
from pipeline.images.encode import encode
from pipeline.protocol.wire.settings import ImageFormat, ImageOutput
from tests.picture_files import parameters_in


def png(side: int = 256, *, is_noise: bool = True, parameters: str = "a cat ü\nSteps: 4") -> bytes:
    """Noise, which no format makes small, or a slope."""
    numbers = np.random.default_rng(0).integers(0, 256, (side, side, 3)) if is_noise else np.zeros((side, side, 3))
    if not is_noise:
        numbers[:, :, 0] = np.linspace(0, 255, side) ** 1.01 % 256
        numbers[:, :, 1] = np.linspace(0, 255, side)[:, None]
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", parameters)
    file = io.BytesIO()
    Image.fromarray(numbers.astype(np.uint8)).save(file, "PNG", pnginfo=text, compress_level=0)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_what_fits_is_not_touched() -> None:
    files = [("a.png", png()), ("b.png", png(64))]
    assert fit(files, len(files[0][1])) == files


def test_what_can_be_small_without_loss_loses_nothing() -> None:
    data = png(is_noise=False)
    ((name, small),) = fit([("easel-7-1.png", data)], len(data) // 2)
    assert name == "easel-7-1.webp"
    assert len(small) <= len(data) // 2
    assert opened(small).convert("RGB").tobytes() == opened(data).convert("RGB").tobytes()


def test_what_moves_goes_on_moving() -> None:
    dice = np.random.default_rng(0)
    frames = [Image.fromarray(dice.integers(0, 256, (128, 128, 3)).astype(np.uint8)) for _ in range(3)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], duration=[40, 80, 120], loop=0)
    ((name, small),) = fit([("easel-7-1.webp", file.getvalue())], len(file.getvalue()) // 2)
    assert (name, len(small) <= len(file.getvalue()) // 2) == ("easel-7-1.webp", True)
    again = opened(small)
    times = [again.seek(number) or (again.convert("RGB") and again.info["duration"]) for number in range(3)]
    assert (again.size < (128, 128), times) == (True, [40, 80, 120])


def test_what_is_transparent_stays_so() -> None:
    with Image.open(io.BytesIO(png())) as noise:
        picture = noise.convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=0)
    ((name, small),) = fit([("easel-7-1.png", file.getvalue())], len(file.getvalue()) // 4)
    assert name == "easel-7-1.webp"
    assert opened(small).mode == "RGBA"
    alpha = np.asarray(opened(small).getchannel("A"), dtype=int)
    assert np.abs(alpha - np.asarray(picture.getchannel("A").resize(opened(small).size), dtype=int)).max() < 8
    assert opened(thumbnail(file.getvalue())).mode == "RGBA"


def test_what_cannot_keeps_its_size_in_pixels_as_long_as_possible() -> None:
    data = png()
    ((_, good),) = fit([("a.png", data)], len(data) // 2)
    assert opened(good).size == (256, 256)
    ((_, tiny),) = fit([("a.png", data)], 5_000)
    assert len(tiny) <= 5_000
    assert opened(tiny).width < 256


def test_the_parameters_go_along() -> None:
    ((_, small),) = fit([("a.png", png())], 50_000)
    comment = opened(small).getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment.removeprefix(b"UNICODE\0").decode("utf-16-be") == "a cat ü\nSteps: 4"


@pytest.mark.parametrize("image_format", ["webp", "jpeg"])
def test_what_was_no_png_keeps_its_parameters_and_is_not_made_larger_first(
    image_format: ImageFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(png()) as picture:
        output = ImageOutput(image_format=image_format, quality=95)
        data = encode(picture, "a cat ü\nSteps: 4", output, index=0, seed=1).data
    options: list[dict[str, Any]] = []
    save = Image.Image.save

    def watched(picture: Image.Image, *args: Any, **kwargs: Any) -> None:
        options.append(kwargs)
        save(picture, *args, **kwargs)

    monkeypatch.setattr(Image.Image, "save", watched)
    ((name, small),) = fit([(f"a.{image_format}", data)], len(data) // 2)
    assert name == "a.webp"
    assert parameters_in(small) == "a cat ü\nSteps: 4"
    assert opened(small).info["xmp"] == opened(data).info["xmp"]
    assert options
    assert not any(option["lossless"] for option in options)


def test_a_file_that_is_no_picture_stays_as_it_is() -> None:
    words = ("easel-7-1.txt", b"a star " * 1_000)
    assert fit([words], 100) == [words]


@pytest.mark.parametrize("count", [2, 4])
def test_all_files_together_fit_one_request(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data, limit = png(1_000), REQUEST_LIMIT // 4  # large pictures take seconds
    monkeypatch.setattr(fitting, "REQUEST_LIMIT", limit)
    assert len(data) < limit / 2
    files = fit([(f"{number}.png", data) for number in range(count)], limit)
    assert sum(len(fitted) for _, fitted in files) < limit
    assert len(files) == count


def test_untouched_files_take_as_many_messages_as_they_need() -> None:
    large = bytes(9 * 1024 * 1024)
    files = [(f"{k}.png", large) for k in range(4)]
    assert in_messages(files, len(large)) == [files[:2], files[2:]]
    assert in_messages(files[:2], len(large)) == [files[:2]]


def test_only_what_no_message_takes_becomes_smaller() -> None:
    small, large = ("a.png", png(64)), ("b.png", png(is_noise=False))
    ((first, second),) = in_messages([small, large], len(large[1]) - 1)
    assert first == small
    assert second[0] == "b.webp"
