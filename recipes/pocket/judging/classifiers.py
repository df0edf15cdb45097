"""Small classifiers of things and places, trained on the drawings of the recipe."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Final, Self

import torch
from rich.progress import track
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from recipes.pocket import world
from recipes.pocket.drawing import scenes
from recipes.pocket.drawing.painter import Layout, Painter
from recipes.pocket.drawing.scenes import Scene

_BATCH: Final = 64

SceneLabel = Callable[[Scene], int]
"""From a scene to the index of its class."""


def _network(channels: int, classes: int) -> nn.Sequential:
    """Make a network from [b, channels, 64, 64] to [b, classes]. Five layers halve the size."""
    layers: list[nn.Module] = []
    widths = (channels, 24, 48, 96, 128, 192)
    for before, after in pairwise(widths):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))


def gray(pictures: torch.Tensor) -> torch.Tensor:
    """Brightness [b, 1, h, w] of RGB [b, 3, h, w], stretched to the same range in each picture.

    Without the stretching, the brightness of a usual color could give a thing away.
    """
    light = pictures.mean(1, keepdim=True)
    light = light - light.amin((2, 3), keepdim=True)
    light = light / light.amax((2, 3), keepdim=True).clamp(min=1e-3)
    # Pictures with dark corners are inverted, so that the paper is always light.
    corner = light[:, :, :4, :4].mean((2, 3), keepdim=True)
    return torch.where(corner < 0.5, 1 - light, light)


def object_scene(rng: Random) -> Scene:
    """A random scene for the kind "thing": one thing in any color on a plain background."""
    while True:
        scene = scenes.sample_scene(rng, 1)
        if scene.groups[0].size != "small":
            return scene


def anywhere_scene(rng: Random) -> Scene:
    """A random scene for the kind "thing anywhere": one thing on a plain background or, more often, in a place."""
    while True:
        scene = scenes.sample_scene(rng, rng.choice((1, 3, 3)))
        (first, *others) = scene.groups
        if not others and first.number == 1 and first.size != "small" and scene.style == "flat":
            return scene


def place_scene(rng: Random) -> Scene:
    """A random scene for the kind "place": anything in a place."""
    while True:
        scene = scenes.sample_scene(rng, scenes.LEVELS - 1)
        if scene.place is not None and scene.style == "flat":
            return scene


class Classifier:
    """A trained classifier of the things or places in pictures [b, 3, h, w] in [-1, 1]."""

    def __init__(self, kind: str) -> None:
        """Make an untrained classifier.

        Args:
            kind: "thing" (on plain paper), "thing anywhere" or "place".
        """
        is_place = kind == "place"
        self._prepare = (lambda pictures: pictures) if is_place else gray
        self._names = list(world.PLACES) if is_place else [thing.name for thing in world.THINGS]
        self._network = _network(3 if is_place else 1, len(self._names))

    @classmethod
    def load(cls, kind: str, file: Path) -> Self:
        """Load a classifier that `write` has written."""
        classifier = cls(kind)
        classifier._network.load_state_dict(load_file(file))
        classifier._network.eval()
        return classifier

    def write(self, file: Path) -> None:
        """Write the weights in half precision."""
        state = self._network.state_dict()
        save_file({key: value.half() if value.is_floating_point() else value for key, value in state.items()}, file)

    def classify(self, pictures: torch.Tensor) -> list[str]:
        """The name of the thing or place in each picture."""
        with torch.no_grad():
            return [self._names[number] for number in self._network(self._prepare(pictures)).argmax(1).tolist()]


class Judge(Classifier):
    """A classifier that trains on drawings.

    Attributes:
        accuracy: accuracy on other drawings, 0 to 1.
    """

    def __init__(self, painter: Painter, kind: str, *, steps: int, file: Path) -> None:
        """Load the weights from `file`. If it is missing, train and write it.

        Args:
            painter: paints the training data.
            kind: see Classifier.
            steps: batches of 64 pictures.
            file: file of the weights.
        """
        super().__init__(kind)
        self._painter = painter
        self._scene = {"thing": object_scene, "thing anywhere": anywhere_scene, "place": place_scene}[kind]
        names = self._names
        self._label: SceneLabel = (
            (lambda scene: names.index(scene.place or ""))
            if kind == "place"
            else (lambda scene: names.index(scene.groups[0].thing))
        )
        if file.exists():
            self._network.load_state_dict(torch.load(file, weights_only=True))
        else:
            self._train(steps, kind)
            torch.save(self._network.state_dict(), file)
        self._network.eval()
        self.accuracy = self._test()

    def _batch(self, rng: Random) -> tuple[torch.Tensor, torch.Tensor]:
        drawn = [self._scene(rng) for _ in range(_BATCH)]
        pictures = self._painter.draw(Layout.of(drawn))
        # Pictures of a model are softer than drawings, so half the batches are blurred.
        if rng.random() < 0.5:
            pictures = functional.interpolate(functional.avg_pool2d(pictures, 2), scale_factor=2.0, mode="bilinear")
        pictures = pictures + rng.uniform(0, 0.1) * torch.randn_like(pictures)
        return self._prepare(pictures), torch.tensor([self._label(scene) for scene in drawn])

    def _train(self, steps: int, kind: str) -> None:
        torch.manual_seed(0)
        rng = Random(0)
        optimizer = torch.optim.AdamW(self._network.parameters(), 2e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
        self._network.train()
        for _ in track(range(steps), description=f"Judge of {kind}s"):
            pictures, truth = self._batch(rng)
            loss = functional.cross_entropy(self._network(pictures), truth)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()

    def _test(self) -> float:
        rng = Random(1)
        right = 0
        with torch.no_grad():
            for _ in range(8):
                pictures, truth = self._batch(rng)
                right += int((self._network(pictures).argmax(1) == truth).sum())
        return right / (8 * _BATCH)
