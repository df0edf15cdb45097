"""Finished outputs of a job, and facts that come with them."""

from enum import StrEnum
from typing import TypeAlias

import msgspec

from pipeline.protocol.provenance.fingerprints import Fingerprint
from pipeline.protocol.wire.settings import CheckMode


class Rating(StrEnum):
    """What the image check finds in a picture."""

    HARMLESS = "harmless"
    """Nothing, or nobody looked."""
    SUGGESTIVE = "suggestive"
    SEXUAL = "sexual"
    BLOCKED = "blocked"
    """It looks like a blocked picture. Such an output is always hidden."""


class Rated(msgspec.Struct, frozen=True, kw_only=True):
    """A picture's rating, and how sure the classifier is of it.

    Attributes:
        rating: the rating.
        score: probability of what the rating names, from 0 to 1; 0 if it is not the classifier's.
    """

    rating: Rating = Rating.HARMLESS
    score: float = 0.0


def is_refused(rating: Rating, mode: CheckMode) -> bool:
    """Whether nobody may see a picture with this rating, and nothing is drawn from it."""
    match mode:
        case "strict":
            return rating is not Rating.HARMLESS
        case "hide":
            return rating in (Rating.SEXUAL, Rating.BLOCKED)
        case _:
            return rating is Rating.BLOCKED


class OutputFile(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """One finished output. Each kind is a subclass with a tag; it may have `width`, `height` and `seed`.

    Attributes:
        index: index of the output in the request, from 0.
        data: the file's bytes.
        media_type: media type of the file.
        fingerprint: fingerprint of the picture in the file; None if the output is no picture.
        rating: what the image check found in the picture.
    """

    index: int
    data: bytes
    media_type: str
    fingerprint: Fingerprint | None = None
    rating: Rating = Rating.HARMLESS


class ImageFile(OutputFile, frozen=True, kw_only=True, tag="image"):
    """One finished image. Its media type is `image/` and the `ImageFormat`.

    Attributes:
        width: width of the delivered image in pixels.
        height: its height in pixels.
        seed: seed that repeats exactly this image as the only one of a job.
    """

    width: int
    height: int
    seed: int


class UpscaledFile(OutputFile, frozen=True, kw_only=True, tag="upscaled"):
    """An enlarged picture. Its media type is `image/` and the `ImageFormat`.

    Attributes:
        width: its width in pixels.
        height: its height in pixels.
    """

    width: int
    height: int


class CutoutFile(OutputFile, frozen=True, kw_only=True, tag="cutout"):
    """A picture with a transparent background. It is always a PNG.

    Attributes:
        width: its width in pixels.
        height: its height in pixels.
    """

    width: int
    height: int


class AnimationFile(OutputFile, frozen=True, kw_only=True, tag="animation"):
    """An animation, or its still: a picture for those who let nothing move.

    Attributes:
        width: its width in pixels.
        height: its height in pixels.
    """

    width: int
    height: int


Output: TypeAlias = ImageFile | UpscaledFile | CutoutFile | AnimationFile
"""Every kind of finished output: a union of subclasses of `OutputFile` by the tag `kind`. The tag is also the value of
the column `kind` in the database."""


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Facts beyond the request that determine the bits of a picture.

    Attributes:
        model_hash: ten digits of the weights' SHA-256; empty when they could not be read.
        loras: ten digits of each used LoRA's SHA-256, by name.
        embeddings: ten digits of each used embedding's SHA-256, by name.
        networks: ten digits of the SHA-256 of each network beside the model, by its key in the catalogue.
        scheduler: name of the scheduler's class in diffusers.
        rows: row counts that its forward passes may have had; all give the same bits.
        device: the maker's name for the device.
        dtype: precision.
        versions: versions of the libraries, by name.
    """

    model_hash: str
    loras: dict[str, str] = {}
    embeddings: dict[str, str] = {}
    networks: dict[str, str] = {}
    scheduler: str
    rows: tuple[int, ...]
    device: str
    dtype: str
    versions: dict[str, str]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A fact about one attempt, as a key of the text catalogue with its values."""

    key: str
    values: dict[str, str | int] = {}
