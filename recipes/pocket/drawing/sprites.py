"""The stage `sprites`: fetch the drawings with npm, and render each in every color.

The drawings are Fluent emoji (flat), (c) Microsoft Corporation, MIT License, as the npm package
@iconify-json/fluent-emoji-flat ships them.
"""

import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import resvg_py
from matplotlib.colors import rgb_to_hsv
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from rich.progress import track

from recipes.pocket import world
from recipes.pocket.drawing import places

PACKAGE: Final = "@iconify-json/fluent-emoji-flat@1.2.6"
SIDE: Final = 64
"""Side of a drawing in the atlas, in pixels."""

_MARGIN: Final = 2
"""Transparent pixels around each drawing, so that pasted drawings have soft edges."""

_SAME_HUE: Final = 0.11
"""Greatest distance from the main hue, as a fraction of the color circle, of a pixel in the thing's own color."""

_PALE: Final = 215
_LINE: Final = (120, 122, 130)


class NoDrawings(Exception):
    """The drawings cannot be fetched or read. The message says why, and what to do."""


def fetch_drawings(folder: Path) -> dict[str, str]:
    """Fetch the drawings from the registry that npm uses, or read them from `folder`.

    Returns:
        The SVG of each drawing, by its name.

    Raises:
        NoDrawings: npm is missing, or it cannot fetch the package.
    """
    file = folder / "icons.json"
    if not file.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise NoDrawings("The drawings come from an npm package, but npm is not installed. Install Node.js.")
        command = [npm, "pack", "--silent", "--pack-destination", str(folder), PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no part is typed
        if done.returncode != 0:
            raise NoDrawings(f"npm could not fetch {PACKAGE}: {done.stderr.strip()[:300]}")
        with tarfile.open(folder / done.stdout.split()[-1]) as package:
            member = package.extractfile("package/icons.json")
            if member is None:
                raise NoDrawings(
                    f"{PACKAGE} holds no icons.json any more. Name another in recipes/pocket/drawing/sprites.py."
                )
            file.write_bytes(member.read())
    return as_svg(json.loads(file.read_text(encoding="utf-8")))


def as_svg(icons: Mapping[str, Any]) -> dict[str, str]:
    """SVG documents by name, from Iconify's JSON."""
    width, height = icons.get("width", 32), icons.get("height", 32)
    frame = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    return {name: f"{frame}{icon['body']}</svg>" for name, icon in icons["icons"].items()}


def render(svg: str, side: int = SIDE) -> NDArray[np.uint8]:
    """Render a drawing as RGBA [side, side, 4]."""
    inner = side - 2 * _MARGIN
    image = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, width=inner, height=inner)))
    pixels = np.asarray(image.convert("RGBA"))
    return np.pad(pixels, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)))


def recolor(pixels: NDArray[np.uint8], color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Replace the main color of a drawing, and keep its shades.

    The main color is the most frequent hue. In a drawing with few colorful pixels, it is gray.

    Args:
        pixels: RGBA [h, w, 4].
        color: the new color in sRGB, 0 to 255.
    """
    rgb = pixels[..., :3].astype(np.float32) / 255
    solid = pixels[..., 3] > 128
    hues, saturation, high = np.moveaxis(rgb_to_hsv(rgb), -1, 0)
    colorful = (saturation > 0.2) & (high > 0.25)
    weights = np.where(solid & colorful, saturation, 0)
    counts, _ = np.histogram(hues, bins=24, range=(0, 1), weights=weights)
    smooth = counts + 0.5 * (np.roll(counts, 1) + np.roll(counts, -1))
    if (solid & colorful).sum() > 0.25 * solid.sum():
        main = (np.argmax(smooth) + 0.5) / 24
        distance = np.abs(hues - main)
        own = colorful & (np.minimum(distance, 1 - distance) < _SAME_HUE)
    else:
        own = ~colorful
    if not (own & solid).any():
        return pixels
    light = rgb @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    middle = float(np.median(light[own & solid]))
    shade = np.clip(light / max(middle, 0.05), 0.45, 1.5)[..., None]
    target = np.array(color, dtype=np.float32) / 255
    # Dark shades are multiplied and light ones mixed with white, so that black and white keep their shades too.
    shaded = np.where(shade <= 1, target * shade, target + (1 - target) * (shade - 1))
    mixed = np.where(own[..., None], shaded, rgb)
    return np.dstack([(mixed * 255).round().astype(np.uint8), pixels[..., 3]])


def _outlined(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Add a gray outline to a drawing that is nearly invisible on white paper."""
    solid = pixels[..., 3] > 128
    if np.median(pixels[solid][:, :3].min(-1)) < _PALE:
        return pixels
    alpha = Image.fromarray(pixels[..., 3])
    wide = np.asarray(alpha.filter(ImageFilter.MaxFilter(5))).astype(np.float32) / 255
    opacity = pixels[..., 3:].astype(np.float32) / 255
    mixed = pixels[..., :3] * opacity + np.array(_LINE, dtype=np.float32) * (1 - opacity)
    return np.dstack([mixed.round().astype(np.uint8), (wide * 255).round().astype(np.uint8)])


def make_atlas(drawings: Mapping[str, str]) -> NDArray[np.uint8]:
    """Render all things in their own color and in each of `world.COLORS`.

    Returns:
        [things, 1 + colors, SIDE, SIDE, 4], not premultiplied.

    Raises:
        NoDrawings: the drawing of a thing is missing.
    """
    missing = [thing.sprite for thing in world.THINGS if thing.sprite not in drawings]
    if missing:
        raise NoDrawings(
            f"These drawings are not in the package: {', '.join(missing)}. Change recipes/pocket/world.py."
        )
    atlas = np.zeros((len(world.THINGS), 1 + len(world.COLORS), SIDE, SIDE, 4), dtype=np.uint8)
    for index, thing in enumerate(track(world.THINGS, description="Rendering")):
        own = render(drawings[thing.sprite])
        atlas[index, 0] = own
        for number, color in enumerate(world.COLORS.values(), start=1):
            atlas[index, number] = _outlined(recolor(own, color)) if thing.colors else own
    return atlas


def make(folder: Path) -> None:
    """Run the stage: write `atlas.npz` with the drawings and the places.

    Raises:
        NoDrawings: see `fetch_drawings` and `make_atlas`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    atlas = make_atlas(fetch_drawings(folder))
    np.savez_compressed(
        folder / "atlas.npz", things=atlas, places=places.make_atlas(seed=0), weathers=places.make_weathers(seed=0)
    )
