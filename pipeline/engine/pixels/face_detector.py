"""Finds faces and five points of each: the shipped MTCNN (Zhang et al. 2016, https://arxiv.org/abs/1604.02878).

Three small networks look at a picture. The first looks at every place of smaller and smaller copies, the second and
the third look again at what the one before found. They run on the CPU, where a picture of 2,048 x 2,048 pixels takes a
second. The arithmetic and the thresholds are those of facenet-pytorch 2.6.0, whose weights these are.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch.nn.functional import conv2d, interpolate, linear, max_pool2d, prelu, softmax
from torchvision.ops import nms

WEIGHTS: Final = Path(__file__).parents[3] / "models/face-detector/mtcnn.safetensors"
SMALLEST: Final = 48
"""Least side of a face in pixels. A smaller one has too little to be repaired from."""
_FIRST_SIDE: Final = 12
_SHRINK: Final = 0.709
_THRESHOLDS: Final = (0.6, 0.7, 0.7)
_MEAN: Final = 127.5

Points = NDArray[np.floating[Any]]
"""Eyes, nose and corners of the mouth of a face, [5, 2] as x and y in pixels, the left ones of the picture first."""


class Face(NamedTuple):
    """A face in a picture: its points, and the longer side of the box around it in pixels."""

    points: Points
    side: float


def find_faces(picture: NDArray[np.uint8]) -> list[Face]:
    """The faces in an RGB picture [h, w, 3] that have at least `SMALLEST` pixels, the largest first."""
    with torch.inference_mode():
        pixels = torch.tensor(picture).permute(2, 0, 1)[None].float().sub(_MEAN).mul(1 / 128)
        boxes = _candidates(pixels)
        boxes = _refined(pixels, boxes)
        boxes, points = _pointed(pixels, boxes)
    sides = (boxes[:, 2:4] - boxes[:, :2]).amax(dim=1).tolist()
    faces = [Face(each.double().numpy(), side) for each, side in zip(points, sides, strict=True) if side >= SMALLEST]
    return sorted(faces, key=lambda face: face.side, reverse=True)


@cache
def _weights() -> Mapping[str, torch.Tensor]:
    return {name: tensor.float() for name, tensor in load_file(WEIGHTS).items()}


def _conv(net: str, number: str, x: torch.Tensor) -> torch.Tensor:
    weights = _weights()
    return conv2d(x, weights[f"{net}.conv{number}.weight"], weights[f"{net}.conv{number}.bias"])


def _dense(net: str, number: str, x: torch.Tensor) -> torch.Tensor:
    weights = _weights()
    return linear(x, weights[f"{net}.dense{number}.weight"], weights[f"{net}.dense{number}.bias"])


def _prelu(net: str, number: str, x: torch.Tensor) -> torch.Tensor:
    return prelu(x, _weights()[f"{net}.prelu{number}.weight"])


def _pool(x: torch.Tensor, side: int = 3) -> torch.Tensor:
    return max_pool2d(x, side, 2, ceil_mode=True)


def _flat(x: torch.Tensor) -> torch.Tensor:
    """Features as the networks' first version in Caffe read them: by columns."""
    return x.permute(0, 3, 2, 1).flatten(1)


