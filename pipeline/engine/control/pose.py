"""Maps of poses, as ControlNets for OpenPose were trained on: a colored skeleton for each person, on black."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Final

import torch
from PIL import Image, ImageDraw
from torch import nn

from pipeline.engine.control.estimators import ModelTypes, check_folder, read_estimator
from pipeline.engine.device.placement import Placement
from pipeline.engine.failures import InvalidRequest

Point = tuple[float, float]
Pose = Mapping[int, Point]
"""Points of one person by OpenPose's number; those that were not seen are missing."""

_DETECTORS: Final = MappingProxyType(
    {
        "rt_detr": "RTDetrForObjectDetection",
        "rt_detr_v2": "RTDetrV2ForObjectDetection",
        "d_fine": "DFineForObjectDetection",
    }
)
_LEAST_PERSON: Final = 0.5
_LEAST_POINT: Final = 0.3
"""Least scores of a person and of a point, as in transformers' own examples."""
_MOST_PEOPLE: Final = 16

_FROM_COCO: Final = (0, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""COCO's number of each of OpenPose's points but the neck, which stands between the shoulders."""
_NECK: Final = 1
_SHOULDERS: Final = (2, 5)
_LIMBS: Final = (
    *((1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13)),
    *((1, 0), (0, 14), (14, 16), (0, 15), (15, 17)),
)
"""Pairs of OpenPose's points that a limb joins, in the order of its colors."""
_COLORS: Final = (
    *((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0), (0, 255, 0)),
    *((0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255), (0, 0, 255), (85, 0, 255)),
    *((170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85)),
)
_LIMB_LIGHT: Final = 0.6
_RADIUS: Final = 4
"""Radius of a point and half the width of a limb, in a picture whose shorter side has 512 pixels."""
_USUAL_SIDE: Final = 512
_CORNERS: Final = 32


class PoseEstimator:
    """ViTPose, which finds the points of one person in a box.

    A folder named `detector` inside the model's folder may hold RT-DETR or D-FINE, which finds the boxes of several
    people. Without it, the whole picture is the box of one person.

    Args:
        folder: folder of the model.
        placement: the device.

    Attributes:
        model_types: the models that can be read, by transformers' names.

    Raises:
        ModelUnavailable: a file is missing or broken, or it is another model.
    """

    model_types: ClassVar[ModelTypes] = MappingProxyType({"vitpose": "VitPoseForPoseEstimation"})

    def __init__(self, folder: Path, placement: Placement) -> None:
        self._model, self._processor = read_estimator(folder, self.model_types, placement)
        self._device = placement.device
        inside = _detector_of(folder)
        self._detector = None if inside is None else read_estimator(inside, _DETECTORS, placement)

    @classmethod
    def check(cls, folder: Path) -> str:
        """Check without loading that a folder holds ViTPose, and that a detector inside it is complete.

        Returns:
            A sentence for the owner about the people that it finds.

        Raises:
            ModelUnavailable: a file is missing or broken, or it is another model; the message is one sentence.
        """
        check_folder(folder, cls.model_types)
        inside = _detector_of(folder)
        if inside is None:
            return "It has no detector, so it takes every picture as one person."
        check_folder(inside, _DETECTORS)
        return "Its detector finds several people."

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All modules with weights."""
        return (self._model,) if self._detector is None else (self._model, self._detector[0])

    def map_of(self, picture: Image.Image) -> Image.Image:
        """Skeletons of the people in an RGB picture, of its size.

        Raises:
            InvalidRequest: no person was found.
        """
        poses = [pose for pose in self._poses(picture) if pose]
        if not poses:
            raise InvalidRequest("No person was found in the picture, so there is no pose to follow.")
        return drawn(poses, picture.width, picture.height)

    @torch.inference_mode()
    def _poses(self, picture: Image.Image) -> list[Pose]:
        boxes = self._people(picture)
        if not boxes:
            return []
        given: Any = self._processor(picture, boxes=[boxes], return_tensors="pt")
        # A model of several datasets has an expert for each; the first one is COCO.
        experts = getattr(self._model.config.backbone_config, "num_experts", 1)
        which = {"dataset_index": torch.zeros(len(boxes), dtype=torch.long, device=self._device)} if experts > 1 else {}
        outputs = self._model(given["pixel_values"].to(self._device), **which)
        outputs.heatmaps = outputs.heatmaps.cpu()
        (people,) = self._processor.post_process_pose_estimation(outputs, boxes=[boxes])
        return [pose_of(person["keypoints"].tolist(), person["scores"].tolist()) for person in people]

    def _people(self, picture: Image.Image) -> list[list[float]]:
        """Boxes of people: left, top, width and height in pixels."""
        if self._detector is None:
            return [[0.0, 0.0, float(picture.width), float(picture.height)]]
        model, processor = self._detector
        given: Any = processor(images=picture, return_tensors="pt")
        outputs = model(given["pixel_values"].to(self._device))
        (found,) = processor.post_process_object_detection(
            outputs, threshold=_LEAST_PERSON, target_sizes=[(picture.height, picture.width)]
        )
        names = model.config.id2label
        boxes = [
            [left, top, right - left, bottom - top]
            for (left, top, right, bottom), label in zip(found["boxes"].tolist(), found["labels"].tolist(), strict=True)
            if names[label] == "person"
        ]
        return boxes[:_MOST_PEOPLE]


def _detector_of(folder: Path) -> Path | None:
    """The folder of the detector inside that of a ViTPose; None if there is none. A broken link is a missing folder."""
    inside = folder / "detector"
    return inside if inside.exists() or inside.is_symlink() else None


def pose_of(points: Sequence[Sequence[float]], scores: Sequence[float]) -> Pose:
    """OpenPose's points from the 17 points of COCO with their scores; points with a low score were not seen."""
    places = [place for place in range(len(_COLORS)) if place != _NECK]
    pose = {
        place: (float(points[coco][0]), float(points[coco][1]))
        for place, coco in zip(places, _FROM_COCO, strict=True)
        if scores[coco] >= _LEAST_POINT
    }
    if all(shoulder in pose for shoulder in _SHOULDERS):
        (left, top), (right, bottom) = (pose[shoulder] for shoulder in _SHOULDERS)
        pose[_NECK] = ((left + right) / 2, (top + bottom) / 2)
    return pose


def drawn(poses: Sequence[Pose], width: int, height: int) -> Image.Image:
    """Skeletons in OpenPose's colors on black: limbs as dimmed ellipses, and points as discs."""
    picture = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(picture)
    radius = max(1.0, _RADIUS * min(width, height) / _USUAL_SIDE)
    for pose in poses:
        for (one, other), (red, green, blue) in zip(_LIMBS, _COLORS, strict=False):
            if one in pose and other in pose:
                dimmed = int(_LIMB_LIGHT * red), int(_LIMB_LIGHT * green), int(_LIMB_LIGHT * blue)
                pen.polygon(_ellipse(pose[one], pose[other], radius), fill=dimmed)
        for place, (x, y) in pose.items():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_COLORS[place])
    return picture


def _ellipse(one: Point, other: Point, radius: float) -> list[Point]:
    """Corners of an ellipse between two points, `radius` wide to each side."""
    (left, top), (right, bottom) = one, other
    half, angle = math.dist(one, other) / 2, math.atan2(bottom - top, right - left)
    middle = (left + right) / 2, (top + bottom) / 2
    turns = [2 * math.pi * corner / _CORNERS for corner in range(_CORNERS)]
    return [
        (
            middle[0] + half * math.cos(turn) * math.cos(angle) - radius * math.sin(turn) * math.sin(angle),
            middle[1] + half * math.cos(turn) * math.sin(angle) + radius * math.sin(turn) * math.cos(angle),
        )
        for turn in turns
    ]
