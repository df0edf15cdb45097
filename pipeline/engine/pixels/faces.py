"""Repairs faces: each is turned upright, drawn anew by a network for faces, and pasted back with a soft border."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn
from torch.nn.functional import affine_grid, grid_sample

from pipeline.engine.device.placement import Placement, release_memory
from pipeline.engine.failures import BrokenImage, ModelUnavailable, blaming, reason_of
from pipeline.engine.pixels.architectures import NON_COMMERCIAL, network_loader
from pipeline.engine.pixels.enlarging import Pixels
from pipeline.engine.pixels.face_detector import Face, Points, find_faces
from pipeline.engine.sampling.latents import is_finite
from pipeline.engine.weights.finite import check_numbers
from pipeline.engine.weights.headers import check_safetensors
from pipeline.protocol.catalogue.models import FaceSpec
from pipeline.protocol.errors import FailureReason

if TYPE_CHECKING:
    from spandrel import ImageModelDescriptor

SIDE: Final = 512
"""Side of the picture of a face that the networks take and make."""
TEMPLATE: Final = np.array(
    [
        [192.98138, 239.94708],
        [318.90277, 240.1936],
        [256.63416, 314.01935],
        [201.26117, 371.41043],
        [313.08905, 371.15118],
    ]
)
"""Where the five points of a face lie in that picture; from facexlib, as for the training pictures of FFHQ."""
ARCHITECTURES: Final = frozenset({"GFPGAN", "RestoreFormer", "CodeFormer"})
"""Networks that take and make a face of `SIDE` pixels from -1 to 1, as the first of their results."""
LARGEST: Final = 400
"""Greatest side in pixels of a sharp face that is repaired. The networks would take details from a larger one."""
_SHARP: Final = 100.0
"""Least variance of the Laplacian, of brightness from 0 to 255, of a sharp face (Pech-Pacheco et al. 2000)."""
_BORDER: Final = 48
"""Pixels of that picture over which it is blended into its surroundings."""

Affine = NDArray[np.floating[Any]]
"""Maps x and y of one picture to those of another: [2, 3]."""


class FaceNetwork:
    """A network for faces on its device.

    Raises:
        ModelUnavailable: see `read_face_network`.
    """

    def __init__(self, spec: FaceSpec, placement: Placement) -> None:
        self._spec = spec
        self._placement = placement
        model = read_face_network(spec)
        is_bfloat16 = placement.dtype is torch.bfloat16 and model.supports_bfloat16
        self._model = model.to(placement.device, torch.bfloat16 if is_bfloat16 else torch.float32)
        self._twin: ImageModelDescriptor[Any] | None = None

    @property
    def module(self) -> nn.Module:
        """Module with the weights."""
        return self._model.model

    def repaired(self, face: torch.Tensor) -> torch.Tensor:
        """A face [1, 3, SIDE, SIDE] from 0 to 1 that is drawn anew and mixed with itself by the entry's strength.

        Without room on the device the CPU draws it.

        Raises:
            BrokenImage: the result holds NaN or infinity.
            torch.OutOfMemoryError: the CPU has no room either.
        """
        drawn = self._drawn(face)
        if not is_finite(drawn):
            raise BrokenImage("The network for faces left the range of numbers.")
        return torch.lerp(face, drawn, self._spec.strength)

    def _drawn(self, face: torch.Tensor) -> torch.Tensor:
        is_on_processor = self._placement.device.type == "cpu"
        try:
            return _called(self._model, face)
        # torch reports out-of-memory with several exception classes.
        except (RuntimeError, MemoryError) as error:
            if is_on_processor or reason_of(error) is not FailureReason.OUT_OF_MEMORY:
                raise
        # This runs outside the exception handler, because its traceback keeps the failed tensors alive.
        release_memory(self._placement.device)
        if self._twin is None:
            self._twin = read_face_network(self._spec)
        return _called(self._twin, face)


@torch.inference_mode()
def _called(model: "ImageModelDescriptor[Any]", face: torch.Tensor) -> torch.Tensor:
    """The network's first result, from 0 to 1. spandrel's own call gives GFPGAN a range that it was not trained for."""
    given = face.to(model.device, model.dtype) * 2 - 1
    # GFPGAN adds noise of torch's global generator. A face must be the same each time.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        result: torch.Tensor = model.model(given)[0]
    return result.float().cpu().add(1).div(2).clamp(0, 1)


def read_face_network(spec: FaceSpec) -> "ImageModelDescriptor[Any]":
    """Read the network onto the CPU, in float32.

    Raises:
        ModelUnavailable: the file is missing or broken, or holds no network for faces.
    """
    path = Path(spec.path)
    if path.suffix != ".safetensors":
        raise ModelUnavailable(
            f"The face model {path.name} is no .safetensors file. Other files can run code when they are read; "
            f"convert it: easel convert {path.name}"
        )
    check_safetensors(path)
    with blaming(
        f"The face model {path.name} cannot be loaded; take GFPGAN or RestoreFormer, or install the extra "
        "faces-non-commercial for CodeFormer"
    ):
        model: Any = network_loader().load_from_file(path)
    name = model.architecture.id
    if name not in ARCHITECTURES:
        raise ModelUnavailable(
            f"The file {path.name} holds {name}, which repairs no faces; take GFPGAN or RestoreFormer."
        )
    check_numbers({"network": model.model}, f"of the face model {path.name}")
    return model.float().eval()


def remark_about(spec: FaceSpec) -> str:
    """A sentence for the owner: the architecture, and its terms if they forbid something.

    Raises:
        ModelUnavailable: see `read_face_network`.
    """
    name = read_face_network(spec).architecture.id
    terms = NON_COMMERCIAL.get(name)
    return f"It is {name}." if terms is None else f"It is {name}; the terms of this architecture: {terms}."


def repair(larger: Pixels, picture: Pixels, points: Points, scale: int, network: FaceNetwork) -> None:
    """Repair one face in an enlarged picture, in place.

    Args:
        larger: the enlarged picture, [scale * h, scale * w, 3].
        picture: the given picture, [h, w, 3]. The network sees its pixels, which no other network has changed.
        points: the face's points in the given picture.
        scale: factor between the two.
        network: the network.

    Raises:
        BrokenImage: the result holds NaN or infinity.
        torch.OutOfMemoryError: the CPU has no room for the network.
    """
    to_picture = similarity(TEMPLATE, points)
    pixels = torch.tensor(picture).permute(2, 0, 1)[None].float() / 255
    face = network.repaired(_warped(pixels, to_picture, (SIDE, SIDE)).clamp(0, 1))
    # The middle of pixel 0 of the given picture is not that of pixel 0 of the enlarged one.
    to_larger = to_picture * scale
    to_larger[:, 2] += (scale - 1) / 2
    rows, columns = _around(to_larger, larger.shape[:2])
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    part = larger[rows, columns]
    to_face = inverse(to_larger)
    to_face[:, 2] += to_face[:, :2] @ np.array([columns.start, rows.start])
    weight = _warped(_border_weights(), to_face, part.shape[:2])[0, 0].numpy()[..., None]
    pasted = _warped(face, to_face, part.shape[:2])[0].permute(1, 2, 0).numpy() * 255
    part[:] = np.rint(part * (1 - weight) + pasted * weight).clip(0, 255).astype(np.uint8)


def is_sharp(picture: Pixels, face: Face) -> bool:
    """Whether a face in a picture [h, w, 3] has details that the network could only lose.

    It is measured between the outermost of the face's points, where neither hair nor background is.
    """
    (left, top), (right, bottom) = face.points.min(axis=0), face.points.max(axis=0)
    part = picture[max(0, int(top)) : int(bottom) + 1, max(0, int(left)) : int(right) + 1]
    bright = np.asarray(Image.fromarray(part).convert("L"), dtype=float)
    inner = bright[1:-1, 1:-1]
    around = bright[:-2, 1:-1] + bright[2:, 1:-1] + bright[1:-1, :-2] + bright[1:-1, 2:]
    return bool(inner.size) and float((4 * inner - around).var()) >= _SHARP


class Repairing:
    """The faces of one picture while they are repaired, the largest first.

    Sharp faces larger than `LARGEST` stay as they are.

    Attributes:
        repaired: number of faces that are repaired so far.
        sharp: number of faces that stay as they are.

    Args:
        network: the network.
        picture: the given picture.
        scale: factor between the sides of the enlarged picture and those of the given one.
    """

    def __init__(self, network: FaceNetwork, picture: Pixels, scale: int) -> None:
        self._network = network
        self._picture = picture
        self._scale = scale
        self._faces: list[Face] | None = None
        self.repaired = 0
        self.sharp = 0

    @property
    def done(self) -> float:
        """Finished part of the work, from 0 to 1."""
        return 0.0 if self._faces is None else (1 + self.repaired) / (1 + len(self._faces))

    def advance(self, larger: Pixels) -> bool:
        """Find the faces, then repair one at each call; False after the last one.

        Raises:
            BrokenImage: the result holds NaN or infinity.
            torch.OutOfMemoryError: the CPU has no room for the network.
        """
        if self._faces is None:
            found = find_faces(self._picture)
            self._faces = [face for face in found if face.side <= LARGEST or not is_sharp(self._picture, face)]
            self.sharp = len(found) - len(self._faces)
        else:
            repair(larger, self._picture, self._faces[self.repaired].points, self._scale, self._network)
            self.repaired += 1
        return self.repaired < len(self._faces)


def similarity(first: Points, second: Points) -> Affine:
    """The turn, scale and shift that best map points to others by least squares (Umeyama 1991)."""
    middle, target = first.mean(axis=0), second.mean(axis=0)
    a, b = first - middle, second - target
    # As complex numbers, a turn with a scale is one factor.
    x, y = a[:, 0] + 1j * a[:, 1], b[:, 0] + 1j * b[:, 1]
    factor = (x.conj() * y).sum() / (x.conj() * x).sum().real
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.concatenate([turn, (target - turn @ middle)[:, None]], axis=1)


def inverse(affine: Affine) -> Affine:
    """The map back."""
    turn = np.linalg.inv(affine[:, :2])
    return np.concatenate([turn, -turn @ affine[:, 2:]], axis=1)


def _around(to_larger: Affine, sides: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the enlarged picture in which the face's square lies."""
    corners = np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]]) @ to_larger[:, :2].T + to_larger[:, 2]
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    return slice(max(0, int(top)), min(sides[0], int(bottom))), slice(max(0, int(left)), min(sides[1], int(right)))