def _first_net(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = _pool(_prelu("pnet", "1", _conv("pnet", "1", x)), 2)
    x = _prelu("pnet", "2", _conv("pnet", "2", x))
    x = _prelu("pnet", "3", _conv("pnet", "3", x))
    return _conv("pnet", "4_2", x), softmax(_conv("pnet", "4_1", x), dim=1)[:, 1]


def _second_net(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x = _pool(_prelu("rnet", "1", _conv("rnet", "1", x)))
    x = _pool(_prelu("rnet", "2", _conv("rnet", "2", x)))
    x = _flat(_prelu("rnet", "3", _conv("rnet", "3", x)))
    x = _prelu("rnet", "4", _dense("rnet", "4", x))
    return _dense("rnet", "5_2", x), softmax(_dense("rnet", "5_1", x), dim=1)[:, 1]


def _third_net(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    x = _pool(_prelu("onet", "1", _conv("onet", "1", x)))
    x = _pool(_prelu("onet", "2", _conv("onet", "2", x)))
    x = _pool(_prelu("onet", "3", _conv("onet", "3", x)), 2)
    x = _flat(_prelu("onet", "4", _conv("onet", "4", x)))
    x = _prelu("onet", "5", _dense("onet", "5", x))
    return _dense("onet", "6_2", x), softmax(_dense("onet", "6_1", x), dim=1)[:, 1], _dense("onet", "6_3", x)


def _candidates(pixels: torch.Tensor) -> torch.Tensor:
    """Squares [n, 4] in which the first network sees a face, as left, top, right and bottom."""
    found = [torch.zeros(0, 9)]
    height, width = pixels.shape[2:]
    scale = _FIRST_SIDE / SMALLEST
    while min(height, width) * scale >= _FIRST_SIDE:
        smaller = interpolate(pixels, (int(height * scale + 1), int(width * scale + 1)), mode="area")
        moves, scores = _first_net(smaller)
        places = (scores[0] >= _THRESHOLDS[0]).nonzero()
        at = places.flip(1).float() * 2 + 1
        boxes = torch.cat([(at / scale).floor(), ((at + _FIRST_SIDE - 1) / scale).floor()], dim=1)
        score = scores[0][places[:, 0], places[:, 1], None]
        boxes = torch.cat([boxes, score, moves[0][:, places[:, 0], places[:, 1]].T], dim=1)
        found.append(boxes[nms(boxes[:, :4], boxes[:, 4], 0.5)])
        scale *= _SHRINK
    boxes = torch.cat(found)
    boxes = boxes[nms(boxes[:, :4], boxes[:, 4], 0.7)]
    sides = (boxes[:, 2:4] - boxes[:, :2]).repeat(1, 2)
    return _squares(boxes[:, :4] + boxes[:, 5:] * sides)


def _refined(pixels: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    moves, scores = _second_net(_cut(pixels, boxes, 24))
    is_face = scores > _THRESHOLDS[1]
    boxes, scores, moves = boxes[is_face], scores[is_face], moves[is_face]
    kept = nms(boxes, scores, 0.7)
    return _squares(_moved(boxes[kept], moves[kept]))


def _pointed(pixels: torch.Tensor, boxes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes [n, 4] of faces and their points [n, 5, 2]."""
    moves, scores, points = _third_net(_cut(pixels, boxes, 48))
    is_face = scores > _THRESHOLDS[2]
    boxes, scores, moves, points = boxes[is_face], scores[is_face], moves[is_face], points[is_face]
    sides = (boxes[:, 2:4] - boxes[:, :2] + 1)[:, None]
    points = points.reshape(-1, 2, 5).transpose(1, 2) * sides + boxes[:, None, :2] - 1
    boxes = _moved(boxes, moves)
    kept = nms(boxes, scores, 0.5)
    return boxes[kept], points[kept]


def _moved(boxes: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    return boxes + moves * (boxes[:, 2:4] - boxes[:, :2] + 1).repeat(1, 2)


def _squares(boxes: torch.Tensor) -> torch.Tensor:
    """The squares around the middles of boxes."""
    middle, side = (boxes[:, :2] + boxes[:, 2:4]) / 2, (boxes[:, 2:4] - boxes[:, :2]).amax(dim=1, keepdim=True)
    return torch.cat([middle - side / 2, middle + side / 2], dim=1)


def _cut(pixels: torch.Tensor, boxes: torch.Tensor, side: int) -> torch.Tensor:
    """What lies in each box, as [n, 3, side, side]."""
    height, width = pixels.shape[2:]
    cut = [torch.zeros(0, 3, side, side)]
    for left, top, right, bottom in boxes.trunc().int().tolist():
        rows = slice(min(max(top - 1, 0), height - 1), max(min(bottom, height), 1))
        columns = slice(min(max(left - 1, 0), width - 1), max(min(right, width), 1))
        cut.append(interpolate(pixels[:, :, rows, columns], (side, side), mode="area"))
    return torch.cat(cut)
