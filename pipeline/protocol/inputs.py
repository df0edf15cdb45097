"""Pictures that a job is given, the part of one that is drawn anew, and the tiles by which that is done."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec


class Use(StrEnum):
    """What a member wants of a picture."""

    START = "start"
    """Denoising starts from it."""
    STYLE = "style"
    SUBJECT = "subject"
    FACE = "face"
    COMPOSITION = "composition"
    LINES = "lines"
    SCRIBBLE = "scribble"
    DEPTH = "depth"
    POSE = "pose"
    EDIT = "edit"
    """The prompt says what changes in it."""


class InputRole(StrEnum):
    """The part that a picture plays in a job."""

    INIT_IMAGE = "init-image"
    """Denoising starts from this picture, with noise, instead of noise alone."""
    MASK = "mask"
    """Its white part of the init image is drawn anew (inpainting); gray counts as white from the middle on."""
    SOURCE = "source"
    """This picture is enlarged."""
    CONTROL = "control"
    """A control net makes the job follow this picture's lines, depth or pose."""
    REFERENCE = "reference"
    """A reference adapter gives the job this picture's style, subject, composition or face."""
    EDIT = "edit"
    """A model for edits changes this picture as the prompt says; further ones are pictures beside it, in order."""


USES: Final[Mapping[InputRole, frozenset[Use]]] = MappingProxyType(
    {
        InputRole.INIT_IMAGE: frozenset({Use.START}),
        InputRole.CONTROL: frozenset({Use.LINES, Use.SCRIBBLE, Use.DEPTH, Use.POSE}),
        InputRole.REFERENCE: frozenset({Use.STYLE, Use.SUBJECT, Use.COMPOSITION, Use.FACE}),
        InputRole.EDIT: frozenset({Use.EDIT}),
    }
)
"""Uses of a picture by the part that it plays for them. Other parts have no use."""


class Input(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture that a job is given.

    The strength is here and not in the request, because several pictures of a job have several strengths.

    Attributes:
        role: its part in the job.
        sha256: hash of its file, a PNG that Easel wrote; the bot keeps the file, and `Submit` carries it.
        strength: its effect. For an init image it is the fraction of the steps that are denoised, as in diffusers: a
            low strength keeps the picture, and 1 replaces all of it. An edit changes the picture more with a higher
            one. For a control or a reference it is the scale, from 0 to `MAX_NETWORK_SCALE`. A mask and a source always
            have 1.
        use: what the member wants of it. None for a mask and a source, and for an init image of an earlier version.
        network: key of the control net or reference adapter in the catalogue. For an init image that is drawn by tiles,
            it is the key of the upscaler that enlarges it first, or empty. Other roles have none.
        start: fraction of a pass's evaluations after which a control or reference has an effect.
        end: fraction after which it has none any more.
        is_map: True when a control's picture is a ready-made map, from which nothing is extracted first.
        is_guess: True when a control acts on the rows with the prompt alone, and less in finer layers (guess mode).
    """

    role: InputRole
    sha256: str
    strength: float = 1.0
    use: Use | None = None
    network: str = ""
    start: float = 0.0
    end: float = 1.0
    is_map: bool = False
    is_guess: bool = False


def shown(inputs: Iterable[Input]) -> frozenset[str]:
    """Hashes of the inputs that show something. A mask says where, and shows nothing."""
    return frozenset(each.sha256 for each in inputs if each.role is not InputRole.MASK)


class Outpaint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Margins around the init image that are drawn anew (outpainting), from 0 to `MAX_MARGIN`; one is more than 0.

    A zoom out by 2 has 0.5 on each side and the size of the picture itself. A pan has one margin, and makes the picture
    wider or taller.

    Attributes:
        left: fraction of the init image's width.
        top: fraction of its height.
        right: fraction of its width.
        bottom: fraction of its height.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


class Inpaint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of the init image that is drawn anew; the rest stays as it is.

    The part is one of three: cells of a grid, the white part of an input with the role `mask`, or margins. The strength
    is that of the init image.

    Attributes:
        cells: cells of a grid of 3 x 3 on the init image, numbered row by row from 0 to 8; empty with another part.
        outpaint: margins; None with another part.
        grow: fraction of the init image's shorter side by which cells or mask grow on every side; a negative one makes
            them smaller. From -`MAX_GROW` to `MAX_GROW`.
        is_inverted: True when everything but the cells or the mask is drawn anew; the part then grows after that.
        is_enlarged: True when a small part is drawn at the job's whole size, together with some of its surroundings,
            and shrunk back into its place. A part that is not small is drawn as it is.
        whole: width and height in pixels of the delivered picture with its margins, of which only a window is drawn, as
            in a pan: the margin with its surroundings, at the request's `width` and `height`. The old picture beside it
            stays as it is. With None, these are the drawn sides of the whole picture.
    """

    cells: tuple[int, ...] = ()
    outpaint: Outpaint | None = None
    grow: float = 0.0
    is_inverted: bool = False
    is_enlarged: bool = False
    whole: tuple[int, int] | None = None


class Tiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Overlapping tiles of equal size that together cover a picture (MultiDiffusion).

    Attributes:
        width: width of a tile in pixels, at most that of the picture.
        height: height of a tile in pixels, at most that of the picture.
        overlap: least number of pixels that a tile shares with the next one, less than a side of a tile.
    """

    width: int
    height: int
    overlap: int

    def count(self, width: int, height: int) -> int:
        """Number of tiles that cover a picture with this width and height in pixels."""
        columns = starts(width, self.width, self.overlap)
        return len(columns) * len(starts(height, self.height, self.overlap))


def starts(length: int, tile: int, overlap: int) -> tuple[int, ...]:
    """First positions of the tiles along one side, evenly spread, so that the last tile ends where the side ends.

    Args:
        length: length of the side.
        tile: length of a tile, at most that of the side.
        overlap: least overlap of two neighbors, less than `tile`.
    """
    gaps = -(-(length - tile) // (tile - overlap))
    return (0,) if gaps == 0 else tuple(round(number * (length - tile) / gaps) for number in range(gaps + 1))
