"""Limits for requests to all models; a catalogue entry can only narrow them.

Discord's option limits, the resolver, the catalogue and the worker all read them from here. So Discord's client already
refuses what the worker would refuse.
"""

from typing import Final

MAX_PROMPT_LENGTH: Final = 2_000
"""Greatest length of a prompt or negative prompt in characters."""

MIN_STEPS: Final = 1
MAX_STEPS: Final = 150

MIN_FRAMES: Final = 8
MAX_FRAMES: Final = 48
"""Least and greatest number of frames of a morph."""
MAX_SHOWN_STEPS: Final = 24
"""Greatest number of steps that a making-of shows; of more, they are spread evenly, and the last is among them."""

MIN_GUIDANCE_SCALE: Final = 0.0
MAX_GUIDANCE_SCALE: Final = 30.0
NO_GUIDANCE: Final = 1.0
"""Guidance scale without effect; at this scale and below the unconditional rows are left out."""

MIN_IMAGES: Final = 1
MAX_IMAGES: Final = 4

MIN_SEED: Final = 0
MAX_SEED: Final = 2**32 - 1
"""Greatest seed, as in A1111 and Midjourney; image k of a job uses seed + k, which wraps around."""

MAX_VARIATIONS: Final = 32
"""Greatest number of successive variations from the first picture; each is one press of a button."""

MAX_LORAS: Final = 5
"""Greatest number of LoRAs in one job."""

MAX_SCALE: Final = 4
"""Greatest factor between the sides of an upscaled picture and the original."""

MAX_CLIP_SKIP: Final = 12
"""Number of layers of the smallest CLIP text encoder, and A1111's limit."""

MAX_INPUTS: Final = 6
"""Greatest number of pictures that a job is given."""

MAX_TILES: Final = 64
"""Greatest number of tiles of a picture that is drawn by tiles."""

MAX_INPUT_SIDE: Final = 2_048
MAX_WHOLE_SIDE: Final = 3_072
"""Greatest side of a picture of which only a window is drawn: an input that is longer by a half."""
"""Greatest width and height in pixels of a picture that a job is given; larger ones are made smaller first."""

UPSCALES: Final = (2, 4)
"""Factors by which any picture can be enlarged."""

MAX_UPSCALED_PIXELS: Final = 4_096 * 4_096
"""Greatest number of pixels of an enlarged picture: four times those of the largest picture that a job is given."""

MIN_STRENGTH: Final = 0.05
MAX_STRENGTH: Final = 1.0

GRID_CELLS: Final = 9
"""Number of cells of the grid whose cells can be drawn anew."""
MAX_GROW: Final = 0.25
"""Greatest growth of a part that is drawn anew, as a fraction of the picture's shorter side."""
MAX_MARGIN: Final = 1.0
"""Greatest margin that is drawn anew, as a fraction of the picture's side."""

MAX_NETWORK_SCALE: Final = 2.0
"""Greatest scale of a control net or a reference; at 1 it has the effect that it was trained for."""

SIZE_MULTIPLE: Final = 8
"""Width and height must be multiples of this number of pixels, for every family."""

MIN_SIDE: Final = 64
MAX_SIDE: Final = 2_048
"""Greatest width and height in pixels."""

MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
"""Greatest size of a message on the wire; more than four uncompressed RGB images of 2,048 x 2,048 pixels."""
MAX_PART_WORDS: Final = 200
"""Characters of the words that name a part of a picture."""
