"""Draws a real PNG of noise for every job, with its fingerprint; a larger one for a job of the prompt `large`."""

import sys

import msgspec
import numpy as np
from speech import Speech, beat, finished

from pipeline.images.fingerprint import fingerprint
from pipeline.images.png import png_of_rows
from pipeline.images.xmp import xmp_packet
from pipeline.protocol.provenance.source_types import GENERATED
from pipeline.protocol.wire.messages import Submit

SIDE = 96
LARGE = 400

bot = Speech()
bot.begin()
bot.say(beat())
while True:
    match bot.hear():
        case Submit() as submit:
            side = LARGE if submit.request.prompt == "large" else SIDE
            rows = np.random.default_rng(submit.job_id).integers(0, 256, (side, side, 3), np.uint8)
            data = png_of_rows(rows, "a cat\nSteps: 4", xmp_packet(GENERATED))
            done = finished(submit, data)
            (image,) = done.outputs
            image = msgspec.structs.replace(image, width=side, height=side, fingerprint=fingerprint(rows))
            bot.say(msgspec.structs.replace(done, outputs=(image,)))
        case _:
            sys.exit(1)
