"""Paint a batch of scenes at once, on any device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
import torch
from torch.nn import functional

from recipes.pocket import world
from recipes.pocket.drawing import places
from recipes.pocket.drawing.scenes import MAX_PASTED, Scene, affine, color_number, thing_number

SIDE: Final = 64
_CANVAS: Final = 2 * SIDE
"""Scenes are painted at twice the size and then reduced, so that tilted edges are smooth."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A batch of scenes as tensors.

    Attributes:
        backgrounds: indices [batch] into `Painter.backgrounds`.
        weathers: indices [batch] into `Painter.weathers`.
        styles: indices [batch] into `world.STYLES`.
        sprites: indices [batch, MAX_PASTED] into `Painter.sprites`; 0 is the empty sprite.
        affines: matrices [batch, MAX_PASTED, 2, 3], see `scenes.affine`.
        rows: for each of the MAX_PASTED slots, the scenes with a sprite in it. They are found on the CPU, so that the
            painter need not wait for the device.
    """

    backgrounds: torch.Tensor
    weathers: torch.Tensor
    styles: torch.Tensor
    sprites: torch.Tensor
    affines: torch.Tensor
    rows: tuple[torch.Tensor, ...]

    @classmethod
    def of(cls, scenes: Sequence[Scene]) -> Self:
        """Make the layout of some scenes, on the CPU."""
        sprites = np.zeros((len(scenes), MAX_PASTED), dtype=np.int64)
        affines = np.zeros((len(scenes), MAX_PASTED, 2, 3), dtype=np.float32)
        for row, scene in enumerate(scenes):
            for slot, pasted in enumerate(scene.pasted):
                number = thing_number(pasted.thing) * (1 + len(world.COLORS)) + color_number(pasted.color)
                sprites[row, slot] = 1 + number
                affines[row, slot] = np.reshape(affine(pasted), (2, 3))
        weathers = list(world.WEATHERS)
        styles = list(world.STYLES)
        return cls(
            backgrounds=torch.tensor([_background(scene) for scene in scenes]),
            weathers=torch.tensor([weathers.index(s.weather) * places.VARIANTS + s.variant for s in scenes]),
            styles=torch.tensor([styles.index(scene.style) for scene in scenes]),
            sprites=torch.from_numpy(sprites),
            affines=torch.from_numpy(affines),
            rows=tuple(torch.from_numpy(slot.nonzero()[0]) for slot in sprites.T),
        )

    def moved(self, move: Callable[[torch.Tensor], torch.Tensor]) -> "Layout":
        """A copy with `move` applied to every tensor."""
        rows = tuple(move(row) for row in self.rows)
        return Layout(rows=rows, **{name: move(value) for name, value in vars(self).items() if name != "rows"})


def _background(scene: Scene) -> int:
    if scene.place is None:
        return list(world.COLORS).index(scene.background)
    place, time = list(world.PLACES).index(scene.place), list(world.TIMES).index(scene.time)
    return len(world.COLORS) + (place * len(world.TIMES) + time) * places.VARIANTS + scene.variant


class Painter:
    """Paints scenes with the drawings of an atlas (`sprites.make`)."""

    def __init__(self, atlas: Path, device: torch.device) -> None:
        with np.load(atlas) as arrays:
            things, backgrounds, weathers = (arrays[name] for name in ("things", "places", "weathers"))
        flat = torch.from_numpy(things.reshape(-1, *things.shape[2:])).permute(0, 3, 1, 2)
        self.device = device
        self.sprites = torch.cat([torch.zeros_like(flat[:1]), flat]).to(device)
        colors = torch.tensor(list(world.COLORS.values()), dtype=torch.uint8)[:, :, None, None]
        drawn = torch.from_numpy(backgrounds.reshape(-1, *backgrounds.shape[3:])).permute(0, 3, 1, 2)
        self.backgrounds = torch.cat([colors.expand(-1, -1, *drawn.shape[2:]), drawn]).to(device)
        veils = torch.from_numpy(weathers.reshape(-1, *weathers.shape[2:])).permute(0, 3, 1, 2)
        self.weathers = veils.contiguous().to(device)

    def draw(self, layout: Layout) -> torch.Tensor:
        """Paint a layout on the painter's device: float32 [batch, 3, SIDE, SIDE] in [-1, 1]."""
        canvas = _enlarged(_unit(self.backgrounds[layout.backgrounds]))
        for slot, rows in enumerate(layout.rows):
            if len(rows) == 0:
                break
            sprites = _unit(self.sprites[layout.sprites[rows, slot]])
            grid = functional.affine_grid(
                layout.affines[rows, slot], [len(rows), 4, _CANVAS, _CANVAS], align_corners=False
            )
            pasted = functional.grid_sample(_premultiplied(sprites), grid, align_corners=False)
            canvas[rows] = canvas[rows] * (1 - pasted[:, 3:]) + pasted[:, :3]
        lines = functional.avg_pool2d(_outlines(canvas), _CANVAS // SIDE)
        pictures = functional.avg_pool2d(canvas, _CANVAS // SIDE)
        veil = _premultiplied(_unit(self.weathers[layout.weathers]))
        pictures = pictures * (1 - veil[:, 3:]) + veil[:, :3]
        return _styled(pictures.clamp(0, 1), lines, layout.styles) * 2 - 1


def _unit(pixels: torch.Tensor) -> torch.Tensor:
    return pixels.float() / 255


def _enlarged(pictures: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(pictures, size=(_CANVAS, _CANVAS), mode="nearest")


def _premultiplied(pixels: torch.Tensor) -> torch.Tensor:
    """Color times opacity: interpolation of such pixels darkens no edge."""
    return torch.cat([pixels[:, :3] * pixels[:, 3:], pixels[:, 3:]], dim=1)


def _gray(pictures: torch.Tensor) -> torch.Tensor:
    weights = pictures.new_tensor([0.299, 0.587, 0.114])[None, :, None, None]
    return (pictures * weights).sum(1, keepdim=True)


def _outlines(canvas: torch.Tensor) -> torch.Tensor:
    """Dark lines on white at the edges in pictures [batch, 3, h, w]: [batch, 1, h, w]."""
    gray = _gray(canvas)
    spread = functional.max_pool2d(gray, 3, 1, 1) + functional.max_pool2d(-gray, 3, 1, 1)
    return (1 - 2.5 * spread).clamp(0.12, 0.98)


def _styled(pictures: torch.Tensor, lines: torch.Tensor, styles: torch.Tensor) -> torch.Tensor:
    """The pictures [batch, 3, h, w] in [0, 1], each in its style."""
    blocks = functional.interpolate(functional.avg_pool2d(pictures, 4), scale_factor=4.0, mode="nearest")
    drawn = {
        "pixel art": blocks,
        "black and white": _gray(pictures).expand_as(pictures),
        "pencil sketch": lines.expand_as(pictures),
        "pastel": 0.5 * pictures + 0.48,
    }
    result = pictures
    for number, name in enumerate(world.STYLES):
        if name in drawn:
            result = torch.where((styles == number)[:, None, None, None], drawn[name], result)
    return result
