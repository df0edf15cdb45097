"""Training data without a network: the real recipe on simple drawings."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image

from recipes.pocket import world
from recipes.pocket.drawing import places, scenes, sprites
from recipes.pocket.drawing.painter import Layout, Painter
from recipes.pocket.drawing.scenes import Group, Scene
from recipes.pocket.examples.color_removal import ColorRemover, own_colors
from recipes.pocket.stages import text_encoder
from recipes.pocket.stages.training_run import StageOptions

SHAPES = (
    '<circle cx="16" cy="16" r="13" fill="{}"/>',
    '<rect x="4" y="4" width="24" height="24" fill="{}"/>',
    '<polygon points="16,2 30,28 2,28" fill="{}"/>',
)


def drawing(number: int, color: str = "#e03030") -> str:
    """A plain drawing on 32 x 32."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{SHAPES[number % 3].format(color)}</svg>'


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an atlas of plain shapes and a tokenizer, as the stage `sprites` leaves it."""
    folder = tmp_path_factory.mktemp("training")
    drawings = {thing.sprite: drawing(number) for number, thing in enumerate(world.THINGS)}
    np.savez(
        folder / "atlas.npz",
        things=sprites.make_atlas(drawings),
        places=places.make_atlas(seed=0),
        weathers=places.make_weathers(seed=0),
    )
    text_encoder.write_tokenizer(options_for(folder, 1))
    return folder


def options_for(folder: Path, steps: int) -> StageOptions:
    """A few small batches on the processor."""
    return StageOptions(folder=folder, device=torch.device("cpu"), steps=steps, batch=4)


@pytest.fixture(scope="session")
def painter(data: Path) -> Painter:
    """A painter with that atlas."""
    return Painter(data / "atlas.npz", torch.device("cpu"))


@pytest.fixture(scope="session")
def remover(painter: Painter) -> ColorRemover:
    """A remover for scenes of that atlas."""
    return ColorRemover(own_colors(painter))


def picture(painter: Painter, scene: Scene) -> Image.Image:
    """The picture of a scene."""
    pixels = ((painter.draw(Layout.of([scene]))[0] + 1) * 127.5).round().byte()
    return Image.fromarray(pixels.permute(1, 2, 0).numpy())


def plain(group: Group, **changes: object) -> Scene:
    """A group on white paper, with some changes to the scene."""
    scene = Scene(groups=(group,), pasted=scenes.arrange(Random(1), (group,), "", None, on_ground=False))
    return replace(scene, **changes)  # pyright: ignore[reportArgumentType] - fields of a scene
