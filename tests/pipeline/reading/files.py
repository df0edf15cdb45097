"""Pictures of every format that is read, and some that are not."""

import io
import struct
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from PIL import Image, ImageChops, ImageCms, ImageStat

SIZE: Final = (48, 32)


def colorful(size: tuple[int, int] = SIZE, mode: str = "RGB") -> Image.Image:
    """Red grows to the right and green downwards, so that no two corners are alike."""
    red = Image.linear_gradient("L").transpose(Image.Transpose.ROTATE_90).resize(size)
    green = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", (red, green, Image.new("L", size, 60)))
    if mode == "P":
        return picture.quantize(256)
    return picture if mode == "RGB" else picture.convert(mode)


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, in values of 255."""
    means = ImageStat.Stat(ImageChops.difference(first, second)).mean
    return sum(means) / len(means)


def saved(picture: Image.Image, kind: str, **how: Any) -> bytes:
    """A picture's file."""
    file = io.BytesIO()
    picture.save(file, kind, **how)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def raw_png(size: tuple[int, int], *, depth: int = 8, color: int = 2, pixels: bytes, extra: bytes = b"") -> bytes:
    """A PNG with any header and any deflated pixels."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, color, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + extra + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def zeros(size: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj(9)
    piece = bytes(1_000_000)
    whole = b"".join(packer.compress(piece) for _ in range(size // len(piece)))
    return whole + packer.compress(bytes(size % len(piece))) + packer.flush()


def gray_16() -> bytes:
    """Sixteen-bit gray from black to white."""
    values = [round(65_535 * column / (SIZE[0] - 1)) for column in range(SIZE[0])]
    row = b"\0" + b"".join(struct.pack(">H", value) for value in values)
    return raw_png(SIZE, depth=16, color=0, pixels=zlib.compress(row * SIZE[1]))


def cmyk_profile() -> bytes:
    """A profile whose every mixture of inks is one green: the smallest table that littlecms reads."""
    curve = bytes(range(256))
    green = bytes((round(0.6 * 255), 128 - 60, 128 + 40))  # CIELAB, as a profile of version 2 writes it
    unity = struct.pack(">9i", *(65_536 * (row == column) for row in range(3) for column in range(3)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + unity + 4 * curve + 16 * green + 3 * curve
    white = b"XYZ " + bytes(4) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    tags = {b"wtpt": white, b"A2B0": table}
    directory, content, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        padded = data + bytes(-len(data) % 4)
        directory += name + struct.pack(">II", at + len(content), len(data))
        content += padded
    size = at + len(content)
    kinds = b"prtrCMYKLab " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    header = struct.pack(">II", size, 0) + b"\x02\x40\0\0" + kinds
    header = (header + bytes(28) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)).ljust(128, b"\0")
    return header + struct.pack(">I", len(tags)) + directory + content


def rgb_profile() -> bytes:
    """The profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def turned(orientation: int, **how: Any) -> bytes:
    """A JPEG whose EXIF data says how to turn it, and where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[1] = "N"
    return saved(colorful(), "JPEG", exif=exif, quality=95, **how)


def heic(brand: bytes = b"heic") -> bytes:
    """The beginning of what iPhones keep."""
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(4) + brand + b"mif1" + bytes(400)


def animated(kind: str) -> bytes:
    """Two frames, of which the first is the colorful one."""
    return saved(colorful(), kind, save_all=True, append_images=[Image.new("RGB", SIZE, "blue")], duration=100)


def see_through() -> Image.Image:
    """Opaque on the left, and on the right red that nobody sees."""
    picture = Image.new("RGBA", SIZE, (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (0, 0, SIZE[0] // 2, SIZE[1]))
    return picture


VALID: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "png": saved(colorful(), "PNG"),
        "png, palette": saved(colorful(mode="P"), "PNG"),
        "png, one bit": saved(colorful(mode="1"), "PNG"),
        "png, gray": saved(colorful(mode="L"), "PNG"),
        "png, alpha": saved(see_through(), "PNG"),
        "png, profile": saved(colorful(), "PNG", icc_profile=rgb_profile()),
        "png, 16-bit gray": gray_16(),
        "apng": animated("PNG"),
        "jpeg": saved(colorful(), "JPEG"),
        "jpeg, progressive": saved(colorful(), "JPEG", progressive=True),
        "jpeg, turned": turned(6),
        "jpeg, cmyk": saved(colorful(mode="CMYK"), "JPEG"),
        "jpeg, cmyk with profile": saved(colorful(mode="CMYK"), "JPEG", icc_profile=cmyk_profile()),
        "jpeg, two pictures": saved(colorful(), "MPO", save_all=True, append_images=[colorful()]),
        "webp": saved(colorful(), "WEBP"),
        "webp, lossless alpha": saved(see_through(), "WEBP", lossless=True),
        "webp, animated": animated("WEBP"),
        "gif": saved(colorful(), "GIF"),
        "gif, animated": animated("GIF"),
        "avif": saved(colorful(), "AVIF"),
        "avif, animated": animated("AVIF"),
    }
)
