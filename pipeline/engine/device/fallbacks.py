"""Fallbacks: the same work with ever less memory of the device."""

from typing import Final, Literal

Fallback = Literal["direct", "tiled", "cpu"]
"""In one piece; in tiles that overlap; or on the processor, which is slow, with the computer's memory."""

TILE_SIDE: Final = 512
"""Pixels of a tile's side."""


def fallbacks_for(height: int, width: int, *, has_tiles: bool, is_on_processor: bool) -> tuple[Fallback, ...]:
    """The fallbacks that differ for a picture, the best first.

    Args:
        height: of the picture, in pixels.
        width: likewise.
        has_tiles: the network's work can be cut into tiles.
        is_on_processor: it is there already, and has no other place to go to.
    """
    fallbacks: list[Fallback] = ["direct"]
    if has_tiles and max(height, width) > TILE_SIDE:
        fallbacks.append("tiled")
    if not is_on_processor:
        fallbacks.append("cpu")
    return tuple(fallbacks)
