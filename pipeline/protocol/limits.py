"""Bounds that hold for every request, whatever the model: the widest that a catalogue entry may offer.

Discord's option bounds, the resolver, the catalogue and the worker all read them from here, so that
Discord's own client refuses what the worker would.
"""

from typing import Final

MAX_PROMPT_LENGTH: Final = 2_000
"""Characters of a prompt or a negative prompt."""

MIN_STEPS: Final = 1
MAX_STEPS: Final = 150

MIN_GUIDANCE_SCALE: Final = 0.0
MAX_GUIDANCE_SCALE: Final = 30.0

MIN_IMAGES: Final = 1
MAX_IMAGES: Final = 4

MIN_SEED: Final = 0
MAX_SEED: Final = 2**32 - 1
"""A1111's and Midjourney's range; image k of a job uses seed + k, which wraps around."""

MAX_VARIATIONS: Final = 32
"""Steps away from a first picture, each a press."""

MAX_LORAS: Final = 5
"""LoRAs of one job."""

MAX_SCALE: Final = 4
"""Times that an upscaled picture is wider and higher."""

MAX_CLIP_SKIP: Final = 12
"""Layers of the smallest CLIP text encoder; A1111's bound too."""

SIZE_MULTIPLE: Final = 8
"""Width and height are multiples of this many pixels, for every family."""

MIN_SIDE: Final = 64
MAX_SIDE: Final = 2_048
"""Pixels of one side."""

MAX_FRAME_BYTES: Final = 256 * 1024 * 1024
"""One message on the wire: four uncompressed 2,048 x 2,048 RGB images and room to spare."""