def _border_weights() -> torch.Tensor:
    """1 in the middle of a face's square, and less towards its edges: [1, 1, SIDE, SIDE]."""
    at = torch.arange(SIDE) + 0.5
    line = (torch.minimum(at, SIDE - at) / _BORDER).clamp(0, 1)
    return torch.minimum(line[:, None], line[None])[None, None]


def _warped(pixels: torch.Tensor, affine: Affine, sides: tuple[int, ...]) -> torch.Tensor:
    """Pixels [1, c, *sides]; the one at x and y is that of `pixels` at the affine's x and y. Outside of it lies 0."""
    height, width = sides
    theirs_height, theirs_width = pixels.shape[2:]
    # grid_sample counts from -1 to 1 between the outer edges of the pixels.
    to_unit = np.array([[2 / theirs_width, 0, 1 / theirs_width - 1], [0, 2 / theirs_height, 1 / theirs_height - 1]])
    from_unit = np.array([[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2]])
    theta = _after(_after(from_unit, affine), to_unit)
    grid = affine_grid(torch.tensor(theta, dtype=torch.float32)[None], [1, 1, height, width], align_corners=False)
    return grid_sample(pixels, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _after(first: Affine, second: Affine) -> Affine:
    """One map after another."""
    turn = second[:, :2] @ first[:, :2]
    return np.concatenate([turn, second[:, :2] @ first[:, 2:] + second[:, 2:]], axis=1)
