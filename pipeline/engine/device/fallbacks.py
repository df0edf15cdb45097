"""Fallbacks: ways to do the same work with less and less device memory."""

from typing import Final, Literal

Fallback = Literal["direct", "tiled", "cpu"]
"""`direct`: in one piece. `tiled`: in overlapping tiles. `cpu`: on the CPU in host memory, which is slow."""

TILE_SIDE: Final = 512
"""Side of a tile in pixels."""


def fallbacks_for(height: int, width: int, *, has_tiles: bool, is_on_processor: bool) -> tuple[Fallback, ...]:
    """Useful fallbacks for a picture, best first.

    Args:
        height: height of the picture in pixels.
        width: its width in pixels.
        has_tiles: True when the network can work in tiles.
        is_on_processor: True when the device is the CPU, so that the fallback `cpu` would change nothing.
    """
    fallbacks: list[Fallback] = ["direct"]
    if has_tiles and max(height, width) > TILE_SIDE:
        fallbacks.append("tiled")
    if not is_on_processor:
        fallbacks.append("cpu")
    return tuple(fallbacks)
