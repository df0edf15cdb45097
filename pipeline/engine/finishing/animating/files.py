"""The two files of an animation."""

from pipeline.protocol.wire.outputs import AnimationFile, ImageFile, Rating
from pipeline.protocol.wire.settings import ImageOutput


def with_still(
    data: bytes, output: ImageOutput, size: tuple[int, int], still: ImageFile, rating: Rating
) -> tuple[AnimationFile, AnimationFile]:
    """An animation of so many pixels, and the encoded picture beside it; both have the same rating."""
    width, height = size
    moving = AnimationFile(
        index=0, data=data, media_type=f"image/{output.animation}", width=width, height=height, rating=rating
    )
    beside = AnimationFile(
        index=1,
        data=still.data,
        media_type=still.media_type,
        width=still.width,
        height=still.height,
        fingerprint=still.fingerprint,
        rating=rating,
    )
    return moving, beside
