"""Preprocessors: they make the map that a control net reads, such as edges, from a picture."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from PIL import Image
from torch import nn

from pipeline.engine.control.depth import DepthEstimator
from pipeline.engine.control.edges import Picture, canny, scribble
from pipeline.engine.control.pose import PoseEstimator
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import ModelUnavailable
from pipeline.engine.weights.hub import folder_of
from pipeline.images.canvas import Mask
from pipeline.protocol.catalogue.networks import ControlSpec, FolderSource, HubSource


@dataclass(slots=True, frozen=True, kw_only=True)
class Preprocessor:
    """A preprocessor on its device.

    Attributes:
        map_of: makes a map from an RGB picture, of the same size and also RGB. It raises InvalidRequest when there is
            nothing to be found, as a pose without a person.
        modules: all modules with weights, for measuring and moving.
    """

    map_of: Callable[[Image.Image], Image.Image]
    modules: tuple[nn.Module, ...] = ()


_WITHOUT_MODEL: Final[Mapping[str, Callable[[Picture], Mask]]] = MappingProxyType(
    {"canny": canny, "scribble": scribble}
)
_WITH_MODEL: Final[Mapping[str, type[DepthEstimator | PoseEstimator]]] = MappingProxyType(
    {"depth": DepthEstimator, "pose": PoseEstimator}
)


def check_preprocessor(spec: ControlSpec, cache_directory: str | None = None) -> str:
    """Check without loading that the preprocessor of a control net is complete.

    Args:
        spec: the catalogue's entry of the control net.
        cache_directory: folder for downloads from a hub; None is the library's default.

    Returns:
        A sentence for the owner.

    Raises:
        ModelUnavailable: a file is missing or broken, or the catalogue names none; the message is one sentence.
    """
    if spec.preprocessor == "none":
        return "It reads pictures as they are."
    if spec.preprocessor in _WITHOUT_MODEL:
        return f"Its pictures are prepared with {spec.preprocessor}, which needs no model."
    source = spec.preprocessor_model
    if source is None:
        return f"No preprocessor_model is named, so members must attach ready-made maps of the {spec.preprocessor}."
    more = _WITH_MODEL[spec.preprocessor].check(_folder(source, spec, cache_directory))
    return f"Its pictures are prepared with the owner's model for {spec.preprocessor}. {more}".rstrip()


def read_preprocessor(spec: ControlSpec, placement: Placement, cache_directory: str | None) -> Preprocessor:
    """Read the preprocessor of a control net onto the device.

    Args:
        spec: the catalogue's entry of the control net.
        placement: the device.
        cache_directory: folder for downloads from a hub; None is the library's default.

    Raises:
        ModelUnavailable: a file is missing or broken.
    """
    lines = _WITHOUT_MODEL.get(spec.preprocessor)
    if lines is not None:
        return Preprocessor(map_of=lambda picture: _drawn(lines(np.asarray(picture))))
    if spec.preprocessor == "none":
        return Preprocessor(map_of=lambda picture: picture)
    if spec.preprocessor_model is None:
        return Preprocessor(map_of=lambda _: _refused(spec))
    folder = _folder(spec.preprocessor_model, spec, cache_directory)
    estimator = _WITH_MODEL[spec.preprocessor](folder, placement)
    return Preprocessor(map_of=estimator.map_of, modules=estimator.modules)


def _folder(source: FolderSource | HubSource, spec: ControlSpec, cache_directory: str | None) -> Path:
    return folder_of(source, cache_directory, f"The preprocessor of {spec.title}", spec.key)


def _drawn(lines: Mask) -> Image.Image:
    return Image.fromarray(lines.astype(np.uint8) * 255).convert("RGB")


def _refused(spec: ControlSpec) -> Image.Image:
    raise ModelUnavailable(
        f"{spec.title} has no model that finds the {spec.preprocessor} in a picture; attach a ready-made map."
    )
